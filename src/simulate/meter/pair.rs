//! Two meters on one line, as a bridge that joins two pushes delivers them.

use super::{Emission, Meter};
use crate::reading::Instant;
use crate::simulate::works::Works;
use crate::wire::Line;

/// Two meters that push in turn. What is asked about the pair is asked about the first.
#[derive(Debug)]
pub struct Pair {
    first: Box<dyn Meter>,
    second: Box<dyn Meter>,
}

impl Pair {
    /// Two meters that do not listen.
    #[must_use]
    pub fn new(first: Box<dyn Meter>, second: Box<dyn Meter>) -> Self {
        Self { first, second }
    }
}

impl Meter for Pair {
    fn line(&self) -> Line {
        self.first.line()
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.first.receive(bytes, now);
        self.second.receive(bytes, now);
    }

    fn due(&self) -> Option<Instant> {
        [self.first.due(), self.second.due()].into_iter().flatten().min()
    }

    fn act(&mut self, now: Instant) -> Option<Emission> {
        let is_second = match (self.first.due(), self.second.due()) {
            (Some(first), Some(second)) => second < first,
            (first, _) => first.is_none(),
        };
        if is_second { self.second.act(now) } else { self.first.act(now) }
    }

    fn works(&self) -> &Works {
        self.first.works()
    }
}
