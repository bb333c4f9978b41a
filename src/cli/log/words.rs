//! What a log has to tell, in words: a line for each change of state.

use super::journal::Level;
use crate::cli::diagnosis;
use crate::cli::words::{count, errors, tr};
use crate::logger::{Keep, Notice, Place, Plan};
use crate::reading::{Event, Severity};
use crate::session::Cause;
use crate::store::{Inserted, StoreError};
use crate::transport::LinkError;
use std::time::Duration;

/// The first line.
pub(super) fn beginning(plans: &[Plan], keep: &Keep) -> String {
    let what = match plans {
        [Plan { place: Place::At(address), .. }] => address.to_string(),
        [_] => tr!("the meter on the only USB port"),
        several => count::meters(several.len()),
    };
    let (store, window) = (keep.store.display(), time(keep.window));
    match plans {
        [Plan { interval: Some(interval), .. }] => {
            let interval = time(*interval);
            tr!("logging {what} every {interval} into {store}, written every {window}", what, interval, store, window)
        }
        _ => tr!("logging {what} into {store}, written every {window}", what, store, window),
    }
}

/// What came of it all.
pub(in crate::cli) fn stored(stored: &Inserted) -> String {
    let readings = count::readings(stored.added);
    match stored.known {
        0 => tr!("stored {readings}", readings),
        1 => tr!("stored {readings}, 1 was there already", readings),
        n => tr!("stored {readings}, {n} were there already", readings, n),
    }
}

/// A notice as one line; `None` where there is nothing to say.
pub(super) fn of(notice: &Notice) -> Option<(Level, String)> {
    let said = match notice {
        Notice::Opened { port } => (Level::Debug, tr!("{port} is open", port)),
        Notice::Tried { port, attempt } => (Level::Debug, format!("{port}: {}", diagnosis::attempt(attempt))),
        Notice::Recognised { approach } => (Level::Debug, errors::approach(approach)),
        Notice::Away { error, was_open, times } => (Level::Warning, away(error.as_ref(), *was_open, *times)),
        Notice::Back { port, after } => {
            let after = time(*after);
            let text = match is_bridge(port) {
                true => tr!("{port} is back after {time}", port, time = after),
                false => tr!("the probe is back after {time}", time = after),
            };
            (Level::Notice, text)
        }
        Notice::First { meter, identification, after } => {
            let make =
                identification.as_ref().map(|make| format!(" ({})", make.trim_start_matches('/'))).unwrap_or_default();
            let meter = format!("{meter}{make}");
            (Level::Notice, tr!("meter {meter}, first reading {time} after opening", meter, time = time(*after)))
        }
        Notice::Changed { was, is } => (Level::Warning, tr!("this is another meter: {is}, no longer {was}", is, was)),
        Notice::NoReading { cause, port, times, next } => {
            let failure = diagnosis::failure(cause, port, &[]);
            let level = if is_key(cause) { Level::Error } else { Level::Warning };
            let why = failure.cause.filter(|why| !why.is_empty()).map(|why| format!(": {why}")).unwrap_or_default();
            let what = format!("{}{why}  [{}]", failure.message, failure.id);
            let next = time(*next);
            let text = match times {
                0..=3 => tr!("{what}; trying on, next word in {time}", what, time = next),
                n => tr!("{what}, {n} times; trying on, next word in {time}", what, n, time = next),
            };
            (level, text)
        }
        Notice::Reads { after, missed } => {
            let after = time(*after);
            let text = match missed.filter(|count| *count > 0) {
                Some(n) => {
                    let readings = count::readings(n);
                    tr!("readings come again after {time}, about {readings} missed", time = after, readings)
                }
                None => tr!("readings come again after {time}", time = after),
            };
            (Level::Notice, text)
        }
        Notice::Lacks { cause, port } => {
            let failure = diagnosis::failure(cause, port, &[]);
            let tip = failure.tips.first().map(|tip| format!("; {tip}")).unwrap_or_default();
            (Level::Warning, format!("{}  [{}]{tip}", failure.message, failure.id))
        }
        Notice::Ended { refusal } => {
            (Level::Error, tr!("{why}; it is not read any more", why = errors::refusal(refusal)))
        }
        Notice::Recovered { count: 0 } => return None,
        Notice::Recovered { count: n } => {
            let text = match count::is_singular(*n) {
                true => tr!("stored {n} reading that was received before the last end", n),
                false => tr!("stored {n} readings that were received before the last end", n),
            };
            (Level::Notice, text)
        }
        Notice::StoreAway { error, waiting, lost } => {
            let why = store(error);
            let text = match lost {
                0 => tr!("{why}; readings wait in memory, {n} so far", why, n = waiting),
                lost => tr!("{why}; readings wait in memory, {n} so far, {lost} lost", why, n = waiting, lost),
            };
            (Level::Error, text)
        }
        Notice::Unsealed { error } => {
            (Level::Warning, tr!("past hours cannot be sealed: {why}; tried again later", why = store(error)))
        }
        Notice::StoreBack { after, lost } => {
            let after = time(*after);
            let text = match lost {
                0 => tr!("the store can be written again after {time}", time = after),
                lost => {
                    let readings = count::readings(*lost);
                    tr!("the store can be written again after {time}; lost: {readings}", time = after, readings)
                }
            };
            (Level::Notice, text)
        }
    };
    Some(said)
}

