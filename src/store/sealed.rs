//! Spans and their blocks in the tables.

use super::Trouble;
use super::block::builder::{Block, Builder};
use super::block::bytes::checksum;
use super::block::column::{self, Opened, Totals};
use super::block::ints::Aim;
use super::block::span::{Named, Readings, Span};
use super::block::{Damage, MAX_SERIES, pack};
use super::names::{MeterRow, Names};
use super::seal::end_of_day;
use super::segment::{Pace, falls};
use crate::reading::{Kind, kind_of};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::ops::Range;

/// A row of the table of spans, without its blob.
#[derive(Debug, Clone)]
pub(super) struct SpanRow {
    pub(super) id: i64,
    pub(super) meter: i64,
    pub(super) period: Range<i64>,
    pub(super) count: usize,
}

impl SpanRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            meter: row.get(1)?,
            period: row.get(2)?..row.get(3)?,
            count: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(usize::MAX),
        })
    }

    fn key(&self) -> [i64; 5] {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        [self.id, self.meter, self.period.start, self.period.end, count]
    }

    /// The numbers of its blocks: from the first to before the second.
    pub(super) const fn blocks(&self) -> (i64, i64) {
        (self.block(0), self.block(0).saturating_add(MAX_SERIES))
    }

    const fn block(&self, series: u32) -> i64 {
        self.id.saturating_mul(MAX_SERIES).saturating_add(series as i64)
    }
}

/// No span is longer: a month.
const LONGEST: i64 = 31 * 86_400_000_000;

/// The spans of a meter that reach into a period, oldest first.
pub(super) fn spans(connection: &Connection, meter: i64, period: &Range<i64>) -> Result<Vec<SpanRow>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT id, meter, start, until, count FROM span
         WHERE meter = ?1 AND start > ?2 AND start < ?3 AND until > ?4 ORDER BY start",
    )?;
    let from = period.start.saturating_sub(LONGEST + 1);
    let rows = statement.query_map(params![meter, from, period.end, period.start], SpanRow::read)?;
    let spans = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    // What is not in order was not written so: a page stands in the place of another.
    if spans.windows(2).any(|pair| matches!(pair, [a, b] if a.period.end > b.period.start)) {
        return Err(Damage("spans overlap").into());
    }
    Ok(spans)
}

/// Opens the times of a span.
pub(super) fn open(connection: &Connection, row: &SpanRow) -> Result<Span, Trouble> {
    let mut statement = connection.prepare_cached("SELECT data FROM span WHERE id = ?1")?;
    let mut rows = statement.query([row.id])?;
    let found = rows.next()?.ok_or(Damage("a span is missing"))?;
    let blob = found.get_ref(0)?.as_blob().map_err(|_| Damage("a span is no blob"))?;
    Ok(Span::parse(&row.key(), blob, row.count)?)
}

/// The series under whose number a span keeps its short blocks: none has it.
const PACK: u32 = 0;

/// Where a span has more than so many times the series that are wanted, each is looked up.
const MANY: usize = 4;

/// The blocks of a span.
#[derive(Debug)]
struct Blocks<'c> {
    connection: &'c Connection,
    row: &'c SpanRow,
    /// The short ones, once they are needed.
    pack: Option<Vec<u8>>,
}

impl<'c> Blocks<'c> {
    const fn of(connection: &'c Connection, row: &'c SpanRow) -> Self {
        Self { connection, row, pack: None }
    }

    /// Opens the block of a series, of so many rows.
    fn open(&mut self, series: u32, rows: usize) -> Result<Opened, Trouble> {
        let key = [self.row.block(series)];
        if let Some(pack) = &self.pack
            && let Some(blob) = pack::find(pack, series)?
        {
            return Ok(Opened::parse(&key, blob, rows)?);
        }
        match blob(self.connection, self.row, series, |blob| {
            if blob.is_empty() { Ok(None) } else { Opened::parse(&key, blob, rows).map(Some) }
        })? {
            Some(opened) => Ok(opened),
            // It is a short one.
            None => {
                let pack = blob(self.connection, self.row, PACK, |blob| Ok(blob.to_vec()))?;
                let pack = self.pack.insert(pack);
                let found = pack::find(pack, series)?.ok_or(Damage("a block is missing"))?;
                Ok(Opened::parse(&key, found, rows)?)
            }
        }
    }
}

