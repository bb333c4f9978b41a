//! What the errors of the rooms below say, in the language of the reader. What the system says stands as it is.

use super::tr;
use crate::analyse::AnalyseError;
use crate::archive::ArchiveError;
use crate::logger::Refusal;
use crate::past::PastError;
use crate::reading::AskedError;
use crate::session::Approach;
use crate::store::StoreError;
use crate::transport::{Access, InputError, LinkError, Membership};
use std::error::Error;
use std::path::Path;

fn missing(path: &Path) -> String {
    tr!("there is no {path}", path = path.display())
}

/// A file cannot be read.
pub(in crate::cli) fn cannot_read(path: &Path) -> String {
    tr!("cannot read {path}", path = path.display())
}

/// A file cannot be written.
pub(in crate::cli) fn cannot_write(path: &Path) -> String {
    tr!("cannot write {path}", path = path.display())
}

pub(in crate::cli) fn input(error: &InputError) -> String {
    match error {
        InputError::Missing(path) => missing(path),
        InputError::Directory(path) => tr!("{path} is a folder, not a capture", path = path.display()),
        InputError::Denied(path) => tr!("may not read {path}", path = path.display()),
        InputError::Io { path, .. } => cannot_read(path),
    }
}

pub(in crate::cli) fn store(error: &StoreError) -> String {
    match error {
        StoreError::Missing(path) => tr!("there is no store {path}", path = path.display()),
        StoreError::Empty(path) => tr!("{path} is empty, there is no store in it yet", path = path.display()),
        StoreError::Foreign(path) => tr!("{path} is not a releve store", path = path.display()),
        StoreError::Newer { path, found, known } => tr!(
            "{path} was written by a newer releve (schema {found}, this one knows {known})",
            path = path.display(),
            found,
            known
        ),
        StoreError::Locked(path) => tr!("{path} is locked by another program", path = path.display()),
        StoreError::Denied(path) => tr!("may not open {path}", path = path.display()),
        StoreError::Write { path, .. } => cannot_write(path),
        StoreError::Damaged { path, what } => tr!("{path} is damaged: {what}", path = path.display(), what),
        // The only limit there is.
        StoreError::Full { path, .. } => {
            tr!("{path}: it has as many different registers as it can hold", path = path.display())
        }
        StoreError::Older(path) => tr!("{path} was written by an older releve", path = path.display()),
        StoreError::Sqlite { path, .. } => path.display().to_string(),
    }
}

pub(in crate::cli) fn archive(error: &ArchiveError) -> String {
    match error {
        ArchiveError::Damaged { path, .. } => tr!("{path} is damaged", path = path.display()),
        ArchiveError::Derived(path) => {
            tr!("{path} holds means of a quarter of an hour, not readings", path = path.display())
        }
        ArchiveError::OtherMeter { path, found } => {
            tr!("{path} is of meter {meter}", path = path.display(), meter = found)
        }
        ArchiveError::Outside { path } => tr!("{path} is no file of the archive", path = path.display()),
        ArchiveError::Busy(path) => tr!("{path} is being written by another program", path = path.display()),
        ArchiveError::NotVerified(path) => tr!("{path} did not read back as written", path = path.display()),
        ArchiveError::Unreadable { path, .. } => cannot_read(path),
        ArchiveError::Io { path, .. } => cannot_write(path),
    }
}

pub(in crate::cli) fn past(error: &PastError) -> String {
    match error {
        PastError::Store(error) => store(error),
        PastError::Archive(error) => archive(error),
        PastError::Moved(meter) => tr!("readings of {meter} were given to the archive meanwhile", meter),
    }
}

pub(in crate::cli) fn analysis(error: &AnalyseError) -> String {
    match error {
        AnalyseError::Past(error) => past(error),
        AnalyseError::TooLong { first, last, periods, most, quarters: true } => tr!(
            "from {first} to {last} are {periods} quarters of an hour, and {most} at most are worked out",
            first,
            last,
            periods,
            most
        ),
        AnalyseError::TooLong { first, last, periods, most, quarters: false } => tr!(
            "from {first} to {last} are {periods} rows, and {most} at most are worked out",
            first,
            last,
            periods,
            most
        ),
    }
}

