//! Faults on demand: `KIND[@WHEN][:VALUE]`.
//!
//! [`TABLE`] lists them with what their value means. WHEN is a moment by the simulated clock: RFC 3339 in UTC or with an
//! offset, or a time after the start (`90s`, `5m`, `2h`, `1d`); without it a fault holds from the start.

use super::disturb::{Disturbance, Kind as Line, Span};
use super::meter::Tempo;
use super::works::{ClockChange, Setup};
use crate::reading::{Instant, parse_length};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is described in the table")]
pub enum Kind {
    Noise,
    Lost,
    Parity,
    Checksum,
    Silence,
    Echo,
    EchoOnly,
    Misplaced,
    Unplug,
    Clock,
    Drift,
    Swap,
    Rollover,
    Cut,
    FeedIn,
    NoPin,
    NoPush,
    ModeEOnly,
    IdentOnly,
    TwoMeters,
}

/// No value is larger: thirty years of seconds.
const MOST: i64 = 1_000_000_000;

/// What is to be known of a kind of fault.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Which.
    pub kind: Kind,
    /// Its name on the command line.
    pub name: &'static str,
    /// What its value is and what it is without one; empty where it has none.
    pub value: &'static str,
    /// What happens.
    pub what: &'static str,
}

const fn row(kind: Kind, name: &'static str, value: &'static str, what: &'static str) -> Description {
    Description { kind, name, value, what }
}

/// Every kind of fault.
pub const TABLE: &[Description] = &[
    row(Kind::Noise, "noise", "1 in N characters [200]", "characters arrive as others"),
    row(Kind::Lost, "lost", "1 in N characters [500]", "characters do not arrive"),
    row(Kind::Parity, "parity", "1 in N characters [200]", "characters arrive with the wrong parity"),
    row(Kind::Checksum, "checksum", "1 in N telegrams [1]", "the telegram's checksum does not fit"),
    row(Kind::Silence, "silence", "seconds [for good]", "the meter says nothing"),
    row(Kind::Echo, "echo", "seconds [for good]", "the head returns what it is sent"),
    row(Kind::EchoOnly, "echo-only", "seconds [for good]", "the head echoes, and there is no meter"),
    row(Kind::Misplaced, "misplaced", "seconds [for good]", "the head sits badly: most characters are garbled or NUL"),
    row(Kind::Unplug, "unplug", "seconds [5]", "the port vanishes and comes back, perhaps under another number"),
    row(Kind::Clock, "clock", "seconds, may be negative [3600]", "the meter's clock is set wrong"),
    row(Kind::Drift, "drift", "seconds a day, may be negative [60]", "the meter's clock runs fast"),
    row(Kind::Swap, "swap", "", "the meter is replaced: another number, counters from 0"),
    row(Kind::Rollover, "rollover", "Wh [5]", "a new meter whose import counter is so far from 1000000 kWh"),
    row(Kind::Cut, "cut", "seconds [60]", "the mains fail; the meter counts and logs it"),
    row(Kind::FeedIn, "feed-in", "seconds [for good]", "high sun, day and night: power flows into the grid"),
    row(Kind::NoPin, "no-pin", "", "sml: the PIN was not entered, so no power and only whole kWh"),
    row(Kind::NoPush, "no-push", "", "e450: the push is not enabled; only a stray short frame now and then"),
    row(Kind::ModeEOnly, "mode-e-only", "", "e450-optical: without password or keys only clock and name are read"),
    row(Kind::IdentOnly, "ident-only", "", "mode-a to mode-c: the identification, and then nothing"),
    row(Kind::TwoMeters, "two-meters", "", "pushes of two meters arrive in turn"),
];

impl Kind {
    fn describe(self) -> &'static Description {
        TABLE.iter().find(|row| row.kind == self).unwrap_or(&TABLE[0])
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.describe().name)
    }
}

/// A moment of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long after its start.
    After(Duration),
    /// On the calendar.
    At(Instant),
}

