//! The one loop that joins a dialogue and a link.

use super::clock::Stopwatch;
use crate::dialogue::{Dialogue, Event, Step};
use crate::transport::{Link, LinkError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A wish to stop, set by a signal or by another thread.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Wishes to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody wished to.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for a signal handler.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Why a dialogue could not be played to its end. What it had come to by then is still in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// Somebody wished to stop.
    #[error("stopped")]
    Stopped,
    /// The link failed.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// The longest time without a look at the wish to stop.
pub(super) const GLANCE: Duration = Duration::from_millis(50);

/// Taking leave of the meter may take so long at most, whatever the dialogue wants.
const LEAVE: Duration = Duration::from_millis(800);

/// Plays `dialogue` over `link` until it is done.
///
/// # Errors
/// [`PlayError`]: the link failed, or `stop` was set; the dialogue has been told and has taken leave.
pub fn play(dialogue: &mut dyn Dialogue, link: &mut dyn Link, stop: &Stop) -> Result<(), PlayError> {
    let watch = Stopwatch::start();
    let mut buffer = [0; 4096];
    let mut leaving: Option<Stopwatch> = None;
    loop {
        if leaving.is_none() && stop.is_set() {
            leaving = Some(Stopwatch::start());
            dialogue.on(Event::Cancelled, watch.elapsed());
        }
        if leaving.is_some_and(|since| since.left(LEAVE).is_zero()) {
            return Err(PlayError::Stopped);
        }
        // Who is leaving already is not to be interrupted again.
        let heed = leaving.is_none().then_some(stop);
        let done = match dialogue.step() {
            Step::Done => return if leaving.is_some() { Err(PlayError::Stopped) } else { Ok(()) },
            Step::Send(bytes) => link.send(bytes).map(|()| Event::Sent),
            Step::SetLine(line) => match link.set_line(line) {
                Err(LinkError::FixedLine { .. }) => Ok(Event::LineSet(false)),
                other => other.map(|()| Event::LineSet(true)),
            },
            Step::Receive(wait) => receive(link, &mut buffer, wait, heed).map(|count| match count {
                0 => Event::Silence,
                count => Event::Received(&buffer[..count]),
            }),
            Step::Pause(wait) => {
                pause(wait, heed);
                Ok(Event::Paused)
            }
        };
        match done {
            // A wait that the wish to stop cut short came to nothing; the top of the loop tells the dialogue.
            Ok(Event::Silence | Event::Paused) if heed.is_some_and(Stop::is_set) => {}
            Ok(event) => dialogue.on(event, watch.elapsed()),
            Err(error) => {
                dialogue.on(Event::Lost, watch.elapsed());
                return Err(if leaving.is_some() { PlayError::Stopped } else { error.into() });
            }
        }
    }
}

/// Takes what comes within `wait`, or nothing as soon as somebody wishes to stop.
pub(super) fn receive(
    link: &mut dyn Link,
    buffer: &mut [u8],
    wait: Duration,
    stop: Option<&Stop>,
) -> Result<usize, LinkError> {
    let watch = Stopwatch::start();
    loop {
        let left = watch.left(wait);
        let count = link.receive(buffer, left.min(GLANCE))?;
        if count > 0 || left <= GLANCE || stop.is_some_and(Stop::is_set) {
            return Ok(count);
        }
    }
}

/// Lets time pass, at most until somebody wishes to stop.
fn pause(wait: Duration, stop: Option<&Stop>) {
    let watch = Stopwatch::start();
    while !watch.left(wait).is_zero() && !stop.is_some_and(Stop::is_set) {
        thread::sleep(watch.left(wait).min(GLANCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Line;

    /// Sends one byte over and over; says goodbye when told to stop.
    #[derive(Debug, Default)]
    struct Chatter {
        goodbye: bool,
        done: bool,
        lost: bool,
    }

    impl Dialogue for Chatter {
        fn step(&self) -> Step<'_> {
            match (self.done, self.goodbye) {
                (true, _) => Step::Done,
                (_, true) => Step::Send(b"bye"),
                _ => Step::Receive(Duration::from_secs(3600)),
            }
        }

        fn on(&mut self, event: Event<'_>, _now: Duration) {
            match event {
                Event::Cancelled => self.goodbye = true,
                Event::Lost => (self.lost, self.done) = (true, true),
                _ => self.done = self.goodbye,
            }
        }
    }

    #[derive(Debug, Default)]
    struct Silent {
        sent: Vec<u8>,
        gone: bool,
    }

    impl Link for Silent {
        fn receive(&mut self, _: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
            if self.gone {
                return Err(LinkError::Gone { name: "test".into() });
            }
            thread::sleep(wait);
            Ok(0)
        }

        fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
            self.sent.extend(bytes);
            Ok(())
        }

        fn set_line(&mut self, _: Line) -> Result<(), LinkError> {
            Err(LinkError::FixedLine { name: "test".into() })
        }

        fn line(&self) -> Option<Line> {
            None
        }

        fn name(&self) -> &str {
            "test"
        }
    }

    #[test]
    fn a_wish_to_stop_ends_an_hour_of_waiting_at_once_and_the_meter_hears_goodbye() {
        let (mut link, mut dialogue, stop) = (Silent::default(), Chatter::default(), Stop::default());
        let soon = stop.clone();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            soon.set();
        });
        let watch = Stopwatch::start();
        assert!(matches!(play(&mut dialogue, &mut link, &stop), Err(PlayError::Stopped)));
        assert!(watch.elapsed() < Duration::from_secs(1));
        assert_eq!(link.sent, b"bye");
        other.join().unwrap();
    }

    #[test]
    fn a_dialogue_learns_that_the_link_is_gone() {
        let mut dialogue = Chatter::default();
        let mut link = Silent { gone: true, ..Silent::default() };
        let played = play(&mut dialogue, &mut link, &Stop::default());
        assert!(matches!(played, Err(PlayError::Link(LinkError::Gone { .. }))));
        assert!(dialogue.lost);
    }

    /// One that never ends although it was told to.
    #[derive(Debug)]
    struct Stubborn;

    impl Dialogue for Stubborn {
        fn step(&self) -> Step<'_> {
            Step::Pause(Duration::from_millis(30))
        }

        fn on(&mut self, _: Event<'_>, _: Duration) {}
    }

    #[test]
    fn not_even_a_stubborn_dialogue_outlives_a_wish_to_stop_by_a_second() {
        let stop = Stop::default();
        stop.set();
        let watch = Stopwatch::start();
        assert!(matches!(play(&mut Stubborn, &mut Silent::default(), &stop), Err(PlayError::Stopped)));
        assert!(watch.elapsed() < Duration::from_secs(1));
    }
}