/// Opens the blocks of some series of a span, each of so many rows; `None` for those of none. It is one walk over the rows of
/// the span where much of it is wanted.
pub(super) fn open_blocks(
    connection: &Connection,
    row: &SpanRow,
    span: &Span,
    wanted: &[(u32, usize)],
) -> Result<Vec<Option<Opened>>, Trouble> {
    if span.series().len() > wanted.len().saturating_mul(MANY) {
        let mut blocks = Blocks::of(connection, row);
        let open = |&(series, rows): &(u32, usize)| (rows > 0).then(|| blocks.open(series, rows)).transpose();
        return wanted.iter().map(open).collect();
    }
    let mut found: Vec<Option<Opened>> = Vec::new();
    found.resize_with(wanted.len(), || None);
    let mut statement =
        connection.prepare_cached("SELECT id, data FROM block WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let (first, behind) = row.blocks();
    let mut rows = statement.query([first, behind])?;
    while let Some(next) = rows.next()? {
        let series =
            u32::try_from(next.get::<_, i64>(0)?.saturating_sub(first)).map_err(|_| Damage("no such block"))?;
        for (&(own, rows), slot) in wanted.iter().zip(&mut found) {
            if rows == 0 || slot.is_some() || (series != own && series != PACK) {
                continue;
            }
            let blob = next.get_ref(1)?.as_blob().map_err(|_| Damage("a block is no blob"))?;
            let blob = if series == PACK { pack::find(blob, own)? } else { Some(blob).filter(|blob| !blob.is_empty()) };
            if let Some(blob) = blob {
                *slot = Some(Opened::parse(&[row.block(own)], blob, rows)?);
            }
        }
    }
    let is_missing = |(&(_, rows), slot): (&(u32, usize), &Option<Opened>)| rows > 0 && slot.is_none();
    if wanted.iter().zip(&found).any(is_missing) {
        return Err(Damage("a block is missing").into());
    }
    Ok(found)
}

/// Does something with the blob in the row of a block.
fn blob<T>(
    connection: &Connection,
    span: &SpanRow,
    series: u32,
    act: impl FnOnce(&[u8]) -> Result<T, Damage>,
) -> Result<T, Trouble> {
    let mut statement = connection.prepare_cached("SELECT data FROM block WHERE id = ?1")?;
    let mut found = statement.query([span.block(series)])?;
    let found = found.next()?.ok_or(Damage("a block is missing"))?;
    let blob = found.get_ref(0)?.as_blob().map_err(|_| Damage("a block is no blob"))?;
    Ok(act(blob)?)
}

/// Opens the block of a series in a span, of so many rows.
pub(super) fn open_block(connection: &Connection, span: &SpanRow, series: u32, rows: usize) -> Result<Opened, Trouble> {
    Blocks::of(connection, span).open(series, rows)
}

/// Opens a span to read its readings one after the other.
pub(super) fn readings(connection: &Connection, names: &mut Names, row: &SpanRow) -> Result<Readings, Trouble> {
    let span = open(connection, row)?;
    let mut blocks = Blocks::of(connection, row);
    Readings::new(span, |series, rows| {
        let (code, unit) = names.label(connection, series)?;
        Ok(Named { code, unit, block: blocks.open(series, rows)? })
    })
}

/// Holds a block of a span against its totals and its marks.
pub(super) fn verify(connection: &Connection, row: &SpanRow, span: &Span, series: u32) -> Result<(), Trouble> {
    let rows = span.rows_of(series)?;
    let count = rows.as_ref().map_or(span.count, Vec::len);
    let found = totals(connection, row, series)?;
    if count == 0 {
        return if found.is_none() { Ok(()) } else { Err(Damage("a block belongs to nothing").into()) };
    }
    let (known, _) = found.ok_or(Damage("a block is missing"))?;
    let opened = open_block(connection, row, series, count)?.into_mantissas();
    let counted = opened.as_ref().and_then(|(exponent, mantissas)| column::totals(mantissas, *exponent));
    if counted != known {
        return Err(Damage("the totals of a block do not fit it").into());
    }
    let Some(marks) = span.marks.open(series)? else { return Ok(()) };
    let (exponent, mantissas) = opened.ok_or(Damage("the marks of a span do not fit it"))?;
    let times = (0..count).map(|index| span.time(rows.as_ref().map_or(index, |rows| rows[index])));
    let times = times.collect::<Result<Vec<_>, _>>()?;
    if marks.fit(&row.period, exponent, &times, &mantissas) {
        Ok(())
    } else {
        Err(Damage("the marks of a span do not fit it").into())
    }
}

/// Of a block's numbers, where they have a common scale; and how many steps of a counter are no good.
pub(super) type Known = (Option<Totals>, Option<i64>);

/// What a block says without being opened; `None` where the span has no such series.
pub(super) fn totals(connection: &Connection, span: &SpanRow, series: u32) -> Result<Option<Known>, Trouble> {
    let id = span.block(series);
    let mut statement = connection.prepare_cached(
        "SELECT exponent, count, first, last, min, max, sum, falls, checksum FROM block WHERE id = ?1",
    )?;
    let columns = statement.query_row([id], |row| {
        let mut columns = [None; 8];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = row.get::<_, Option<i64>>(index)?;
        }
        Ok((columns, row.get::<_, i64>(8)?))
    });
    let Some((columns, sum)) = columns.optional()? else { return Ok(None) };
    if i64::from(totals_checksum(id, &columns)) != sum {
        return Err(Damage("the totals of a block are damaged").into());
    }
    let [exponent, count, first, last, min, max, total, falls] = columns;
    let totals = match (exponent, count, first, last, min, max) {
        (Some(exponent), Some(count), Some(first), Some(last), Some(min), Some(max)) => Some(Totals {
            exponent: i8::try_from(exponent).map_err(|_| Damage("no such exponent"))?,
            count: usize::try_from(count).map_err(|_| Damage("no such count"))?,
            first,
            last,
            min,
            max,
            sum: total,
        }),
        _ => None,
    };
    Ok(Some((totals, falls)))
}