impl When {
    /// The moment in a simulation that starts at `start`.
    #[must_use]
    pub fn after(self, start: Instant) -> Instant {
        match self {
            Self::After(time) => start.plus_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
            Self::At(at) => at,
        }
    }
}

impl FromStr for When {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let length = text.strip_prefix('+').unwrap_or(text);
        // A bare number is seconds.
        match parse_length(length).or_else(|| parse_length(&format!("{length}s"))) {
            Some(time) => Ok(Self::After(time)),
            None => Instant::parse_utc(text).map(Self::At).map_err(drop),
        }
    }
}

/// A fault as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// From when on; the start where nothing is said.
    pub when: When,
    /// Its value, where one was given.
    pub value: Option<i64>,
}

/// The text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// There is no such kind.
    #[error("'{name}' is no fault{}; `releve simulate --list` names them", meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default())]
    Kind {
        /// What was given.
        name: String,
        /// The kind whose name is like it.
        meant: Option<&'static str>,
    },
    /// The moment makes no sense.
    #[error("'{0}' is no moment; write it like 90s, 5m, 2h or 2025-11-07T14:30:00Z")]
    When(String),
    /// The value makes no sense for this kind.
    #[error("'{value}' is no value of {kind}: {expected}")]
    Value {
        /// Which fault.
        kind: Kind,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
}

impl FaultError {
    fn unknown(name: &str) -> Self {
        let by_likeness = TABLE.iter().map(|row| (strsim::jaro_winkler(name, row.name), row.name));
        let near = by_likeness.filter(|(likeness, _)| *likeness > 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
        Self::Kind { name: name.to_owned(), meant: near.map(|(_, meant)| meant) }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let end = text.find(['@', ':']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let row = TABLE.iter().find(|row| row.name == name).ok_or_else(|| FaultError::unknown(name))?;
        let start = When::After(Duration::ZERO);
        let (when, value) = match rest.strip_prefix('@') {
            None => (start, rest.strip_prefix(':')),
            // A moment has colons of its own.
            Some(rest) => match (rest.parse(), rest.rsplit_once(':')) {
                (Ok(when), _) => (when, None),
                (Err(()), Some((when, value))) => {
                    (when.parse().map_err(|()| FaultError::When(when.to_owned()))?, Some(value))
                }
                (Err(()), None) => return Err(FaultError::When(rest.to_owned())),
            },
        };
        let least = if matches!(row.kind, Kind::Clock | Kind::Drift) { -MOST } else { 1 };
        let value = value
            .map(|value| {
                let number = value.parse().ok().filter(|number: &i64| (least..=MOST).contains(number));
                number.filter(|_| !row.value.is_empty()).ok_or_else(|| FaultError::Value {
                    kind: row.kind,
                    value: value.to_owned(),
                    expected: if row.value.is_empty() { "it takes none" } else { row.value },
                })
            })
            .transpose()?;
        Ok(Self { kind: row.kind, when, value })
    }
}

impl Fault {
    fn number(&self, default: i64) -> i64 {
        self.value.unwrap_or(default)
    }

    fn every(&self, default: u64) -> u64 {
        self.value.map_or(default, i64::unsigned_abs)
    }

    /// From its moment on, for as many seconds as its value says, or for good; by the line's time.
    fn span(&self, start: Instant, tempo: Tempo) -> Span {
        let from = self.when.after(start);
        let until = self.value.map(|seconds| tempo.on_the_line(from.plus_seconds(seconds)));
        Span { from: tempo.on_the_line(from), until }
    }
}

/// The faults of a simulation, by whose business they are.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Those that were asked for.
    #[must_use]
    pub const fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// Whether one of this kind was asked for.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.0.iter().any(|fault| fault.kind == kind)
    }

