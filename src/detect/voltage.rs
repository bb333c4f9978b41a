//! Voltages: dips, swells, means out of bounds, lost phases and a lost neutral, outages.
//!
//! A phase counts once it was seen above 150 V: what was never there is not lost. While all voltages are gone nothing else
//! is judged. Where a mean over ten minutes is too high, the short swells inside it are part of it and go.

use super::Finding;
use super::machine::{Episode, Hold, Look, Machine, Side, Verdict};
use super::means::{Mean, Means};
use super::rules::{Rule, Rules};
use super::seen::{Seen, VOLTAGES, bare, graver, of_episode, phase_number, tell};
use super::three_phase::{OwnMean, own_means, unbalance};
use super::words;
use crate::reading::{Column, Decimal, Event, Instant, Origin, Severity};
use smol_str::{SmolStr, format_smolstr};

/// A phase was there when it had more than this.
const THERE: Decimal = Decimal::new(150, 0);
/// What the others have while one phase is lost.
const OTHERS: Decimal = Decimal::new(1955, -1);
/// So many swells are remembered on each phase; there are fewer in a window.
const SWELLS: usize = 63;
/// Readings further apart than this are single values, in microseconds.
const APART: i64 = 30_000_000;

#[derive(Debug)]
pub(super) struct Voltage {
    rules: [Rule; 4],
    missing_rule: Rule,
    neutral_rule: Rule,
    unbalance_rule: Rule,
    outage_rule: Rule,
    step_rule: Rule,
    phases: [Phase; 3],
    neutral: Machine,
    neutral_text: SmolStr,
    outage: Machine,
    unbalance: (Means, Machine),
}

/// Places in `rules` and in the machines of a phase.
const UNDER: usize = 0;
const OVER: usize = 1;
const DIP: usize = 2;
const SWELL: usize = 3;

#[derive(Debug)]
struct Phase {
    is_there: bool,
    means: [Means; 2],
    own: [OwnMean; 2],
    machines: [Machine; 4],
    missing: Machine,
    /// Swells that were told and may be part of a mean that is too high.
    swells: Vec<Instant>,
    /// The swell that goes on was withdrawn.
    is_withdrawn: bool,
    /// Another phase was out the other way meanwhile.
    neutral_hint: bool,
    last: Option<(Instant, Decimal)>,
    /// Whether the readings of the episode are far apart.
    is_slow: bool,
}

const SIDES: [Side; 4] = [Side::Below, Side::Above, Side::Below, Side::Above];

impl Voltage {
    pub(super) fn new(rules: &Rules) -> Self {
        let kinds = ["sous_tension", "surtension", "creux_tension", "surtension_breve"].map(|kind| rules.get(kind));
        let [missing, neutral, unbalance, outage, step] =
            ["coupure_phase", "perte_neutre", "desequilibre_tension", "coupure", "variation_rapide_tension"]
                .map(|kind| rules.get(kind));
        let seconds = |rule: &Rule| Hold::seconds(rule.hold(), rule.release());
        let twice = |rule: &Rule| Hold { on: (rule.hold(), 2), off: (rule.release(), 2) };
        let phase = || Phase {
            is_there: false,
            means: [Means::new(kinds[UNDER].window()), Means::new(kinds[OVER].window())],
            own: [OwnMean::default(); 2],
            machines: [
                Machine::new(Side::Below, Hold::ONCE),
                Machine::new(Side::Above, Hold::ONCE),
                Machine::new(Side::Below, twice(&kinds[DIP])),
                Machine::new(Side::Above, twice(&kinds[SWELL])),
            ],
            missing: Machine::new(Side::Below, seconds(&missing)),
            swells: Vec::new(),
            is_withdrawn: false,
            neutral_hint: false,
            last: None,
            is_slow: false,
        };
        Self {
            rules: kinds,
            phases: [phase(), phase(), phase()],
            neutral: Machine::new(Side::Above, seconds(&neutral)),
            neutral_text: SmolStr::default(),
            outage: Machine::new(Side::Below, Hold::ONCE),
            unbalance: (Means::new(unbalance.window()), Machine::new(Side::Above, Hold::ONCE)),
            missing_rule: missing,
            neutral_rule: neutral,
            unbalance_rule: unbalance,
            outage_rule: outage,
            step_rule: step,
        }
    }

