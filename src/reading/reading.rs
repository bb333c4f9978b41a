//! One telegram's worth of registers.

use super::{Anomaly, Code, Decimal, MeterId, MeterTime, Obis, Register, Unit, Value};
use smol_str::SmolStr;
use std::fmt;

/// The protocol a reading came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// IEC 62056-21, modes A to D.
    Iec62056,
    /// DLMS/COSEM over HDLC, M-Bus or bare.
    Dlms,
    /// DSMR P1 and its national forms.
    Dsmr,
    /// SML.
    Sml,
}

impl Protocol {
    /// The name as the contract writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iec62056 => "iec62056-21",
            Self::Dlms => "dlms",
            Self::Dsmr => "dsmr",
            Self::Sml => "sml",
        }
    }

    /// The protocol of a name of the contract.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Iec62056, Self::Dlms, Self::Dsmr, Self::Sml].into_iter().find(|protocol| protocol.as_str() == name)
    }

    /// The name of the source that `source` carries when nobody said which (`sml`, `p1`, `cii`, `port_optique`).
    #[must_use]
    pub const fn default_source(self) -> &'static str {
        match self {
            Self::Iec62056 => "port_optique",
            Self::Dlms => "cii",
            Self::Dsmr => "p1",
            Self::Sml => "sml",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far a reading can be trusted. Ordered from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Known to be wrong.
    Bad,
    /// A doubt remains; an anomaly says which.
    Suspect,
    /// Every check there is was passed.
    Good,
}

impl Quality {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Suspect => "suspect",
            Self::Good => "good",
        }
    }

    /// The quality a word of the contract stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bad, Self::Suspect, Self::Good].into_iter().find(|q| q.as_str() == text)
    }
}

/// Everything one telegram said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How it came.
    pub protocol: Protocol,
    /// The best identifier of the meter the telegram gives.
    pub meter: Option<MeterId>,
    /// The identification line, list name or system title: what make of meter it is.
    pub identification: Option<SmolStr>,
    /// The meter's own time for the whole telegram.
    pub clock: Option<MeterTime>,
    /// The registers in the telegram's order.
    pub registers: Vec<Register>,
    /// A load profile, where the telegram is one.
    pub profile: Option<Box<Profile>>,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What was odd about it.
    pub anomalies: Vec<Anomaly>,
    /// Where it starts in the stream.
    pub position: u64,
}

impl Reading {
    /// An empty reading of a protocol, to be filled.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            meter: None,
            identification: None,
            clock: None,
            registers: Vec::new(),
            profile: None,
            quality: Quality::Good,
            anomalies: Vec::new(),
            position: 0,
        }
    }

    /// Notes an oddity that leaves the values in force but doubtful.
    pub fn suspect(&mut self, anomaly: Anomaly) {
        self.quality = self.quality.min(Quality::Suspect);
        self.anomalies.push(anomaly);
    }

    /// Adds a register with a number; `width` as in [`Register::width`].
    #[inline]
    pub fn add_number(&mut self, obis: Obis, value: Decimal, unit: Option<Unit>, width: u8) {
        // Built in its place. `push` would build it on the stack and copy it, which takes longer than reading a line.
        self.registers.extend(std::iter::once_with(|| Register {
            code: Code::Obis(obis),
            value: Value::Number(value),
            unit,
            width,
            detail: None,
        }));
    }

    /// The first register under exactly this code.
    #[must_use]
    pub fn register(&self, obis: Obis) -> Option<&Register> {
        self.registers.iter().find(|r| r.code.obis() == Some(obis))
    }
}

/// A load profile: rows of values at a fixed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Which quantity stands in each column, and its unit.
    pub channels: Vec<(Code, Option<Unit>)>,
    /// The recording period in seconds, if stated.
    pub period_s: Option<u32>,
    /// The rows, oldest first as sent.
    pub rows: Vec<ProfileRow>,
}

/// One row of a load profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// The time of the row, as the meter counts it.
    pub time: Option<MeterTime>,
    /// The status word of the row, hexadecimal digits as sent.
    pub status: SmolStr,
    /// A value per channel; `None` where the meter left it empty.
    pub values: Vec<Option<Decimal>>,
}

/// One entry of a meter's event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Which log it is from (`1-0:P.98`, `1-0:99.97.0`).
    pub log: Code,
    /// When; for a power failure log the end of the failure.
    pub time: Option<MeterTime>,
    /// The status word, hexadecimal digits as sent.
    pub status: SmolStr,
    /// What came with it: code and text as sent.
    pub values: Vec<(Code, SmolStr)>,
}
