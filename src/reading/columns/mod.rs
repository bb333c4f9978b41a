//! The ten columns of the contract, taken from the registers of one telegram without inventing any.
//!
//! Each column has its own register (`1.8.0` → energy import). Where a meter does not send that one, others may stand
//! in for it by fixed rules: tariffs or phases are added up, import minus export gives the net power. A rule that lacks
//! one of its inputs gives nothing, and nothing found is absent, never zero.
//!
//! ```text
//! pass 1   registers ──(C.D.E, number, right quantity)──► Found: one slot per rule input
//! pass 2   Found ──first rule that applies, exact decimals──► Columns
//! ```
//!
//! Averages (D = 4, 5, 24, 25), interval values (D = 29) and stored values (F ≠ 255) have no slot, so no rule can
//! mistake them for current values.

mod rules;
#[cfg(test)]
mod tests;

use self::rules::{Energy, Found, Slot, sum, total};
use super::{Decimal, Obis, Reading, Register, Unit};

/// One of the quantities that every archive and database row has a column for.
///
/// The ten of the contract, and energy export, which only meters with a second direction have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Active energy taken from the grid, a counter.
    EnergyImport,
    /// Active energy fed into the grid, a counter.
    EnergyExport,
    /// Active power of all phases, negative when feeding in.
    PowerTotal,
    /// Voltage of L1.
    VoltageL1,
    /// Voltage of L2.
    VoltageL2,
    /// Voltage of L3.
    VoltageL3,
    /// Current of L1.
    CurrentL1,
    /// Current of L2.
    CurrentL2,
    /// Current of L3.
    CurrentL3,
    /// Frequency.
    Frequency,
    /// Power factor of all phases.
    PowerFactor,
}

impl Column {
    /// Every column, in the contract's order.
    pub const ALL: [Self; 11] = [
        Self::EnergyImport,
        Self::EnergyExport,
        Self::PowerTotal,
        Self::VoltageL1,
        Self::VoltageL2,
        Self::VoltageL3,
        Self::CurrentL1,
        Self::CurrentL2,
        Self::CurrentL3,
        Self::Frequency,
        Self::PowerFactor,
    ];

    /// The unit of every value in the column; the power factor has none.
    #[must_use]
    pub const fn unit(self) -> Option<Unit> {
        match self {
            Self::EnergyImport | Self::EnergyExport => Some(Unit::KWH),
            Self::PowerTotal => Some(Unit::W),
            Self::VoltageL1 | Self::VoltageL2 | Self::VoltageL3 => Some(Unit::V),
            Self::CurrentL1 | Self::CurrentL2 | Self::CurrentL3 => Some(Unit::A),
            Self::Frequency => Some(Unit::HZ),
            Self::PowerFactor => None,
        }
    }

    /// The register that is the column, without a rule in between: `1-0:1.8.0` for the energy import.
    #[must_use]
    pub const fn register(self) -> Obis {
        let (c, d) = match self {
            Self::EnergyImport => (1, 8),
            Self::EnergyExport => (2, 8),
            Self::PowerTotal => (16, 7),
            Self::VoltageL1 => (32, 7),
            Self::VoltageL2 => (52, 7),
            Self::VoltageL3 => (72, 7),
            Self::CurrentL1 => (31, 7),
            Self::CurrentL2 => (51, 7),
            Self::CurrentL3 => (71, 7),
            Self::Frequency => (14, 7),
            Self::PowerFactor => (13, 7),
        };
        Obis::electricity(c, d, 0)
    }

    /// The column whose own register this is, on whatever channel.
    #[must_use]
    pub fn of_register(obis: Obis) -> Option<Self> {
        let [1, _, c, d, e, 255] = obis.octets() else { return None };
        Self::ALL.into_iter().find(|column| column.register() == Obis::electricity(c, d, total(d, e)))
    }
}

const VOLTAGES: [Column; 3] = [Column::VoltageL1, Column::VoltageL2, Column::VoltageL3];
const CURRENTS: [Column; 3] = [Column::CurrentL1, Column::CurrentL2, Column::CurrentL3];

/// What has to be remembered of a meter, because one telegram does not show it.
///
/// A meter may send its total every five seconds and its tariffs once a minute. Their sum need not agree with the total
/// (0.08 kWh less on an E450), so using it whenever the total is missing makes the counter dip each minute. Sums are for
/// meters that never send the total. The number of tariffs and of phases is remembered for the same reason: half a
/// telegram must not give half a sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TariffMemory {
    /// 1.8.0 was seen: the import is never again a sum.
    pub total_import_seen: bool,
    /// 2.8.0 was seen: the export is never again a sum.
    pub total_export_seen: bool,
    /// The highest tariff of 1.8.n seen; a sum needs all of them.
    pub import_tariffs: u8,
    /// The highest tariff of 2.8.n seen.
    pub export_tariffs: u8,
    /// A register of L2 or L3 was seen: sums over phases need all three, and 12.7.0 is not L1.
    pub three_phase: bool,
}

