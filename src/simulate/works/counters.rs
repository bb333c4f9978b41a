//! The counters: exact sums of the power of every second.

use crate::reading::CivilTime;
use crate::simulate::random::Draws;

/// What the registers can show: six digits of kWh. Then they start again at 0.
pub const CAPACITY_WH: u64 = 1_000_000_000;

const WATT_SECONDS: u64 = 3_600;

/// Energies since the meter was made, in Ws and vars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Active energy taken from the grid in the high and in the low tariff, Ws.
    pub import: [u64; 2],
    /// Active energy fed into the grid in the high and in the low tariff, Ws.
    pub export: [u64; 2],
    /// Reactive energy of quadrants I to IV, var·s.
    pub reactive: [u64; 4],
}

/// What a register shows of a sum: whole Wh (or varh), modulo its capacity.
#[must_use]
pub const fn shown_wh(watt_seconds: u64) -> u64 {
    watt_seconds / WATT_SECONDS % CAPACITY_WH
}

const fn tenths(watt_seconds: u64) -> u64 {
    watt_seconds / (WATT_SECONDS / 10) % (CAPACITY_WH * 10)
}

/// How far a register went on, over the turn if need be.
pub(super) const fn step(from: u64, to: u64) -> u64 {
    (to + CAPACITY_WH - from) % CAPACITY_WH
}

impl Counters {
    /// Those of a meter that has been in use since 2020, on the UTC day of this number: what a household like ours takes and
    /// gives in a day, times the days.
    pub(super) fn used(draws: &mut Draws, day: i64) -> Self {
        /// 1 January 2020.
        const FIRST: i64 = 18_262;
        let days = (day - FIRST).max(0);
        let mut energy = |wh_a_day: i64| {
            let before = draws.between(0, 2_000_000);
            (before + days * wh_a_day).unsigned_abs() * WATT_SECONDS
        };
        Self {
            import: [energy(13_000), energy(9_000)],
            export: [energy(11_000), energy(4_000)],
            reactive: [3_000, 2_000, 800, 1_500].map(energy),
        }
    }

    /// Those of a meter whose import is about to turn over in one tariff; the other has never been used.
    pub(super) fn before_rollover(below_wh: u64, tariff: usize) -> Self {
        let full = CAPACITY_WH.saturating_sub(below_wh) * WATT_SECONDS;
        Self { import: if tariff == 0 { [full, 0] } else { [0, full] }, ..Self::default() }
    }

    /// Adds a second with this net power.
    pub(super) fn add(&mut self, watts: i32, vars: i32, tariff: usize) {
        let tariffs = if watts >= 0 { &mut self.import } else { &mut self.export };
        if let Some(counter) = tariffs.get_mut(tariff) {
            *counter += u64::from(watts.unsigned_abs());
        }
        let quadrant = match (watts >= 0, vars >= 0) {
            (true, true) => 0,
            (false, true) => 1,
            (false, false) => 2,
            (true, false) => 3,
        };
        self.reactive[quadrant] += u64::from(vars.unsigned_abs());
    }

    /// 1.8.0 in Wh.
    #[must_use]
    pub fn import_wh(&self) -> u64 {
        shown_wh(self.import.iter().sum())
    }

    /// 2.8.0 in Wh.
    #[must_use]
    pub fn export_wh(&self) -> u64 {
        shown_wh(self.export.iter().sum())
    }

    /// 1.8.0 in 0.1 Wh.
    #[must_use]
    pub fn import_tenths_wh(&self) -> u64 {
        tenths(self.import.iter().sum())
    }

    /// 2.8.0 in 0.1 Wh.
    #[must_use]
    pub fn export_tenths_wh(&self) -> u64 {
        tenths(self.export.iter().sum())
    }

    /// 3.8.0 in varh: quadrants I and II.
    #[must_use]
    pub fn reactive_import_varh(&self) -> u64 {
        shown_wh(self.reactive[0] + self.reactive[1])
    }

    /// 4.8.0 in varh: quadrants III and IV.
    #[must_use]
    pub fn reactive_export_varh(&self) -> u64 {
        shown_wh(self.reactive[2] + self.reactive[3])
    }

    pub(super) fn registers_wh(&self) -> [u64; 2] {
        [self.import_wh(), self.export_wh()]
    }
}

/// The tariff at a local time: 0 high, on working days from 7 to 21; 1 low.
pub(super) fn tariff_at(local: CivilTime) -> usize {
    let [_, _, _, hour, ..] = local.fields();
    usize::from(!(local.weekday() <= 5 && (7..21).contains(&hour)))
}
