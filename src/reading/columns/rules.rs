//! What the rules of the columns look for in a telegram, and the sums and differences they make of it.

use super::TariffMemory;
use crate::reading::{Decimal, Obis, Protocol, Quantity, Reading, Register, Unit};

/// A register that a rule may use, as its index among the telegram's registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) index: u32,
    channel: u8,
    /// The telegram has the code, be it with a value that cannot be used.
    listed: bool,
}

impl Default for Slot {
    fn default() -> Self {
        Self { index: Self::EMPTY, channel: 0, listed: false }
    }
}

impl Slot {
    const EMPTY: u32 = u32::MAX;

    /// Takes the register unless one of a lower channel is there: `1-0` goes before `1-1`, and the first of equals stays.
    fn offer(&mut self, index: usize, channel: u8) {
        if let Ok(index) = u32::try_from(index)
            && (self.index == Self::EMPTY || channel < self.channel)
        {
            (self.index, self.channel) = (index, channel);
        }
    }

    pub(super) fn value(self, registers: &[Register]) -> Option<Decimal> {
        let (value, _) = registers.get(usize::try_from(self.index).ok()?)?.normalised()?;
        Some(value)
    }
}

/// The inputs for one direction of energy.
#[derive(Debug, Default)]
pub(super) struct Energy {
    c: u8,
    pub(super) total: Slot,
    pub(super) phases: [Slot; 3],
    /// Bit n − 1: tariff n is in the telegram.
    tariffs: u64,
}

impl Energy {
    fn highest_tariff(&self) -> u8 {
        // At most 64, so it fits.
        u8::try_from(u64::BITS - self.tariffs.leading_zeros()).unwrap_or(u8::MAX)
    }

    /// Tariff 1 to the highest the meter has; one that is missing makes the sum absent.
    pub(super) fn tariff_sum(&self, registers: &[Register], highest: u8) -> Option<Decimal> {
        if u32::from(highest) != self.tariffs.trailing_ones() {
            return None;
        }
        // Few telegrams come here: looking again is cheaper than room for two times 63 tariffs in every one.
        let mut slots = [Slot::default(); 63];
        for (index, register) in registers.iter().enumerate() {
            if let Some([1, channel, c, 8, e @ 1..=63, 255]) = register.code.obis().map(Obis::octets)
                && c == self.c
                && is_a(Some(Quantity::ActiveEnergy), register)
            {
                slots[usize::from(e) - 1].offer(index, channel);
            }
        }
        sum(registers, slots.get(..usize::from(highest))?)
    }
}

/// Every input of every rule.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) import: Energy,
    pub(super) export: Energy,
    pub(super) net: Slot,
    import_power: Slot,
    export_power: Slot,
    absolute_power: Slot,
    phase_net: [Slot; 3],
    phase_import_power: [Slot; 3],
    phase_export_power: [Slot; 3],
    pub(super) voltage: [Slot; 3],
    pub(super) any_voltage: Slot,
    pub(super) current: [Slot; 3],
    pub(super) any_current: Slot,
    pub(super) frequency: Slot,
    pub(super) phase_frequency: [Slot; 3],
    pub(super) factor: Slot,
    pub(super) phase_factor: Slot,
    three_phase: bool,
}

impl Found {
    pub(super) fn in_registers(registers: &[Register]) -> Self {
        let mut found = Self::default();
        (found.import.c, found.export.c) = (1, 2);
        for (index, register) in registers.iter().enumerate() {
            let Some([1, channel, c, d, e, f]) = register.code.obis().map(Obis::octets) else { continue };
            // L2, L3, and the line voltages between them.
            found.three_phase |= matches!(c, 41..=80 | 124..=126);
            if f != 255 {
                continue;
            }
            if let Some((slot, quantity)) = found.slot(c, d, total(d, e)) {
                slot.listed = true;
                if is_a(quantity, register) {
                    slot.offer(index, channel);
                }
            }
        }
        found
    }

    /// The slot of a register and the quantity its unit must measure; `None` is a bare factor.
    fn slot(&mut self, c: u8, d: u8, e: u8) -> Option<(&mut Slot, Option<Quantity>)> {
        let (slot, quantity) = match (c, d, e) {
            (1, 8, 0) => (&mut self.import.total, Quantity::ActiveEnergy),
            (2, 8, 0) => (&mut self.export.total, Quantity::ActiveEnergy),
            (1, 8, tariff @ 1..=63) => {
                self.import.tariffs |= 1 << (tariff - 1);
                return None;
            }
            (2, 8, tariff @ 1..=63) => {
                self.export.tariffs |= 1 << (tariff - 1);
                return None;
            }
            (21 | 41 | 61, 8, 0) => (&mut self.import.phases[phase(c)], Quantity::ActiveEnergy),
            (22 | 42 | 62, 8, 0) => (&mut self.export.phases[phase(c)], Quantity::ActiveEnergy),
            (1, 7, 0) => (&mut self.import_power, Quantity::ActivePower),
            (2, 7, 0) => (&mut self.export_power, Quantity::ActivePower),
            (15, 7, 0) => (&mut self.absolute_power, Quantity::ActivePower),
            (16, 7, 0) => (&mut self.net, Quantity::ActivePower),
            (21 | 41 | 61, 7, 0) => (&mut self.phase_import_power[phase(c)], Quantity::ActivePower),
            (22 | 42 | 62, 7, 0) => (&mut self.phase_export_power[phase(c)], Quantity::ActivePower),
            (36 | 56 | 76, 7, 0) => (&mut self.phase_net[phase(c)], Quantity::ActivePower),
            (32 | 52 | 72, 7, 0) => (&mut self.voltage[phase(c)], Quantity::Voltage),
            (12, 7, 0) => (&mut self.any_voltage, Quantity::Voltage),
            (31 | 51 | 71, 7, 0) => (&mut self.current[phase(c)], Quantity::Current),
            (11, 7, 0) => (&mut self.any_current, Quantity::Current),
            (14, 7, 0) => (&mut self.frequency, Quantity::Frequency),
            (34 | 54 | 74, 7, 0) => (&mut self.phase_frequency[phase(c)], Quantity::Frequency),
            (13, 7, 0) => return Some((&mut self.factor, None)),
            (33, 7, 0) => return Some((&mut self.phase_factor, None)),
            _ => return None,
        };
        Some((slot, Some(quantity)))
    }

