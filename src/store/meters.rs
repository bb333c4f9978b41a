//! Meters by name, and the segments of their counters.

use super::flow::Follower;
use super::names::{MeterRow, Names, all_meters, find_meter, meter_of_row, series_of};
use super::segment::{Break, Found, Point};
use super::series::{Series, each};
use super::sheet::{FLOOR, mantissa_at, sealed_exponent};
use super::{Store, StoreError, Trouble, boundaries, sealed};
use crate::reading::{Decimal, Instant, Kind, MeterId, kind_of};
use rusqlite::Connection;
use std::ops::Range;

/// A meter of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Its identifier.
    pub identifier: MeterId,
    /// What people call it.
    pub alias: Option<String>,
    /// The times of its oldest and newest reading.
    pub extent: Option<(Instant, Instant)>,
    /// How many readings it has.
    pub readings: u64,
}

/// A stretch of a counter without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Why it begins; `None` for the first.
    pub begins: Option<Break>,
    /// The times of its first and last good value.
    pub between: (Instant, Instant),
    /// Its first value.
    pub first: Decimal,
    /// Its last value.
    pub last: Decimal,
    /// Stretches of misread values in it, which do not count.
    pub outliers: usize,
}

/// What a counter went on by, from one good value to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The times of both values.
    pub between: (Instant, Instant),
    /// By how much; never negative.
    pub amount: Decimal,
}

impl Store {
    /// Every meter, by identifier.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn list_meters(&self) -> Result<Vec<Meter>, StoreError> {
        self.read(|connection, _| {
            let describe = |row: MeterRow| {
                let hot: i64 =
                    connection.query_row("SELECT count(*) FROM hot WHERE meter = ?1", [row.row], |row| row.get(0))?;
                let extent = super::query::extent(connection, &row)?;
                let readings = u64::try_from(row.sealed.saturating_add(hot)).unwrap_or_default();
                Ok(Meter { identifier: row.identifier, alias: row.alias, extent, readings })
            };
            all_meters(connection)?.into_iter().map(describe).collect()
        })
    }

    /// Gives a meter a name by which people may call it, or takes it away. `false` where the name is another meter's.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn name_meter(&mut self, meter: &MeterId, alias: Option<&MeterId>) -> Result<bool, StoreError> {
        self.write(|connection, names| {
            let Some(row) = find_meter(connection, meter)? else { return Ok(false) };
            if let Some(alias) = alias
                && find_meter(connection, alias)?.is_some_and(|other| other.row != row.row)
            {
                return Ok(false);
            }
            names.forget();
            MeterRow { alias: alias.map(|alias| alias.as_str().to_owned()), ..row }.write(connection)?;
            Ok(true)
        })
    }

    /// The segments of each counter of a meter.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn segments(&self, meter: &MeterId) -> Result<Vec<(Series, Vec<Segment>)>, StoreError> {
        self.read(|connection, names| {
            let Some(row) = find_meter(connection, meter)? else { return Ok(Vec::new()) };
            sealed::balance(connection, &row)?;
            let counters = series_of(connection, row.row)?.into_iter().map(|found| Series::of(found, &row.identifier));
            let counters = counters.filter(|series| kind_of(&series.code) == Some(Kind::Counter));
            counters.map(|series| Ok((series.clone(), segments(connection, names, &series)?))).collect()
        })
    }

    /// What a counter went on by in `period`, step by step in order of time, over rollovers and past misread values, into
    /// `sink`. The sum of the steps is what was used.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn steps(&self, series: &Series, period: Range<Instant>, mut sink: impl FnMut(Step)) -> Result<(), StoreError> {
        self.read(|connection, names| {
            sealed::balance(connection, &meter_of_row(connection, series.row)?)?;
            let period = period.start.unix_micros()..period.end.unix_micros();
            let exponent = finest(connection, names, series, &period)?;
            let amount = |from: Point, to: Point, mantissa: i64| Step {
                between: (Instant::from_unix_micros(from.at), Instant::from_unix_micros(to.at)),
                amount: Decimal::new(mantissa, exponent),
            };
            follow(connection, names, series, &period, exponent, &mut |found| match found {
                Found::Step(from, to) => sink(amount(from, to, to.value.saturating_sub(from.value))),
                Found::Begins(from, to, Break::Rollover { step }) => sink(amount(from, to, step)),
                _ => {}
            })
        })
    }
}

fn segments(connection: &Connection, names: &mut Names, series: &Series) -> Result<Vec<Segment>, Trouble> {
    let ever = i64::MIN / 2..i64::MAX;
    let exponent = finest(connection, names, series, &ever)?;
    let mut all: Vec<Segment> = Vec::new();
    let number = |value| Decimal::new(value, exponent);
    let instant = Instant::from_unix_micros;
    let begin = |begins, point: Point| Segment {
        begins,
        between: (instant(point.at), instant(point.at)),
        first: number(point.value),
        last: number(point.value),
        outliers: 0,
    };
    follow(connection, names, series, &ever, exponent, &mut |found| match found {
        Found::Step(from, to) => {
            if all.is_empty() {
                all.push(begin(None, from));
            }
            if let Some(open) = all.last_mut() {
                open.between.1 = instant(to.at);
                open.last = number(to.value);
            }
        }
        Found::Begins(from, to, why) => {
            if all.is_empty() {
                all.push(begin(None, from));
            }
            all.push(begin(Some(why), to));
        }
        Found::Outlier(..) => {
            if let Some(open) = all.last_mut() {
                open.outliers += 1;
            }
        }
    })?;
    Ok(all)
}

/// The finest exponent of a series, at which all its values are compared.
fn finest(connection: &Connection, names: &mut Names, series: &Series, period: &Range<i64>) -> Result<i8, Trouble> {
    let mut finest: Option<i8> = None;
    let mut take = |exponent: i8| finest = Some(finest.map_or(exponent, |finest| finest.min(exponent)));
    for span in sealed::spans(connection, series.row, period)? {
        if let Some(exponent) = sealed_exponent(connection, &span, series)? {
            take(exponent);
        }
    }
    let mut hot = Vec::new();
    super::series::each_hot(connection, names, series, period, &mut |sample| hot.push(sample.value.exponent()))?;
    hot.into_iter().for_each(take);
    Ok(finest.unwrap_or_default().max(FLOOR))
}

/// Follows a counter through a period.
fn follow(
    connection: &Connection,
    names: &mut Names,
    series: &Series,
    period: &Range<i64>,
    exponent: i8,
    sink: &mut impl FnMut(Found),
) -> Result<(), Trouble> {
    let boundaries = boundaries::read(connection, names, (series.row, series.meter()), period)?;
    let mut follower = Follower::new(series.unit, exponent, boundaries);
    each(connection, names, series, period, &mut |sample| {
        if let Some(value) = mantissa_at(sample.value, exponent) {
            follower.follow(Point { at: sample.at.unix_micros(), value }, sink);
        }
    })
}