/// The columns of one telegram.
///
/// ```
/// use releve::reading::{Column, Columns, Obis, Protocol, Reading, Register, TariffMemory, Unit};
/// let mut reading = Reading::new(Protocol::Dlms);
/// reading.registers.push(Register::number(Obis::electricity(1, 8, 0), 154_320.into(), Some(Unit::WH)));
/// reading.registers.push(Register::number(Obis::electricity(1, 7, 0), 512.into(), Some(Unit::W)));
/// reading.registers.push(Register::number(Obis::electricity(2, 7, 0), 1204.into(), Some(Unit::W)));
///
/// let columns = Columns::of(&reading, &mut TariffMemory::default());
/// assert_eq!(columns.get(Column::EnergyImport).unwrap().to_string(), "154.320");
/// assert_eq!(columns.get(Column::PowerTotal).unwrap().to_string(), "-692");
/// assert_eq!(columns.get(Column::EnergyExport), None);
/// assert!(columns.is_used(0) && !columns.is_used(1));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    values: [Option<Decimal>; Column::ALL.len()],
    /// By column, the index of the register that is the column.
    used: [Option<u32>; Column::ALL.len()],
}

impl Columns {
    /// The columns of a telegram, each by the first rule that applies. What the telegram shows of the meter's habits
    /// goes into `memory`, which belongs to this one meter.
    #[must_use]
    pub fn of(reading: &Reading, memory: &mut TariffMemory) -> Self {
        let registers = reading.registers.as_slice();
        let found = Found::in_registers(registers);
        found.remember(memory);

        let mut columns = Self::default();
        columns.energy(Column::EnergyImport, registers, &found.import, memory.total_import_seen, memory.import_tariffs);
        columns.energy(Column::EnergyExport, registers, &found.export, memory.total_export_seen, memory.export_tariffs);
        columns.direct_or(Column::PowerTotal, registers, found.net, || found.power(reading, memory.three_phase));
        for phase in 0..3 {
            // 11 and 12 say "any phase": L1 only where there is no other.
            let stand_in = |any: Slot| any.value(registers).filter(|_| phase == 0 && !memory.three_phase);
            columns.direct_or(VOLTAGES[phase], registers, found.voltage[phase], || stand_in(found.any_voltage));
            columns.direct_or(CURRENTS[phase], registers, found.current[phase], || stand_in(found.any_current));
        }
        columns.direct_or(Column::Frequency, registers, found.frequency, || {
            found.phase_frequency.iter().find_map(|slot| slot.value(registers))
        });
        columns.direct_or(Column::PowerFactor, registers, found.factor, || {
            found.phase_factor.value(registers).filter(|_| !memory.three_phase)
        });
        columns
    }

    /// The value of a column, in [`Column::unit`], with the digits as sent.
    #[must_use]
    pub const fn get(&self, column: Column) -> Option<Decimal> {
        self.values[column as usize]
    }

    /// The columns that have a value.
    pub fn iter(&self) -> impl Iterator<Item = (Column, Decimal)> + '_ {
        Column::ALL.into_iter().filter_map(|column| Some((column, self.get(column)?)))
    }

    /// Whether no column has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    /// Whether the register at this index of [`Reading::registers`] is a column, so that it need not be listed again.
    ///
    /// Registers that only stood in for a column's own (tariffs, phases, 1.7.0, 12.7.0) are not: their own value or
    /// their own code would be lost.
    #[must_use]
    pub fn is_used(&self, index: usize) -> bool {
        u32::try_from(index).is_ok_and(|index| self.used.contains(&Some(index)))
    }

    fn energy(&mut self, column: Column, registers: &[Register], found: &Energy, total_seen: bool, tariffs: u8) {
        self.direct_or(column, registers, found.total, || match (total_seen, tariffs) {
            (true, _) => None,
            (false, 0) => sum(registers, &found.phases),
            (false, highest) => found.tariff_sum(registers, highest),
        });
    }

    fn direct_or(
        &mut self,
        column: Column,
        registers: &[Register],
        direct: Slot,
        rule: impl FnOnce() -> Option<Decimal>,
    ) {
        let value = direct.value(registers);
        if value.is_some() {
            self.used[column as usize] = Some(direct.index);
        }
        self.values[column as usize] = value.or_else(rule);
    }
}
