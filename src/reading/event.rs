//! Something worth knowing that happened: found in readings, said by the meter, noticed by the reader or seen by a person.

use super::{Decimal, Instant, MeterId};
use smol_str::SmolStr;
use std::fmt;

/// An event: one episode of one kind, on one phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The meter it is about; `None` for what concerns all, like a full disk.
    pub meter: Option<MeterId>,
    /// What happened, the contract's French name in snake case: `surtension`, `pic_puissance`.
    pub kind: SmolStr,
    /// How much it matters.
    pub severity: Severity,
    /// When it began.
    pub start: Instant,
    /// When it was over: `start` itself for what has no duration; `None` for what is not over yet, or where nobody knows.
    pub end: Option<Instant>,
    /// A sentence for people, in French as the contract has it.
    pub description: SmolStr,
    /// The extreme of the episode; of an outage its duration.
    pub value: Option<Decimal>,
    /// The unit of value and threshold.
    pub unit: Option<SmolStr>,
    /// The register or log that decided, as a reduced OBIS code.
    pub code: Option<SmolStr>,
    /// The threshold in force.
    pub threshold: Option<Decimal>,
    /// Which phase, 1 to 3; `None` where it is about all or none.
    pub phase: Option<u8>,
    /// Who says so.
    pub origin: Origin,
}

/// How much an event matters, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// Out of bounds, to be watched.
    Warning,
    /// Supply or measurement is defective.
    Error,
    /// Danger, fraud, or data lost.
    Critical,
}

impl Severity {
    /// All of them, in rising order.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The severity of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who says that something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A detector, from readings: the same readings give the same events again.
    Readings,
    /// The meter, in a log or a counter of its own.
    Meter,
    /// The program that reads the meter: a line that is silent, a disk that is full.
    Reader,
    /// A person.
    Person,
    /// A file of the old application, which does not say.
    Import,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Readings, Self::Meter, Self::Reader, Self::Person, Self::Import];

    /// The name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readings => "mesures",
            Self::Meter => "compteur",
            Self::Reader => "lecteur",
            Self::Person => "manuel",
            Self::Import => "import",
        }
    }

    /// The origin of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_severities_rise() {
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
        }
        for origin in Origin::ALL {
            assert_eq!(Origin::parse(origin.as_str()), Some(origin));
        }
        assert!(Severity::ALL.is_sorted());
        assert_eq!(Severity::parse("grave"), None);
    }
}
