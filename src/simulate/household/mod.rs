//! A household with solar panels, second by second, in whole watts.
//!
//! The power of any second is a pure function of the seed and the second: it can be asked for forwards, backwards or at
//! random, and is always the same. Nothing here is measured or summed up; that is the [meter's](super::works) business.
//!
//! | who | when | where |
//! |---|---|---|
//! | stand-by, router, refrigerator, freezer | always | all phases |
//! | coffee machine, kettle, toaster, lights | in the morning, later at the weekend | L1 |
//! | hob and oven, dishwasher, television | in the evening, some days at noon | L2, L3, L1 |
//! | washing machine | some days | L3 |
//! | heat pump | longer the colder the day, and for hot water | all phases |
//! | electric car, 11 kW | some nights | all phases |
//! | solar panels, 9.6 kW | by the height of the sun, the season and the clouds | all phases |

mod plan;
mod sun;

use super::random::{self, within};
use crate::reading::{Instant, Offset, Zone};
use plan::Run;
use std::ops::Range;

/// Streams of chance, so that no two things draw the same numbers.
mod stream {
    pub(super) const PLAN: u64 = 1;
    pub(super) const WEATHER: u64 = 2;
    pub(super) const CLOUDS: u64 = 3;
    pub(super) const FLICKER: u64 = 4;
    pub(super) const FREQUENCY: u64 = 5;
    /// And the two after it, one for each phase.
    pub(super) const STAND_BY: u64 = 6;
    /// And the two after it.
    pub(super) const VOLTAGE: u64 = 9;
    pub(super) const MAINS: u64 = 12;
}

/// What flows and stands at the connection in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// L1, L2 and L3.
    pub phases: [Phase; 3],
    /// The frequency in mHz; 0 without mains.
    pub millihertz: i32,
}

/// One phase in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phase {
    /// Active power in W, negative while it flows into the grid.
    pub watts: i32,
    /// Reactive power in var, negative where capacitive.
    pub vars: i32,
    /// Voltage in 0.1 V.
    pub decivolts: i32,
}

impl Phase {
    /// Apparent power in mVA.
    fn millivoltamperes(self) -> u64 {
        let square = |part: i32| u64::from(part.unsigned_abs()).pow(2);
        (square(self.watts) + square(self.vars)).saturating_mul(1_000_000).isqrt()
    }

    /// Current in mA, without a sign.
    #[must_use]
    pub fn milliamperes(self) -> u64 {
        let volts10 = u64::from(self.decivolts.unsigned_abs());
        (self.millivoltamperes() * 10).checked_div(volts10).unwrap_or(0)
    }

    /// Power factor in 0.001, negative while power flows into the grid; 1000 where nothing flows.
    #[must_use]
    pub fn power_factor(self) -> i32 {
        let apparent = i64::try_from(self.millivoltamperes()).unwrap_or(i64::MAX);
        let factor = (i64::from(self.watts) * 1_000_000).checked_div(apparent).unwrap_or(1000);
        i32::try_from(factor).unwrap_or(1000)
    }
}

impl Load {
    /// The sum of the three phases in W: what a meter that nets them counts.
    #[must_use]
    pub fn watts(&self) -> i32 {
        self.phases.iter().map(|phase| phase.watts).sum()
    }

    /// The sum of the three phases in var.
    #[must_use]
    pub fn vars(&self) -> i32 {
        self.phases.iter().map(|phase| phase.vars).sum()
    }

    /// Power factor of the sum in 0.001.
    #[must_use]
    pub fn power_factor(&self) -> i32 {
        Phase { watts: self.watts(), vars: self.vars(), decivolts: 0 }.power_factor()
    }
}

/// What only moves slowly, at one instant.
#[derive(Debug, Clone, Copy, Default)]
struct Slow {
    watts: [i32; 3],
    vars: [i32; 3],
    decivolts: [i32; 3],
    solar: i32,
    millihertz: i32,
}

/// A minute while its seconds are asked for.
#[derive(Debug, Clone)]
struct Minute {
    /// Minutes since 1970.
    number: i64,
    from: Slow,
    to: Slow,
    /// Seconds that local time is ahead of UTC.
    ahead: i64,
    /// The appliances that may run in it.
    runs: Vec<Run>,
}

/// A household. It remembers nothing but the minute it was last asked for.
#[derive(Debug, Clone)]
pub struct Household {
    seed: u64,
    zone: Zone,
    outages: Vec<Range<i64>>,
    sunny: Vec<Range<i64>>,
    minute: Option<Minute>,
    plans: [Option<(i64, Vec<Run>)>; 2],
}

/// The power the panels give on a clear noon in June, W.
const PEAK: i32 = 8_200;

impl Household {
    /// The household of a seed, living by the clock of `zone`.
    #[must_use]
    pub const fn new(seed: u64, zone: Zone) -> Self {
        Self { seed, zone, outages: Vec::new(), sunny: Vec::new(), minute: None, plans: [None, None] }
    }

    /// Takes the mains away for a while; UNIX seconds.
    pub fn cut(&mut self, seconds: Range<i64>) {
        self.outages.push(seconds);
    }

    /// Lets the sun stand high in a clear sky for a while, day or night, so that power is fed in; UNIX seconds.
    pub fn shine(&mut self, seconds: Range<i64>) {
        self.sunny.push(seconds);
    }

    /// Whether there are mains in this second.
    #[must_use]
    pub fn is_supplied(&self, second: i64) -> bool {
        !self.outages.iter().any(|outage| outage.contains(&second))
    }

