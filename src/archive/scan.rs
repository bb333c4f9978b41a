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
    let mut day = Day::default();
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
            let time = time.and_then(|time| day.parse(time));
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

/// The day of the time before: most times are of the same.
#[derive(Default)]
struct Day {
    /// `2025-11-07T`
    name: [u8; 11],
    midnight: Option<Instant>,
}

impl Day {
    fn parse(&mut self, text: &[u8]) -> Option<Instant> {
        let usual = text.split_first_chunk::<11>().and_then(|(name, rest)| Some((name, seconds(rest)?)));
        if let Some((name, seconds)) = usual
            && let Some(midnight) = self.midnight.filter(|_| *name == self.name)
        {
            return Some(midnight.plus_seconds(seconds));
        }
        let time = Instant::parse_utc(std::str::from_utf8(text).ok()?).ok()?;
        if let Some((name, seconds)) = usual {
            (self.name, self.midnight) = (*name, Some(time.plus_seconds(-seconds)));
        }
        Some(time)
    }
}

/// The second of a day that `14:30:00Z` says; `None` for any other form, and a second that is put in.
fn seconds(text: &[u8]) -> Option<i64> {
    let [h, hh, b':', m, mm, b':', s, ss, b'Z'] = text else { return None };
    let number = |ten: &u8, one: &u8| {
        (ten.is_ascii_digit() && one.is_ascii_digit()).then(|| i64::from(ten - b'0') * 10 + i64::from(one - b'0'))
    };
    let (hour, minute, second) = (number(h, hh)?, number(m, mm)?, number(s, ss)?);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

fn quoted(text: &[u8]) -> Option<&[u8]> {
    until_quote(text.trim_ascii_start().strip_prefix(b"\"")?)
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..memchr::memchr(b'"', text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way is taken from the second time of a day on, and leads to the same.
    #[test]
    fn times_of_one_day_and_of_others_are_what_they_are() {
        let mut day = Day::default();
        for text in [
            "2024-02-29T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2024-02-29T23:59:60Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:3x:00Z",
            "2024-02-29T12:30:00.5Z",
            "2024-02-29T12:30:00+01:00",
            "2024-02-29T00:30:00+01:00",
            "2024-02-29T12:30:00",
            "2024-03-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1969-12-31T00:00:01Z",
            "",
            "Z",
        ] {
            assert_eq!(day.parse(text.as_bytes()), Instant::parse_utc(text).ok(), "{text}");
        }
    }
}
