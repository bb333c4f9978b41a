//! Where a simulated meter is reached: a pseudo terminal, a TCP port, or a file. And the loop that lets time pass.

mod file;
mod pty;
mod tcp;

pub use file::File;
pub use pty::Pty;
pub use tcp::Tcp;

use super::cable::{Cable, Ear, Said};
use super::disturb::Span;
use super::meter::{Emission, Meter};
use super::works::Works;
use crate::reading::Instant;
use crate::wire::Line;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The reader's end of the cable.
pub trait Place {
    /// Whether somebody is there who could read.
    ///
    /// # Errors
    /// What the system says.
    fn is_taken(&mut self) -> io::Result<bool>;

    /// The settings of the reader's port.
    fn ear(&self) -> Ear;

    /// Takes what the reader has written; waits at most `wait` for it.
    ///
    /// # Errors
    /// What the system says.
    fn take(&mut self, wait: Duration) -> io::Result<Vec<u8>>;

    /// Gives the reader as much as it has room for. Where there is none it asks `wait`, which naps and says whether to try
    /// again. Gives back how much was dropped.
    ///
    /// # Errors
    /// What the system says.
    fn give(&mut self, bytes: &[u8], wait: &mut dyn FnMut() -> bool) -> io::Result<usize>;

    /// Takes the place away, or puts it back: the reader unplugs its head.
    ///
    /// # Errors
    /// What the system says.
    fn plug(&mut self, present: bool) -> io::Result<()>;

    /// Lets the reader take what it was given, before the place goes; a second or two at most.
    fn leave(&mut self) {}
}

/// How fast simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many times as fast as real time; the line too.
    Times(u32),
    /// As fast as the reader takes what is sent.
    Max,
}

/// When the simulation is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct End {
    /// After so many telegrams.
    pub telegrams: Option<u64>,
    /// At a simulated moment.
    pub at: Option<Instant>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Telegrams sent completely.
    pub telegrams: u64,
    /// Characters that left the meter.
    pub characters: u64,
    /// Characters the reader had no room for.
    pub dropped: u64,
}

/// How a simulation is to run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The moment it starts at.
    pub start: Instant,
    /// How fast.
    pub pace: Pace,
    /// How long.
    pub end: End,
    /// When the reader's port is away.
    pub unplugged: Vec<Span>,
}

/// The longest time without a look at the wish to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// Lets time pass until the end, or until `stop` is set.
///
/// # Errors
/// What the system says of the place.
pub fn run(
    meter: &mut dyn Meter,
    cable: &mut Cable,
    place: &mut dyn Place,
    run: &Run,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Said),
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let meter = &mut Until { meter, end: run.end.at };
    let mut plugged = true;
    let clock = Clock::new(run.start, run.pace);
    let mut now = run.start;
    while !stop.load(Ordering::Relaxed) {
        let present = !run.unplugged.iter().any(|span| span.contains(now));
        if present != plugged {
            place.plug(present)?;
            plugged = present;
        }
        let is_taken = plugged && place.is_taken()?;
        let due = cable.due(meter);
        let wait = match run.pace {
            Pace::Times(_) => clock.until(due).min(GLANCE),
            // Nobody is to miss anything: time stands still until there is a reader.
            Pace::Max if plugged && !is_taken => {
                std::thread::sleep(GLANCE);
                continue;
            }
            Pace::Max => Duration::ZERO,
        };
        let written = if is_taken { place.take(wait)? } else { Vec::new() };
        if !is_taken {
            // The meter goes on whether anybody listens or not.
            std::thread::sleep(wait);
        }
        now = match run.pace {
            Pace::Times(_) => clock.now(),
            Pace::Max => due.or(run.end.at).map_or(now, |due| due.max(now)),
        };
        cable.write(&written, now);
        let bytes = cable.advance(now, place.ear(), meter, watch);
        if is_taken {
            let mut wait = || {
                std::thread::sleep(Duration::from_millis(1));
                run.pace == Pace::Max && !stop.load(Ordering::Relaxed)
            };
            summary.dropped += place.give(&bytes, &mut wait)? as u64;
        }
        (summary.telegrams, summary.characters) = cable.sent();
        let is_over = run.end.telegrams.is_some_and(|most| summary.telegrams >= most);
        if is_over || run.end.at.is_some_and(|end| now >= end && cable.is_at_rest()) {
            break;
        }
    }
    if plugged && !stop.load(Ordering::Relaxed) {
        place.leave();
    }
    Ok(summary)
}

/// A meter that begins nothing any more once it is over.
#[derive(Debug)]
struct Until<'a> {
    meter: &'a mut dyn Meter,
    end: Option<Instant>,
}

impl Meter for Until<'_> {
    fn line(&self) -> Line {
        self.meter.line()
    }

    fn tune(&mut self, reader: Line) {
        self.meter.tune(reader);
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.meter.receive(bytes, now);
    }

    fn due(&self) -> Option<Instant> {
        self.meter.due().filter(|&due| self.end.is_none_or(|end| due < end))
    }

    fn act(&mut self, now: Instant) -> Option<Emission> {
        self.meter.act(now)
    }

    fn works(&self) -> &Works {
        self.meter.works()
    }
}

/// Real time to simulated time.
struct Clock {
    start: Instant,
    began: std::time::Instant,
    times: u32,
}

#[expect(clippy::disallowed_methods, reason = "the one monotonic clock that the simulation follows")]
impl Clock {
    fn new(start: Instant, pace: Pace) -> Self {
        let times = match pace {
            Pace::Times(times) => times.max(1),
            Pace::Max => 1,
        };
        Self { start, began: std::time::Instant::now(), times }
    }

    fn now(&self) -> Instant {
        let passed = self.began.elapsed().as_micros().saturating_mul(u128::from(self.times));
        let micros = self.start.unix_micros().saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        Instant::from_unix_micros(micros)
    }

    /// The real time to a simulated moment.
    fn until(&self, due: Option<Instant>) -> Duration {
        let Some(due) = due else { return GLANCE };
        let micros = due.unix_micros().saturating_sub(self.now().unix_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0)) / self.times
    }
}
