//! Meters that were replaced under one name: the serial number that is sent is another from some reading on.
//!
//! A meter is usually known by its serial number, and another one is then another meter. It is the same where a person named
//! the meter, or where it goes by the number of its place.

use super::names::{Names, series_of};
use super::series::{self, Series};
use super::{Trouble, hot, sealed};
use crate::reading::{MeterId, Value};
use rusqlite::{Connection, params};
use std::ops::Range;

/// So often in a row another number has to come before it is believed: one may be misread, with a right checksum too.
const SETTLED: usize = 3;

/// The times in a period, in order, from which on a meter sends another serial number.
pub(super) fn times(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    period: &Range<i64>,
) -> Result<Vec<i64>, Trouble> {
    let mut found = Vec::new();
    for row in series_of(connection, meter.0)? {
        if row.code.is_serial() {
            let mut follower = Follower::default();
            each(connection, names, &Series::of(row, meter.1), period, &mut |at, value| {
                found.extend(follower.push(at, value));
            })?;
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Follows one register.
#[derive(Debug, Default)]
struct Follower {
    settled: Option<Value>,
    /// What came instead of late, since when, and how often.
    other: Option<(Value, i64, usize)>,
}

impl Follower {
    /// The next value; the time of the first of those that are now believed to be of another meter.
    fn push(&mut self, at: i64, value: Value) -> Option<i64> {
        let Some(settled) = &self.settled else {
            self.settled = Some(value);
            return None;
        };
        if *settled == value {
            self.other = None;
            return None;
        }
        let (since, count) = match &self.other {
            Some((other, since, count)) if *other == value => (*since, count + 1),
            _ => (at, 1),
        };
        if count < SETTLED {
            self.other = Some((value, since, count));
            return None;
        }
        (self.settled, self.other) = (Some(value), None);
        Some(since)
    }
}

/// The values of a register in order of time.
fn each(
    connection: &Connection,
    names: &mut Names,
    of: &Series,
    period: &Range<i64>,
    sink: &mut impl FnMut(i64, Value),
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(series::HOT)?;
    let mut rows = statement.query(params![of.row, period.start, period.end])?;
    let mut next_hot = |names: &mut Names| -> Result<Option<(i64, Value)>, Trouble> {
        while let Some(row) = rows.next()? {
            let hot = hot::read(connection, names, (of.row, of.meter()), row)?;
            if let Some(register) = of.register(&hot.reading) {
                return Ok(Some((hot.at.unix_micros(), register.value.clone())));
            }
        }
        Ok(None)
    };
    let mut waiting = next_hot(names)?;
    for row in sealed::spans(connection, of.row, period)? {
        let Some((span, rows, block)) = series::open(connection, of, &row)? else { continue };
        let count = rows.as_ref().map_or(span.count, Vec::len);
        // One text all through, which is nearly always so: as often as it takes to be believed.
        let undisturbed = waiting.as_ref().is_none_or(|(at, _)| *at >= row.period.end);
        let enough =
            if undisturbed && block.is_one_text() && row.period.start >= period.start { SETTLED } else { count };
        let mut cursor = block.cursor();
        for place in 0..count.min(enough) {
            let at = span.time(rows.as_ref().and_then(|rows| rows.get(place).copied()).unwrap_or(place))?;
            let value = cursor.next(&block, &of.code, of.unit)?.value;
            if period.contains(&at) {
                while let Some((at, value)) = waiting.take_if(|(late, _)| *late < at) {
                    sink(at, value);
                    waiting = next_hot(names)?;
                }
                sink(at, value);
            }
        }
    }
    while let Some((at, value)) = waiting.take() {
        sink(at, value);
        waiting = next_hot(names)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::later;
    use super::super::{Break, Correction, Entry, Store, StoreError};
    use crate::reading::{Code, Decimal, Instant, MeterId, Protocol, Reading, Register, Unit};

    const START: i64 = 1_761_350_400;

    /// Readings a quarter of an hour apart whose serial number is `serial` of their place, and whose counter runs on.
    fn entries(count: i64, code: &str, serial: impl Fn(i64) -> &'static str) -> Vec<Entry> {
        let meter = MeterId::new("cellar").unwrap();
        let entry = |index: i64| {
            let mut reading = Reading::new(Protocol::Iec62056);
            reading.registers = vec![
                Register::text(Code::parse(code.as_bytes()), serial(index)),
                Register::number(Code::parse(b"1.8.0"), Decimal::new(154_320 + index, -3), Some(Unit::KWH)),
            ];
            let at = Instant::from_unix(START + index * 900);
            Entry { meter: meter.clone(), at, source: "iec".into(), reading, derived: false }
        };
        (0..count).map(entry).collect()
    }

    /// Why the segments of the only counter begin, and at which reading; the sum of the steps.
    fn segments(store: &Store) -> (Vec<(Break, i64)>, Decimal) {
        let meter = MeterId::new("cellar").unwrap();
        let all = store.segments(&meter).unwrap();
        let [(series, segments)] = all.as_slice() else { panic!("{all:?}") };
        let begins = |segment: &super::super::Segment| {
            let index = (segment.between.0.unix_seconds() - START) / 900;
            segment.begins.map(|why| (why, index))
        };
        let mut sum = Decimal::new(0, -3);
        let ever = Instant::from_unix(0)..Instant::from_unix(1 << 36);
        store.steps(series, ever, |step| sum = sum.checked_add(step.amount).unwrap()).unwrap();
        (segments.iter().filter_map(begins).collect(), sum)
    }

    fn store(entries: &[Entry]) -> Result<(tempfile::TempDir, Store), StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::create(&folder.path().join("s.db"))?;
        store.insert(entries)?;
        Ok((folder, store))
    }

    #[test]
    fn another_serial_number_begins_a_segment_though_the_counter_goes_on() {
        for code in ["C.1.0", "0.0.0", "0-0:96.1.0", "0-0:42.0.0", "1-0:0.0.9"] {
            let all = entries(400, code, |index| if index < 250 { "12345678" } else { "87654321" });
            let (_folder, mut store) = store(&all).unwrap();
            let found = segments(&store);
            assert_eq!(found, (vec![(Break::Replaced, 250)], Decimal::new(398, -3)), "{code}");
            // The same when the days are sealed, and joined, and some are late.
            store.seal(Instant::from_unix(START + 3 * 86_400 + 7200)).unwrap();
            assert_eq!(segments(&store), found, "{code}");
            store.seal(later()).unwrap();
            assert_eq!(segments(&store), found, "{code}");
            let info = store.info().unwrap();
            assert!(info.hot == 0 && info.spans > 0, "{info:?}");
        }
    }

    #[test]
    fn who_knows_better_denies_it() {
        let all = entries(400, "C.1.0", |index| if index < 250 { "12345678" } else { "87654321" });
        let (_folder, mut store) = store(&all).unwrap();
        store.correct(&all[0].meter, all[250].at, Correction::Merge).unwrap();
        assert_eq!(segments(&store), (vec![], Decimal::new(399, -3)));
    }

    #[test]
    fn a_misread_number_another_channel_and_another_register_begin_nothing() {
        for (code, odd) in [("C.1.0", 1), ("0.0.0", 2), ("0-1:96.1.0", 200), ("0-0:96.13.0", 200), ("C.90.2", 200)] {
            let all = entries(400, code, |index| if (100..100 + odd).contains(&index) { "1" } else { "12345678" });
            let (_folder, mut store) = store(&all).unwrap();
            assert_eq!(segments(&store).0, vec![], "{code}");
            store.seal(later()).unwrap();
            assert_eq!(segments(&store).0, vec![], "{code}");
        }
    }

    #[test]
    fn a_late_reading_among_sealed_ones_is_heard_in_its_place() {
        let all = entries(400, "C.1.0", |index| if (96..98).contains(&index) { "1" } else { "12345678" });
        let late = entries(97, "C.1.0", |_| "12345678").pop().unwrap();
        let (_folder, mut store) = store(&all).unwrap();
        store.seal(later()).unwrap();
        let late = Entry { at: late.at.plus_seconds(60), ..late };
        store.insert(&[late]).unwrap();
        assert_eq!(segments(&store).0, vec![]);
    }
}
