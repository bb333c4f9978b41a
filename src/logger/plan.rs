//! What is to be logged, and where to.

use crate::detect::{Rules, Setting};
use crate::reading::{MeterId, Zone};
use crate::session::Wishes;
use crate::transport::Address;
use smol_str::SmolStr;
use std::path::PathBuf;
use std::time::Duration;

/// A meter to be logged.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to call it in messages; `None` where there is one only.
    pub name: Option<SmolStr>,
    /// Where it is.
    pub place: Place,
    /// What is known of how it is read.
    pub wishes: Wishes,
    /// What to store it under; `None` means as it names itself.
    pub meter: Option<MeterId>,
    /// How often it is asked, or one of its pushes kept. `None` means each of its pushes, up to one a second, and asking once
    /// a minute.
    pub interval: Option<Duration>,
    /// The zone of a meter clock that does not say.
    pub zone: Zone,
    /// Whether the zone was named, so that no protocol's habit overrides it.
    pub zone_chosen: bool,
}

/// Where a meter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At this address.
    At(Address),
    /// On the only USB serial port, whichever that is.
    TheOnly,
}

/// Where readings are kept.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The store.
    pub store: PathBuf,
    /// A folder in memory (tmpfs), of this user alone, for what is not in the store yet.
    pub tail: Option<PathBuf>,
    /// The window W: pushes are written when the oldest that waits is this old, so a power cut loses no more. Readings that come
    /// no oftener than this are written at once.
    pub window: Duration,
    /// End after so many readings.
    pub count: Option<u64>,
    /// What counts as an event.
    pub rules: Rules,
    /// What is known of the meters beside their readings.
    pub setting: Setting,
}

/// How often a meter that has to be asked is asked.
pub(super) const ASKING: Duration = Duration::from_secs(60);
