//! What the reader itself notices: silence, damaged telegrams, a wrong key, a clock that runs off.

use crate::detect::{ClockWatch, Finding, Flood, Rule, Rules, length_in_words, title};
use crate::reading::{AnomalyCode, Decimal, Event, Instant, MeterId, Origin, Reading, Zone};
use smol_str::{SmolStr, format_smolstr};
use std::collections::VecDeque;
use std::time::Duration;

/// So many telegrams in a row that cannot be deciphered are an event.
const UNDECIPHERED: u32 = 3;
/// Shares are taken of no fewer telegrams than this.
const FEW: u32 = 10;
/// Telegrams are counted by the minute.
const MINUTE: u64 = 60;

/// The line to one meter, as its reader sees it.
#[derive(Debug)]
pub(super) struct LineWatch {
    lost: Rule,
    back: Rule,
    damaged: Rule,
    undeciphered: Rule,
    replayed: Rule,
    clock: ClockWatch,
    /// Whether the clock here is known to be right.
    is_in_sync: bool,
    meter: Option<MeterId>,
    heard: Option<Instant>,
    silent_since: Option<Instant>,
    /// By minute: sound telegrams and damaged ones.
    minutes: VecDeque<(u64, u32, u32)>,
    is_damaged: bool,
    keys: u32,
    /// What there is to tell.
    events: Vec<Event>,
    flood: Flood,
}

impl LineWatch {
    pub(super) fn new(rules: &Rules) -> Self {
        let rule = |kind| rules.find(kind).copied().filter(|rule| rule.on);
        let off = |kind| rule(kind).unwrap_or_else(|| Rule { on: false, ..rules.all()[0] });
        Self {
            lost: off("communication_perdue"),
            back: off("communication_retablie"),
            damaged: off("trames_erronees"),
            undeciphered: off("dechiffrement_impossible"),
            replayed: off("sequence_rejouee"),
            clock: ClockWatch::new(rules),
            is_in_sync: is_in_sync(),
            meter: None,
            heard: None,
            silent_since: None,
            minutes: VecDeque::new(),
            is_damaged: false,
            keys: 0,
            events: Vec::new(),
            flood: Flood::default(),
        }
    }

    /// What there is to tell since it was asked last.
    pub(super) fn events(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.events).into_iter();
        let passed = events.filter_map(|event| self.flood.pass(Finding::Event(event)));
        passed.filter_map(|finding| if let Finding::Event(event) = finding { Some(event) } else { None }).collect()
    }

    /// A reading has come.
    pub(super) fn heard(&mut self, meter: &MeterId, at: Instant, reading: &Reading, zone: Zone) {
        self.meter = Some(meter.clone());
        self.keys = 0;
        if let Some(since) = self.silent_since.take() {
            let event = self.lost_since(since, Some(at));
            self.tell(self.lost, event);
            let event = back_after(&self.back, self.meter.clone(), since, at);
            self.tell(self.back, event);
        }
        self.heard = Some(at);
        if reading.anomalies.iter().any(|anomaly| anomaly.code == AnomalyCode::Replay) {
            let event = self.event(self.replayed, at, "Le compteur d'invocation n'a pas augmenté : trame rejouée ?");
            self.tell(self.replayed, event);
        }
        // At the start of a machine its clock is set a while after we begin.
        self.is_in_sync = self.is_in_sync || is_in_sync();
        if let Some(clock) = reading.clock.filter(|_| self.is_in_sync) {
            let event = self.clock.push(at, clock.resolve(zone).earliest());
            self.events.extend(event.map(|event| Event { meter: Some(meter.clone()), ..event }));
        }
    }

    /// Nothing has come for so long, where something comes every `cadence`.
    pub(super) fn silent(&mut self, unheard: Duration, cadence: Duration) {
        let least = Duration::from_secs(seconds(self.lost.threshold).unwrap_or(60));
        if unheard >= least.max(10 * cadence) {
            self.lose(self.heard);
        }
    }

    /// The port has gone.
    pub(super) fn gone(&mut self) {
        self.lose(self.heard);
    }

    fn lose(&mut self, since: Option<Instant>) {
        // Of a meter that was never heard there is nothing to lose.
        if let (Some(since), None) = (since, self.silent_since) {
            self.silent_since = Some(since);
            let event = self.lost_since(since, None);
            self.tell(self.lost, event);
        }
    }

    /// Telegrams that came within the last moments; `now` by the monotonic clock.
    pub(super) fn telegrams(&mut self, sound: usize, damaged: usize, now: Duration, wall: Instant) {
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        let minute = now.as_secs() / MINUTE;
        match self.minutes.back_mut() {
            Some(last) if last.0 == minute => {
                last.1 = last.1.saturating_add(count(sound));
                last.2 = last.2.saturating_add(count(damaged));
            }
            _ => self.minutes.push_back((minute, count(sound), count(damaged))),
        }
        let window = u64::from(self.damaged.window_s.unwrap_or(900)) / MINUTE;
        while self.minutes.front().is_some_and(|first| first.0 + window.max(1) <= minute) {
            self.minutes.pop_front();
        }
        let (good, bad) = self.minutes.iter().fold((0u32, 0u32), |(good, bad), &(_, sound, damaged)| {
            (good.saturating_add(sound), bad.saturating_add(damaged))
        });
        let all = good.saturating_add(bad);
        let tenths = i64::from(bad) * 1000 / i64::from(all.max(1));
        let share = Decimal::new(tenths, -1);
        let is_damaged = all >= FEW && self.damaged.threshold.is_some_and(|limit| share > limit);
        if is_damaged && !self.is_damaged {
            let shown = share.to_string().replace('.', ",");
            let text = format_smolstr!("Trames erronées : {shown} % de {all} en {} min", window.max(1));
            let event = Event {
                value: Some(share),
                unit: Some(SmolStr::new_static("%")),
                threshold: self.damaged.threshold,
                ..self.event(self.damaged, wall, text)
            };
            self.tell(self.damaged, event);
        }
        self.is_damaged = is_damaged;
    }

    /// A telegram could not be deciphered with the key there is.
    pub(super) fn undeciphered(&mut self, wall: Instant) {
        self.keys = self.keys.saturating_add(1);
        if self.keys == UNDECIPHERED {
            let text = "Déchiffrement impossible : la clé ne convient pas";
            let event = self.event(self.undeciphered, wall, text);
            self.tell(self.undeciphered, event);
        }
    }

    fn lost_since(&self, since: Instant, until: Option<Instant>) -> Event {
        let event = self.event(self.lost, since, "Communication perdue, en cours");
        let event = Event { end: None, unit: Some(SmolStr::new_static("s")), ..event };
        until.map_or(event.clone(), |until| lost_until(event, until))
    }

    fn event(&self, rule: Rule, at: Instant, text: impl Into<SmolStr>) -> Event {
        of_reader(&rule, self.meter.clone(), at, text)
    }

    fn tell(&mut self, rule: Rule, event: Event) {
        if rule.on {
            self.events.push(event);
        }
    }
}

