//! Taking old readings out of the store, once they are safe elsewhere.

use super::block::Damage;
use super::block::bytes::checksum;
use super::names::find_meter;
use super::stock::{Stock, stock};
use super::{Store, StoreError, Trouble, hot, seal, sealed};
use crate::reading::{Instant, MeterId};
use rusqlite::{Connection, OptionalExtension as _, params};

/// What pruning came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Readings that are no longer in the store.
    pub readings: u64,
    /// Their bytes in its file, free for what comes.
    pub bytes: u64,
}

/// Before all readings.
const EVER: i64 = i64::MIN / 2;

impl Store {
    /// Since when the readings of a meter are in the store; `None` where it was never pruned. Readings that come late may
    /// still lie before it.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn pruned(&self, meter: &MeterId) -> Result<Option<Instant>, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(None) };
            pruned(connection, meter.row)
        })
    }

    /// Whether the readings of any meter were given away.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn is_pruned(&self) -> Result<bool, StoreError> {
        self.read(|connection, _| {
            Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM pruned)", [], |row| row.get(0))?)
        })
    }

    /// What pruning a meter up to a time would come to.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn prunable(&self, meter: &MeterId, until: Instant) -> Result<Pruned, StoreError> {
        self.read(|connection, _| {
            let Some(meter) = find_meter(connection, meter)? else { return Ok(Pruned::default()) };
            sealed::balance(connection, &meter)?;
            size(connection, meter.row, until.unix_micros())
        })
    }

    /// Takes the readings of a meter before `until` out of the store, in one transaction: rows, whole spans, and of the span
    /// over `until` its beginning. `expected` is what the caller has seen to be safe elsewhere: where the store holds
    /// anything else by now (a reading that came late), nothing is changed and `None` comes back.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; nothing was changed then.
    pub fn prune(&mut self, meter: &MeterId, until: Instant, expected: Stock) -> Result<Option<Pruned>, StoreError> {
        self.write(|connection, names| {
            let Some(found) = find_meter(connection, meter)? else { return Ok(None) };
            sealed::balance(connection, &found)?;
            let (row, end) = (found.row, until.unix_micros());
            let mut there = Stock::default();
            stock(connection, row, &(EVER..end))?.into_values().for_each(|hour| there += hour);
            if there != expected {
                return Ok(None);
            }
            let done = size(connection, row, end)?;
            for span in sealed::spans(connection, row, &(EVER..end))? {
                if span.period.end <= end {
                    sealed::remove(connection, &span)?;
                    continue;
                }
                let opened = sealed::open(connection, &span)?;
                let has_rest = span.count > 0 && opened.time(span.count - 1)? >= end;
                if has_rest {
                    let rest = end..span.period.end;
                    seal::rewrite(connection, names, (row, &found.identifier), rest, std::slice::from_ref(&span))?;
                } else {
                    sealed::remove(connection, &span)?;
                }
            }
            hot::remove(connection, row, &(EVER..end))?;
            let until = pruned(connection, row)?.map_or(end, |before| before.unix_micros().max(end));
            connection.execute(
                "INSERT INTO pruned (meter, until, checksum) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET until = ?2, checksum = ?3",
                params![row, until, i64::from(checksum(&[row, until], &[]))],
            )?;
            Ok(Some(done))
        })
    }
}

pub(super) fn pruned(connection: &Connection, meter: i64) -> Result<Option<Instant>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT until, checksum FROM pruned WHERE meter = ?1")?;
    let found = statement.query_row([meter], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).optional()?;
    match found {
        Some((until, sum)) if i64::from(checksum(&[meter, until], &[])) != sum => {
            Err(Damage("what was pruned is damaged").into())
        }
        found => Ok(found.map(|(until, _)| Instant::from_unix_micros(until))),
    }
}

/// Readings and bytes before a time. Of a span over it the bytes count by its share of readings.
fn size(connection: &Connection, meter: i64, end: i64) -> Result<Pruned, Trouble> {
    let mut statement = connection
        .prepare_cached("SELECT count(*), coalesce(sum(length(data)), 0) FROM hot WHERE meter = ?1 AND at < ?2")?;
    let (mut readings, mut bytes): (i64, i64) =
        statement.query_row(params![meter, end], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut blocks = connection.prepare_cached(
        "SELECT (SELECT length(data) FROM span WHERE id = ?1)
              + coalesce((SELECT sum(length(data)) FROM block WHERE id >= ?2 AND id < ?3), 0)",
    )?;
    for span in sealed::spans(connection, meter, &(EVER..end))? {
        let (first, last) = span.blocks();
        let whole: i64 = blocks.query_row([span.id, first, last], |row| row.get(0))?;
        let count = i64::try_from(span.count).unwrap_or(i64::MAX);
        let mut before = count;
        if span.period.end > end {
            let opened = sealed::open(connection, &span)?;
            before = 0;
            for index in 0..span.count {
                before += i64::from(opened.time(index)? < end);
            }
        }
        readings += before;
        bytes += whole.saturating_mul(before).checked_div(count).unwrap_or_default();
    }
    let number = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(Pruned { readings: number(readings), bytes: number(bytes) })
}
