//! Coming back to a meter whose approach is known.

use super::approach::{Approach, Taken};
use super::ask::ask;
use super::clock::Stopwatch;
use super::connect::reach;
use super::diagnosis::{Answer, Attempt, Tried};
use super::listen::{Patience, listen};
use super::play::{PlayError, Stop};
use crate::acquire::{Decoder, Settings};
use crate::dialogue::dlms::Plan;
use crate::dialogue::iec62056::Options;
use crate::transport::{Link, LinkError};
use std::time::Duration;

/// Reads one meter again and again, over one link.
#[derive(Debug)]
pub struct Visitor {
    approach: Approach,
    settings: Settings,
    /// Of a meter that sends by itself: it goes on where the last telegram ended.
    decoder: Decoder,
    line_set: bool,
}

/// What a visit came to.
#[derive(Debug)]
pub struct Visited {
    /// What was read, if anything was.
    pub taken: Taken,
    /// What was done and heard, for a [`Cause`](super::Cause).
    pub attempt: Attempt,
}

impl Visitor {
    /// A visitor over a link that has just been opened; or on which the meter was just recognised by listening, with the
    /// `decoder` of that.
    #[must_use]
    pub fn new(approach: Approach, settings: Settings, decoder: Option<Decoder>) -> Self {
        let decoder = decoder.unwrap_or_else(|| Decoder::new(settings.clone()));
        Self { approach, settings, decoder, line_set: false }
    }

    /// Whether the meter sends by itself, so that a visit is waiting for it.
    #[must_use]
    pub const fn listens(&self) -> bool {
        matches!(self.approach, Approach::Push { .. })
    }

    /// Reads the meter once. For one that sends by itself: waits for its next telegram, at most `wait`.
    ///
    /// # Errors
    /// [`PlayError`]: the link failed, or `stop` was set. That nothing was read is no error.
    pub fn visit(&mut self, link: &mut dyn Link, wait: Duration, stop: &Stop) -> Result<Visited, PlayError> {
        match self.approach.clone() {
            Approach::Push { line } => {
                if let Some(line) = line.filter(|_| !self.line_set) {
                    match link.set_line(line) {
                        Ok(()) | Err(LinkError::FixedLine { .. }) => self.line_set = true,
                        Err(error) => return Err(error.into()),
                    }
                }
                let watch = Stopwatch::start();
                let mut taken = Taken::default();
                let patience = Patience { total: wait, leave_noise: false };
                let heard = listen(link, &mut self.decoder, patience, stop, &mut |outcome| taken.take(outcome))?;
                let attempt = Attempt {
                    what: Tried::Listening,
                    line: link.line(),
                    took: watch.elapsed(),
                    heard,
                    answer: Answer::None,
                };
                Ok(Visited { taken, attempt })
            }
            Approach::Ask(options) => self.ask(link, *options, stop).map(|(visited, _)| visited),
            Approach::Connect(way) => {
                if let Some(options) = way.sign_on.clone() {
                    let (visited, is_open) = self.ask(link, options, stop)?;
                    if !is_open {
                        return Ok(visited);
                    }
                }
                let watch = Stopwatch::start();
                let reached = reach(link, &way, Plan::Registers { only: Vec::new() }, None, stop)?;
                let taken = reached.registers();
                let attempt = Attempt {
                    what: Tried::Hdlc,
                    line: link.line(),
                    took: watch.elapsed(),
                    heard: reached.heard,
                    answer: reached.answer,
                };
                Ok(Visited { taken, attempt })
            }
        }
    }

    /// Signs on; also says whether HDLC is open now.
    fn ask(&self, link: &mut dyn Link, options: Options, stop: &Stop) -> Result<(Visited, bool), PlayError> {
        let watch = Stopwatch::start();
        let line = Some(options.opening);
        let asked = ask(link, options, &self.settings, stop)?;
        let attempt =
            Attempt { what: Tried::SignOn, line, took: watch.elapsed(), heard: asked.heard, answer: asked.answer };
        Ok((Visited { taken: asked.taken, attempt }, asked.hdlc.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Line;
    use std::collections::VecDeque;

    /// A line with a fixed speed over which these pieces come, and then nothing.
    #[derive(Debug)]
    struct Pieces(VecDeque<Vec<u8>>);

    impl Link for Pieces {
        fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
            let Some(piece) = self.0.pop_front() else {
                std::thread::sleep(wait);
                return Ok(0);
            };
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }

        fn send(&mut self, _: &[u8]) -> Result<(), LinkError> {
            Ok(())
        }

        fn set_line(&mut self, _: Line) -> Result<(), LinkError> {
            Err(LinkError::FixedLine { name: "pieces".into() })
        }

        fn line(&self) -> Option<Line> {
            None
        }

        fn name(&self) -> &str {
            "pieces"
        }
    }

    #[test]
    fn the_beginning_of_a_telegram_that_came_with_the_end_of_the_one_before_is_not_lost() {
        let telegram = b"/LGF5E360\r\n\r\n1-0:1.8.0(000219.252*kWh)\r\n!\r\n";
        let (first, second) = telegram.split_at(20);
        let pieces = [[telegram, first].concat(), second.to_vec()];
        let mut link = Pieces(pieces.into());
        let mut visitor =
            Visitor::new(Approach::Push { line: Some(Line::eight_none(9600)) }, Settings::default(), None);
        assert!(visitor.listens());
        for _ in 0..2 {
            let visited = visitor.visit(&mut link, Duration::from_secs(9), &Stop::default()).unwrap();
            assert_eq!((visited.taken.readings.len(), visited.taken.faults.len()), (1, 0));
        }
        let visited = visitor.visit(&mut link, Duration::from_millis(1), &Stop::default()).unwrap();
        assert_eq!((visited.taken.readings.len(), visited.attempt.heard.bytes), (0, 0));
    }
}
