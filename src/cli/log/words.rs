//! What a log has to tell, in words: a line for each change of state.

use super::journal::Level;
use crate::cli::diagnosis;
use crate::logger::{Keep, Notice, Place, Plan};
use crate::reading::{Event, Severity};
use crate::session::Cause;
use crate::store::StoreError;
use crate::transport::LinkError;
use std::time::Duration;

/// The first line.
pub(super) fn beginning(plans: &[Plan], keep: &Keep) -> String {
    let what = match plans {
        [Plan { place: Place::At(address), .. }] => address.to_string(),
        [_] => "the meter on the only USB port".to_owned(),
        several => format!("{} meters", several.len()),
    };
    let interval = match plans {
        [Plan { interval: Some(interval), .. }] => format!(" every {}", time(*interval)),
        _ => String::new(),
    };
    let (store, window) = (keep.store.display(), time(keep.window));
    format!("logging {what}{interval} into {store}, written every {window}")
}

/// A notice as one line; `None` where there is nothing to say.
pub(super) fn of(notice: &Notice) -> Option<(Level, String)> {
    let said = match notice {
        Notice::Opened { port } => (Level::Debug, format!("{port} is open")),
        Notice::Tried { port, attempt } => (Level::Debug, format!("{port}: {}", diagnosis::attempt(attempt))),
        Notice::Recognised { approach } => (Level::Debug, approach.to_string()),
        Notice::Away { error, was_open, times } => (Level::Warning, away(error.as_ref(), *was_open, *times)),
        Notice::Back { port, after } => {
            let what = if is_bridge(port) { port } else { "the probe" };
            (Level::Notice, format!("{what} is back after {}", time(*after)))
        }
        Notice::First { meter, identification, after } => {
            let make =
                identification.as_ref().map(|make| format!(" ({})", make.trim_start_matches('/'))).unwrap_or_default();
            (Level::Notice, format!("meter {meter}{make}, first reading {} after opening", time(*after)))
        }
        Notice::Changed { was, is } => (Level::Warning, format!("this is another meter: {is}, no longer {was}")),
        Notice::NoReading { cause, port, times, next } => {
            let failure = diagnosis::failure(cause, port, &[]);
            let level = if is_key(cause) { Level::Error } else { Level::Warning };
            let why = failure.cause.filter(|why| !why.is_empty()).map(|why| format!(": {why}")).unwrap_or_default();
            let many = if *times > 3 { format!(", {times} times") } else { String::new() };
            let (message, id, next) = (failure.message, failure.id, time(*next));
            (level, format!("{message}{why}  [{id}]{many}; trying on, next word in {next}"))
        }
        Notice::Reads { after, missed } => {
            let missed = missed.filter(|count| *count > 0);
            let missed = missed.map(|count| format!(", about {count} readings missed")).unwrap_or_default();
            (Level::Notice, format!("readings come again after {}{missed}", time(*after)))
        }
        Notice::Lacks { cause, port } => {
            let failure = diagnosis::failure(cause, port, &[]);
            let tip = failure.tips.first().map(|tip| format!("; {tip}")).unwrap_or_default();
            (Level::Warning, format!("{}  [{}]{tip}", failure.message, failure.id))
        }
        Notice::Ended { refusal } => (Level::Error, format!("{refusal}; it is not read any more")),
        Notice::Recovered { count: 0 } => return None,
        Notice::Recovered { count } => {
            (Level::Notice, format!("stored {count} readings that were received before the last end"))
        }
        Notice::StoreAway { error, waiting, lost } => {
            let lost = if *lost > 0 { format!(", {lost} are lost") } else { String::new() };
            (Level::Error, format!("{}; readings wait in memory, {waiting} so far{lost}", store(error)))
        }
        Notice::Unsealed { error } => {
            (Level::Warning, format!("past days cannot be sealed: {}; tried again later", store(error)))
        }
        Notice::StoreBack { after, lost } => {
            let lost = if *lost > 0 { format!("; {lost} readings are lost") } else { String::new() };
            (Level::Notice, format!("the store can be written again after {}{lost}", time(*after)))
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
    (level, format!("{meter}{}: {}  [{}]", event.severity, event.description, event.kind))
}

fn away(error: Option<&LinkError>, was_open: bool, times: u32) -> String {
    let again = if times > 1 { format!(" ({times} times)") } else { String::new() };
    match error {
        Some(LinkError::Missing { name, .. } | LinkError::Gone { name } | LinkError::Io { name, .. }) if was_open => {
            let what = if is_bridge(name) { format!("{name} is gone") } else { "the probe is unplugged".to_owned() };
            format!("{what}, waiting for it{again}")
        }
        Some(error @ LinkError::Missing { .. }) => format!("{error}, waiting for it{again}"),
        Some(error) => format!("{error}; trying on{again}"),
        None => format!("no meter probe is plugged in, waiting for one{again}"),
    }
}

fn is_bridge(port: &str) -> bool {
    port.contains("://")
}

fn store(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

const fn is_key(cause: &Cause) -> bool {
    matches!(cause, Cause::KeyMissing { .. } | Cause::KeyMismatch { .. })
}

/// A length of time for people: `1.2 s`, `42 s`, `3 min 10 s`, `2 h 5 min`.
pub(in crate::cli) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
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
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
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