    /// Whether there is an outage, in which nothing else need be judged.
    pub(super) fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> bool {
        let values = seen.phases(VOLTAGES);
        for (phase, value) in self.phases.iter_mut().zip(values) {
            phase.is_there |= value.is_some_and(|value| value > THERE);
        }
        // A phase that was never there says nothing.
        let there: [bool; 3] = std::array::from_fn(|index| self.phases[index].is_there);
        let values: [Option<Decimal>; 3] = std::array::from_fn(|index| values[index].filter(|_| there[index]));
        let highest = highest(&values, there).filter(|_| seen.is_good);
        let is_outage = highest.is_some_and(|highest| highest < self.outage_rule.limit());
        let mut told: Vec<(usize, usize, Episode)> = Vec::new();
        // The windows before a long pause are judged before it ends what was going on.
        self.windows(seen, if is_outage { &[None; 3] } else { &values }, &mut told, found);
        self.hint();
        for (index, which, episode) in told.drain(..) {
            self.tell(index, which, &episode, found);
        }
        if seen.broken {
            self.cut(found);
        }
        if let Some(highest) = highest {
            let verdict = if is_outage { Verdict::Out } else { Verdict::In };
            if let Some(episode) = self.outage.push(Look::at(seen.at, highest, verdict)) {
                self.tell_outage(&episode, found);
            }
        }
        if is_outage || !seen.is_good {
            return !self.outage.is_normal();
        }
        let lowest = self.missing_rule.limit();
        for (index, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let others = values.iter().enumerate().any(|(at, other)| at != index && other.is_some_and(|v| v >= OTHERS));
            let is_lost = value < lowest && others;
            self.lost(index, value, is_lost, seen.at, found);
            self.step(index, value, seen, found);
            let phase = &mut self.phases[index];
            phase.last = Some((seen.at, value));
            if is_lost {
                continue;
            }
            if phase.machines[DIP].is_normal() && phase.machines[SWELL].is_normal() {
                phase.is_slow =
                    seen.before.is_some_and(|b| seen.at.unix_micros().saturating_sub(b.unix_micros()) > APART);
            }
            for which in [DIP, SWELL] {
                let rule = &self.rules[which];
                let verdict = SIDES[which].judge(value, rule.limit(), rule.margin());
                let is_grave = rule.severe.is_some_and(|severe| match SIDES[which] {
                    Side::Below => value < severe,
                    Side::Above => value > severe,
                });
                let at_once = is_grave && which == SWELL;
                let look = Look { is_grave, at_once, ..Look::at(seen.at, value, verdict) };
                told.extend(phase.machines[which].push(look).map(|episode| (index, which, episode)));
            }
        }
        self.hint();
        for (index, which, episode) in told {
            self.tell(index, which, &episode, found);
        }
        self.neutral(seen.at, &values, found);
        false
    }

    /// Ends everything at the last reading before a long pause.
    fn cut(&mut self, found: &mut Vec<Finding>) {
        if let Some(episode) = self.outage.cut() {
            self.tell_outage(&episode, found);
        }
        for index in 0..self.phases.len() {
            for which in [UNDER, OVER, DIP, SWELL] {
                // The windows before the pause were judged already, or will not be.
                if let Some(episode) = self.phases[index].machines[which].cut() {
                    self.tell(index, which, &episode, found);
                }
            }
            if let Some(episode) = self.phases[index].missing.cut() {
                self.tell_missing(index, &episode, found);
            }
            self.phases[index].last = None;
        }
        if let Some(episode) = self.neutral.cut() {
            self.tell_neutral(&episode, found);
        }
        if let Some(episode) = self.unbalance.1.cut() {
            self.tell_unbalance(&episode, found);
        }
    }

    /// Means over windows: the meter's own where it sends them, else ours.
    fn windows(
        &mut self,
        seen: &Seen<'_>,
        values: &[Option<Decimal>; 3],
        told: &mut Vec<(usize, usize, Episode)>,
        found: &mut Vec<Finding>,
    ) {
        let own = own_means(seen);
        let lowest = self.missing_rule.limit();
        for (index, value) in values.iter().enumerate() {
            for which in [UNDER, OVER] {
                let rule = &self.rules[which];
                let phase = &mut self.phases[index];
                let computed = phase.means[which].push(seen.at, value.filter(|value| *value >= lowest));
                let mean = phase.own[which].take(own[index].filter(|_| phase.is_there), rule, seen.at).or(computed);
                let Some(mean) = mean else { continue };
                let is_grave = rule.severe.is_some_and(|severe| mean.value < severe);
                let verdict = SIDES[which].judge(mean.value, rule.limit(), rule.margin());
                let look = Look { until: mean.until, is_grave, ..Look::at(mean.from, mean.value, verdict) };
                told.extend(phase.machines[which].push(look).map(|episode| (index, which, episode)));
                if which == OVER && rule.on {
                    withdraw(index, phase, &mean, found);
                }
            }
        }
        let estimate = match values {
            [Some(a), Some(b), Some(c)] => unbalance([*a, *b, *c]),
            _ => None,
        };
        if let Some(mean) = self.unbalance.0.push(seen.at, estimate) {
            let rule = &self.unbalance_rule;
            let verdict = Side::Above.judge(mean.value, rule.limit(), rule.margin());
            let look = Look { until: mean.until, ..Look::at(mean.from, mean.value, verdict) };
            if let Some(episode) = self.unbalance.1.push(look) {
                self.tell_unbalance(&episode, found);
            }
        }
    }

