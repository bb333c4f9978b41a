//! Failures as people see them: one shape, a stable id, the exit status of the contract.

use super::words::{errors, tr};
use crate::analyse::AnalyseError;
use crate::archive::ArchiveError;
use crate::consolidate::ConsolidateError;
use crate::past::PastError;
use crate::reading::{Anomaly, AnomalyCode, Instant};
use crate::session::PlayError;
use crate::store::StoreError;
use crate::transport::{Access, CaptureError, InputError, LinkError, Membership, ports};
use std::fmt;
use std::io;
use std::path::Path;

/// Anything that has no status of its own.
pub(super) const OTHER: u8 = 1;
/// Wrong arguments.
pub(super) const USAGE: u8 = 2;
/// Data that does not check.
pub(super) const DATA: u8 = 65;
/// Input or store missing.
pub(super) const NO_INPUT: u8 = 66;
/// No port, or no answer.
pub(super) const NO_METER: u8 = 69;
/// A write failed.
pub(super) const WRITE: u8 = 74;
/// Busy or locked; try again.
pub(super) const BUSY: u8 = 75;
/// Something, but not a meter.
pub(super) const NOT_A_METER: u8 = 76;
/// Not allowed.
pub(super) const DENIED: u8 = 77;
/// Configuration.
pub(super) const CONFIG: u8 = 78;

/// A failure: what happened, why, and what to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) exit: u8,
    pub(super) id: &'static str,
    pub(super) message: String,
    pub(super) cause: Option<String>,
    pub(super) tips: Vec<String>,
}

impl Failure {
    pub(super) fn new(exit: u8, id: &'static str, message: impl Into<String>) -> Self {
        Self { exit, id, message: message.into(), cause: None, tips: Vec::new() }
    }

    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What to do about telegrams that are enciphered.
    pub(super) fn how_to_get_a_key(self) -> Self {
        self.tip(tr!("the grid operator gives out the key of the customer interface"))
            .tip(tr!("put its 32 hex digits into a file of mode 600 and name it with --key-file"))
    }

    /// What to do about a key that does not fit.
    pub(super) fn how_to_check_a_key(self) -> Self {
        self.tip(tr!("is the key from this meter? is there an authentication key as well?"))
            .tip(tr!("a key file holds 32 hex digits, or encryption = \"...\" and authentication = \"...\""))
    }

    pub(super) fn tip(mut self, tip: impl Into<String>) -> Self {
        self.tips.push(tip.into());
        self
    }

