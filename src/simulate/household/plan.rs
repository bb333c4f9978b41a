//! What a household does on one day: which appliance runs when, on which phase.

use super::{stream, sun};
use crate::simulate::random::Draws;
use std::ops::Range;

/// An appliance that runs for a while, all the time or by a thermostat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Local seconds since 1970.
    from: i64,
    until: i64,
    /// The thermostat's cycle in seconds, and how much of it power flows.
    cycle: i64,
    on: i64,
    pub(super) watts: [i32; 3],
    pub(super) vars: [i32; 3],
}

impl Run {
    pub(super) const fn overlaps(&self, seconds: Range<i64>) -> bool {
        self.from < seconds.end && seconds.start < self.until
    }

    pub(super) const fn is_on(&self, local: i64) -> bool {
        self.from <= local && local < self.until && (local - self.from) % self.cycle < self.on
    }
}

const L1: [i32; 3] = [1, 0, 0];
const L2: [i32; 3] = [0, 1, 0];
const L3: [i32; 3] = [0, 0, 1];
const ALL: [i32; 3] = [1, 1, 1];

struct Plan {
    midnight: i64,
    runs: Vec<Run>,
}

impl Plan {
    /// Power in W and var on each of the phases, for so many minutes from a minute of the day on.
    fn run(&mut self, minute: i64, minutes: i64, phases: [i32; 3], watts: i32, vars: i32) -> &mut Run {
        let from = self.midnight + minute * 60;
        let run = Run {
            from,
            until: from + minutes * 60,
            cycle: i64::MAX,
            on: i64::MAX,
            watts: phases.map(|n| n * watts),
            vars: phases.map(|n| n * vars),
        };
        self.runs.push(run);
        let last = self.runs.len() - 1;
        &mut self.runs[last]
    }

    /// The same by a thermostat: `on` of each `cycle` seconds.
    fn cycles(&mut self, minute: i64, minutes: i64, (on, cycle): (i64, i64), phases: [i32; 3], watts: i32, vars: i32) {
        let run = self.run(minute, minutes, phases, watts, vars);
        (run.on, run.cycle) = (on, cycle);
    }
}

/// The plan of a local day, counted since 1970.
pub(super) fn of_day(seed: u64, day: i64) -> Vec<Run> {
    let mut draws = Draws::new(seed, stream::PLAN, day);
    let mut plan = Plan { midnight: day * 86_400, runs: Vec::with_capacity(32) };
    // 1970 began on a Thursday.
    let is_weekend = matches!((day + 3).rem_euclid(7), 5 | 6);

    // Cycles that divide the day, so that midnight does not show.
    plan.cycles(0, 1_440, (draws.between(800, 1_000), 2_700), L1, 85, 55);
    plan.cycles(0, 1_440, (draws.between(900, 1_200), 3_600), L3, 95, 70);

    let morning = if is_weekend { draws.between(480, 570) } else { draws.between(375, 420) };
    plan.run(morning, draws.between(40, 80), L1, 110, -15);
    plan.cycles(morning + 5, 10, (45, 90), L1, 1_350, 0);
    plan.run(morning + draws.between(8, 14), 3, L1, 2_050, 0);
    plan.run(morning + draws.between(15, 22), 3, L1, 900, 0);

    if is_weekend || draws.chance(250) {
        plan.cycles(draws.between(690, 725), draws.between(20, 35), (22, 40), L2, 1_800, 0);
    }
    let supper = draws.between(1_070, 1_150);
    plan.cycles(supper, draws.between(20, 40), (24, 40), L2, 2_000, 0);
    if draws.chance(450) {
        plan.run(supper, 8, L3, 2_500, 10);
        plan.cycles(supper + 8, draws.between(20, 50), (35, 75), L3, 2_500, 10);
    }
    let evening = draws.between(1_030, 1_080);
    plan.run(evening, draws.between(270, 380), L1, 120, -20);
    plan.run(evening + 15, draws.between(200, 300), L3, 75, -15);
    plan.run(draws.between(1_150, 1_200), draws.between(90, 170), L1, 140, -45);
    if draws.chance(700) {
        let start = draws.between(1_200, 1_250);
        plan.run(start, 95, L1, 55, 30);
        plan.run(start + 12, 14, L1, 1_950, 0);
        plan.run(start + 60, 11, L1, 1_950, 0);
    }
    if draws.chance(if is_weekend { 600 } else { 300 }) {
        let start = draws.between(560, 980);
        plan.run(start + 4, 16, L3, 2_050, 0);
        plan.cycles(start, 85, (20, 33), L3, 240, 190);
        plan.run(start + 85, 8, L3, 480, 260);
    }
    heat_pump(&mut plan, sun::temperature(seed, day));
    if draws.chance(280) {
        plan.run(draws.between(1_300, 1_400), draws.between(110, 300), ALL, 3_640, 160);
    }
    plan.runs
}

/// Heats below 16 °C, around the clock below freezing; hot water after the sun's noon and at night.
fn heat_pump(plan: &mut Plan, temperature: i64) {
    let duty = ((160 - temperature) * 6).clamp(0, 1_000);
    if duty > 60 {
        plan.cycles(0, 1_440, (3_600 * duty / 1_000, 3_600), ALL, 470, 190);
    }
    plan.run(780, 45, ALL, 560, 210);
    plan.run(150, 30, ALL, 560, 210);
}
