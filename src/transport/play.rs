//! A capture played as if a meter sent it.

use super::capture::{Entry, What};
use super::descriptor::Deadline;
use super::link::{Link, LinkError};
use super::replay::{Input, InputError};
use crate::wire::Line;
use std::path::Path;
use std::time::{Duration, Instant};

/// How fast a capture is played. A raw capture says nothing of time: it comes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At once, but what came after something was sent comes after something is sent again.
    OnRequest,
    /// As it came, counted from the first look at it.
    Original,
}

/// A link whose far end is a capture.
///
/// What is sent is accepted and not compared: the reader of today may ask otherwise than the one that was recorded. At
/// the end of the capture the link is [gone](LinkError::Gone).
#[derive(Debug)]
pub struct Replay {
    name: String,
    input: Input,
    pace: Pace,
    line: Option<Line>,
    /// Received and not handed on yet, and how long after the beginning it came.
    pending: Vec<u8>,
    due: Duration,
    begun: Option<Instant>,
    /// Whether something has to be sent before more comes.
    waits: bool,
}

impl Replay {
    /// Opens a capture of either form, or standard input for `-`.
    ///
    /// # Errors
    /// [`InputError`], naming the path.
    pub fn open(path: &Path, pace: Pace) -> Result<Self, InputError> {
        let input = Input::open(path)?;
        let name = path.display().to_string();
        let (pending, due) = (Vec::new(), Duration::ZERO);
        Ok(Self { name, input, pace, line: None, pending, due, begun: None, waits: false })
    }

    /// Reads on to the next bytes that were received; false where something has to be sent first.
    fn advance(&mut self) -> Result<bool, LinkError> {
        while self.pending.is_empty() && !self.waits {
            let entry = self.input.next().map_err(|source| LinkError::Io { name: self.name.clone(), source })?;
            match entry {
                None => return Err(LinkError::Gone { name: self.name.clone() }),
                // The next recording follows on the last one, however long ago that was.
                Some(Entry::Start { .. }) => self.begun = None,
                Some(Entry::Passed { after, what }) => match what {
                    What::Received(bytes) => (self.pending, self.due) = (bytes, after),
                    What::Sent(_) => self.waits = self.pace == Pace::OnRequest,
                    What::Line(line) => self.line = Some(line),
                    What::Note(_) => {}
                },
            }
        }
        Ok(!self.pending.is_empty())
    }

    #[expect(clippy::disallowed_methods, reason = "the pace of a replay")]
    fn time_until_due(&mut self) -> Duration {
        match self.pace {
            Pace::OnRequest => Duration::ZERO,
            Pace::Original => {
                let begun = *self.begun.get_or_insert_with(Instant::now);
                self.due.saturating_sub(begun.elapsed())
            }
        }
    }
}

impl Link for Replay {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        let deadline = Deadline::after(wait);
        let due = if self.advance()? { self.time_until_due() } else { Duration::MAX };
        std::thread::sleep(due.min(deadline.left()));
        if due > wait {
            return Ok(0);
        }
        let count = self.pending.len().min(buffer.len());
        for (place, byte) in buffer.iter_mut().zip(self.pending.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn send(&mut self, _: &[u8]) -> Result<(), LinkError> {
        self.waits = false;
        Ok(())
    }

    fn set_line(&mut self, _: Line) -> Result<(), LinkError> {
        Err(LinkError::FixedLine { name: self.name.clone() })
    }

    fn line(&self) -> Option<Line> {
        self.line
    }

    fn name(&self) -> &str {
        &self.name
    }
}