/// A new event as one line.
pub(super) fn found(event: &Event, several: bool) -> (Level, String) {
    let level = match event.severity {
        Severity::Info => Level::Info,
        Severity::Warning => Level::Warning,
        Severity::Error | Severity::Critical => Level::Error,
    };
    let meter = event.meter.as_ref().filter(|_| several).map(|meter| format!("{meter}: ")).unwrap_or_default();
    let severity = crate::cli::events::severity(event.severity);
    (level, tr!("{meter}{severity}: {what}  [{kind}]", meter, severity, what = event.description, kind = event.kind))
}

fn away(error: Option<&LinkError>, was_open: bool, times: u32) -> String {
    let again = if times > 1 { tr!(" ({n} times)", n = times) } else { String::new() };
    let said = match error {
        Some(LinkError::Missing { name, .. } | LinkError::Gone { name } | LinkError::Io { name, .. }) if was_open => {
            match is_bridge(name) {
                true => tr!("{port} is gone, waiting for it", port = name),
                false => tr!("the probe is unplugged, waiting for it"),
            }
        }
        Some(error @ LinkError::Missing { .. }) => tr!("{what}, waiting for it", what = errors::link(error)),
        Some(error) => tr!("{what}; trying on", what = errors::link(error)),
        None => tr!("no meter probe is plugged in, waiting for one"),
    };
    said + &again
}

fn is_bridge(port: &str) -> bool {
    port.contains("://")
}

fn store(error: &StoreError) -> String {
    errors::with_cause(errors::store(error), error)
}

const fn is_key(cause: &Cause) -> bool {
    matches!(cause, Cause::KeyMissing { .. } | Cause::KeyMismatch { .. })
}

/// A length of time for people: `1.2 s`, `42 s`, `3 min 10 s`, `2 h 5 min`.
pub(in crate::cli) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    let day = tr!("d");
    let two = |many: u64, unit: &str, rest: u64, of: &str| match rest {
        0 => format!("{many} {unit}"),
        rest => format!("{many} {unit} {rest} {of}"),
    };
    match seconds {
        0..10 => match time.subsec_millis() / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        10..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, &day, seconds / 3600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_well() {
        let said = |millis| time(Duration::from_millis(millis));
        assert_eq!(said(1234), "1.2 s");
        assert_eq!(said(5000), "5 s");
        assert_eq!(said(42_900), "42 s");
        assert_eq!(said(190_000), "3 min 10 s");
        assert_eq!(said(900_000), "15 min");
        assert_eq!(said(7_500_000), "2 h 5 min");
        assert_eq!(said(90_000_000), "1 d 1 h");
    }

    #[test]
    fn every_notice_is_one_line() {
        let port = || "/dev/ttyUSB0".to_owned();
        let gone = |was_open| Notice::Away { error: Some(LinkError::Gone { name: port() }), was_open, times: 1 };
        let silent = Notice::NoReading { cause: Cause::Silent, port: port(), times: 4, next: Duration::from_secs(900) };
        let locked = Notice::StoreAway { error: StoreError::Locked("a.db".into()), waiting: 7, lost: 0 };
        for (notice, expected) in [
            (gone(true), "the probe is unplugged, waiting for it"),
            (silent, "no answer from a meter on /dev/ttyUSB0  [meter.silent], 4 times; trying on, next word in 15 min"),
            (Notice::Back { port: port(), after: Duration::from_secs(42) }, "the probe is back after 42 s"),
            (Notice::Back { port: "tcp://h:1".into(), after: Duration::from_secs(4) }, "tcp://h:1 is back after 4 s"),
            (
                Notice::Reads { after: Duration::from_secs(190), missed: Some(19) },
                "readings come again after 3 min 10 s, about 19 readings missed",
            ),
            (locked, "a.db is locked by another program; readings wait in memory, 7 so far"),
        ] {
            assert_eq!(of(&notice).unwrap().1, expected);
        }
        assert!(of(&Notice::Recovered { count: 0 }).is_none());
    }
}
