//! Telegrams as they came, for a better decoder to read again.
//!
//! A stream is one connection or capture; its pieces follow one another, cut wherever they were read. They are deflated,
//! and forgotten when they are old enough.

use super::block::Damage;
use super::block::bytes::{seal, unseal};
use super::known::{Known, says_the_same};
use super::names::Names;
use super::write::insert_hot;
use super::{Entry, Store, StoreError, Trouble, hot, sealed};
use crate::reading::{Instant, MeterId, Reading};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use rusqlite::{Connection, params};
use std::io::Read as _;

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPiece {
    /// Which stream.
    pub stream: i64,
    /// When it was received; of a capture, when that was last written.
    pub at: Instant,
    /// It came from a meter just then, not from a capture.
    pub is_live: bool,
    /// The meter that was named for it.
    pub meter: Option<MeterId>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Where a piece stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawPlace {
    stream: i64,
    id: i64,
}

/// What reading again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Readings that were there already.
    pub same: usize,
    /// Readings of instants that had none.
    pub added: usize,
    /// Readings that stand in place of what the former decoder made of the telegrams.
    pub changed: usize,
}

/// A piece is no longer.
const MAX_PIECE: usize = 1 << 20;

impl Store {
    /// The number of a new stream.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn new_stream(&self) -> Result<i64, StoreError> {
        self.read(|connection, _| {
            Ok(connection.query_row("SELECT coalesce(max(stream), 0) + 1 FROM raw", [], |row| row.get(0))?)
        })
    }

    /// Keeps pieces as they came.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; none of them is kept then.
    pub fn keep_raw(&mut self, pieces: &[RawPiece]) -> Result<(), StoreError> {
        self.write(|connection, _| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO raw (stream, at, live, meter, length, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for piece in pieces {
                for bytes in piece.bytes.chunks(MAX_PIECE) {
                    let length = i64::try_from(bytes.len()).unwrap_or_default();
                    let (at, live) = (piece.at.unix_micros(), i64::from(piece.is_live));
                    let mut packed = Vec::new();
                    // Reading from memory and writing to it cannot fail.
                    let _ = DeflateEncoder::new(bytes, Compression::default()).read_to_end(&mut packed);
                    let data = seal(&[piece.stream, at, live, length], packed);
                    let meter = piece.meter.as_ref().map(MeterId::as_str);
                    statement.execute(params![piece.stream, at, live, meter, length, data])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets the pieces received before a time. How many.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn forget_raw(&mut self, before: Instant) -> Result<usize, StoreError> {
        self.write(|connection, _| Ok(connection.execute("DELETE FROM raw WHERE at < ?1", [before.unix_micros()])?))
    }

    /// The piece behind another, or the first: stream by stream, each in the order it came.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn next_raw(&self, after: Option<RawPlace>) -> Result<Option<(RawPlace, RawPiece)>, StoreError> {
        let after = after.unwrap_or(RawPlace { stream: i64::MIN, id: i64::MIN });
        self.read(|connection, _| next_piece(connection, after))
    }

    /// Takes the readings that a decoder made of one telegram stream, those of one instant together: where the store has
    /// others of that instant, from the same protocol and source and no more of them, these stand in their place.
    ///
    /// # Errors
    /// [`StoreError`], naming the file; nothing was changed then.
    pub fn replace(&mut self, entries: &[Entry]) -> Result<Replaced, StoreError> {
        self.write(|connection, names| {
            let mut done = Replaced::default();
            for group in entries.chunk_by(|a, b| a.meter == b.meter && a.at == b.at) {
                replace_instant(connection, names, group, &mut done)?;
            }
            Ok(done)
        })
    }
}

fn next_piece(connection: &Connection, after: RawPlace) -> Result<Option<(RawPlace, RawPiece)>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT id, stream, at, live, meter, length, data FROM raw WHERE (stream, id) > (?1, ?2)
         ORDER BY stream, id LIMIT 1",
    )?;
    let mut rows = statement.query([after.stream, after.id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (id, stream, at, live, length): (i64, i64, i64, i64, i64) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?);
    let data = row.get_ref(6)?.as_blob().map_err(|_| Damage("a telegram is no blob"))?;
    let packed = unseal(&[stream, at, live, length], data)?;
    let mut bytes = Vec::new();
    let limit = MAX_PIECE as u64 + 1;
    let unpacked = DeflateDecoder::new(packed).take(limit).read_to_end(&mut bytes);
    if unpacked.is_err() || i64::try_from(bytes.len()) != Ok(length) {
        return Err(Damage("a telegram does not unpack").into());
    }
    let meter = row.get::<_, Option<String>>(4)?.and_then(|text| MeterId::new(&text));
    let at = Instant::from_unix_micros(at);
    Ok(Some((RawPlace { stream, id }, RawPiece { stream, at, is_live: live != 0, meter, bytes })))
}

fn replace_instant(
    connection: &Connection,
    names: &mut Names,
    group: &[Entry],
    done: &mut Replaced,
) -> Result<(), Trouble> {
    let Some(one) = group.first() else { return Ok(()) };
    let meter = names.meter(connection, &one.meter)?;
    let at = one.at.unix_micros();
    let ours = |protocol, source: &str| protocol == one.reading.protocol && source == one.source;
    if let Some(span) = sealed::spans(connection, meter, &(at..at.saturating_add(1)))?.pop() {
        let mut there: Vec<Reading> = Vec::new();
        let mut readings = sealed::readings(connection, names, &span)?;
        readings.skip_until(at)?;
        while readings.peek() == Some(at) {
            if let Some((_, reading, source)) = readings.next(&one.meter)?
                && ours(reading.protocol, &source)
            {
                there.push(reading);
            }
        }
        if is_same(&there, group) {
            done.same += group.len();
            return Ok(());
        }
        reopen(connection, names, (meter, &one.meter), &span)?;
    }
    let hot = hot::at_instant(connection, names, (meter, &one.meter), one.at)?;
    let former: Vec<&hot::Hot> = hot.iter().filter(|hot| ours(hot.reading.protocol, &hot.source)).collect();
    let there: Vec<Reading> = former.iter().map(|hot| hot.reading.clone()).collect();
    if is_same(&there, group) {
        done.same += group.len();
        return Ok(());
    }
    if former.len() > group.len() {
        // Something else came in that second: nothing is taken away, only added.
        for entry in group {
            if insert_hot(connection, names, &mut Known::default(), entry)? {
                done.added += 1;
            } else {
                done.same += 1;
            }
        }
        return Ok(());
    }
    for hot in &former {
        connection.execute("DELETE FROM hot WHERE meter = ?1 AND at = ?2 AND nth = ?3", params![meter, at, hot.nth])?;
    }
    for entry in group {
        insert_hot(connection, names, &mut Known::default(), entry)?;
    }
    if former.is_empty() {
        done.added += group.len();
    } else {
        done.changed += group.len();
    }
    Ok(())
}

fn is_same(there: &[Reading], group: &[Entry]) -> bool {
    there.len() == group.len()
        && group.iter().all(|entry| there.iter().any(|reading| says_the_same(reading, &entry.reading)))
}

/// Turns a span into rows again.
pub(super) fn reopen(
    connection: &Connection,
    names: &mut Names,
    meter: (i64, &MeterId),
    span: &sealed::SpanRow,
) -> Result<(), Trouble> {
    let mut readings = sealed::readings(connection, names, span)?;
    let mut numbers = Vec::new();
    while let Some((at, reading, source)) = readings.next(meter.1)? {
        let next = "SELECT coalesce(max(nth), -1) + 1 FROM hot WHERE meter = ?1 AND at = ?2";
        let nth = connection.prepare_cached(next)?.query_row(params![meter.0, at.unix_micros()], |row| row.get(0))?;
        let skeleton = names.encode(connection, meter.0, (&reading, &source, at), &mut numbers)?;
        hot::insert(connection, names, (meter.0, at, nth), &reading, skeleton, &numbers)?;
    }
    sealed::remove(connection, span)
}
