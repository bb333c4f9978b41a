//! The goodbye of a client in a hurry: a DISC at once, and once more where no answer comes.

use super::connection::Station;
use crate::dialogue::{Event, Step};
use crate::wire::Cut;
use crate::wire::hdlc::{self, Address, Control};
use std::time::Duration;

/// How long each of two DISCs waits for its answer.
const WAIT: Duration = Duration::from_millis(220);
/// What is listened to for the answer, at most.
const MOST_HEARD: usize = 256;

/// A goodbye under way.
#[derive(Debug)]
pub(super) struct Farewell {
    frame: Vec<u8>,
    sent: u8,
    waiting: bool,
    heard: Vec<u8>,
    wait: Duration,
    until: Duration,
}

impl Farewell {
    pub(super) fn new(station: Station, now: Duration) -> Self {
        let client = Address::client(station.client);
        let frame = hdlc::encode(station.server, client, Control::Disconnect, true, false, &[]);
        Self { frame, sent: 0, waiting: false, heard: Vec::new(), wait: WAIT, until: now + 2 * WAIT }
    }

    pub(super) fn step(&self) -> Step<'_> {
        if self.waiting { Step::Receive(self.wait) } else { Step::Send(&self.frame) }
    }

    /// Whether that was all.
    pub(super) fn on(&mut self, event: Event<'_>, now: Duration) -> bool {
        self.wait = self.until.saturating_sub(now).min(WAIT);
        match event {
            Event::Sent => {
                self.sent += 1;
                self.waiting = true;
                false
            }
            Event::Received(bytes) if self.heard.len() < MOST_HEARD => {
                self.heard.extend(bytes.iter().take(MOST_HEARD));
                // No more than so many events either, whatever they bring.
                self.heard.extend(bytes.is_empty().then_some(0));
                self.is_answered() || self.wait.is_zero()
            }
            Event::Received(_) | Event::Silence => {
                self.waiting = false;
                self.sent >= 2 || self.wait.is_zero()
            }
            _ => false,
        }
    }

    fn is_answered(&self) -> bool {
        (0..self.heard.len()).any(|at| {
            let Some(rest) = self.heard.get(at..) else { return false };
            let Cut::Whole { value, .. } = hdlc::cut(rest, true) else { return false };
            matches!(Control::parse(value.control).0, Control::Acknowledge | Control::DisconnectedMode)
        })
    }
}