    fn lost(&mut self, index: usize, value: Decimal, is_lost: bool, at: Instant, found: &mut Vec<Finding>) {
        let rule = &self.missing_rule;
        let verdict = match Side::Below.judge(value, rule.limit(), rule.margin()) {
            Verdict::Out if !is_lost => Verdict::Between,
            verdict => verdict,
        };
        if let Some(episode) = self.phases[index].missing.push(Look::at(at, value, verdict)) {
            self.tell_missing(index, &episode, found);
        }
    }

    /// A step between two readings that follow closely, both inside the bounds.
    fn step(&self, index: usize, value: Decimal, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let rule = &self.step_rule;
        let Some((before, last)) = self.phases[index].last.filter(|_| rule.on) else { return };
        let inside = |value: Decimal| value >= self.rules[DIP].limit() && value <= self.rules[SWELL].limit();
        let Some(step) = value.checked_sub(last) else { return };
        let is_close = seen.at.unix_micros().saturating_sub(before.unix_micros()) <= 10_000_000;
        if is_close && step.abs() >= rule.limit() && inside(value) && inside(last) {
            let phase = phase_number(index);
            let (from, to) = (words::number(last, 1), words::number(value, 1));
            let event = Event {
                value: Some(step),
                unit: Some(SmolStr::new_static("V")),
                code: Some(VOLTAGES[index].register().key()),
                threshold: rule.threshold,
                phase,
                ..bare(
                    rule,
                    seen.at,
                    format!("Variation rapide de tension{} : de {from} V à {to} V", words::phase(phase)),
                )
            };
            tell(found, rule, event);
        }
    }

    /// Two phases above and one below: the neutral may be broken.
    fn neutral(&mut self, at: Instant, values: &[Option<Decimal>; 3], found: &mut Vec<Finding>) {
        let [Some(a), Some(b), Some(c)] = *values else { return };
        let rule = &self.neutral_rule;
        let all = [a, b, c];
        let above = all.iter().filter(|value| **value > rule.limit()).count();
        let below = all.iter().any(|value| rule.low.is_some_and(|low| *value < low));
        let at_once = below && all.iter().any(|value| rule.severe.is_some_and(|severe| *value > severe));
        let verdict = if below && (above >= 2 || at_once) { Verdict::Out } else { Verdict::In };
        if self.neutral.is_normal() {
            let [a, b, c] = all.map(|value| words::number(value, 1));
            self.neutral_text = format_smolstr!("Perte du neutre probable : L1 {a} V, L2 {b} V, L3 {c} V");
        }
        let highest = all.into_iter().max().unwrap_or(a);
        if let Some(episode) = self.neutral.push(Look { at_once, ..Look::at(at, highest, verdict) }) {
            self.tell_neutral(&episode, found);
        }
    }

    /// Too high on one phase while another is too low.
    fn hint(&mut self) {
        let active = |phase: &Phase, which: [usize; 2]| which.iter().any(|&at| phase.machines[at].episode().is_some());
        let high: [bool; 3] = std::array::from_fn(|index| active(&self.phases[index], [OVER, SWELL]));
        let low: [bool; 3] = std::array::from_fn(|index| active(&self.phases[index], [UNDER, DIP]));
        for (index, phase) in self.phases.iter_mut().enumerate() {
            let others = |flags: &[bool; 3]| flags.iter().enumerate().any(|(at, flag)| at != index && *flag);
            if (high[index] && others(&low)) || (low[index] && others(&high)) {
                phase.neutral_hint = true;
            }
        }
    }

