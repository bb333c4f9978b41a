//! Readings as MQTT messages, and meters as devices that Home Assistant finds by itself (docs/HOME-ASSISTANT.md).
//!
//! ```text
//! reading ─► Publisher::take ─► <prefix>/<meter>/state          the newest value of each register, digit for digit
//!                               <prefix>/<meter>/availability   online, or offline when nothing was read for long
//!                               <discovery>/device/releve_<meter>/config
//!            Publisher::all  ─► the same for every meter, and <prefix>/status: after connecting, or when asked
//! ```
//!
//! No broker and no clock in here: whoever connects says how much time has passed. Every message is to be retained, so that
//! whoever subscribes later has the newest state at once.

mod discovery;
mod meter;

use crate::document::Values;
use crate::reading::{Instant, Language, MeterId, Quality, Reading};
use meter::Meter;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many meters and no more: whoever writes nonsense on a line must not fill the memory.
const METERS: usize = 100;

/// The payload of a status or an availability while all is well.
pub const ONLINE: &str = "online";
/// The same when it is not.
pub const OFFLINE: &str = "offline";

/// How and where to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// What our own topics begin with; see [`is_prefix`].
    pub prefix: String,
    /// What the topics of Home Assistant begin with; `None` where it need not find anything.
    pub discovery: Option<String>,
    /// The least time between two states of a meter.
    pub interval: Duration,
    /// What devices and sensors are named in.
    pub language: Language,
}

impl Style {
    /// Where Home Assistant says that it has just started.
    #[must_use]
    pub fn birth(&self) -> Option<String> {
        self.discovery.as_ref().map(|discovery| format!("{discovery}/status"))
    }

    /// Whether we are there at all. `false` is what a broker is to say for us if we go without a word.
    #[must_use]
    pub fn status(&self, is_online: bool) -> Message {
        Message { topic: format!("{}/status", self.prefix), payload: word(is_online) }
    }
}

/// Something to be published, and retained by the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: String,
}

/// Whether topics may begin with it: levels that are not empty, and nothing in them that MQTT keeps for itself.
#[must_use]
pub fn is_prefix(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '+' | '#');
    !text.starts_with('$')
        && text.len() <= 200
        && text.split('/').all(|level| !level.is_empty())
        && text.chars().all(is_plain)
}

/// What is known of the meters, and what has been said of them.
#[derive(Debug)]
pub struct Publisher {
    style: Style,
    meters: BTreeMap<MeterId, Meter>,
}

impl Publisher {
    /// One that knows of no meter yet.
    #[must_use]
    pub const fn new(style: Style) -> Self {
        Self { style, meters: BTreeMap::new() }
    }

    /// What a reading gives to say. `now` is the time since some start, the same in every call.
    ///
    /// A reading that is known to be wrong gives nothing.
    pub fn take(&mut self, meter: &MeterId, at: Instant, reading: &Reading, now: Duration) -> Vec<Message> {
        if reading.quality == Quality::Bad {
            return Vec::new();
        }
        if self.meters.len() >= METERS && !self.meters.contains_key(meter) {
            return Vec::new();
        }
        let known = self.meters.entry(meter.clone()).or_insert_with(|| Meter::new(meter, now));
        let values = Values::of(reading, known.memory());
        let has_more = known.take(&values, at, reading, self.style.language, now);
        let mut messages = Vec::new();
        if has_more {
            messages.extend(known.config(&self.style));
        }
        if known.is_news(true) {
            messages.push(known.availability(&self.style));
        }
        messages.extend(known.state_if_due(&self.style, now));
        messages
    }

    /// How long until [`pass`](Self::pass) has something to say, if nothing comes meanwhile.
    #[must_use]
    pub fn due(&self, now: Duration) -> Option<Duration> {
        self.meters.values().filter_map(|meter| meter.due(&self.style, now)).min()
    }

    /// What the passing of time gives to say: states that had to wait, meters that have fallen silent.
    pub fn pass(&mut self, now: Duration) -> Vec<Message> {
        let mut messages = Vec::new();
        for meter in self.meters.values_mut() {
            if meter.is_silent(now) && meter.is_news(false) {
                messages.push(meter.availability(&self.style));
            }
            if meter.waits() {
                messages.extend(meter.state_if_due(&self.style, now));
            }
        }
        messages
    }

    /// Everything that holds now, for somebody who knows nothing.
    pub fn all(&mut self, now: Duration) -> Vec<Message> {
        let mut messages = vec![self.style.status(true)];
        for meter in self.meters.values_mut() {
            meter.is_news(!meter.is_silent(now));
            messages.extend(meter.config(&self.style));
            messages.push(meter.availability(&self.style));
            messages.extend(meter.state(&self.style, now));
        }
        messages
    }
}

fn word(is_online: bool) -> String {
    if is_online { ONLINE } else { OFFLINE }.to_owned()
}

#[cfg(test)]
mod tests;
