//! What a meter is reached over: something bytes go into and come out of.

use crate::wire::Line;
use std::fmt;
use std::io;
use std::time::Duration;

/// A way to a meter.
///
/// Everything a link does ends: [`receive`](Self::receive) after the wait it is given, the others within a second or two
/// of their own. Whoever wants to stop sooner gives shorter waits.
pub trait Link: fmt::Debug + Send {
    /// Takes what has come, waiting at most `wait` for the first byte; 0 when nothing came.
    ///
    /// # Errors
    /// [`LinkError::Gone`] once the far end is gone; [`LinkError::Io`].
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError>;

    /// Writes `bytes` and returns when they have left this end, as well as that can be known.
    ///
    /// # Errors
    /// As [`receive`](Self::receive); [`LinkError::OneWay`] for a capture.
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError>;

    /// Changes speed and character format; what has been received already stays.
    ///
    /// # Errors
    /// [`LinkError::FixedLine`] where they cannot be changed from here (raw TCP, captures); [`LinkError::Line`] where the
    /// port does not do them; [`LinkError::Gone`], [`LinkError::Io`].
    fn set_line(&mut self, line: Line) -> Result<(), LinkError>;

    /// The settings now in force, where this end knows them.
    fn line(&self) -> Option<Line>;

    /// What to call it in messages: the device, the address, the file.
    fn name(&self) -> &str;
}

/// Why a link does not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// There is no such device, or nobody listens at that address.
    #[error("there is no {name}")]
    Missing {
        /// The device or address.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The user has no right to it.
    #[error("may not open {name}")]
    Denied {
        /// The device.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else has it.
    #[error("{name} is in use{}", holder.as_deref().map(|who| format!(" by {who}")).unwrap_or_default())]
    Busy {
        /// The device.
        name: String,
        /// Who has it, as far as can be found out: program and process number.
        holder: Option<String>,
    },
    /// It is something else than a serial port.
    #[error("{name} is not a serial port")]
    NotAPort {
        /// The path.
        name: String,
    },
    /// It was there and is there no longer: unplugged, or the connection closed.
    #[error("{name} is gone")]
    Gone {
        /// The device or address.
        name: String,
    },
    /// Bytes only come from it.
    #[error("{name} cannot be written to")]
    OneWay {
        /// The capture.
        name: String,
    },
    /// Speed and character format cannot be changed from here.
    #[error("{name} keeps its speed: it cannot be changed from here")]
    FixedLine {
        /// The address or capture.
        name: String,
    },
    /// The port, or the bridge, does not take these settings.
    #[error("{name} does not do {line}: {why}")]
    Line {
        /// The device or address.
        name: String,
        /// What was asked for.
        line: Line,
        /// What came of it.
        why: String,
    },
    /// Somebody answers there, or nobody, but not with RFC 2217.
    #[error("{name} does not speak RFC 2217")]
    NoRfc2217 {
        /// The address.
        name: String,
    },
    /// What passed could not be written into the capture.
    #[error("cannot write the capture {name}: {source}")]
    Capture {
        /// The capture.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The name itself makes no sense.
    #[error("'{name}' is no way to a meter: {why}")]
    Name {
        /// As given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Anything else the system says.
    #[error("{name}: {source}")]
    Io {
        /// The device or address.
        name: String,
        /// What the system says.
        source: io::Error,
    },
}
