//! The voltage of a calendar week: which share of its ten-minute means lies within ±10 %.

use super::Finding;
use super::means::Means;
use super::rules::{Rule, Rules};
use super::seen::{Seen, VOLTAGES, bare, phase_number, tell};
use super::words;
use crate::reading::{CivilTime, Decimal, Event, Instant, MeterTime, Zone};
use smol_str::SmolStr;

const DAY: i64 = 86_400_000_000;
/// The nominal voltage.
const NOMINAL: i64 = 230;

#[derive(Debug)]
pub(super) struct Quality {
    rule: Rule,
    zone: Zone,
    bounds: (Decimal, Decimal),
    phases: [(Means, Week); 3],
}

#[derive(Debug, Clone, Copy, Default)]
struct Week {
    number: i64,
    windows: i64,
    inside: i64,
}

impl Quality {
    pub(super) fn new(rules: &Rules, zone: Zone) -> Self {
        let rule = rules.get("qualite_tension");
        let percent = rule.low.and_then(|percent| percent.to_string().parse::<i64>().ok()).unwrap_or(10).clamp(0, 99);
        let bound = |percent: i64| Decimal::new(NOMINAL * (100 + percent), -2);
        let phase = || (Means::new(rule.window()), Week::default());
        Self { rule, zone, bounds: (bound(-percent), bound(percent)), phases: [phase(), phase(), phase()] }
    }

    pub(super) fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let (low, high) = self.bounds;
        for (index, value) in seen.phases(VOLTAGES).into_iter().enumerate() {
            // What is no voltage of a supply, but an outage or a phase that is not there, is not its quality.
            let value = value.filter(|value| *value > Decimal::new(161, 0));
            let (means, week) = &mut self.phases[index];
            let Some(mean) = means.push(seen.at, value) else { continue };
            let number = week_of(mean.from, self.zone);
            let over =
                std::mem::replace(week, if week.number == number { *week } else { Week { number, ..Week::default() } });
            week.windows += 1;
            week.inside += i64::from(mean.value >= low && mean.value <= high);
            if over.number != number {
                self.close(index, over, found);
            }
        }
    }

    fn close(&self, index: usize, week: Week, found: &mut Vec<Finding>) {
        let rule = &self.rule;
        let (Some(start), Some(end)) = (start_of(week.number, self.zone), start_of(week.number + 1, self.zone)) else {
            return;
        };
        let all = words::between(start, end) / rule.window();
        if week.windows * 10 < all * 9 {
            return;
        }
        let share = Decimal::new(week.inside * 10_000 / week.windows.max(1), -2);
        if share < rule.limit() {
            let phase = phase_number(index);
            let what = format!(
                "Qualité de la tension{} : {} % des moyennes de la semaine entre {} et {} V (limite {} %)",
                words::phase(phase),
                words::number(share, 2),
                words::number(self.bounds.0, 1),
                words::number(self.bounds.1, 1),
                words::number(rule.limit(), 2),
            );
            let event = Event {
                end: Some(end),
                value: Some(share),
                unit: Some(SmolStr::new_static("%")),
                code: Some(VOLTAGES[index].register().key()),
                threshold: rule.threshold,
                phase,
                ..bare(rule, start, what)
            };
            tell(found, rule, event);
        }
    }
}

/// The number of the calendar week, from Monday to Sunday in the zone.
fn week_of(at: Instant, zone: Zone) -> i64 {
    // 1970 began on a Thursday.
    (at.on_clock(zone).civil.civil_micros().div_euclid(DAY) + 3).div_euclid(7)
}

fn start_of(week: i64, zone: Zone) -> Option<Instant> {
    let civil = CivilTime::from_civil_micros((week * 7 - 3) * DAY)?;
    Some(MeterTime::local(civil).resolve(zone).earliest())
}