    /// What happens to household and meter.
    pub fn set_up(&self, setup: &mut Setup) {
        for fault in &self.0 {
            let at = fault.when.after(setup.start).unix_seconds();
            let seconds = |default| at..at.saturating_add(fault.number(default));
            match fault.kind {
                Kind::Cut => setup.outages.push(at + 1..at.saturating_add(fault.number(60)) + 1),
                Kind::FeedIn => setup.sunny.push(seconds(i64::MAX / 2)),
                Kind::Clock => setup.clock.push(ClockChange::Step { at: at + 1, seconds: fault.number(3_600) }),
                Kind::Drift => setup.clock.push(ClockChange::Drift { from: at, seconds_a_day: fault.number(60) }),
                Kind::Swap => setup.swaps.push(at + 1),
                Kind::Rollover => setup.before_rollover = Some(fault.every(5)),
                _ => {}
            }
        }
    }

    /// What happens on the line, which lives slower than the household by the `tempo`.
    #[must_use]
    pub fn on_the_line(&self, seed: u64, start: Instant, tempo: Tempo) -> Disturbance {
        let mut disturbance = Disturbance::new(seed);
        for fault in &self.0 {
            let (kind, timed) = match fault.kind {
                Kind::Noise => (Line::Noise(fault.every(200)), false),
                Kind::Lost => (Line::Lost(fault.every(500)), false),
                Kind::Parity => (Line::Parity(fault.every(200)), false),
                Kind::Checksum => (Line::Checksum(fault.every(1)), false),
                Kind::Silence => (Line::Silence, true),
                Kind::Echo => (Line::Echo, true),
                Kind::EchoOnly => (Line::EchoOnly, true),
                Kind::Misplaced => (Line::Misplaced, true),
                _ => continue,
            };
            let span = fault.span(start, tempo);
            disturbance.add(kind, if timed { span } else { Span { until: None, ..span } });
        }
        disturbance
    }

    /// When the port is away, by the line's time.
    #[must_use]
    pub fn unplugged(&self, start: Instant, tempo: Tempo) -> Vec<Span> {
        let unplugs = self.0.iter().filter(|fault| fault.kind == Kind::Unplug);
        unplugs.map(|fault| Fault { value: Some(fault.number(5)), ..*fault }.span(start, tempo)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn a_fault_has_a_moment_and_a_value_or_neither() {
        let start = When::After(Duration::ZERO);
        assert_eq!(fault("noise"), Fault { kind: Kind::Noise, when: start, value: None });
        assert_eq!(fault("noise:50"), Fault { kind: Kind::Noise, when: start, value: Some(50) });
        let minute = When::After(Duration::from_secs(60));
        assert_eq!(fault("cut@1m:90"), Fault { kind: Kind::Cut, when: minute, value: Some(90) });
        let at = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap();
        assert_eq!(fault("swap@2025-11-07T14:30:00Z").when, When::At(at));
        assert_eq!(fault("swap@2025-11-07T15:30:00+01:00").when, When::At(at));
        assert_eq!(
            fault("clock@2025-11-07T14:30:00Z:-75"),
            Fault { kind: Kind::Clock, when: When::At(at), value: Some(-75) }
        );
        assert_eq!(fault("unplug@90").when.after(at), at.plus_seconds(90));
    }

    #[test]
    fn what_is_no_fault_says_why() {
        let error = |text: &str| text.parse::<Fault>().unwrap_err();
        assert_eq!(error("nose"), FaultError::Kind { name: "nose".to_owned(), meant: Some("noise") });
        assert_eq!(error("noise@"), FaultError::When(String::new()));
        assert_eq!(error("noise@later:3"), FaultError::When("later".to_owned()));
        for text in
            ["noise:0", "noise:-3", "cut:1000000001", "clock:-1000000001", "noise:x", "noise:", "swap:3", "cut@1m:"]
        {
            assert!(matches!(error(text), FaultError::Value { .. }), "{text}");
        }
        assert!(error("swap:3").to_string().ends_with("it takes none"));
    }

    #[test]
    fn every_kind_is_in_the_table_once_and_reads_back() {
        for row in TABLE {
            assert_eq!(fault(row.name).kind, row.kind);
            assert_eq!(row.kind.to_string(), row.name);
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name || other.kind == row.kind).count(), 1);
        }
    }
}
