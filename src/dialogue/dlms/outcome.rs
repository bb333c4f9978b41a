//! What a dialogue with a DLMS server has come to.

use super::connection::{Noticed, Station};
use crate::reading::Anomaly;
use crate::wire::dlms::{Initiate, ServiceError, SystemTitle, Value, diagnostic as meaning_of};
use crate::wire::hdlc::Limits;

/// What came of a dialogue. It grows while the dialogue is played, so that what was read before a failure is kept.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Who answered the opening.
    pub station: Option<Station>,
    /// What the connection carries at once.
    pub limits: Limits,
    /// What the association offers, once it stands.
    pub agreed: Option<Initiate>,
    /// The server's system title, if it gave one.
    pub title: Option<SystemTitle>,
    /// The invocation counter to begin with the next time.
    pub counter: Option<u32>,
    /// Every attribute that was asked for, in order, with its value or why there is none.
    pub values: Vec<Value>,
    /// What was met on the line.
    pub noticed: Noticed,
    /// Why it ended early; `None` where everything was asked.
    pub trouble: Option<Trouble>,
}

/// Why a dialogue ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No address gave an answer to the opening.
    #[error("no answer to the opening of the connection (SNRM){}", if *.echo { "; only its echo came back" } else { "" })]
    NoAnswer {
        /// The optical head gave back what was sent.
        echo: bool,
        /// Octets that came and were no answer.
        octets: u64,
    },
    /// There is an HDLC device, but it refuses the connection (DM).
    #[error("the meter refuses the connection (DM)")]
    Refused,
    /// The server refuses the association.
    #[error("the association is refused: {}", error.map_or_else(|| meaning_of(*.diagnostic), ServiceError::meaning))]
    Rejected {
        /// 1 for good, 2 for now.
        result: u8,
        /// Why, see [`diagnostic`](meaning_of).
        diagnostic: u8,
        /// What is wrong with the proposal, if that was said.
        error: Option<ServiceError>,
    },
    /// The server does not take the client's answer to its challenge.
    #[error("the authentication failed: the meter does not accept the proof")]
    AuthenticationFailed,
    /// The server could not prove who it is.
    #[error("the meter could not prove who it is: wrong keys, or not this meter")]
    Impostor,
    /// An answer could not be deciphered.
    #[error("{}", .0.detail)]
    Cipher(Anomaly),
    /// An answer in a ciphered association came without protection.
    #[error("an answer came unprotected in a ciphered association")]
    Unprotected,
    /// An answer was a replay of an older one.
    #[error("an answer repeats an invocation counter")]
    Replayed,
    /// The invocation counter is too low for the meter.
    #[error("the invocation counter is too low; the meter has seen {last}")]
    CounterTooLow {
        /// The last one the meter saw.
        last: u32,
    },
    /// The object with the invocation counter could not be read.
    #[error("the invocation counter could not be read")]
    NoCounter,
    /// All invocation counters of the key are used up.
    #[error("the invocation counters of this key are used up")]
    CounterUsedUp,
    /// The server answers with an exception where an association was to be opened.
    #[error("the meter answers with an exception, state {state}, service {service}")]
    Exception {
        /// 1 not allowed, 2 unknown.
        state: u8,
        /// What is wrong with the service.
        service: u8,
    },
    /// The server fell silent.
    #[error("the meter fell silent")]
    Silent,
    /// The server closed the connection, more often than it was opened anew.
    #[error("the meter closed the connection")]
    Closed,
    /// Something came that makes no sense.
    #[error("{0} makes no sense")]
    Nonsense(&'static str),
    /// The time given was used up.
    #[error("the time is over")]
    OutOfTime,
    /// Somebody wished to stop.
    #[error("stopped")]
    Cancelled,
    /// The link is gone.
    #[error("the link is gone")]
    Lost,
}
