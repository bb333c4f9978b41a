//! What a packed file holds, by its text alone: how many entries, from when to when.

use super::layout::Kind;
use super::text::{Wrong, unpack_each};
use crate::reading::Instant;
use memchr::memmem::Finder;

/// Entries, and the times of the first and the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) count: usize,
    pub(super) between: Option<(Instant, Instant)>,
}

/// So many octets behind a mark are enough for a time.
const REACH: usize = 48;

/// Unpacks a file, which checks its length and CRC, and counts what is in it.
pub(super) fn scan(bytes: &[u8], kind: Kind) -> Result<Found, Wrong> {
    // Neither can stand inside a JSON text, where a quotation mark has a backslash before it.
    let mark: &[u8] = if kind.has_readings() { b"\"timestamp\":" } else { b"[\"" };
    let finder = Finder::new(mark);
    let mut found = Found::default();
    let mut text: Vec<u8> = Vec::new();
    let mut take = |text: &mut Vec<u8>, is_end: bool| -> Result<(), Wrong> {
        let mut done = 0;
        for at in finder.find_iter(text) {
            let from = at + mark.len();
            if !is_end && text.len() < from + REACH {
                text.drain(..at);
                return Ok(());
            }
            let rest = text.get(from..).unwrap_or_default();
            let time = if kind.has_readings() { quoted(rest) } else { until_quote(rest) };
            let time = time.and_then(|time| Instant::parse_utc(std::str::from_utf8(time).ok()?).ok());
            let time = time.ok_or("an entry has no time")?;
            found.count += 1;
            // Weeks and months go through the time once for each series.
            let (first, last) = found.between.unwrap_or((time, time));
            found.between = Some((first.min(time), last.max(time)));
            done = from;
        }
        let keep = done.max(text.len().saturating_sub(mark.len()));
        text.drain(..keep);
        Ok(())
    };
    unpack_each(bytes, |piece| {
        text.extend_from_slice(piece);
        take(&mut text, false)
    })?;
    take(&mut text, true)?;
    Ok(found)
}

fn quoted(text: &[u8]) -> Option<&[u8]> {
    until_quote(text.trim_ascii_start().strip_prefix(b"\"")?)
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..text.iter().position(|&byte| byte == b'"')?)
}
