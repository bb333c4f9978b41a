//! Meters as state machines without a port and without a clock: what comes from the reader goes in, what is sent comes
//! out, each piece with the moment its first character is to leave and the settings it is sent with.
//!
//! Whoever drives a [`Meter`] (see [`host`](super::host)) owns the line and the time.
//!
//! | room | meters |
//! |---|---|
//! | [`push`] | whatever speaks by itself at a fixed period |
//! | [`e450`] | the customer interface of the Landis+Gyr E450 |
//! | [`p1`] | DSMR 2.2, 4.2 and 5.0 |
//! | [`sml`] | the push of German meters |
//! | [`text`] | IEC 62056-21, modes A to D, and E up to the hand-over |
//! | [`cosem`] | DLMS servers, behind mode E or directly |
//! | [`stranger`] | what is no meter |

pub mod cosem;
mod digits;
mod direct;
pub mod e450;
pub mod p1;
mod pair;
pub mod push;
pub mod sml;
pub mod stranger;
pub mod text;

pub use direct::Direct;
pub use pair::Pair;
pub use push::{Push, Telegram};

use super::works::Works;
use crate::reading::Instant;
use crate::wire::Line;
use std::fmt;

/// Something a meter sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// When the first character is to leave.
    pub at: Instant,
    /// How it is sent.
    pub line: Line,
    /// The characters.
    pub bytes: Vec<u8>,
    /// Where a checksum stands in them, to be spoilt on demand; `None` where there is none.
    pub check: Option<usize>,
}

/// A meter.
pub trait Meter: fmt::Debug + Send {
    /// The settings it listens with at the moment.
    fn line(&self) -> Line;

    /// The reader is about to speak with these settings: for what finds the speed out by itself.
    fn tune(&mut self, _reader: Line) {}

    /// Takes characters that its receiver made out; the last of them was complete at `now`.
    fn receive(&mut self, bytes: &[u8], now: Instant);

    /// When it wants to do something by itself; `None` while it waits to be spoken to.
    fn due(&self) -> Option<Instant>;

    /// Does what was due at `now` or before, one thing at a time; it may be due again at once.
    fn act(&mut self, now: Instant) -> Option<Emission>;

    /// What it measures with.
    fn works(&self) -> &Works;
}

/// How much faster the household of a meter that is asked lives than its line. A reader knows only one speed of time, and a
/// line of 300 Bd has to stay one; so the meter's time is that of the line, and the works are brought further.
#[derive(Debug, Clone, Copy)]
pub struct Tempo {
    start: Instant,
    times: i64,
}

impl Tempo {
    /// So many times as fast from a moment on.
    #[must_use]
    pub fn new(start: Instant, times: u32) -> Self {
        Self { start, times: i64::from(times.max(1)) }
    }

    /// The household's moment at a moment of the line.
    #[must_use]
    pub const fn lived(self, now: Instant) -> Instant {
        let passed = now.unix_micros().saturating_sub(self.start.unix_micros());
        Instant::from_unix_micros(self.start.unix_micros().saturating_add(passed.saturating_mul(self.times)))
    }

    /// The line's moment at a moment of the household.
    #[must_use]
    pub const fn on_the_line(self, lived: Instant) -> Instant {
        let passed = lived.unix_micros().saturating_sub(self.start.unix_micros());
        Instant::from_unix_micros(self.start.unix_micros().saturating_add(passed / self.times))
    }
}

fn plus_millis(at: Instant, millis: i64) -> Instant {
    Instant::from_unix_micros(at.unix_micros().saturating_add(millis.saturating_mul(1_000)))
}

/// What speaks HDLC on the line: the DLMS server of a meter.
pub trait Station: fmt::Debug + Send {
    /// Takes octets from the line, the last of them complete at `now`, and gives those to be sent back, if any.
    fn receive(&mut self, octets: &[u8], works: &Works, now: Instant) -> Vec<u8>;

    /// Whether the reader has closed the connection, so that the line goes back to whom it was taken from.
    fn is_over(&self) -> bool;

    /// Forgets the connection.
    fn reset(&mut self);
}
