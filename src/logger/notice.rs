//! What a log has to tell, as facts; the words are put to them elsewhere.

use super::refusal::Refusal;
use crate::reading::{Instant, MeterId, Reading, Zone};
use crate::session::{Approach, Attempt, Cause};
use crate::store::{KeptEvent, StoreError};
use crate::transport::LinkError;
use smol_str::SmolStr;
use std::time::Duration;

/// What happens while a log runs.
#[derive(Debug)]
pub enum Event {
    /// A change of state that people want to know.
    Notice {
        /// Of which meter, by its name in the settings; `None` for the store, and where there is one meter only.
        name: Option<SmolStr>,
        /// What.
        notice: Box<Notice>,
    },
    /// A reading that is being kept.
    Kept(Box<Kept>),
    /// A new event, in the store.
    Found(Box<KeptEvent>),
    /// Everything moves: each meter has sent something or was tried again of late. Comes about once a second.
    Alive,
}

/// A reading that is being kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The meter it is stored under.
    pub meter: MeterId,
    /// The time it counts under.
    pub at: Instant,
    /// The zone its meter clock was read in.
    pub zone: Zone,
    /// What it says.
    pub reading: Reading,
}

/// A change of state.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// A port is open.
    Opened {
        /// Its name.
        port: String,
    },
    /// A port cannot be opened, or has gone.
    Away {
        /// Why; `None` where no port is named and no probe is plugged in.
        error: Option<LinkError>,
        /// Whether it was open before.
        was_open: bool,
        /// How often since the last word.
        times: u32,
    },
    /// One way to read the meter was tried.
    Tried {
        /// The port.
        port: String,
        /// How, and what came of it.
        attempt: Attempt,
    },
    /// It is known how the meter is read.
    Recognised {
        /// How.
        approach: Approach,
    },
    /// The port is open again.
    Back {
        /// Its name.
        port: String,
        /// After so long.
        after: Duration,
    },
    /// The first reading of a meter.
    First {
        /// The meter.
        meter: MeterId,
        /// What make it says it is.
        identification: Option<SmolStr>,
        /// So long after the port was opened.
        after: Duration,
    },
    /// Another meter than before is read over this port; or several take turns.
    Changed {
        /// The one before.
        was: MeterId,
        /// The one now.
        is: MeterId,
    },
    /// No reading comes.
    NoReading {
        /// Why.
        cause: Cause,
        /// The port.
        port: String,
        /// How often since the last word.
        times: u32,
        /// The next word comes after so long.
        next: Duration,
    },
    /// Readings come again.
    Reads {
        /// After so long.
        after: Duration,
        /// So many should have come meanwhile, where the cadence is known.
        missed: Option<u64>,
    },
    /// There is a reading, but it lacks something that can be helped.
    Lacks {
        /// What.
        cause: Cause,
        /// The port.
        port: String,
    },
    /// One of several meters will not be read any more.
    Ended {
        /// Why.
        refusal: Refusal,
    },
    /// What was received before an earlier end was found and is being stored.
    Recovered {
        /// So many readings.
        count: usize,
    },
    /// The store cannot be written; readings wait in memory.
    StoreAway {
        /// Why.
        error: StoreError,
        /// So many wait.
        waiting: usize,
        /// So many had to be given up so far.
        lost: u64,
    },
    /// Hours or days that are over could not be sealed; that is tried again.
    Unsealed {
        /// Why.
        error: StoreError,
    },
    /// The store can be written again.
    StoreBack {
        /// After so long.
        after: Duration,
        /// So many had to be given up.
        lost: u64,
    },
}
