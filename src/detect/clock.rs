//! The meter's clock: as its readings show it, and against the clock of whoever receives them.

use super::exact::{millionths, rounded};
use super::machine::{Hold, Look, Machine, Side, Verdict};
use super::rules::{Rule, Rules};
use super::seen::{Seen, bare, tell};
use super::{Finding, words};
use crate::reading::{Decimal, Event, Instant, Offset, Origin};
use smol_str::SmolStr;

/// What a reading says of the clock it was made by.
#[derive(Debug)]
pub(super) struct Clock {
    change: Rule,
    invalid: Rule,
    machine: Machine,
    offset: Option<Offset>,
}

impl Clock {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            change: rules.get("changement_heure"),
            invalid: rules.get("horloge_invalide"),
            machine: Machine::new(Side::Above, Hold::ONCE),
            offset: None,
        }
    }

    pub(super) fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        if seen.broken
            && let Some(episode) = self.machine.cut()
        {
            self.tell_invalid(&episode, found);
        }
        let Some(clock) = seen.reading.clock else { return };
        if let Some(before) = self.offset.replace(clock.offset)
            && let Some(season) = change(before, clock.offset)
        {
            tell(found, &self.change, bare(&self.change, seen.at, format!("Le compteur passe à l'heure {season}")));
        }
        let year = |at: Instant| at.utc_day().0;
        let is_wrong = clock.doubtful
            || i32::from(clock.civil.fields()[0]) < 2000
            || i32::from(clock.civil.fields()[0]) > year(seen.at) + 1;
        let verdict = if is_wrong { Verdict::Out } else { Verdict::In };
        if let Some(episode) = self.machine.push(Look::at(seen.at, Decimal::ZERO, verdict)) {
            self.tell_invalid(&episode, found);
        }
    }

    fn tell_invalid(&self, episode: &super::machine::Episode, found: &mut Vec<Finding>) {
        let text = words::episode("Horloge du compteur invalide", episode);
        tell(found, &self.invalid, Event { end: episode.end, ..bare(&self.invalid, episode.start, text) });
    }
}

/// The season that begins, where the clock was put forward or back by the hour of summer time.
fn change(before: Offset, now: Offset) -> Option<&'static str> {
    match (before, now) {
        (Offset::Winter, Offset::Summer) => Some("d'été"),
        (Offset::Summer, Offset::Winter) => Some("d'hiver"),
        (Offset::Minutes(a), Offset::Minutes(b)) if b - a == 60 => Some("d'été"),
        (Offset::Minutes(a), Offset::Minutes(b)) if a - b == 60 => Some("d'hiver"),
        _ => None,
    }
}

/// The meter's clock against the receiver's, while readings come in.
///
/// Of a reading that is stored one of the two times is lost, so this cannot be found again later.
#[derive(Debug)]
pub struct ClockWatch {
    rule: Rule,
    /// How far it was ahead, in microseconds.
    last: Option<i64>,
    /// How often in a row it was too far off, since when.
    off: Option<(Instant, u32)>,
    is_told: bool,
    /// A jump that the next reading has to confirm.
    jump: Option<Jump>,
}

#[derive(Debug, Clone, Copy)]
struct Jump {
    at: Instant,
    from: i64,
    to: i64,
}

/// So many readings in a row have to say the same.
const RUNNING: u32 = 3;

impl ClockWatch {
    /// A watch that has seen nothing yet.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self { rule: rules.get("decalage_horloge"), last: None, off: None, is_told: false, jump: None }
    }

    /// A reading that came at one time and counts itself under another. The event, where there is one to tell.
    pub fn push(&mut self, received: Instant, meter: Instant) -> Option<Event> {
        let offset = meter.unix_micros().saturating_sub(received.unix_micros());
        let limit = millionths(self.rule.limit()).unwrap_or(i64::MAX);
        let step = self.rule.low.and_then(millionths).unwrap_or(i64::MAX);
        let is_off = offset.saturating_abs() > limit;
        let last = self.last.replace(offset);
        let jump = self.jump.take();
        let confirmed = jump.filter(|jump| offset.saturating_sub(jump.to).saturating_abs() <= step);
        // What jumped and is back was a telegram that was held up.
        let before = jump.map(|jump| jump.from).or(last);
        let jumps = |before: &i64| confirmed.is_none() && offset.saturating_sub(*before).saturating_abs() > step;
        self.jump = before.filter(jumps).map(|from| Jump { at: received, from, to: offset });
        self.off = is_off.then(|| self.off.map_or((received, 1), |(since, count)| (since, count.saturating_add(1))));
        self.is_told &= is_off;
        if let Some(jump) = confirmed {
            self.is_told |= is_off;
            let by = jump.to.saturating_sub(jump.from);
            return self.event(jump.at, by, &format!("L'horloge du compteur a sauté de {}", seconds(by)));
        }
        match self.off {
            Some((since, RUNNING..)) if !self.is_told && self.jump.is_none() => {
                self.is_told = true;
                let way = if offset > 0 { "en avance" } else { "en retard" };
                self.event(since, offset, &format!("Horloge du compteur {way} de {}", seconds(offset.saturating_abs())))
            }
            _ => None,
        }
    }

    fn event(&self, at: Instant, offset: i64, text: &str) -> Option<Event> {
        let value = rounded(Decimal::new(offset / 1000, -3), 0);
        let is_grave = self.rule.severe.is_some_and(|severe| value.abs() > severe);
        self.rule.on.then(|| Event {
            severity: self.rule.severity(is_grave),
            value: Some(value),
            unit: Some(SmolStr::new_static("s")),
            threshold: self.rule.threshold,
            origin: Origin::Reader,
            ..bare(&self.rule, at, text)
        })
    }
}

fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "−" } else { "" };
    format!("{sign}{}", words::length(micros.saturating_abs().saturating_add(500_000) / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(offsets: &[i64]) -> Vec<(i64, String)> {
        let mut watch = ClockWatch::new(&Rules::default());
        let events = offsets.iter().enumerate().filter_map(|(index, offset)| {
            let at = Instant::from_unix(10 * i64::try_from(index).unwrap());
            watch.push(at, at.plus_seconds(*offset))
        });
        events.map(|event| (event.start.unix_seconds(), event.value.unwrap().to_string())).collect()
    }

    #[test]
    fn a_jump_is_one_event_and_what_follows_from_it_no_other() {
        assert_eq!(watch(&[2, 2, 75, 75, 75, 75]), [(20, "73".to_owned())]);
        // A telegram that was held up is no jump.
        assert_eq!(watch(&[2, 2, -20, 2, 2]), []);
        assert_eq!(watch(&[2, 7, 2, 7]), []);
        assert_eq!(watch(&[2, 2, 8, 8]), [(20, "6".to_owned())]);
    }

    #[test]
    fn three_readings_more_than_a_minute_off_are_an_event_and_one_at_a_minute_is_none() {
        assert_eq!(watch(&[61, 61, 61, 61]), [(0, "61".to_owned())]);
        assert_eq!(watch(&[61, 61]), []);
        assert_eq!(watch(&[60, 60, 60, 60]), []);
        assert_eq!(watch(&[-70, -70, -70, 0, 0, -70, -70, -70, -70]).len(), 3);
    }
}
