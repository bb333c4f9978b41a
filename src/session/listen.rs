//! Listening to a meter that sends by itself.

use super::clock::Stopwatch;
use super::heard::Heard;
use super::play::{PlayError, Stop, receive};
use crate::acquire::{Decoder, Outcome};
use crate::reading::AnomalyCode;
use crate::transport::Link;
use std::time::Duration;

/// When to stop listening without a reading.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After so long.
    pub total: Duration,
    /// Give up as soon as a burst of bytes has ended that is nothing a meter sends with these line settings.
    pub leave_noise: bool,
}

/// Silence after which a burst is over: telegrams have no gaps of this length, and even fast meters pause for longer.
const GAP: Duration = Duration::from_millis(250);

/// Noise without a gap is listened to for so long.
const STEADY_NOISE: Duration = Duration::from_millis(2500);

/// Listens until a telegram is whole (or enciphered with a key we do not have), or `patience` ends.
///
/// What the decoder finds goes to `sink`. The decoder keeps what came after the telegram, for the next call.
///
/// # Errors
/// [`PlayError`]: the link failed, or `stop` was set.
pub fn listen(
    link: &mut dyn Link,
    decoder: &mut Decoder,
    patience: Patience,
    stop: &Stop,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Heard, PlayError> {
    let watch = Stopwatch::start();
    let mut heard = Heard::default();
    let mut buffer = [0; 4096];
    let mut burst: Option<Stopwatch> = None;
    let mut bursts = 0;
    loop {
        if stop.is_set() {
            return Err(PlayError::Stopped);
        }
        let left = watch.left(patience.total);
        if left.is_zero() {
            return Ok(heard);
        }
        let wait = if burst.is_some() { left.min(GAP) } else { left };
        match receive(link, &mut buffer, wait, Some(stop))? {
            0 if burst.is_some() => {
                burst = None;
                bursts += 1;
                // A stream that was joined in the middle of a telegram deserves to be heard once more.
                let chances = if heard.is_promising() { 3 } else { 1 };
                if patience.leave_noise && bursts >= chances {
                    return Ok(heard);
                }
            }
            0 => {}
            count => {
                let since = *burst.get_or_insert_with(Stopwatch::start);
                let bytes = buffer.get(..count).unwrap_or_default();
                heard.take(bytes);
                heard.burst = heard.burst.max(since.elapsed());
                let mut locked = false;
                decoder.push(bytes, &mut |outcome| {
                    match &outcome {
                        Outcome::Reading(_) => heard.readings += 1,
                        Outcome::Fault(fault) => {
                            locked |= matches!(fault.code, AnomalyCode::KeyMissing | AnomalyCode::KeyMismatch);
                            heard.fault(fault.clone());
                        }
                    }
                    sink(outcome);
                });
                let noise = patience.leave_noise && since.elapsed() > STEADY_NOISE && !heard.is_promising();
                if heard.readings > 0 || locked || noise {
                    return Ok(heard);
                }
            }
        }
    }
}
