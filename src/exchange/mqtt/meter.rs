//! One meter: its newest values, and what of them has been said.

use super::discovery::{Sensor, config};
use super::{Message, Style, word};
use crate::document::{Exact, Values, column_key};
use crate::reading::{Decimal, Instant, Language, MeterId, Quality, Reading, TariffMemory};
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::time::Duration;

/// A meter of which nothing was read for so long is not available.
const SILENT: Duration = Duration::from_secs(300);
/// The same while it is not known how often it is read.
const SILENT_AT_FIRST: Duration = Duration::from_secs(3600);

/// More than that is no interval, but an outage.
const LONGEST_GAP: Duration = Duration::from_secs(86_400);

/// So many values of a meter and no more; the richest sends a hundred.
const VALUES: usize = 400;

#[derive(Debug)]
pub(super) struct Meter {
    name: MeterId,
    /// The name as topics and Home Assistant can have it.
    id: String,
    memory: TariffMemory,
    identification: Option<SmolStr>,
    at: Option<Instant>,
    quality: Quality,
    /// The newest value under each key. A meter may send one list every second and another one every quarter of an hour.
    values: BTreeMap<SmolStr, Decimal>,
    sensors: BTreeMap<String, Sensor>,
    /// Counters that came out lower than before, once.
    lower: BTreeMap<SmolStr, Decimal>,
    heard: Duration,
    /// The longest time between readings of late.
    gap: Option<Duration>,
    /// What was last said of its availability.
    is_online: Option<bool>,
    /// When the state was last said.
    said: Option<Duration>,
    /// Whether there is a newer one.
    waits: bool,
}

impl Meter {
    pub(super) fn new(name: &MeterId, now: Duration) -> Self {
        Self {
            name: name.clone(),
            id: plain(name.as_str()),
            memory: TariffMemory::default(),
            identification: None,
            at: None,
            quality: Quality::Good,
            values: BTreeMap::new(),
            sensors: BTreeMap::new(),
            lower: BTreeMap::new(),
            heard: now,
            gap: None,
            is_online: None,
            said: None,
            waits: false,
        }
    }

    pub(super) const fn memory(&mut self) -> &mut TariffMemory {
        &mut self.memory
    }

    /// Takes a reading, and says whether it has something that none before had.
    pub(super) fn take(
        &mut self,
        values: &Values,
        at: Instant,
        reading: &Reading,
        language: Language,
        now: Duration,
    ) -> bool {
        if self.at.is_some() {
            // Several lists may come in a row, and then nothing for long.
            let gap = now.saturating_sub(self.heard).min(LONGEST_GAP);
            self.gap = Some(gap.max(self.gap.unwrap_or_default() * 3 / 4));
        }
        (self.heard, self.at, self.quality) = (now, Some(at), reading.quality);
        let mut has_more = false;
        if self.identification.is_none() && reading.identification.is_some() {
            self.identification.clone_from(&reading.identification);
            has_more = true;
        }
        for &(column, value) in &values.columns {
            has_more |= self.put(column_key(column), value, || Some(Sensor::of_column(column, language)));
        }
        for extra in &values.extras {
            has_more |= self.put(&extra.key, extra.value, || Sensor::of_extra(extra, reading, language));
        }
        self.waits |= !self.values.is_empty();
        has_more
    }

    /// Puts a value in, and says whether it makes a new sensor.
    fn put(&mut self, key: &str, value: Decimal, sensor: impl FnOnce() -> Option<Sensor>) -> bool {
        if self.values.len() >= VALUES && !self.values.contains_key(key) {
            return false;
        }
        let id = component(key);
        let sensor = if self.values.contains_key(key) { None } else { sensor() };
        let counts = self.sensors.get(&id).or(sensor.as_ref()).is_some_and(Sensor::counts);
        if counts && !self.believes(key, value) {
            return false;
        }
        self.values.insert(key.into(), value);
        sensor.is_some_and(|sensor| self.sensors.insert(id, sensor).is_none())
    }