    /// What flows in the second that ends at this UNIX time.
    pub fn at(&mut self, second: i64) -> Load {
        if !self.is_supplied(second) {
            return Load::default();
        }
        let number = second.div_euclid(60);
        let minute = match self.minute.take() {
            Some(minute) if minute.number == number => minute,
            last => self.minute(number, last),
        };
        let is_sunny = self.sunny.iter().any(|range| range.contains(&second));
        let load = minute.at(second, is_sunny, random::at(self.seed, stream::FLICKER, second));
        self.minute = Some(minute);
        load
    }

    fn minute(&mut self, number: i64, last: Option<Minute>) -> Minute {
        let start = number * 60;
        // The clock only changes on whole hours.
        let same_hour = last.as_ref().filter(|last| last.number.div_euclid(60) == number.div_euclid(60));
        let ahead = same_hour.map_or_else(|| ahead(self.zone, start), |last| last.ahead);
        let from = match &last {
            Some(last) if last.number + 1 == number => last.to,
            _ => self.slow(number),
        };
        let to = self.slow(number + 1);
        let local = start + ahead;
        let today = local.div_euclid(86_400);
        let mut runs = last.map(|last| last.runs).unwrap_or_default();
        runs.clear();
        // What runs past midnight is in the plan of the day before.
        for day in [today - 1, today] {
            runs.extend(self.plan(day).iter().filter(|run| run.overlaps(local..local + 60)));
        }
        Minute { number, from, to, ahead, runs }
    }

    fn plan(&mut self, day: i64) -> &[Run] {
        let seed = self.seed;
        let slot = &mut self.plans[usize::from(day & 1 == 1)];
        if slot.as_ref().is_none_or(|(of, _)| *of != day) {
            *slot = Some((day, plan::of_day(seed, day)));
        }
        slot.as_ref().map_or(&[], |(_, runs)| runs)
    }

    /// The slow quantities at the start of a minute.
    fn slow(&self, minute: i64) -> Slow {
        let wander = |stream, every, width| wander(self.seed, stream, minute, every, width);
        let of_phases = |first: u64, every, width, middle: [i32; 3]| {
            [0u8, 1, 2].map(|n| middle[usize::from(n)] + wander(first + u64::from(n), every, width))
        };
        Slow {
            watts: of_phases(stream::STAND_BY, 7, 25, [95, 60, 55]),
            vars: of_phases(stream::STAND_BY, 7, 12, [-60, -35, -30]),
            decivolts: of_phases(stream::VOLTAGE, 5, 25, [2310, 2318, 2304]),
            solar: i32::try_from(i64::from(PEAK) * sun::light(self.seed, minute) / 1_000).unwrap_or(0),
            millihertz: 50_000 + wander(stream::FREQUENCY, 1, 30),
        }
    }
}

impl Minute {
    fn at(&self, second: i64, is_sunny: bool, chance: u64) -> Load {
        let within_minute = i32::try_from(second - self.number * 60).unwrap_or(0);
        let between = |from: i32, to: i32| from + (to - from) * within_minute / 60;
        let local = second + self.ahead;
        let (mut watts, mut vars) = ([0i32; 3], [0i32; 3]);
        for phase in 0..3 {
            watts[phase] = between(self.from.watts[phase], self.to.watts[phase]);
            vars[phase] = between(self.from.vars[phase], self.to.vars[phase]);
        }
        for run in self.runs.iter().filter(|run| run.is_on(local)) {
            for phase in 0..3 {
                watts[phase] += run.watts[phase];
                vars[phase] += run.vars[phase];
            }
        }
        let solar = if is_sunny { PEAK } else { between(self.from.solar, self.to.solar) };
        let mut phases = [Phase::default(); 3];
        for (n, phase) in phases.iter_mut().enumerate() {
            // Sixteen bits of chance a phase: what is drawn flickers by two per cent, and the voltage by 0.2 V.
            let drawn = chance >> (16 * n);
            let flicker = i32::from((drawn & 0xFF) as u8) - 128;
            let shiver = i32::from((drawn >> 8 & 0xFF) as u8) - 128;
            phase.watts = watts[n] + watts[n] * flicker / 6_400 - solar / 3 - solar * shiver / 38_400;
            phase.vars = vars[n] + flicker / 32 + solar / 120;
            // A line of a quarter of an ohm, and the rise where power is fed in.
            phase.decivolts = between(self.from.decivolts[n], self.to.decivolts[n]) + shiver / 64 - phase.watts / 92;
        }
        Load { phases, millihertz: between(self.from.millihertz, self.to.millihertz) }
    }
}

/// Seconds that local time is ahead of UTC.
pub(super) fn ahead(zone: Zone, second: i64) -> i64 {
    match Instant::from_unix(second).meter_time(zone).offset {
        Offset::Minutes(minutes) => i64::from(minutes) * 60,
        Offset::Unknown | Offset::Summer | Offset::Winter => 0,
    }
}

/// A value that wanders: drawn anew every few minutes, straight lines in between, never more than `width` from 0.
fn wander(seed: u64, stream: u64, minute: i64, every: i64, width: i64) -> i32 {
    let knot = minute.div_euclid(every);
    let value = |knot| within(random::at(seed, stream, knot), -width, width);
    let (from, to) = (value(knot), value(knot + 1));
    i32::try_from(from + (to - from) * minute.rem_euclid(every) / every).unwrap_or(0)
}

/// The two failures of the mains in the ten days after `since`: a short one and a long one (over 180 s).
pub(super) fn past_outages(seed: u64, since: i64) -> [Range<i64>; 2] {
    let mut draws = random::Draws::new(seed, stream::MAINS, since);
    let mut outage = |day: i64, shortest, longest| {
        let from = since + day * 86_400 + draws.between(0, 86_399);
        from..from + draws.between(shortest, longest)
    };
    [outage(2, 3, 20), outage(6, 240, 1_500)]
}

#[cfg(test)]
mod tests;
