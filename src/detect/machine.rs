//! The one state machine of all episodes: normal → suspect → active → suspect end → normal.
//!
//! ```text
//!            out                held                 in                  held
//! normal ──────────► suspect ─────────► active ──────────► ending ─────────────► normal, over since `ending` began
//!    ▲                  │ not out          ▲                  │ not in
//!    └──────────────────┘                  └──────────────────┘
//! ```
//!
//! Between the threshold and the threshold less the hysteresis a value is neither out nor in: it ends nothing and begins
//! nothing. What is missing changes nothing either, until somebody [cuts](Machine::cut).

use crate::reading::{Decimal, Instant};

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Beyond the threshold.
    Out,
    /// Neither.
    Between,
    /// Where it is over.
    In,
}

/// Which side of the threshold is the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    Below,
}

impl Side {
    /// A value against a threshold; at the threshold it is not out, and at the end of the margin it is in.
    pub(super) fn judge(self, value: Decimal, threshold: Decimal, margin: Decimal) -> Verdict {
        let (is_out, end) = match self {
            Self::Above => (value > threshold, threshold.checked_sub(margin)),
            Self::Below => (value < threshold, threshold.checked_add(margin)),
        };
        let end = end.unwrap_or(threshold);
        match self {
            _ if is_out => Verdict::Out,
            Self::Above if value <= end => Verdict::In,
            Self::Below if value >= end => Verdict::In,
            _ => Verdict::Between,
        }
    }

    fn further(self, a: Decimal, b: Decimal) -> Decimal {
        match self {
            Self::Above => a.max(b),
            Self::Below => a.min(b),
        }
    }
}

/// How long something must hold before it counts: both the time in seconds and the number of looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) on: (i64, u32),
    pub(super) off: (i64, u32),
}

impl Hold {
    /// One look is enough: for means over a window, and for what is so or not.
    pub(super) const ONCE: Self = Self { on: (0, 1), off: (0, 1) };

    pub(super) const fn seconds(on: i64, off: i64) -> Self {
        Self { on: (on, 1), off: (off, 1) }
    }
}

/// One look at a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// The time it stands for: a moment, or a window.
    pub(super) from: Instant,
    pub(super) until: Instant,
    pub(super) value: Decimal,
    pub(super) verdict: Verdict,
    /// Beyond the grave threshold.
    pub(super) is_grave: bool,
    /// So far out that nothing need be waited for.
    pub(super) at_once: bool,
}

impl Look {
    pub(super) const fn at(at: Instant, value: Decimal, verdict: Verdict) -> Self {
        Self { from: at, until: at, value, verdict, is_grave: false, at_once: false }
    }
}

/// An episode so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) start: Instant,
    /// `None` while it lasts.
    pub(super) end: Option<Instant>,
    pub(super) extreme: Decimal,
    pub(super) is_grave: bool,
    /// Ended because nothing more was heard.
    pub(super) is_cut: bool,
}

impl Episode {
    /// Its length in seconds, to the millisecond; `None` while it lasts.
    pub(super) fn length(&self) -> Option<Decimal> {
        self.end.map(|end| super::exact::seconds_between(self.start, end))
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Normal,
    Suspect { episode: Episode, looks: u32 },
    Active { episode: Episode, last: Instant },
    Ending { episode: Episode, since: Instant, looks: u32 },
}

/// The state of one kind on one phase.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    side: Side,
    hold: Hold,
    state: State,
}

impl Machine {
    pub(super) const fn new(side: Side, hold: Hold) -> Self {
        Self { side, hold, state: State::Normal }
    }

    /// The next look; an episode where one began, became grave, or is over.
    pub(super) fn push(&mut self, look: Look) -> Option<Episode> {
        let Look { from, until, value, verdict, is_grave, at_once } = look;
        match &mut self.state {
            State::Normal if verdict == Verdict::Out => {
                let episode = Episode { start: from, end: None, extreme: value, is_grave, is_cut: false };
                self.state = State::Suspect { episode, looks: 1 };
                self.begins(look)
            }
            State::Normal => None,
            State::Suspect { episode, looks } if verdict == Verdict::Out => {
                episode.extreme = self.side.further(episode.extreme, value);
                episode.is_grave |= is_grave;
                *looks += 1;
                self.begins(look)
            }
            State::Suspect { .. } => {
                self.state = State::Normal;
                None
            }
            State::Active { episode, .. } if verdict == Verdict::In => {
                self.state = State::Ending { episode: *episode, since: from, looks: 1 };
                self.ends(from)
            }
            State::Ending { looks, .. } if verdict == Verdict::In => {
                *looks += 1;
                self.ends(from)
            }
            State::Active { episode, .. } | State::Ending { episode, .. } => {
                let is_worse = is_grave && !episode.is_grave;
                let mut episode = *episode;
                episode.extreme = self.side.further(episode.extreme, value);
                episode.is_grave |= is_grave || at_once;
                self.state = State::Active { episode, last: until };
                is_worse.then_some(episode)
            }
        }
    }

