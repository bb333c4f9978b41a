//! How a meter is reached once it is known.

use crate::acquire::Outcome;
use crate::dialogue::dlms::{Access, Station};
use crate::dialogue::iec62056::Options;
use crate::reading::{Anomaly, Instant, Reading};
use crate::wire::Line;
use std::fmt;

/// The way to a meter's readings.
#[derive(Debug, Clone)]
pub enum Approach {
    /// It sends by itself.
    Push {
        /// With these settings, where this end sets them.
        line: Option<Line>,
    },
    /// It answers a request with its readout.
    Ask(Box<Options>),
    /// It is a DLMS server.
    Connect(Box<Connect>),
}

/// The way to a DLMS server.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The sign-on that leads to it; `None` where HDLC is spoken from the start.
    pub sign_on: Option<Options>,
    /// The line, where HDLC is spoken from the start and this end sets it.
    pub line: Option<Line>,
    /// The addresses to try.
    pub stations: Vec<Station>,
    /// How to prove who we are.
    pub access: Access,
}

impl Approach {
    /// What the contract calls the way the readings come, where it is not the protocol's usual one: a meter that can be
    /// asked is at its optical port.
    #[must_use]
    pub const fn source(&self) -> Option<&'static str> {
        match self {
            Self::Push { .. } => None,
            Self::Ask(_) | Self::Connect(_) => Some("port_optique"),
        }
    }
}

impl fmt::Display for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push { line: Some(line) } => write!(f, "it sends by itself at {line}"),
            Self::Push { line: None } => f.write_str("it sends by itself"),
            Self::Ask(options) => match options.mode {
                Some(mode) => write!(f, "it answers at {}, mode {mode:?}", options.opening),
                None => write!(f, "it answers at {}", options.opening),
            },
            Self::Connect(connect) => match (&connect.sign_on, connect.line) {
                (Some(options), _) => write!(f, "DLMS behind a sign-on at {}, mode E", options.opening),
                (None, Some(line)) => write!(f, "DLMS at {line}"),
                (None, None) => f.write_str("DLMS"),
            },
        }
    }
}

/// Faults that are kept to be named.
const MAX_FAULTS: usize = 64;

/// A reading and when it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The reading.
    pub reading: Reading,
    /// When its last byte came.
    pub at: Instant,
}

/// What one visit to a meter gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The readings, mostly one.
    pub readings: Vec<Received>,
    /// What was damaged on the way.
    pub faults: Vec<Anomaly>,
}

impl Taken {
    /// Takes what a decoder found just now.
    pub(super) fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Reading(reading) => self.readings.push(Received { reading, at: Instant::now() }),
            Outcome::Fault(fault) if self.faults.len() < MAX_FAULTS => self.faults.push(fault),
            // Rubbish has faults without end.
            Outcome::Fault(_) => {}
        }
    }
}