    /// A counter that falls is a new counter, or an error of the line. Home Assistant takes it for the first and adds all that the
    /// counter shows to the consumption of the day: so the next reading has to confirm it.
    fn believes(&mut self, key: &str, value: Decimal) -> bool {
        let falls = self.values.get(key).is_some_and(|before| value < *before);
        if falls && self.lower.get(key).is_none_or(|lower| value < *lower) {
            self.lower.insert(key.into(), value);
            return false;
        }
        self.lower.remove(key);
        true
    }

    /// Whether nothing was read for too long.
    pub(super) fn is_silent(&self, now: Duration) -> bool {
        now.saturating_sub(self.heard) >= self.patience()
    }

    fn patience(&self) -> Duration {
        self.gap.map_or(SILENT_AT_FIRST, |gap| SILENT.max(gap * 3))
    }

    /// Notes whether it is available, and says whether that is news.
    pub(super) fn is_news(&mut self, is_online: bool) -> bool {
        self.is_online.replace(is_online) != Some(is_online)
    }

    pub(super) const fn waits(&self) -> bool {
        self.waits
    }

    /// How long until there is something to say of it.
    pub(super) fn due(&self, style: &Style, now: Duration) -> Option<Duration> {
        let state = self.waits.then(|| self.state_in(style, now));
        let silence = (self.is_online == Some(true)).then(|| (self.heard + self.patience()).saturating_sub(now));
        state.into_iter().chain(silence).min()
    }

    fn state_in(&self, style: &Style, now: Duration) -> Duration {
        self.said.map_or(Duration::ZERO, |said| (said + style.interval).saturating_sub(now))
    }

    pub(super) fn state_if_due(&mut self, style: &Style, now: Duration) -> Option<Message> {
        if self.state_in(style, now).is_zero() { self.state(style, now) } else { None }
    }

    /// The newest values.
    pub(super) fn state(&mut self, style: &Style, now: Duration) -> Option<Message> {
        #[derive(Serialize)]
        struct State<'a> {
            compteur: &'a str,
            timestamp: String,
            qualite: &'static str,
            valeurs: BTreeMap<&'a str, Exact>,
        }
        let at = self.at.filter(|_| !self.values.is_empty())?;
        (self.said, self.waits) = (Some(now), false);
        let state = State {
            compteur: self.name.as_str(),
            timestamp: at.to_string(),
            qualite: self.quality.as_str(),
            valeurs: self.values.iter().map(|(key, value)| (key.as_str(), Exact(*value))).collect(),
        };
        let payload = serde_json::to_string(&state).ok()?;
        Some(Message { topic: self.topic(style, "state"), payload })
    }

    pub(super) fn availability(&self, style: &Style) -> Message {
        Message { topic: self.topic(style, "availability"), payload: word(self.is_online.unwrap_or_default()) }
    }

    /// What Home Assistant is to make of it.
    pub(super) fn config(&self, style: &Style) -> Option<Message> {
        let discovery = style.discovery.as_ref().filter(|_| !self.sensors.is_empty())?;
        let (id, name) = (format!("releve_{}", self.id), self.name.as_str());
        let topics = [style.status(true).topic, self.topic(style, "availability")];
        let payload = config(
            &id,
            name,
            self.identification.as_deref(),
            &self.sensors,
            style,
            &topics,
            &self.topic(style, "state"),
        );
        Some(Message { topic: format!("{discovery}/device/{id}/config"), payload })
    }

    fn topic(&self, style: &Style, what: &str) -> String {
        format!("{}/{}/{what}", style.prefix, self.id)
    }
}

/// A name in the letters that topics of discovery may have, for each name another one and always the same.
fn plain(name: &str) -> String {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain == name { plain } else { format!("{plain}-{:08x}", CRC.checksum(name.as_bytes())) }
}

/// The key of a value as the id of a sensor. Only keys that are columns or codes come here, and their punctuation is fixed.
fn component(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_plain_and_stay_different() {
        assert_eq!(plain("E450001234"), "E450001234");
        assert_eq!(plain("1-ISK_0063"), "1-ISK_0063");
        let names = ["a.b", "a+b", "a_b", "zähler", "zahler"].map(plain);
        let all: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(all.len(), names.len(), "{names:?}");
        assert!(names.iter().flat_map(|name| name.chars()).all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
        assert_eq!(names[0], plain("a.b"));
    }
}
