//! How much the store holds of each hour, and a mark that changes when that does.

use super::block::Damage;
use super::block::bytes::{Source, unseal};
use super::names::find_meter;
use super::{Store, StoreError, Trouble, sealed};
use crate::reading::{Instant, MeterId};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::ops::{AddAssign, Range};

/// What there is in a stretch of time. Stocks of stretches that do not overlap can be added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// At how many instants there are readings.
    pub instants: u64,
    /// How many readings there are.
    pub readings: u64,
    /// Of their times and qualities; others give another mark, whatever their order.
    pub mark: u64,
}

impl AddAssign for Stock {
    fn add_assign(&mut self, other: Self) {
        self.instants += other.instants;
        self.readings += other.readings;
        self.mark = self.mark.wrapping_add(other.mark);
    }
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

impl Store {
    /// What there is of a meter in each UTC hour of `period`, by the hour's start. Registers are not looked at.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn stock(&self, meter: &MeterId, period: Range<Instant>) -> Result<BTreeMap<Instant, Stock>, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(BTreeMap::new()) };
            sealed::balance(connection, &meter)?;
            stock(connection, meter.row, &(period.start.unix_micros()..period.end.unix_micros()))
        })
    }
}

pub(super) fn stock(
    connection: &Connection,
    meter: i64,
    period: &Range<i64>,
) -> Result<BTreeMap<Instant, Stock>, Trouble> {
    let sql = "SELECT at, nth, data FROM hot WHERE meter = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, nth";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![meter, period.start, period.end])?;
    let mut next_hot = || -> Result<Option<(i64, i64)>, Trouble> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let (at, nth): (i64, i64) = (row.get(0)?, row.get(1)?);
        let data = row.get_ref(2)?.as_blob().map_err(|_| Damage("a row is no blob"))?;
        let mut source = Source::new(unseal(&[meter, at, nth], data)?);
        source.number()?;
        Ok(Some((at, source.signed()?)))
    };
    let mut count = Count::default();
    let mut waiting = next_hot()?;
    for row in sealed::spans(connection, meter, period)? {
        let span = sealed::open(connection, &row)?;
        for index in 0..span.count {
            let at = span.time(index)?;
            if !period.contains(&at) {
                continue;
            }
            while let Some((late, quality)) = waiting.take_if(|(late, _)| *late < at) {
                count.take(late, quality);
                waiting = next_hot()?;
            }
            count.take(at, super::block::skeleton::quality_number(span.quality(index)?));
        }
    }
    while let Some((at, quality)) = waiting.take() {
        count.take(at, quality);
        waiting = next_hot()?;
    }
    count.close();
    Ok(count.hours)
}

#[derive(Default)]
struct Count {
    hours: BTreeMap<Instant, Stock>,
    /// The hour that is open, and the newest time in it.
    open: Option<(i64, i64)>,
    stock: Stock,
}

impl Count {
    fn take(&mut self, at: i64, quality: i64) {
        let hour = at.div_euclid(HOUR).saturating_mul(HOUR);
        if self.open.is_none_or(|(open, _)| open != hour) {
            self.close();
            self.open = Some((hour, i64::MIN));
        }
        if let Some((_, newest)) = &mut self.open {
            self.stock.instants += u64::from(at > *newest);
            *newest = at;
        }
        self.stock.readings += 1;
        self.stock.mark = self.stock.mark.wrapping_add(mix(at.cast_unsigned() ^ mix(quality.cast_unsigned())));
    }

    fn close(&mut self) {
        if let Some((hour, _)) = self.open.take() {
            // Rows come in order of time: no hour comes twice.
            self.hours.insert(Instant::from_unix_micros(hour), std::mem::take(&mut self.stock));
        }
    }
}

/// Spreads the bits of a number over all of it (splitmix64).
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