    /// The failure that an error comes to: looked for by type along its chain.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(failure) = cause.downcast_ref::<Self>() {
                return failure.clone();
            }
            if let Some(input) = cause.downcast_ref::<InputError>() {
                return Self::input(input);
            }
            if let Some(store) = cause.downcast_ref::<StoreError>() {
                return Self::store(store);
            }
            if let Some(PastError::Store(store)) = cause.downcast_ref::<PastError>() {
                return Self::store(store);
            }
            if let Some(archive) = cause.downcast_ref::<ArchiveError>() {
                return Self::archive(archive);
            }
            if let Some(ConsolidateError::Busy { store, pid, since }) = cause.downcast_ref::<ConsolidateError>() {
                let what = tr!("another consolidation of {store} is going on", store = store.display());
                let failure = Self::new(BUSY, "consolidate.busy", what);
                let failure = match (pid, since) {
                    (Some(pid), Some(since)) => {
                        let ago = Instant::now().unix_seconds() - since.unix_seconds();
                        failure.cause(tr!("process {pid} does it, for {ago} s now", pid, ago))
                    }
                    _ => failure,
                };
                return failure
                    .tip(tr!("this one has done nothing; try again later"))
                    .tip(tr!("releve consolidate --wait 60s waits for it"));
            }
            if let Some(failure) = cause.downcast_ref::<ConsolidateError>().and_then(Self::consolidation) {
                return failure;
            }
            if let Some(past) = cause.downcast_ref::<PastError>() {
                return Self::past(past);
            }
            if let Some(analysis) = cause.downcast_ref::<AnalyseError>() {
                return Self::analysis(analysis);
            }
            if let Some(link) = cause.downcast_ref::<LinkError>() {
                return Self::link(link);
            }
            if let Some(PlayError::Link(link)) = cause.downcast_ref::<PlayError>() {
                return Self::link(link);
            }
            if let Some(io) = cause.downcast_ref::<super::output::WriteError>() {
                return Self::new(WRITE, "write.failed", tr!("cannot write the output: {why}", why = io.0));
            }
        }
        Self::new(OTHER, "other", format!("{error:#}"))
    }

    fn input(error: &InputError) -> Self {
        let message = errors::input(error);
        match error {
            InputError::Missing(_) => {
                Self::new(NO_INPUT, "input.missing", message).tip(tr!("name a capture, or - for standard input"))
            }
            InputError::Directory(_) => {
                Self::new(NO_INPUT, "input.directory", message).tip(tr!("name one of the files in it"))
            }
            InputError::Denied(_) => Self::new(DENIED, "input.denied", message).tip(tr!("see who may read it: ls -l")),
            InputError::Io { source, .. } => Self::new(NO_INPUT, "input.read", message).cause(source.to_string()),
        }
    }

    fn store(error: &StoreError) -> Self {
        let message = errors::store(error);
        match error {
            StoreError::Missing(_) | StoreError::Empty(_) => Self::new(NO_INPUT, "store.missing", message)
                .tip(tr!("`releve read FILE --save` makes one; --db FILE names another")),
            StoreError::Foreign(_) => {
                Self::new(DATA, "store.format", message).tip(tr!("nothing was changed; --db FILE names another"))
            }
            StoreError::Newer { .. } => {
                Self::new(DATA, "store.newer", message).tip(tr!("update releve; nothing was changed"))
            }
            StoreError::Locked(_) => Self::new(BUSY, "store.locked", message).tip(tr!("try again in a moment")),
            StoreError::Denied(_) => Self::new(DENIED, "store.denied", message).tip(tr!("see who may write it: ls -l")),
            StoreError::Write { source, .. } => Self::new(WRITE, "store.write", message).cause(source.to_string()),
            StoreError::Damaged { .. } => {
                Self::new(DATA, "store.damaged", message).tip(tr!("nothing was changed; keep a copy of the file"))
            }
            StoreError::Full { .. } => Self::new(OTHER, "store.full", message),
            StoreError::Older(_) => Self::new(DATA, "store.older", message)
                .tip(tr!("releve db compact brings it up to date; keep a copy for the older version")),
            StoreError::Sqlite { source, .. } => Self::new(OTHER, "store.sqlite", message).cause(source.to_string()),
        }
    }

    fn archive(error: &ArchiveError) -> Self {
        let message = errors::archive(error);
        match error {
            ArchiveError::Damaged { source, .. } => {
                Self::new(DATA, "archive.damaged", message).cause(source.to_string())
            }
            ArchiveError::Derived(_) => Self::new(DATA, "archive.derived", message)
                .tip(tr!("day and hour files hold the readings; week and month files are made of them")),
            ArchiveError::Outside { .. } => Self::new(DATA, "archive.outside", message)
                .tip(tr!("links that lead out of the archive are not followed")),
            ArchiveError::Busy(_) => Self::new(BUSY, "archive.busy", message).tip(tr!("try again in a moment")),
            ArchiveError::Unreadable { source, .. } => {
                let denied = source.kind() == io::ErrorKind::PermissionDenied;
                Self::new(if denied { DENIED } else { NO_INPUT }, "archive.read", message).cause(source.to_string())
            }
            ArchiveError::OtherMeter { .. } => Self::new(DATA, "archive.meter", message)
                .tip(tr!("nothing was changed; use another archive folder for this meter")),
            ArchiveError::NotVerified(_) => Self::new(WRITE, "archive.verify", message)
                .tip(tr!("what was there before is untouched; check the disk")),
            ArchiveError::Io { source, .. } => Self::new(WRITE, "archive.write", message).cause(source.to_string()),
        }
    }

    fn consolidation(error: &ConsolidateError) -> Option<Self> {
        match error {
            ConsolidateError::Store(store) => Some(Self::store(store)),
            ConsolidateError::Archive(archive) => Some(Self::archive(archive)),
            ConsolidateError::Past(past) => Some(Self::past(past)),
            _ => None,
        }
    }

    fn past(error: &PastError) -> Self {
        match error {
            PastError::Store(store) => Self::store(store),
            PastError::Archive(archive) => Self::archive(archive),
            PastError::Moved(_) => Self::new(BUSY, "past.moved", errors::past(error)).tip(tr!("ask again")),
        }
    }

    fn analysis(error: &AnalyseError) -> Self {
        match error {
            AnalyseError::Past(past) => Self::past(past),
            AnalyseError::TooLong { .. } => Self::new(USAGE, "stats.span", errors::analysis(error)).tip(tr!(
                "name a shorter period with --since and --until; a single reading of a wrong date is enough for this"
            )),
        }
    }

    pub(super) fn link(error: &LinkError) -> Self {
        let message = errors::link(error);
        match error {
            LinkError::Missing { name, source } => {
                let failure = Self::new(NO_METER, "port.missing", message).cause(source.to_string());
                if name.contains("://") {
                    return failure.tip(tr!("is the bridge on, and are host and port right?"));
                }
                let plugged: Vec<_> = ports()
                    .iter()
                    .map(|port| format!("{} ({})", port.path.display(), super::ports::device(port)))
                    .collect();
                if plugged.is_empty() {
                    failure.tip(tr!("no serial port is plugged in"))
                } else {
                    failure.tip(tr!("plugged in now: {ports}", ports = plugged.join(", ")))
                }
            }
            LinkError::Denied { name, source } => {
                let failure = Self::new(DENIED, "port.permission", message);
                match Access::to(Path::new(name)) {
                    Some(access) => failure.access(name, &access),
                    None => failure.cause(source.to_string()),
                }
            }
            LinkError::Busy { .. } => {
                Self::new(BUSY, "port.busy", message).tip(tr!("end that program, or wait for it"))
            }
            LinkError::NotAPort { .. } => {
                Self::new(USAGE, "port.kind", message).tip(tr!("see which ports there are: releve ports"))
            }
            LinkError::Gone { .. } => {
                Self::new(NO_METER, "port.gone", message).tip(tr!("is it plugged in? see with: releve ports"))
            }
            LinkError::OneWay { .. } => Self::new(USAGE, "port.one_way", message),
            LinkError::FixedLine { .. } => Self::new(NO_METER, "port.line", message)
                .tip(tr!("set the speed at the bridge, or use rfc2217://HOST:PORT if it speaks that")),
            LinkError::Line { .. } => {
                Self::new(NO_METER, "port.line", message).tip(tr!("other settings: --serial 9600,8N1"))
            }
            LinkError::NoRfc2217 { .. } => Self::new(NO_METER, "port.rfc2217", message)
                .tip(tr!("a bridge that only hands bytes on is tcp://HOST:PORT"))
                .tip(tr!("switch RFC 2217 (telnet, COM port control) on at the bridge")),
            LinkError::Capture { .. } => Self::new(WRITE, "capture.write", message),
            LinkError::Name { .. } => Self::new(USAGE, "port.name", message)
                .tip(tr!("name it like /dev/ttyUSB0, tcp://HOST:PORT or rfc2217://HOST:PORT")),
            LinkError::Io { .. } => Self::new(NO_METER, "port.io", message),
        }
    }

    /// Why a device may not be opened, and what would change that.
    fn access(self, name: &str, access: &Access) -> Self {
        let Access { user, group, .. } = access;
        let failure = self.cause(errors::access(access));
        let failure = match access.membership {
            Membership::Later if access.group_helps() => failure.tip(tr!(
                "{user} is in {group} from the next login on: log out and in, or: newgrp {group}",
                user,
                group
            )),
            Membership::No if access.group_helps() => {
                failure.tip(tr!("sudo usermod -aG {group} {user}, then log out and in again", group, user))
            }
            _ => failure,
        };
        failure.tip(tr!("just this once: sudo setfacl -m u:{user}:rw {port}", user, port = shell_word(name)))
    }

    /// A capture that cannot be read on.
    pub(super) fn reading(source: &str, error: &io::Error) -> Self {
        let damaged = error.get_ref().is_some_and(|inner| inner.is::<CaptureError>());
        let (exit, id) = if damaged { (DATA, "capture.damaged") } else { (NO_INPUT, "input.read") };
        Self::new(exit, id, tr!("cannot read {path}", path = source)).cause(error.to_string())
    }

    /// A capture of which nothing could be read, because of `fault`.
    pub(super) fn data(source: &str, fault: &Anomaly) -> Self {
        let id = match fault.code {
            AnomalyCode::KeyMissing => "key.missing",
            AnomalyCode::KeyMismatch => "key.mismatch",
            AnomalyCode::Cut => "data.cut",
            AnomalyCode::Block => "data.block",
            AnomalyCode::Syntax => "data.syntax",
            AnomalyCode::TooLong => "data.too_long",
            AnomalyCode::NoValues => "data.no_values",
            _ => "data.checksum",
        };
        let failure = Self::new(DATA, id, at_byte(source, fault));
        match fault.code {
            AnomalyCode::KeyMissing => failure.how_to_get_a_key(),
            AnomalyCode::KeyMismatch => failure.how_to_check_a_key(),
            AnomalyCode::Cut | AnomalyCode::Block => failure
                .tip(tr!("the capture breaks off: take a longer one"))
                .tip(tr!("see where: releve explain {file}", file = shell_word(source))),
            _ => failure.tip(tr!("see which bytes: releve explain {file}", file = shell_word(source))),
        }
    }
}