/// What is said, and below it why.
pub(in crate::cli) fn with_cause(said: String, error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{said}: {cause}"),
        None => said,
    }
}

pub(in crate::cli) fn link(error: &LinkError) -> String {
    match error {
        LinkError::Missing { name, .. } => missing(Path::new(name)),
        LinkError::Denied { name, .. } => tr!("may not open {path}", path = name),
        LinkError::Busy { name, holder: None } => tr!("{port} is in use", port = name),
        LinkError::Busy { name, holder: Some(holder) } => {
            tr!("{port} is in use by {program}", port = name, program = holder)
        }
        LinkError::NotAPort { name } => tr!("{port} is not a serial port", port = name),
        LinkError::Gone { name } => tr!("{port} is gone", port = name),
        LinkError::OneWay { name } => tr!("{port} cannot be written to", port = name),
        LinkError::FixedLine { name } => tr!("{port} keeps its speed: it cannot be changed from here", port = name),
        LinkError::Line { name, line, why } => tr!("{port} does not do {line}: {why}", port = name, line, why),
        LinkError::NoRfc2217 { name } => tr!("{port} does not speak RFC 2217", port = name),
        LinkError::Capture { name, source } => {
            tr!("cannot write the capture {path}: {why}", path = name, why = source)
        }
        LinkError::Name { name, why } => tr!("'{name}' is no way to a meter: {why}", name, why = way(why)),
        LinkError::Io { name, source } => format!("{name}: {source}"),
    }
}

/// What is wrong with the name of a port, which the room below says in a few fixed sentences.
fn way(why: &str) -> String {
    match why {
        "nothing is named" => tr!("nothing is named"),
        "no path holds a NUL" => tr!("no path holds a NUL"),
        "only tcp:// and rfc2217:// are known" => tr!("only tcp:// and rfc2217:// are known"),
        "a bridge is named tcp://HOST:PORT or rfc2217://HOST:PORT" => {
            tr!("a bridge is named tcp://HOST:PORT or rfc2217://HOST:PORT")
        }
        "a device is named by its path, like /dev/ttyUSB0" => tr!("a device is named by its path, like /dev/ttyUSB0"),
        other => other.to_owned(),
    }
}

pub(in crate::cli) fn access(access: &Access) -> String {
    let Access { user, group, mode, membership } = access;
    let letter = |(place, letter): (usize, char)| if mode & (0o400_u32 >> place) != 0 { letter } else { '-' };
    let mode: String = "rwxrwxrwx".chars().enumerate().map(letter).collect();
    match membership {
        Membership::No => {
            tr!("it belongs to group {group} ({mode}), {user} is not in that group", group, mode, user)
        }
        Membership::Later => {
            tr!(
                "it belongs to group {group} ({mode}), {user} has been in it since the last login only",
                group,
                mode,
                user
            )
        }
        Membership::Yes => {
            tr!("it belongs to group {group} ({mode}), and {user} is in that group", group, mode, user)
        }
    }
}

/// How a meter is read.
pub(in crate::cli) fn approach(approach: &Approach) -> String {
    match approach {
        Approach::Push { line: Some(line) } => tr!("it sends by itself at {line}", line),
        Approach::Push { line: None } => tr!("it sends by itself"),
        Approach::Ask(options) => match options.mode {
            Some(mode) => tr!("it answers at {line}, mode {mode}", line = options.opening, mode = format!("{mode:?}")),
            None => tr!("it answers at {line}", line = options.opening),
        },
        Approach::Connect(connect) => match (&connect.sign_on, connect.line) {
            (Some(options), _) => tr!("DLMS behind a sign-on at {line}, mode E", line = options.opening),
            (None, Some(line)) => tr!("DLMS at {line}", line),
            (None, None) => "DLMS".to_owned(),
        },
    }
}

