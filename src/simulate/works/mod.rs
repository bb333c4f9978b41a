//! The measuring works of a meter: integrates the household second by second and keeps what a meter keeps.
//!
//! Energies are whole watt-seconds, so that a counter is exactly the sum of the powers: what a register shows is that sum,
//! cut to the register's last digit. A meter has been in its place for ten days when the simulation starts, so that
//! its load profile and its logs have something to say. They are counted from midnight UTC: two simulations that start on one
//! day show the same counters at the same moment.

mod clock;
mod counters;
mod log;

pub use clock::{Clock, ClockChange};
pub use counters::{CAPACITY_WH, Counters, shown_wh};
pub use log::{Entry, Event, Failure};

use super::household::{Household, Load, past_outages};
use super::random::Draws;
use crate::reading::{Instant, Zone};
use counters::tariff_at;
use log::Log;
use std::collections::VecDeque;
use std::ops::Range;

/// The recording period of the load profile, s.
pub const PERIOD: i64 = 900;
/// Rows of the load profile: 60 days, what Swiss law (StromVV, art. 8a) asks for.
pub const MAX_ROWS: usize = 60 * 96;
/// How many days a meter has been in its place when the simulation starts.
const HISTORY: i64 = 10;
/// A failure of the mains longer than this is a long one, s (EN 50160; DSMR 0-0:96.7.20).
const LONG_FAILURE: i64 = 180;
/// Where the numbers of the works' own choices come from; the household draws from the low streams.
const STREAM: u64 = 100;

/// Bits of a row's status, as DSMR and IDIS count them (DSMR 4.2.2 P3, 5.x).
pub mod status {
    /// The mains failed in the interval.
    pub const POWER_DOWN: u8 = 0x80;
    /// The clock was set in the interval.
    pub const CLOCK_ADJUSTED: u8 = 0x20;
    /// Summer time is in force.
    pub const SUMMER: u8 = 0x08;
}

/// One line of the load profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The end of the period by the meter's clock.
    pub end: Instant,
    /// Bits of [`status`].
    pub status: u8,
    /// The counters at its end.
    pub counters: Counters,
    /// Energy imported and exported in the period, Wh: the steps that the registers made, so that rows add up to them.
    pub energy_wh: [u64; 2],
}

/// The highest quarter-hour mean of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maximum {
    /// W.
    pub watts: u64,
    /// The end of its period by the meter's clock; `None` before the first period of the month is over.
    pub end: Option<Instant>,
}

/// What a simulation is to be.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The household's and the meter's number.
    pub seed: u64,
    /// When the simulation starts.
    pub start: Instant,
    /// Where the household is.
    pub zone: Zone,
    /// Failures of the mains, UNIX seconds.
    pub outages: Vec<Range<i64>>,
    /// High sun in a clear sky, whatever the hour; UNIX seconds.
    pub sunny: Vec<Range<i64>>,
    /// What happens to the clock.
    pub clock: Vec<ClockChange>,
    /// When the meter is replaced by another one, UNIX seconds.
    pub swaps: Vec<i64>,
    /// A new meter whose import counter stands so many Wh below its last digit's turn.
    pub before_rollover: Option<u64>,
}

impl Setup {
    /// A household that nothing happens to.
    #[must_use]
    pub const fn new(seed: u64, start: Instant) -> Self {
        Self {
            seed,
            start,
            zone: Zone::CENTRAL_EUROPE,
            outages: Vec::new(),
            sunny: Vec::new(),
            clock: Vec::new(),
            swaps: Vec::new(),
            before_rollover: None,
        }
    }
}

/// The works. [`advance`](Self::advance) brings them to a moment; what they show is of that moment.
#[derive(Debug, Clone)]
pub struct Works {
    seed: u64,
    zone: Zone,
    house: Household,
    clock: Clock,
    swaps: Vec<i64>,
    meters_before: u32,
    /// The UNIX second that was integrated last.
    second: i64,
    load: Load,
    powered: bool,
    off_since: i64,
    on_since: i64,
    counters: Counters,
    log: Log,
    rows: VecDeque<Row>,
    open: OpenRow,
    maximum: Maximum,
    /// The quarter of an hour by the meter's clock that tariff and season were last looked up for.
    quarter: i64,
    tariff: usize,
    summer: bool,
    month: u16,
}