/// Where something is wrong, and what: that is technical, and stays English.
pub(super) fn at_byte(source: &str, fault: &Anomaly) -> String {
    tr!("{source}: byte {position}: {detail}", source, position = fault.position, detail = fault.detail)
}

/// A file name as a shell takes it, so that a tip can be pasted.
fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+,@%".contains(c);
    if name == standard_input() {
        "-".to_owned()
    } else if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// What a capture is called that comes by standard input.
pub(super) fn standard_input() -> String {
    tr!("standard input")
}

/// `warning: …` in the language of the reader.
pub(super) fn warning(text: &str) -> String {
    tr!("warning: {text}", text)
}

impl Failure {
    /// The message and the id.
    pub(super) fn said(&self) -> String {
        format!("{}  [{}]", super::output::printable(&self.message), self.id)
    }

    /// The cause and the tips, each as a line with its word.
    pub(super) fn reasons(&self) -> impl Iterator<Item = String> + '_ {
        let cause = self.cause.iter().map(|text| tr!("cause: {text}", text = super::output::printable(text)));
        cause.chain(self.tips.iter().map(|text| tr!("tip: {text}", text = super::output::printable(text))))
    }

    /// The same where it does not stand in the way.
    pub(super) fn as_warning(&self) -> String {
        self.lines(warning(&self.said()))
    }

    fn lines(&self, first: String) -> String {
        self.reasons().fold(first, |lines, reason| lines + "\n  " + &reason)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines(tr!("error: {text}", text = self.said())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shape_for_every_failure() {
        let failure = Failure::new(DATA, "data.checksum", "a\u{1b}[31m").cause("b").tip("c");
        assert_eq!(failure.to_string(), "error: a\u{fffd}[31m  [data.checksum]\n  cause: b\n  tip: c");
        assert_eq!(shell_word("it's.bin"), "'it'\\''s.bin'");
    }

    #[test]
    fn a_port_that_may_not_be_opened_says_what_would_help() {
        let access = |membership| Access { user: "anna".into(), group: "dialout".into(), mode: 0o660, membership };
        let denied = |membership| {
            let failure = Failure::new(DENIED, "port.permission", "may not open /dev/ttyUSB0");
            failure.access("/dev/ttyUSB0", &access(membership)).to_string()
        };
        assert_eq!(
            denied(Membership::No),
            "error: may not open /dev/ttyUSB0  [port.permission]\n  \
             cause: it belongs to group dialout (rw-rw----), anna is not in that group\n  \
             tip: sudo usermod -aG dialout anna, then log out and in again\n  \
             tip: just this once: sudo setfacl -m u:anna:rw /dev/ttyUSB0"
        );
        assert!(denied(Membership::Later).contains("tip: anna is in dialout from the next login on"));
        assert!(!denied(Membership::Yes).contains("usermod"));
    }

    #[test]
    fn a_link_that_fails_while_a_dialogue_is_played_is_named_as_such() {
        let gone = || LinkError::Gone { name: "/dev/ttyUSB0".into() };
        for error in [anyhow::Error::from(gone()), anyhow::Error::from(PlayError::from(gone())).context("reading")] {
            let failure = Failure::of(&error);
            assert_eq!((failure.exit, failure.id), (NO_METER, "port.gone"));
        }
    }
}