    fn begins(&mut self, look: Look) -> Option<Episode> {
        let State::Suspect { episode, looks } = self.state else { return None };
        let (time, count) = self.hold.on;
        let held = look.from.unix_micros() - episode.start.unix_micros() >= time * 1_000_000 && looks >= count;
        (held || look.at_once).then(|| {
            self.state = State::Active { episode, last: look.until };
            episode
        })
    }

    fn ends(&mut self, now: Instant) -> Option<Episode> {
        let State::Ending { episode, since, looks } = self.state else { return None };
        let (time, count) = self.hold.off;
        let held = now.unix_micros() - since.unix_micros() >= time * 1_000_000 && looks >= count;
        held.then(|| {
            self.state = State::Normal;
            Episode { end: Some(since), ..episode }
        })
    }

    /// Nothing was heard for long: what was going on is over, as far as is known.
    pub(super) fn cut(&mut self) -> Option<Episode> {
        match std::mem::replace(&mut self.state, State::Normal) {
            State::Normal | State::Suspect { .. } => None,
            State::Active { episode, last } => Some(Episode { end: Some(last), is_cut: true, ..episode }),
            State::Ending { episode, since, .. } => Some(Episode { end: Some(since), ..episode }),
        }
    }

    /// The episode that is going on.
    pub(super) const fn episode(&self) -> Option<Episode> {
        match self.state {
            State::Normal | State::Suspect { .. } => None,
            State::Active { episode, .. } | State::Ending { episode, .. } => Some(episode),
        }
    }

    /// Whether nothing is suspected.
    pub(super) const fn is_normal(&self) -> bool {
        matches!(self.state, State::Normal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(hold: Hold, values: &[(i64, i64)]) -> Vec<(i64, Option<i64>, i64)> {
        let mut machine = Machine::new(Side::Above, hold);
        let mut found = Vec::new();
        for &(second, value) in values {
            let value = Decimal::new(value, 0);
            let verdict = Side::Above.judge(value, Decimal::new(100, 0), Decimal::new(10, 0));
            found.extend(machine.push(Look::at(Instant::from_unix(second), value, verdict)));
        }
        let seconds = |at: Instant| at.unix_seconds();
        found.iter().map(|e| (seconds(e.start), e.end.map(seconds), e.extreme.mantissa())).collect()
    }

    #[test]
    fn the_threshold_itself_is_not_out_and_the_margin_is_in() {
        let judge = |side: Side, value| side.judge(Decimal::new(value, 0), Decimal::new(100, 0), Decimal::new(10, 0));
        assert_eq!(
            [101, 100, 91, 90].map(|value| judge(Side::Above, value)),
            [Verdict::Out, Verdict::Between, Verdict::Between, Verdict::In]
        );
        assert_eq!(
            [99, 100, 109, 110].map(|value| judge(Side::Below, value)),
            [Verdict::Out, Verdict::Between, Verdict::Between, Verdict::In]
        );
    }

    #[test]
    fn an_episode_is_told_when_it_has_held_and_when_it_is_over() {
        let hold = Hold { on: (20, 1), off: (20, 1) };
        let values = [(0, 50), (10, 101), (20, 105), (30, 103), (40, 80), (50, 80), (60, 80), (70, 80)];
        assert_eq!(run(hold, &values), [(10, None, 105), (10, Some(40), 105)]);
        // One second less and it has not held.
        assert_eq!(run(hold, &[(0, 101), (19, 101), (20, 99)]), []);
    }

    #[test]
    fn flicker_inside_the_margin_neither_ends_nor_begins_one() {
        let values = [(0, 101), (1, 95), (2, 101), (3, 91), (4, 100), (5, 90)];
        assert_eq!(run(Hold::ONCE, &values), [(0, None, 101), (0, Some(5), 101)]);
        assert_eq!(run(Hold::ONCE, &[(0, 95), (1, 100), (2, 91)]), []);
        // An end that does not hold was none.
        let hold = Hold::seconds(0, 10);
        assert_eq!(run(hold, &[(0, 101), (5, 80), (9, 95), (12, 80), (22, 80)]), [(0, None, 101), (0, Some(12), 101)]);
    }

    #[test]
    fn what_is_not_heard_of_any_more_is_over_at_the_last_look() {
        let mut machine = Machine::new(Side::Above, Hold::ONCE);
        let look = |second| Look::at(Instant::from_unix(second), Decimal::new(101, 0), Verdict::Out);
        machine.push(look(5));
        machine.push(look(9));
        let cut = machine.cut().unwrap();
        assert_eq!((cut.end, cut.is_cut, machine.cut()), (Some(Instant::from_unix(9)), true, None));
    }
}