    pub(super) fn remember(&self, memory: &mut TariffMemory) {
        memory.total_import_seen |= self.import.total.listed;
        memory.total_export_seen |= self.export.total.listed;
        memory.import_tariffs = memory.import_tariffs.max(self.import.highest_tariff());
        memory.export_tariffs = memory.export_tariffs.max(self.export.highest_tariff());
        memory.three_phase |= self.three_phase;
    }

    /// The total power of a telegram without 16.7.0.
    pub(super) fn power(&self, reading: &Reading, three_phase: bool) -> Option<Decimal> {
        let registers = reading.registers.as_slice();
        let phases = if three_phase { 0..3 } else { 0..1 };
        difference(registers, self.import_power, self.export_power)
            .or_else(|| sum(registers, &self.phase_net[phases.clone()]))
            .or_else(|| {
                let (import, export) = (&self.phase_import_power[phases.clone()], &self.phase_export_power[phases]);
                // A meter without the export registers has none in any phase; one that is missing is a hole.
                let sends_export = export.iter().any(|slot| slot.listed);
                if sends_export && !export.iter().all(|slot| slot.listed) {
                    return None;
                }
                import.iter().zip(export).try_fold(Decimal::ZERO, |sum, (&import, &export)| {
                    sum.checked_add(difference(registers, import, export)?)
                })
            })
            .or_else(|| self.absolute_power_signed(reading))
    }

    /// 15.7.0 with the sign that a status word of SML gives it (EMH ED300L, eHZ).
    fn absolute_power_signed(&self, reading: &Reading) -> Option<Decimal> {
        let registers = reading.registers.as_slice();
        let absolute = self.absolute_power.value(registers)?;
        // In DLMS the same field holds class and attribute.
        if reading.protocol != Protocol::Sml {
            return None;
        }
        let own = usize::try_from(self.absolute_power.index).ok().and_then(|index| registers.get(index));
        let exports = own.and_then(direction).or_else(|| {
            // Mostly on 1.8.0, sometimes on 2.8.0 or a tariff.
            let energies = registers.iter().filter_map(|register| match register.code.obis()?.octets() {
                [1, _, c @ (1 | 2), 8, e, 255] => Some(((c, e), direction(register)?)),
                _ => None,
            });
            energies.min_by_key(|&(place, _)| place).map(|(_, exports)| exports)
        })?;
        if exports { absolute.abs().checked_neg() } else { Some(absolute) }
    }
}

/// EasyMeter and Voltcraft send `1-0:1.7.255*255` for 1.7.0: 255 stands for "not used".
pub(super) const fn total(d: u8, e: u8) -> u8 {
    if d == 7 && e == 255 { 0 } else { e }
}

/// 21…40 are quantities of L1, 41…60 of L2, 61…80 of L3.
fn phase(c: u8) -> usize {
    usize::from((c.saturating_sub(21) / 20).min(2))
}

/// Whether the register is a number that can be what its code says.
///
/// A number without a unit can be anything: an unscaled 1250 that means 12.50 A, a count of voltage failures under
/// 32.7.0 on older meters. Only a power factor needs none, and then cannot exceed one (a captured meter sends 4.556).
fn is_a(quantity: Option<Quantity>, register: &Register) -> bool {
    let Some(number) = register.as_number() else { return false };
    match (quantity, register.unit) {
        (None, None) => number.abs() <= Decimal::new(1, 0),
        (expected, unit) => expected.is_some() && unit.map(Unit::quantity) == expected,
    }
}

pub(super) fn sum(registers: &[Register], slots: &[Slot]) -> Option<Decimal> {
    let (first, rest) = slots.split_first()?;
    rest.iter().try_fold(first.value(registers)?, |sum, slot| sum.checked_add(slot.value(registers)?))
}

/// Import minus export. Without an export register the import keeps its own sign; an unusable one is no zero.
fn difference(registers: &[Register], import: Slot, export: Slot) -> Option<Decimal> {
    let import = import.value(registers)?;
    if export.listed { import.checked_sub(export.value(registers)?) } else { Some(import) }
}

/// Whether the status word of this register says that energy flows out.
fn direction(register: &Register) -> Option<bool> {
    register.detail.as_ref()?.status.and_then(feeds_in)
}

/// Whether a status word says that energy flows out of the house; `None` where the word is of neither known form.
///
/// EDL21 words are 16 bits, or longer with bit 7 set; bit 5 is the direction (ED300L: 0182 importing, 01B0 exporting;
/// Iskra: 0101A2). FNN words have bit 2 and one of the phase bits 18 to 20; bit 11 is the direction (DZG: 1C0104,
/// 1C6904). A zero is a placeholder: every word seen has some bit that is always set.
pub(super) const fn feeds_in(status: u64) -> Option<bool> {
    if status == 0 {
        None
    } else if status <= 0xFFFF || status & 0x80 != 0 {
        Some(status & 0x20 != 0)
    } else if status & 0x04 != 0 && status & 0x1C_0000 != 0 {
        Some(status & 0x800 != 0)
    } else {
        None
    }
}