    fn tell(&mut self, index: usize, which: usize, episode: &Episode, found: &mut Vec<Finding>) {
        let rule = &self.rules[which];
        let phase = &mut self.phases[index];
        if which == SWELL {
            if episode.end.is_some() && std::mem::take(&mut phase.is_withdrawn) {
                return;
            }
            if !phase.swells.contains(&episode.start) {
                phase.swells.truncate(SWELLS);
                phase.swells.insert(0, episode.start);
            }
        }
        let number = phase_number(index);
        let (value, limit) = (words::number(episode.extreme, 1), words::number(rule.limit(), 1));
        let mean = match which {
            UNDER | OVER => format!(" en moyenne sur {}", words::length(rule.window())),
            _ => String::new(),
        };
        let slow = if phase.is_slow && mean.is_empty() { ", valeurs instantanées" } else { "" };
        let hint = if phase.neutral_hint { ", neutre à vérifier" } else { "" };
        let title = super::title(rule.kind);
        let what = format!("{title}{} : {value} V{mean} (limite {limit} V){slow}{hint}", words::phase(number));
        let code = Some(VOLTAGES[index].register());
        let text = words::episode(&what, episode);
        let mut event = of_episode(rule, episode, (number, code), rule.limit(), text);
        if which == SWELL && episode.is_grave {
            event = graver(event, Severity::Critical);
        }
        tell(found, rule, event);
        if episode.end.is_some() && phase.machines.iter().all(|machine| machine.episode().is_none()) {
            phase.neutral_hint = false;
        }
    }

    fn tell_missing(&self, index: usize, episode: &Episode, found: &mut Vec<Finding>) {
        let rule = &self.missing_rule;
        let number = phase_number(index);
        let what = format!("Coupure de phase{} : {} V", words::phase(number), words::number(episode.extreme, 1));
        let code = (number, Some(VOLTAGES[index].register()));
        tell(found, rule, of_episode(rule, episode, code, rule.limit(), words::episode(&what, episode)));
    }

    fn tell_neutral(&self, episode: &Episode, found: &mut Vec<Finding>) {
        let rule = &self.neutral_rule;
        let text = words::episode(&self.neutral_text, episode);
        let code = Some(Column::VoltageL1.register());
        tell(found, rule, of_episode(rule, episode, (None, code), rule.limit(), text));
    }

    fn tell_unbalance(&self, episode: &Episode, found: &mut Vec<Finding>) {
        let rule = &self.unbalance_rule;
        let (value, limit) = (words::number(episode.extreme, 2), words::number(rule.limit(), 2));
        let window = words::length(rule.window());
        let what = format!("Déséquilibre de tension estimé : {value} % en moyenne sur {window} (limite {limit} %)");
        let code = Some(Column::VoltageL1.register());
        tell(found, rule, of_episode(rule, episode, (None, code), rule.limit(), words::episode(&what, episode)));
    }

    fn tell_outage(&self, episode: &Episode, found: &mut Vec<Finding>) {
        let rule = &self.outage_rule;
        let length = episode.length();
        let is_long = length.zip(rule.severe).is_some_and(|(length, severe)| length > severe);
        let event = Event {
            severity: rule.severity(is_long),
            value: length,
            unit: Some(SmolStr::new_static("s")),
            threshold: rule.severe,
            ..of_episode(
                rule,
                episode,
                (None, Some(Column::VoltageL1.register())),
                rule.limit(),
                words::episode("Coupure : toutes les tensions ont disparu", episode),
            )
        };
        tell(found, rule, event);
    }
}

/// The highest of all voltages that there are; `None` where one is not in the reading.
fn highest(values: &[Option<Decimal>; 3], there: [bool; 3]) -> Option<Decimal> {
    let all = values.iter().zip(there).filter(|(_, there)| *there).map(|(value, _)| *value);
    all.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Takes back the swells inside a mean that is too high.
fn withdraw(index: usize, phase: &mut Phase, mean: &Mean, found: &mut Vec<Finding>) {
    if let Some(over) = phase.machines[OVER].episode().filter(|_| mean_is_out(phase, mean)) {
        let inside = |start: &Instant| *start >= over.start && *start < mean.until;
        for start in phase.swells.iter().filter(|start| inside(start)) {
            found.push(Finding::Withdrawn {
                kind: SmolStr::new_static("surtension_breve"),
                phase: phase_number(index),
                start: *start,
                origin: Origin::Readings,
            });
        }
        let goes_on = phase.machines[SWELL].episode().is_some_and(|swell| inside(&swell.start));
        phase.is_withdrawn |= goes_on;
    }
    phase.swells.retain(|start| *start >= mean.until);
}

/// Whether the window belongs to the episode, and does not end it.
fn mean_is_out(phase: &Phase, mean: &Mean) -> bool {
    phase.machines[OVER].episode().is_some_and(|over| over.start <= mean.from)
}