fn totals_checksum(id: i64, columns: &[Option<i64>; 8]) -> u32 {
    let mut key = vec![id];
    key.extend(columns.iter().flat_map(|column| [i64::from(column.is_some()), column.unwrap_or_default()]));
    checksum(&key, &[])
}

/// A span of so few readings that ends within a day is written to be read fast: it grows soon, and costs little until then.
const FEW: usize = 4096;

/// Writes a span and its blocks, each read back before it counts.
pub(super) fn write(
    connection: &Connection,
    names: &mut Names,
    meter: i64,
    period: Range<i64>,
    mut builder: Builder,
) -> Result<(), Trouble> {
    let count = builder.len();
    if count < FEW && period.end < end_of_day(period.end.saturating_sub(1)) {
        builder.aim = Aim::Fast;
    }
    let id: i64 = connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM span", [], |row| row.get(0))?;
    let row = SpanRow { id, meter, period, count };
    let mut counters = Vec::new();
    for series in builder.series() {
        if kind_of(&names.label(connection, series)?.0) == Some(Kind::Counter) {
            counters.push(series);
        }
    }
    let head = builder.head(&row.key(), &row.period, &counters);
    Span::parse(&row.key(), &head, count)?;
    connection
        .prepare_cached("INSERT INTO span (id, meter, start, until, count, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![id, meter, row.period.start, row.period.end, row.key()[4], head])?;
    let (mut rows, mut short) = (Vec::new(), Vec::new());
    let key = |series| [row.block(series)];
    builder.blocks(key, |block, builder| -> Result<(), Trouble> {
        let totals = check_block(connection, names, &row, &block, builder)?;
        if block.blob.len() < pack::SHORT {
            rows.push((block.series, totals, Vec::new()));
            short.push((block.series, block.blob));
        } else {
            rows.push((block.series, totals, block.blob));
        }
        Ok(())
    })?;
    if !short.is_empty() {
        rows.push((PACK, [None; 8], pack::put(&short)));
    }
    // In the order of their keys, so that they fill one page after the other.
    rows.sort_by_key(|(series, ..)| *series);
    let mut statement = connection.prepare_cached(
        "INSERT INTO block (id, exponent, count, first, last, min, max, sum, falls, checksum, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (series, columns, data) in rows {
        let id = row.block(series);
        let [exponent, count, first, last, min, max, sum, falls] = columns;
        let sum_of_all = totals_checksum(id, &columns);
        statement.execute(params![id, exponent, count, first, last, min, max, sum, falls, sum_of_all, data])?;
    }
    account(connection, meter, 1, row.key()[4])
}

/// The columns of a block's row before its checksum and its blob, which has to read back as it was meant.
fn check_block(
    connection: &Connection,
    names: &mut Names,
    row: &SpanRow,
    block: &Block,
    builder: &Builder,
) -> Result<[Option<i64>; 8], Trouble> {
    let id = row.block(block.series);
    let opened = Opened::parse(&[id], &block.blob, block.rows)?;
    if let Some(totals) = block.totals
        && opened.into_mantissas().is_none_or(|(exponent, read)| exponent != totals.exponent || read != block.mantissas)
    {
        return Err(Damage("a block did not read back as written").into());
    }
    let (code, unit) = names.label(connection, block.series)?;
    let fallen = block.totals.filter(|_| kind_of(&code) == Some(Kind::Counter)).map(|totals| {
        let times = builder.times_of(block.series);
        // Where some rows are no numbers the times do not tell which: to be looked at closely.
        if times.len() == block.mantissas.len() {
            falls(Pace::of(unit, totals.exponent), &times, &block.mantissas)
        } else {
            1
        }
    });
    let totals = block.totals;
    Ok([
        totals.map(|totals| i64::from(totals.exponent)),
        totals.map(|totals| i64::try_from(totals.count).unwrap_or(i64::MAX)),
        totals.map(|totals| totals.first),
        totals.map(|totals| totals.last),
        totals.map(|totals| totals.min),
        totals.map(|totals| totals.max),
        totals.and_then(|totals| totals.sum),
        fallen,
    ])
}

/// Removes a span and its blocks.
pub(super) fn remove(connection: &Connection, row: &SpanRow) -> Result<(), Trouble> {
    let first = row.block(0);
    connection
        .prepare_cached("DELETE FROM block WHERE id >= ?1 AND id < ?2")?
        .execute([first, first.saturating_add(MAX_SERIES)])?;
    connection.prepare_cached("DELETE FROM span WHERE id = ?1")?.execute([row.id])?;
    account(connection, row.meter, -1, -row.key()[4])
}

/// Keeps the books of a meter: how many spans and sealed readings there must be.
fn account(connection: &Connection, meter: i64, spans: i64, sealed: i64) -> Result<(), Trouble> {
    let found = super::names::meter_of_row(connection, meter)?;
    MeterRow { spans: found.spans + spans, sealed: found.sealed + sealed, ..found }.write(connection)
}

/// Whether as many spans and readings are there as there must be.
pub(super) fn balance(connection: &Connection, meter: &MeterRow) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT count(*), coalesce(sum(count), 0) FROM span WHERE meter = ?1")?;
    let found: (i64, i64) = statement.query_row([meter.row], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if found == (meter.spans, meter.sealed) { Ok(()) } else { Err(Damage("spans are missing").into()) }
}