/// The period that is being recorded.
#[derive(Debug, Clone, Copy)]
struct OpenRow {
    quarter: i64,
    status: u8,
    start_wh: [u64; 2],
    watt_seconds: u64,
    seconds: i64,
}

impl Works {
    /// The works of a setup, advanced to its start.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let start = setup.start.unix_seconds();
        let mut house = Household::new(setup.seed, setup.zone);
        let mut draws = Draws::new(setup.seed, STREAM, 0);
        let (since, counters) = match setup.before_rollover {
            Some(below) => {
                let tariff = tariff_at(setup.start.meter_time(setup.zone).civil);
                (start, Counters::before_rollover(below, tariff))
            }
            None => {
                let day = start.div_euclid(86_400) - HISTORY;
                (day * 86_400, Counters::used(&mut draws, day))
            }
        };
        for outage in past_outages(setup.seed, since).into_iter().filter(|_| since < start).chain(setup.outages.clone())
        {
            house.cut(outage);
        }
        for sunny in &setup.sunny {
            house.shine(sunny.clone());
        }
        let mut works = Self {
            seed: setup.seed,
            zone: setup.zone,
            house,
            clock: Clock::new(setup.clock.clone()),
            swaps: setup.swaps.clone(),
            meters_before: 0,
            second: since,
            load: Load::default(),
            powered: true,
            off_since: since,
            on_since: since,
            counters,
            log: Log::new(Instant::from_unix(since)),
            rows: VecDeque::new(),
            open: OpenRow {
                quarter: since.div_euclid(PERIOD),
                status: 0,
                start_wh: counters.registers_wh(),
                watt_seconds: 0,
                seconds: 0,
            },
            maximum: Maximum { watts: 0, end: None },
            quarter: i64::MIN,
            tariff: 0,
            summer: false,
            month: 0,
        };
        works.look_at_clock(since);
        // The fitter closed the cover and set the clock.
        for (after, event) in
            [(60, Event::CoverOpened), (600, Event::CoverClosed)].into_iter().filter(|_| since < start)
        {
            works.log.add(Instant::from_unix(since + after), event);
        }
        works.advance(setup.start);
        works.load = works.house.at(start);
        works
    }

    /// Integrates every second up to `to`; what lies before the moment reached already changes nothing.
    pub fn advance(&mut self, to: Instant) {
        let to = to.unix_seconds();
        while self.second < to {
            self.second += 1;
            self.one_second();
        }
    }

    fn one_second(&mut self) {
        let second = self.second;
        if self.swaps.contains(&second) {
            self.replace();
        }
        let shown = self.clock.shown(second);
        if let Some(before) = self.clock.set_at(second) {
            self.log.add(Instant::from_unix(before), Event::ClockBefore);
            self.log.add(Instant::from_unix(shown), Event::ClockAfter);
            self.open.status |= status::CLOCK_ADJUSTED;
        }
        self.load = self.house.at(second);
        if !self.house.is_supplied(second) {
            if self.powered {
                self.powered = false;
                self.off_since = second;
                self.open.status |= status::POWER_DOWN;
                self.log.add(Instant::from_unix(shown - 1), Event::PowerDown);
            }
            return;
        }
        // The second that ends at a full quarter belongs to the one before it.
        let quarter = (shown - 1).div_euclid(PERIOD);
        // A slow clock may show the full quarter for two seconds.
        let is_late = self.open.seconds == 0 && quarter + 1 == self.open.quarter;
        if quarter != self.open.quarter && !is_late {
            // The clock jumped, or the meter was dark at the end of the period: it is recorded as far as it went.
            self.close_row();
            self.open_row(quarter);
        }
        if !self.powered {
            self.powered = true;
            self.on_since = second;
            self.log.power_up(Instant::from_unix(shown - 1), second - self.off_since, LONG_FAILURE);
            self.open.status |= status::POWER_DOWN;
        }
        if quarter != self.quarter {
            self.look_at_clock(shown - 1);
        }
        let watts = self.load.watts();
        self.counters.add(watts, self.load.vars(), self.tariff);
        self.open.watt_seconds += u64::from(watts.max(0).unsigned_abs());
        self.open.seconds += 1;
        if shown.rem_euclid(PERIOD) == 0 && !is_late {
            self.close_row();
            self.open_row(quarter + 1);
        }
    }

    /// Tariff and season, which only change on the quarter of an hour.
    fn look_at_clock(&mut self, shown: i64) {
        let quarter = shown.div_euclid(PERIOD);
        let at = Instant::from_unix(quarter * PERIOD);
        let local = at.meter_time(self.zone).civil;
        let summer = self.zone.is_summer(at);
        if self.quarter != i64::MIN && summer != self.summer {
            self.log.add(Instant::from_unix(quarter * PERIOD), Event::Season);
        }
        (self.quarter, self.summer) = (quarter, summer);
        self.tariff = tariff_at(local);
        let [_, month, ..] = local.fields();
        if month != self.month {
            self.month = month;
            self.maximum = Maximum { watts: 0, end: None };
        }
    }

    fn open_row(&mut self, quarter: i64) {
        self.open = OpenRow { quarter, status: 0, start_wh: self.counters.registers_wh(), watt_seconds: 0, seconds: 0 };
    }

    fn close_row(&mut self) {
        if self.open.seconds == 0 {
            return;
        }
        let end = Instant::from_unix((self.open.quarter + 1) * PERIOD);
        let now = self.counters.registers_wh();
        let [import, export] = self.open.start_wh;
        let mean = self.open.watt_seconds / PERIOD.unsigned_abs();
        if mean > self.maximum.watts || self.maximum.end.is_none() {
            self.maximum = Maximum { watts: mean, end: Some(end) };
        }
        let season = if self.summer { status::SUMMER } else { 0 };
        if self.rows.len() == MAX_ROWS {
            self.rows.pop_front();
        }
        self.rows.push_back(Row {
            end,
            status: self.open.status | season,
            counters: self.counters,
            energy_wh: [counters::step(import, now[0]), counters::step(export, now[1])],
        });
    }

    /// Another meter: nothing of the old one is left.
    fn replace(&mut self) {
        self.meters_before += 1;
        self.on_since = self.second;
        self.counters = Counters::default();
        self.log = Log::new(Instant::from_unix(self.second));
        self.rows.clear();
        self.maximum = Maximum { watts: 0, end: None };
        self.open_row((self.second - 1).div_euclid(PERIOD));
    }

    /// The moment that was reached.
    #[must_use]
    pub const fn now(&self) -> Instant {
        Instant::from_unix(self.second)
    }

    /// What the meter's clock shows, on the UTC line.
    #[must_use]
    pub fn clock(&self) -> Instant {
        Instant::from_unix(self.clock.shown(self.second))
    }

    /// Where the meter is.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// What flowed in the last second.
    #[must_use]
    pub const fn load(&self) -> &Load {
        &self.load
    }

    /// Whether the meter has mains, and so works at all.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.house.is_supplied(self.second)
    }

    /// Seconds since the meter last got mains.
    #[must_use]
    pub fn seconds_of_operation(&self) -> u32 {
        u32::try_from(self.second - self.on_since).unwrap_or(u32::MAX)
    }

    /// The counters.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The tariff in force: 0 high, 1 low.
    #[must_use]
    pub const fn tariff(&self) -> usize {
        self.tariff
    }

    /// The highest quarter-hour mean of the month.
    #[must_use]
    pub const fn maximum(&self) -> Maximum {
        self.maximum
    }

    /// The load profile, oldest row first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.iter()
    }

    /// The event log, oldest entry first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.log.entries()
    }

    /// The log of long power failures, oldest first.
    pub fn long_failures(&self) -> impl DoubleEndedIterator<Item = &Failure> + ExactSizeIterator {
        self.log.long_failures()
    }

    /// How often the mains failed, and how often for long.
    #[must_use]
    pub const fn failure_counts(&self) -> [u32; 2] {
        self.log.counts()
    }

    /// The meter's number, eight digits. Another meter has another one.
    #[must_use]
    pub fn serial(&self) -> u32 {
        let mut draws = Draws::new(self.seed, STREAM + 1, 0);
        let first = u32::try_from(draws.between(0, 8_999)).unwrap_or(0);
        30_650_000 + first + 1_000 * (self.meters_before % 100)
    }
}

#[cfg(test)]
mod tests;
