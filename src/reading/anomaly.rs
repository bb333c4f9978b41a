//! What is odd about a telegram that nevertheless counts, or why one does not.

use smol_str::SmolStr;
use std::fmt;

/// What kind of oddity an [`Anomaly`] reports. The codes are stable: scripts match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnomalyCode {
    /// A block check character, CRC or frame check sequence does not fit.
    Checksum,
    /// The telegram carries no checksum where its form promises one, or it cannot be checked.
    Unchecked,
    /// The telegram breaks off.
    Cut,
    /// A block is missing, repeated or out of order.
    Block,
    /// The telegram's structure is not that of its protocol.
    Syntax,
    /// Longer than any telegram may be.
    TooLong,
    /// Enciphered, and no key is set.
    KeyMissing,
    /// Enciphered with another key: the tag does not fit or the text makes no sense.
    KeyMismatch,
    /// Deciphered without the authentication key: the tag was not verified.
    TagUnverified,
    /// The invocation counter did not rise.
    Replay,
    /// A list of values without OBIS codes, whose meaning is not known.
    NoObis,
    /// A value outside what is plausible; the detail names the factor that would fit.
    Implausible,
    /// The meter's clock is absent, invalid, or its zone is unknown or ambiguous.
    Clock,
    /// The bytes needed a repair that loses nothing (parity bits masked, line ends restored).
    Repaired,
    /// The beginning of the telegram may be missing: there was no identification line.
    NoIdentification,
    /// Bytes between telegrams that belong to none.
    Noise,
    /// The meter's own status word casts doubt on its values.
    Status,
    /// A session was logged, but no answer in it holds a value.
    NoValues,
}

impl AnomalyCode {
    const ALL: [Self; 16] = [
        Self::Checksum,
        Self::Unchecked,
        Self::Cut,
        Self::Block,
        Self::Syntax,
        Self::TooLong,
        Self::KeyMissing,
        Self::KeyMismatch,
        Self::TagUnverified,
        Self::Replay,
        Self::NoObis,
        Self::Implausible,
        Self::Clock,
        Self::Repaired,
        Self::NoIdentification,
        Self::Noise,
    ];

    /// The kind of a stable code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    /// The stable code as JSON and scripts see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Unchecked => "unchecked",
            Self::Cut => "cut",
            Self::Block => "block",
            Self::Syntax => "syntax",
            Self::TooLong => "too_long",
            Self::KeyMissing => "key_missing",
            Self::KeyMismatch => "key_mismatch",
            Self::TagUnverified => "tag_unverified",
            Self::Replay => "replay",
            Self::NoObis => "no_obis",
            Self::Implausible => "implausible",
            Self::Clock => "clock",
            Self::Repaired => "repaired",
            Self::NoIdentification => "no_identification",
            Self::Noise => "noise",
            Self::Status => "status",
            Self::NoValues => "no_values",
        }
    }
}

/// One oddity: what, where in the stream, and a sentence with the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What kind.
    pub code: AnomalyCode,
    /// The facts: expected and found values, names, counts.
    pub detail: SmolStr,
    /// Offset of the byte it is about, from the start of the stream.
    pub position: u64,
}

impl Anomaly {
    /// An anomaly at a stream offset.
    #[must_use]
    pub fn new(code: AnomalyCode, position: u64, detail: impl Into<SmolStr>) -> Self {
        Self { code, detail: detail.into(), position }
    }

    /// The same anomaly, `offset` further on: framers count from the telegram's start, streams from their own.
    #[must_use]
    pub fn moved_by(mut self, offset: u64) -> Self {
        self.position += offset;
        self
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.detail, self.position)
    }
}
