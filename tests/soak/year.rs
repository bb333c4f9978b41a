//! The year itself: what the simulated meter sends, and what happens to it on the way.

use crate::Age;
use crate::meter::Port;
use crate::testenv::random::Random;
use crate::told::Row;
use releve::reading::{Decimal, Instant, Zone};
use releve::simulate::meter::Telegram as _;
use releve::simulate::meter::e450::{E450, PushKeys};
use releve::simulate::works::{Setup, Works};
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant as Clock};

/// The seconds of a local year, or of a part of it.
pub(crate) struct Year {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Seconds from one push to the next.
    period: i64,
    /// After so many pushes the head is unplugged, and half as many later the log is killed.
    trouble: usize,
}

/// The counters of a push, in Wh.
pub(crate) type Counters = (u64, u64);

/// What was sent.
#[derive(Default)]
pub(crate) struct Sent {
    counters: BTreeMap<i64, Counters>,
    /// Pushes that were spoilt on the way.
    broken: BTreeSet<i64>,
    /// From when to when pushes may have been lost, each time the head was unplugged or the log killed.
    gaps: Vec<(i64, i64)>,
    garbage: usize,
    unplugged: usize,
    killed: usize,
    /// Seconds from one push to the next.
    period: i64,
    /// Local beginnings of months, with the start and the end of everything.
    months: Vec<i64>,
}

/// So many pushes before and behind an interruption may be lost with it: those in the head's and the port's buffers.
const IN_FLIGHT: i64 = 60;

impl Year {
    /// 2024 in Zurich.
    pub(crate) const WHOLE: Self = Self { start: 1_704_063_600, end: 1_735_686_000, period: 60, trouble: 6000 };
    /// From 27 October 2024, a day of 25 hours, to the end of 1 November.
    pub(crate) const SHORT: Self = Self { start: 1_729_980_000, end: 1_730_502_000, period: 60, trouble: 3000 };

    /// Nothing is lost around the beginning of a month, nor where a time comes twice: there the figures are compared.
    fn is_quiet(&self, at: i64, months: &[i64]) -> bool {
        let reach = 3 * IN_FLIGHT * self.period;
        /// 27 October 2024, 02:00, when the hour begins that comes twice.
        const TWICE: i64 = 1_729_987_200;
        months.iter().any(|month| (month - reach..month + reach).contains(&at))
            || (TWICE - reach..TWICE + 7200 + reach).contains(&at)
    }

    /// Lives it, as fast as the log reads.
    pub(crate) fn live(&self, age: &Age) -> Sent {
        let zone = Zone::parse("Europe/Zurich").unwrap();
        let span = Instant::from_unix(self.start)..Instant::from_unix(self.end);
        let months = releve::reading::Calendar::Month.bounds(zone, &span);
        let inner =
            months.into_iter().map(Instant::unix_seconds).filter(|month| (self.start..=self.end).contains(month));
        let mut months: Vec<i64> = [self.start, self.end].into_iter().chain(inner).collect();
        months.sort_unstable();
        months.dedup();
        let mut setup = Setup::new(7, span.start);
        // The mains fail for two hours a month, on the tenth day of it.
        setup.outages = months.iter().map(|month| month + 864_000..month + 871_200).collect();
        let mut works = Works::new(&setup);
        let mut meter = E450::new(Some(PushKeys::EXAMPLE), true);
        let mut port = Port::new(age.place.path("meter"));
        let mut log = age.log();
        let mut sent = Sent { months, period: self.period, ..Sent::default() };
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut count = 0;
        for at in (self.start..=self.end).step_by(usize::try_from(self.period).unwrap()) {
            works.advance(Instant::from_unix(at));
            if !works.is_powered() {
                continue;
            }
            age.set(at);
            let (mut telegram, _) = meter.write(&works);
            sent.counters.insert(at, (works.counters().import_wh(), works.counters().export_wh()));
            if count == 0 {
                // Until it listens what is sent is lost, and the same push twice is kept once.
                log.until("listening", 60, |_| {
                    port.send(&telegram);
                    sleep(Duration::from_millis(100));
                    age.newest().is_some()
                });
                count += 1;
                continue;
            }
            count += 1;
            if self.is_quiet(at, &sent.months) {
                // Every push is to be read in its own minute here.
                sleep(Duration::from_millis(1));
            } else {
                sent.disturb(&mut telegram, at, &mut random);
                let gap = (at - IN_FLIGHT * self.period, at + IN_FLIGHT * self.period);
                if count % self.trouble == 0 {
                    port.unplug();
                    sleep(Duration::from_millis(200));
                    port.plug();
                    sent.unplugged += 1;
                    sent.gaps.push(gap);
                } else if count % self.trouble == self.trouble / 2 {
                    drop(log);
                    log = age.log();
                    sent.killed += 1;
                    sent.gaps.push(gap);
                }
            }
            let since = Clock::now();
            while !port.send_within(&telegram, Duration::from_secs(60)) {
                assert!(since.elapsed() < Duration::from_secs(120), "nobody reads any more: {}", log.said());
            }
        }
        let last = *sent.counters.keys().next_back().unwrap();
        log.until("the last is stored", 120, |_| age.newest().is_some_and(|(_, newest)| newest.unix_seconds() == last));
        sleep(Duration::from_secs(2));
        log.end();
        sent
    }
}

