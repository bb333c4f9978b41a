//! HUP: the settings are read again while the log runs.

use super::journal::{Journal, Level};
use crate::cli::failure::Failure;
use crate::cli::words::tr;
use crate::session::Stop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often to look whether somebody asked for it.
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until one round of a log is to end: because `whole`, the log, is, or because HUP came and the settings, read again, make
/// sense; then what `read` made of them is given. Settings that make no sense are said, and disturb nothing.
pub(super) fn wait<T>(
    hang_up: &AtomicBool,
    whole: &Stop,
    round: &Stop,
    journal: Journal,
    read: impl Fn() -> anyhow::Result<T>,
) -> Option<T> {
    while !round.is_set() {
        if whole.is_set() {
            round.set();
        } else if hang_up.swap(false, Ordering::Relaxed) {
            match read() {
                Ok(settings) => {
                    round.set();
                    return Some(settings);
                }
                Err(error) => {
                    let why = Failure::of(&error).said();
                    let text = tr!("the settings are not read again: {why}; logging on by the old ones", why);
                    journal.say(Level::Error, &text);
                }
            }
        } else {
            std::thread::sleep(GLANCE);
        }
    }
    None
}
