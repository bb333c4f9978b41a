//! Meters that speak by themselves, at a fixed period, and listen to nobody.

use super::{Emission, Meter};
use crate::reading::Instant;
use crate::simulate::works::Works;
use crate::wire::Line;
use std::fmt;

/// What is pushed.
pub trait Telegram: fmt::Debug + Send {
    /// The settings of the line.
    fn line(&self) -> Line;

    /// Seconds between two telegrams.
    fn period(&self) -> u32;

    /// The telegram of this moment, and where a checksum stands in it.
    fn write(&mut self, works: &Works) -> (Vec<u8>, Option<usize>);
}

/// A meter that pushes.
#[derive(Debug)]
pub struct Push<T> {
    works: Works,
    telegram: T,
    next: Instant,
}

impl<T: Telegram> Push<T> {
    /// A meter that begins at the first full period not before the moment its works have reached.
    pub fn new(works: Works, telegram: T) -> Self {
        let period = i64::from(telegram.period().max(1));
        let now = works.now().unix_seconds();
        let next = Instant::from_unix(now + (-now).rem_euclid(period));
        Self { works, telegram, next }
    }
}

impl<T: Telegram> Meter for Push<T> {
    fn line(&self) -> Line {
        self.telegram.line()
    }

    fn receive(&mut self, _: &[u8], _: Instant) {}

    fn due(&self) -> Option<Instant> {
        Some(self.next)
    }

    fn act(&mut self, now: Instant) -> Option<Emission> {
        if now < self.next {
            return None;
        }
        let at = self.next;
        self.next = at.plus_seconds(i64::from(self.telegram.period().max(1)));
        self.works.advance(at);
        if !self.works.is_powered() {
            return None;
        }
        let (bytes, check) = self.telegram.write(&self.works);
        Some(Emission { at, line: self.telegram.line(), bytes, check })
    }

    fn works(&self) -> &Works {
        &self.works
    }
}