/// A loss of communication that is over.
pub(super) fn lost_until(lost: Event, until: Instant) -> Event {
    let length = until.unix_seconds() - lost.start.unix_seconds();
    Event {
        end: Some(until),
        value: Some(Decimal::from(length)),
        description: format_smolstr!("Communication perdue, durée {}", length_in_words(length)),
        ..lost
    }
}

/// The end of a loss of communication.
pub(super) fn back_after(rule: &Rule, meter: Option<MeterId>, since: Instant, at: Instant) -> Event {
    let length = length_in_words(at.unix_seconds() - since.unix_seconds());
    of_reader(rule, meter, at, format_smolstr!("{} après {length}", title(rule.kind)))
}

/// An event that the reader noticed.
pub(super) fn of_reader(rule: &Rule, meter: Option<MeterId>, at: Instant, text: impl Into<SmolStr>) -> Event {
    Event {
        meter,
        kind: SmolStr::new_static(rule.kind),
        severity: rule.severity,
        start: at,
        end: Some(at),
        description: text.into(),
        value: None,
        unit: None,
        code: None,
        threshold: None,
        phase: None,
        origin: Origin::Reader,
    }
}

fn seconds(value: Option<Decimal>) -> Option<u64> {
    value?.to_string().parse::<f64>().ok().map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 1e9)).as_secs())
}

/// Whether the clock here can judge another: systemd says so, or there is no systemd to ask and the year is plausible.
fn is_in_sync() -> bool {
    let daemon = std::path::Path::new("/run/systemd/timesync");
    if daemon.is_dir() { daemon.join("synchronized").exists() } else { Instant::now().utc_day().0 >= 2024 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Protocol;

    fn watch() -> (LineWatch, MeterId) {
        (LineWatch::new(&Rules::default()), MeterId::new("M1").unwrap())
    }

    fn told(watch: &mut LineWatch) -> Vec<String> {
        watch.events().iter().map(|event| format!("{} {}", event.kind, event.description)).collect()
    }

    #[test]
    fn silence_is_told_once_and_again_when_it_is_over() {
        let (mut watch, meter) = watch();
        let (reading, seconds) = (Reading::new(Protocol::Dsmr), Duration::from_secs);
        watch.silent(seconds(3600), seconds(1));
        assert!(told(&mut watch).is_empty());
        watch.heard(&meter, Instant::from_unix(1_762_500_000), &reading, Zone::UTC);
        watch.silent(seconds(59), seconds(1));
        watch.silent(seconds(600), seconds(61));
        assert!(told(&mut watch).is_empty());
        watch.silent(seconds(60), seconds(1));
        watch.silent(seconds(65), seconds(1));
        assert_eq!(told(&mut watch), ["communication_perdue Communication perdue, en cours"]);
        watch.heard(&meter, Instant::from_unix(1_762_500_090), &reading, Zone::UTC);
        assert_eq!(
            told(&mut watch),
            [
                "communication_perdue Communication perdue, durée 1 min 30 s",
                "communication_retablie Communication rétablie après 1 min 30 s"
            ]
        );
    }

    #[test]
    fn more_than_one_telegram_in_twenty_is_too_many() {
        let (mut watch, _) = watch();
        let wall = Instant::from_unix(1_762_500_000);
        watch.telegrams(19, 1, Duration::from_secs(10), wall);
        assert!(told(&mut watch).is_empty());
        watch.telegrams(0, 1, Duration::from_secs(70), wall);
        watch.telegrams(0, 1, Duration::from_secs(80), wall);
        assert_eq!(told(&mut watch), ["trames_erronees Trames erronées : 9,5 % de 21 en 15 min"]);
        // After a quarter of an hour they are forgotten.
        watch.telegrams(20, 0, Duration::from_secs(2000), wall);
        watch.telegrams(0, 3, Duration::from_secs(2010), wall);
        assert_eq!(told(&mut watch).len(), 1);
    }

    #[test]
    fn three_telegrams_under_another_key_are_an_event() {
        let (mut watch, _) = watch();
        (0..9).for_each(|_| watch.undeciphered(Instant::from_unix(0)));
        assert_eq!(told(&mut watch).len(), 1);
    }
}
