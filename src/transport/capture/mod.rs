//! Captures of a link: what passed, in which direction, when, and under which settings of the line.
//!
//! ```text
//! releve capture 1 2026-11-21T14:30:00Z /dev/ttyUSB0
//! +0.000112 = 300,7E1
//! +0.021340 > 2F3F210D0A
//! +1.502113 < 2F4C475A345A4D46313030
//! +1.802113 < 41432E4D32370D0A
//! +9.100000 # the head was moved here
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `releve capture 1 TIME NAME` | a recording begins: the moment (RFC 3339) and what was listened to |
//! | `+S.MICROS < HEX` | received so many seconds after the recording began |
//! | `+S.MICROS > HEX` | sent |
//! | `+S.MICROS = 9600,8N1` | the settings of the line from here on |
//! | `+S.MICROS # TEXT` | a note |
//!
//! The first line tells the format. Recordings may follow one another, so that a file can be appended to and two files
//! be joined; each begins with its own first line. Empty lines and lines that begin with `#` mean nothing. Lines end
//! with LF, or CR LF after a detour. They hold 1024 octets at most when written, [`MAX_LINE`] characters when read.
//!
//! Each line is written at once, so that a process that is killed leaves whole lines. A power cut may leave part of one: at
//! the end of a file the octets received that are there of it count, to the last whole one. A recorder that appends to such a file ends the
//! line with CAN (0x18), by which it is known as cut later on.

mod reader;
mod recorder;

pub use reader::{CaptureError, Reader};
pub use recorder::Recorder;

use crate::reading::Instant;
use crate::wire::Line;
use std::fmt;
use std::time::Duration;

/// What every capture begins with.
pub const MARK: &[u8] = b"releve capture 1 ";

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// Ends a line that could not be written to its end.
const CAN: u8 = 0x18;

/// No recording lasts longer, in seconds: three centuries, so that no time overflows.
const MAX_SECONDS: u64 = 9_999_999_999;

/// A line of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A recording begins.
    Start {
        /// When.
        at: Instant,
        /// What was listened to: a device, an address.
        name: String,
    },
    /// Something happened in it.
    Passed {
        /// How long after its beginning.
        after: Duration,
        /// What.
        what: What,
    },
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These bytes came.
    Received(Vec<u8>),
    /// These bytes went.
    Sent(Vec<u8>),
    /// The line was set.
    Line(Line),
    /// Something worth knowing.
    Note(String),
}

impl Entry {
    /// Reads a line, without its end; `None` where it means nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Option<Self>, &'static str> {
        if line.trim_ascii().is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if let Some(rest) = line.strip_prefix("releve capture ") {
            let rest = rest.strip_prefix("1 ").ok_or("this version of the format is not known")?;
            let (time, name) = rest.split_once(' ').unwrap_or((rest, ""));
            let at = Instant::parse_utc(time).map_err(|_| "the time is no RFC 3339")?;
            return Ok(Some(Self::Start { at, name: name.to_owned() }));
        }
        let rest = line.strip_prefix('+').ok_or("a line begins with + and the time")?;
        let (time, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let after = seconds(time).ok_or("the time is no number of seconds")?;
        let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
        let what = match kind {
            "<" => What::Received(octets(value)?),
            ">" => What::Sent(octets(value)?),
            "=" => What::Line(value.parse().map_err(|_| "the settings are not like 9600,8N1")?),
            "#" => What::Note(value.to_owned()),
            _ => return Err("after the time comes one of < > = #"),
        };
        Ok(Some(Self::Passed { after, what }))
    }
}

impl fmt::Display for Entry {
    /// The line, without its end. Control characters of names and notes are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| text.replace(char::is_control, "\u{fffd}");
        match self {
            Self::Start { at, name } => write!(f, "releve capture 1 {at} {}", plain(name)),
            Self::Passed { after, what } => {
                write!(f, "+{}.{:06} ", after.as_secs(), after.subsec_micros())?;
                match what {
                    What::Received(bytes) => write!(f, "< {}", Hex(bytes)),
                    What::Sent(bytes) => write!(f, "> {}", Hex(bytes)),
                    What::Line(line) => write!(f, "= {line}"),
                    What::Note(text) => write!(f, "# {}", plain(text)),
                }
            }
        }
    }
}

/// The moment so long after a recording began.
pub(super) fn moment(begun: Instant, after: Duration) -> Instant {
    let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
    Instant::from_unix_micros(begun.unix_micros().saturating_add(micros))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// `12.345678`, with up to six decimals.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
        return None;
    }
    let micros: u64 = format!("{decimals:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok().filter(|seconds| *seconds <= MAX_SECONDS)?;
    Some(Duration::from_secs(whole) + Duration::from_micros(micros))
}

fn octets(text: &str) -> Result<Vec<u8>, &'static str> {
    if text.is_empty() {
        return Err("there are no octets");
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err("half an octet");
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    let octet = |[high, low]: &[u8; 2]| Some(nibble(*high)? << 4 | nibble(*low)?);
    pairs.iter().map(octet).collect::<Option<_>>().ok_or("an octet is two hexadecimal digits")
}

#[cfg(test)]
mod tests;