pub(in crate::cli) fn asked(error: &AskedError) -> String {
    match error {
        AskedError::Unknown(text) => tr!("'{text}' is not a time", text),
        AskedError::Skipped { civil, zone, .. } => tr!("{time} did not exist in {zone}", time = civil, zone),
    }
}

/// The forms of [`crate::reading::Asked`]: what can be typed is the same in every language.
pub(in crate::cli) fn forms_of_times() -> String {
    tr!(
        "like 2d, 36h, yesterday, \"yesterday 18:00\", 14:30, 2025-11-07, \"2025-11-07 14:30\", 2025-11, 2025-W45, last month, @1762525800"
    )
}

pub(in crate::cli) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Link(error) => link(error),
        Refusal::Store(error) => store(error),
        Refusal::Nameless { port } => tr!("the telegrams from {port} do not name their meter", port),
        Refusal::NothingLeft => tr!("no meter is left to be read"),
        Refusal::Thread(error) => tr!("cannot go on: {why}", why = error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Address;
    use std::io;

    #[test]
    fn english_is_what_the_rooms_below_say() {
        let path = || std::path::PathBuf::from("a.db");
        let io = || io::Error::other("no");
        for error in [StoreError::Missing(path()), StoreError::Empty(path()), StoreError::Foreign(path())] {
            assert_eq!(store(&error), error.to_string());
        }
        let older = [StoreError::Newer { path: path(), found: 9, known: 3 }, StoreError::Older(path())];
        for error in older.into_iter().chain([StoreError::Locked(path()), StoreError::Denied(path())]) {
            assert_eq!(store(&error), error.to_string());
        }
        for error in [InputError::Missing(path()), InputError::Directory(path()), InputError::Denied(path())] {
            assert_eq!(input(&error), error.to_string());
        }
        let damaged = ArchiveError::Damaged { path: path(), source: "cut".into() };
        let other = ArchiveError::OtherMeter { path: path(), found: "A".to_owned() };
        for error in [damaged, other, ArchiveError::Derived(path()), ArchiveError::Busy(path())] {
            assert_eq!(archive(&error), error.to_string());
        }
        let (name, line) = (|| "/dev/x".to_owned(), "9600,8N1".parse().unwrap());
        for error in [
            LinkError::Missing { name: name(), source: io() },
            LinkError::Busy { name: name(), holder: Some("log (pid 8)".to_owned()) },
            LinkError::FixedLine { name: name() },
            LinkError::Line { name: name(), line, why: "no".to_owned() },
            LinkError::Capture { name: name(), source: io() },
            LinkError::Io { name: name(), source: io() },
        ] {
            assert_eq!(link(&error), error.to_string());
        }
        for membership in [Membership::No, Membership::Later, Membership::Yes] {
            let found = Access { user: "anna".into(), group: "dialout".into(), mode: 0o640, membership };
            assert_eq!(access(&found), found.to_string());
        }
        assert_eq!(forms_of_times(), crate::reading::Asked::FORMS);
        for found in [Approach::Push { line: Some(line) }, Approach::Push { line: None }] {
            assert_eq!(approach(&found), found.to_string());
        }
    }

    /// A sentence that is not known here would be said in English in every language.
    #[test]
    fn every_reason_against_a_name_is_known() {
        let source = include_str!("../../transport/address.rs");
        let reasons: Vec<&str> = source.split("wrong(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(reasons.len(), 5);
        let own = include_str!("errors.rs");
        for reason in reasons {
            assert!(own.contains(&format!("{reason:?} =>")), "{reason}");
        }
        assert!("ttyUSB0".parse::<Address>().is_err_and(|error| link(&error) == error.to_string()));
        let names = include_str!("../../store/names.rs");
        assert_eq!(names.matches("Trouble::Full(").count(), 1);
        assert!(names.contains("it has as many different registers as it can hold"));
    }
}