impl Sent {
    pub(crate) fn count(&self) -> usize {
        self.counters.len()
    }

    /// Now and then characters before a push, and now and then a push that is spoilt.
    fn disturb(&mut self, telegram: &mut Vec<u8>, at: i64, random: &mut Random) {
        if random.below(97) == 0 {
            let place = random.below(telegram.len());
            match random.below(3) {
                0 => telegram[place] ^= 1 << random.below(8),
                1 => drop(telegram.drain(place..telegram.len().min(place + 20))),
                _ => telegram.truncate(place),
            }
            self.broken.insert(at);
        }
        if random.below(41) == 0 {
            let length = random.below(300);
            let garbage: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            telegram.splice(0..0, garbage);
            self.garbage += 1;
        }
    }

    /// Everything that was told is what was sent, and what is missing was spoilt or interrupted.
    #[track_caller]
    pub(crate) fn assert_kept(&self, told: &BTreeMap<i64, [Decimal; 2]>) {
        for (at, values) in told {
            let sent = self.counters.get(at).unwrap_or_else(|| panic!("{} was never sent", Instant::from_unix(*at)));
            assert_eq!(*values, [kwh(sent.0), kwh(sent.1)], "{}", Instant::from_unix(*at));
        }
        for at in self.counters.keys().filter(|at| !told.contains_key(at)) {
            // What breaks off may take the push behind it along.
            let is_spoilt = self.broken.contains(at) || self.broken.contains(&(at - self.period));
            let is_lost = self.gaps.iter().any(|(from, until)| (from..=until).contains(&at));
            assert!(is_spoilt || is_lost, "{} is missing", Instant::from_unix(*at));
        }
    }

    /// Each month's energies are the difference of the counters at its beginning and its end.
    #[track_caller]
    pub(crate) fn assert_months(&self, rows: &[Row]) {
        assert!(rows.len() + 1 >= self.months.len(), "{rows:?}");
        let [mut import, mut export] = [0, 0];
        for (row, bounds) in rows.iter().zip(self.months.windows(2)) {
            let (first, last) = (self.counters[&bounds[0]], self.counters[&bounds[1]]);
            assert_eq!(row.energies, [kwh(last.0 - first.0), kwh(last.1 - first.1)], "{}", row.begin);
            (import, export) = (import + last.0 - first.0, export + last.1 - first.1);
        }
        let (first, last) = self.ends();
        assert_eq!((import, export), (last.0 - first.0, last.1 - first.1));
    }

    #[track_caller]
    pub(crate) fn assert_years(&self, rows: &[Row]) {
        let (first, last) = self.ends();
        let row = rows.first().unwrap();
        assert_eq!(row.energies, [kwh(last.0 - first.0), kwh(last.1 - first.1)], "{rows:?}");
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, one: &BTreeMap<i64, [Decimal; 2]>, other: &BTreeMap<i64, [Decimal; 2]>) {
        assert_eq!(one.len(), other.len());
        assert!(one == other, "other readings after consolidation");
    }

    fn ends(&self) -> (Counters, Counters) {
        (*self.counters.values().next().unwrap(), *self.counters.values().next_back().unwrap())
    }

    pub(crate) fn figures(&self, told: &BTreeMap<i64, [Decimal; 2]>) -> String {
        format!(
            "{} pushes with {} pieces of garbage, {} spoilt, {} times unplugged, {} kills: {} kept, {} lost in interruptions",
            self.count(),
            self.garbage,
            self.broken.len(),
            self.unplugged,
            self.killed,
            told.len(),
            self.counters.keys().filter(|at| !told.contains_key(at) && !self.broken.contains(at)).count(),
        )
    }
}

fn kwh(watt_hours: u64) -> Decimal {
    Decimal::new(i64::try_from(watt_hours).unwrap(), -3)
}
