//! Failures as people see them: one shape, a stable id, the exit status of the contract.

use crate::archive::ArchiveError;
use crate::reading::{Anomaly, AnomalyCode};
use crate::store::StoreError;
use crate::transport::InputError;
use std::fmt;

/// Anything that has no status of its own.
pub(super) const OTHER: u8 = 1;
/// Wrong arguments.
pub(super) const USAGE: u8 = 2;
/// Data that does not check.
pub(super) const DATA: u8 = 65;
/// Input or store missing.
pub(super) const NO_INPUT: u8 = 66;
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
    message: String,
    cause: Option<String>,
    tips: Vec<String>,
}

impl Failure {
    pub(super) fn new(exit: u8, id: &'static str, message: impl Into<String>) -> Self {
        Self { exit, id, message: message.into(), cause: None, tips: Vec::new() }
    }

    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
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
            if let Some(archive) = cause.downcast_ref::<ArchiveError>() {
                return Self::archive(archive);
            }
            if let Some(io) = cause.downcast_ref::<super::output::WriteError>() {
                return Self::new(WRITE, "write.failed", format!("cannot write the output: {}", io.0));
            }
        }
        Self::new(OTHER, "other", format!("{error:#}"))
    }

    fn input(error: &InputError) -> Self {
        let message = error.to_string();
        match error {
            InputError::Missing(_) => {
                Self::new(NO_INPUT, "input.missing", message).tip("name a capture, or - for standard input")
            }
            InputError::Directory(_) => {
                Self::new(NO_INPUT, "input.directory", message).tip("name one of the files in it")
            }
            InputError::Denied(_) => Self::new(DENIED, "input.denied", message).tip("see who may read it: ls -l"),
            InputError::Io { source, .. } => Self::new(NO_INPUT, "input.read", message).cause(source.to_string()),
        }
    }

    fn store(error: &StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Missing(_) => Self::new(NO_INPUT, "store.missing", message)
                .tip("`releve read FILE --save` makes one; --db FILE names another"),
            StoreError::Foreign(_) => {
                Self::new(DATA, "store.format", message).tip("nothing was changed; --db FILE names another")
            }
            StoreError::Newer { .. } => {
                Self::new(DATA, "store.newer", message).tip("update releve; nothing was changed")
            }
            StoreError::Locked(_) => Self::new(BUSY, "store.locked", message).tip("try again in a moment"),
            StoreError::Denied(_) => Self::new(DENIED, "store.denied", message).tip("see who may write it: ls -l"),
            StoreError::Write { source, .. } => Self::new(WRITE, "store.write", message).cause(source.to_string()),
            StoreError::Damaged { .. } => {
                Self::new(DATA, "store.damaged", message).tip("nothing was changed; keep a copy of the file")
            }
            StoreError::Sqlite { source, .. } => Self::new(OTHER, "store.sqlite", message).cause(source.to_string()),
        }
    }

    fn archive(error: &ArchiveError) -> Self {
        let message = error.to_string();
        match error {
            ArchiveError::Damaged { source, .. } => {
                Self::new(DATA, "archive.damaged", message).cause(source.to_string())
            }
            ArchiveError::OtherMeter { .. } => Self::new(DATA, "archive.meter", message)
                .tip("nothing was changed; use another archive folder for this meter"),
            ArchiveError::NotVerified(_) => {
                Self::new(WRITE, "archive.verify", message).tip("what was there before is untouched; check the disk")
            }
            ArchiveError::Io { source, .. } => Self::new(WRITE, "archive.write", message).cause(source.to_string()),
        }
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
            _ => "data.checksum",
        };
        let failure = Self::new(DATA, id, format!("{source}: byte {}: {}", fault.position, fault.detail));
        match fault.code {
            AnomalyCode::KeyMissing => failure
                .tip("the grid operator gives out the key of the customer interface")
                .tip("put its 32 hex digits into a file of mode 600 and name it with --key-file"),
            AnomalyCode::KeyMismatch => failure
                .tip("is the key from this meter? is there an authentication key as well?")
                .tip("a key file holds 32 hex digits, or encryption = \"…\" and authentication = \"…\""),
            AnomalyCode::Cut | AnomalyCode::Block => failure
                .tip("the capture breaks off: take a longer one")
                .tip(format!("see where: releve explain {}", shell_word(source))),
            _ => failure.tip(format!("see which bytes: releve explain {}", shell_word(source))),
        }
    }
}

/// A file name as a shell takes it, so that a tip can be pasted.
fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+,@%".contains(c);
    if name == "standard input" {
        "-".to_owned()
    } else if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}  [{}]", super::output::printable(&self.message), self.id)?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  cause: {}", super::output::printable(cause))?;
        }
        for tip in &self.tips {
            write!(f, "\n  tip: {}", super::output::printable(tip))?;
        }
        Ok(())
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
}
