//! What is said to a meter and when: dialogues as state machines without a port and without a clock.
//!
//! A [`Dialogue`] says what is to be done next ([`Step`]) and is told what came of it ([`Event`]). Whoever drives it (see
//! `session`) owns the link and the clock, so that each dialogue is tested over any transport, at any speed, with
//! any fault. Every dialogue ends: whatever it is told, it reaches [`Step::Done`] after a bounded number of steps, with
//! bounded memory, and says goodbye to the meter (a break, a DISC) on every way out.

pub mod dlms;
pub mod iec62056;

use crate::wire::Line;
use std::time::Duration;

/// What a dialogue wants done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Write these bytes and wait until they have left the line: then [`Event::Sent`].
    Send(&'a [u8]),
    /// Change speed and character format: then [`Event::LineSet`].
    SetLine(Line),
    /// Wait for bytes: then [`Event::Received`] as soon as some came, or [`Event::Silence`] after that time.
    Receive(Duration),
    /// Do nothing for that time, leaving what comes unread: then [`Event::Paused`].
    Pause(Duration),
    /// It is over; there is nothing left to do.
    Done,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The bytes have been written.
    Sent,
    /// The line has the new settings, or (`false`) keeps its own because they cannot be changed from here.
    LineSet(bool),
    /// These bytes came.
    Received(&'a [u8]),
    /// Nothing came in the time given.
    Silence,
    /// The pause is over.
    Paused,
    /// The link is gone: nothing more can be sent or will come. The next step is [`Step::Done`].
    Lost,
    /// Somebody wants to stop: take leave of the meter in at most half a second, then [`Step::Done`]. Said once more: at
    /// once.
    Cancelled,
}

/// A conversation with a meter.
pub trait Dialogue {
    /// What to do next; the same until [`on`](Self::on) is called.
    fn step(&self) -> Step<'_>;

    /// Takes what came of the step. `now` is the time since the dialogue began, by a clock that never goes back.
    fn on(&mut self, event: Event<'_>, now: Duration);
}
