//! A link with the faults of the world, for tests: the same seed gives the same faults.

use super::descriptor::Deadline;
use super::link::{Link, LinkError};
use crate::wire::Line;
use std::collections::VecDeque;
use std::time::Duration;

/// What goes wrong with what is received. By default nothing does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Chooses which bytes are hit.
    pub seed: u64,
    /// Bytes lost, of a thousand.
    pub lost: u32,
    /// Bytes with one bit flipped, of a thousand.
    pub flipped: u32,
    /// Bytes that come twice, of a thousand.
    pub doubled: u32,
    /// The longest piece that comes at once.
    pub piece: Option<usize>,
    /// How long each piece is held up.
    pub delay: Duration,
    /// Whether what is sent comes back first, as many an optical head does.
    pub echo: bool,
    /// After so many bytes received the link is gone.
    pub unplug_after: Option<u64>,
}

/// A link with [`Faults`].
#[derive(Debug)]
pub struct Faulty {
    link: Box<dyn Link>,
    faults: Faults,
    random: u64,
    pending: VecDeque<u8>,
    /// Bytes handed on so far.
    received: u64,
}

impl Faulty {
    /// Puts faults into what comes over `link`.
    #[must_use]
    pub fn new(link: Box<dyn Link>, faults: Faults) -> Self {
        // Xorshift never leaves zero.
        Self { link, faults, random: faults.seed | 1 << 63, pending: VecDeque::new(), received: 0 }
    }

    fn hits(&mut self, per_mille: u32) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % limit
    }

    fn spoil(&mut self, byte: u8) {
        if self.hits(self.faults.lost) {
            return;
        }
        let flipped = self.hits(self.faults.flipped);
        let byte = if flipped { byte ^ 1 << self.below(8) } else { byte };
        self.pending.push_back(byte);
        if self.hits(self.faults.doubled) {
            self.pending.push_back(byte);
        }
    }

    fn check(&self) -> Result<(), LinkError> {
        match self.faults.unplug_after {
            Some(limit) if self.received >= limit => Err(LinkError::Gone { name: self.name().to_owned() }),
            _ => Ok(()),
        }
    }
}

impl Link for Faulty {
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        self.check()?;
        let deadline = Deadline::after(wait);
        let mut chunk = vec![0; buffer.len()];
        while self.pending.is_empty() {
            let count = self.link.receive(&mut chunk, deadline.left())?;
            chunk.iter().take(count).for_each(|byte| self.spoil(*byte));
            if self.pending.is_empty() && deadline.has_passed() {
                return Ok(0);
            }
        }
        std::thread::sleep(self.faults.delay);
        let plugged = self.faults.unplug_after.map_or(u64::MAX, |limit| limit.saturating_sub(self.received));
        let most = self.faults.piece.unwrap_or(usize::MAX).min(usize::try_from(plugged).unwrap_or(usize::MAX));
        let count = self.pending.len().min(buffer.len()).min(most);
        for (place, byte) in buffer.iter_mut().zip(self.pending.drain(..count)) {
            *place = byte;
        }
        self.received += count as u64;
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.check()?;
        if self.faults.echo {
            bytes.iter().for_each(|byte| self.spoil(*byte));
        }
        self.link.send(bytes)
    }

    fn set_line(&mut self, line: Line) -> Result<(), LinkError> {
        self.check()?;
        self.link.set_line(line)
    }

    fn line(&self) -> Option<Line> {
        self.link.line()
    }

    fn name(&self) -> &str {
        self.link.name()
    }
}
