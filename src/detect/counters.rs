//! Counters that fall, jump, roll over, stand still or do not agree; and another meter in the place of the first.
//!
//! A value that cannot be true makes the whole reading doubtful: it begins no electrical event. Values of another
//! resolution are another counter here: a display in kWh and a push in Wh are never compared.

use super::exact::divided;
use super::machine::{Episode, Hold, Look, Machine, Side, Verdict};
use super::rules::{Rule, Rules};
use super::seen::{Seen, bare, of_episode, tell};
use super::{Finding, words};
use crate::reading::{Code, Column, Decimal, Event, Instant, Obis, Quality, Quantity, Register, Unit, Value};
use smol_str::{SmolStr, format_smolstr};

/// This many values that go on from each other are the new level.
const SETTLED: usize = 3;
/// So many counters are followed.
const COUNTERS: usize = 128;
const WEEK: i64 = 7 * 86_400;

#[derive(Debug)]
pub(super) struct Counters {
    replaced: Rule,
    rollover: Rule,
    lower: Rule,
    changed: Rule,
    jump: Rule,
    tariffs: Rule,
    frozen: Rule,
    /// The most power that is believed, in watts.
    most: i64,
    tracks: Vec<Track>,
    serials: Vec<(Obis, SmolStr)>,
    drift: [Drift; 2],
    still: Machine,
    before: [Option<Decimal>; 2],
}

/// One counter at one resolution.
#[derive(Debug)]
struct Track {
    code: Obis,
    unit: Unit,
    exponent: i8,
    /// How many digits stand before the point, the most seen; 0 where it comes as a binary number.
    digits: u8,
    good: (Instant, i64),
    doubtful: Vec<(Instant, i64)>,
}

/// How far the total is from the sum of its tariffs, since the week began.
#[derive(Debug, Default, Clone, Copy)]
struct Drift {
    week: i64,
    count: u8,
    base: Option<Decimal>,
    is_told: bool,
}

/// What one reading shows of a direction.
#[derive(Debug, Default, Clone, Copy)]
struct Tariffs {
    total: Option<Decimal>,
    sum: Option<Decimal>,
    count: u8,
}

impl Counters {
    pub(super) fn new(rules: &Rules) -> Self {
        let jump = rules.get("saut_index");
        let fuse = rules.get("seuil_courant").threshold;
        let default = Rules::default().get("saut_index").limit();
        // 1.5 times three phases of the fuse at 230 V, where the fuse is known and nobody said otherwise.
        let by_fuse = fuse.filter(|_| jump.limit() == default).map(|fuse| fuse.to_f64() * 1035.0);
        let most = by_fuse.unwrap_or_else(|| jump.limit().to_f64());
        Self {
            replaced: rules.get("compteur_remplace"),
            rollover: rules.get("retour_a_zero"),
            lower: rules.get("compteur_recule"),
            changed: rules.get("index_modifie"),
            tariffs: rules.get("tarif_incoherent"),
            frozen: rules.get("index_fige"),
            // A limit, no value: it is compared as a whole number.
            #[allow(clippy::cast_possible_truncation)]
            most: most as i64,
            jump,
            tracks: Vec::new(),
            serials: Vec::new(),
            drift: [Drift::default(); 2],
            still: Machine::new(Side::Above, Hold::seconds(rules.get("index_fige").hold(), 0)),
            before: [None; 2],
        }
    }

    pub(super) fn push(&mut self, seen: &mut Seen<'_>, found: &mut Vec<Finding>) {
        if seen.reading.quality == Quality::Bad {
            return;
        }
        self.identity(seen, found);
        let mut tariffs = [Tariffs::default(); 2];
        for register in &seen.reading.registers {
            let Some(obis) = register.code.obis() else { continue };
            let [1, _, c, 8, e @ ..=63, 255] = obis.octets() else { continue };
            if !matches!(c, 1..=10 | 15 | 21 | 22 | 41 | 42 | 61 | 62) {
                continue;
            }
            let (Some(value), Some(unit)) = (register.as_number(), register.unit.filter(|unit| is_energy(*unit)))
            else {
                continue;
            };
            if !self.counter(obis, unit, value, register.width, seen.at, found) {
                seen.is_good = false;
            }
            if let Some(tariffs) = tariffs.get_mut(usize::from(c).wrapping_sub(1)) {
                tariffs.take(e, register);
            }
        }
        if !seen.is_good {
            return;
        }
        for (index, tariffs) in tariffs.into_iter().enumerate().filter(|(_, tariffs)| tariffs.count > 0) {
            self.compare(index, tariffs, seen.at, found);
        }
        self.stillness(seen, found);
    }

    /// Whether it is still the same meter.
    fn identity(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        for register in &seen.reading.registers {
            let Some(code) = serial_code(&register.code) else { continue };
            let Some(text) = identifier(register) else { continue };
            match self.serials.iter_mut().find(|(known, _)| *known == code) {
                Some((_, known)) if *known == text => {}
                Some((_, known)) => {
                    let was = std::mem::replace(known, text.clone());
                    self.tracks.clear();
                    self.drift = [Drift::default(); 2];
                    self.before = [None; 2];
                    let text = format!("Compteur remplacé : {was} devient {text}");
                    let event = Event { code: Some(code.key()), ..bare(&self.replaced, seen.at, text) };
                    // The others name the same change.
                    self.serials.retain(|(known, _)| *known == code);
                    tell(found, &self.replaced, event);
                    return;
                }
                None => self.serials.push((code, text)),
            }
        }
    }

    /// Follows a counter, and says whether its value can be believed.
    fn counter(
        &mut self,
        code: Obis,
        unit: Unit,
        value: Decimal,
        width: u8,
        at: Instant,
        found: &mut Vec<Finding>,
    ) -> bool {
        let (mantissa, exponent) = (value.mantissa(), value.exponent());
        let point = u8::from(exponent < 0).saturating_add(exponent.min(0).unsigned_abs());
        let digits = width.saturating_sub(point);
        let same = |track: &Track| track.code == code && track.exponent == exponent && track.unit == unit;
        let Some(index) = self.tracks.iter().position(same) else {
            if self.tracks.len() < COUNTERS {
                let good = (at, mantissa);
                self.tracks.push(Track { code, unit, exponent, digits, good, doubtful: Vec::new() });
            }
            return true;
        };
        let most = self.most;
        let track = &mut self.tracks[index];
        track.digits = track.digits.max(digits);
        let (before, old) = track.good;
        let time = at.unix_micros().saturating_sub(before.unix_micros());
        if mantissa >= old && track.allows(mantissa.saturating_sub(old), time, most) {
            track.good = (at, mantissa);
            track.doubtful.clear();
            return true;
        }
        if mantissa == old.saturating_sub(1) {
            // Rounding between two kinds of telegram.
            return true;
        }
        if mantissa < old
            && track.doubtful.is_empty()
            && let Some(step) = track.wrapped(mantissa).filter(|step| track.allows(*step, time, most))
        {
            track.good = (at, mantissa);
            let text = format_smolstr!(
                "Retour à zéro de l'index {} : {} puis {}, consommation {}",
                code.key(),
                track.shown(old),
                track.shown(mantissa),
                track.shown(step)
            );
            let event = track.event(&self.rollover, at, Some(track.normal(step)), text);
            tell(found, &self.rollover, event);
            return true;
        }
        let first = track.doubtful.is_empty();
        let goes_on = |&(before, value): &(Instant, i64)| {
            mantissa >= value
                && track.allows(
                    mantissa.saturating_sub(value),
                    at.unix_micros().saturating_sub(before.unix_micros()),
                    most,
                )
        };
        if !track.doubtful.last().is_some_and(goes_on) {
            track.doubtful.clear();
        }
        track.doubtful.push((at, mantissa));
        if first {
            let event = if mantissa < old {
                let text = format_smolstr!(
                    "Index {} en recul : {} après {}",
                    code.key(),
                    track.shown(mantissa),
                    track.shown(old)
                );
                let event = track.event(&self.lower, at, Some(track.normal(mantissa)), text);
                (&self.lower, Event { threshold: Some(track.normal(old)), ..event })
            } else {
                let watts = track.watts(mantissa.saturating_sub(old), time);
                let text = format_smolstr!(
                    "Saut de l'index {} : de {} à {}, soit {} kW en moyenne",
                    code.key(),
                    track.shown(old),
                    track.shown(mantissa),
                    words::number(watts.shifted(-3).unwrap_or(watts), 1)
                );
                let event = track.event(&self.jump, at, Some(watts), text);
                let unit = Some(SmolStr::new_static("W"));
                (&self.jump, Event { unit, threshold: Some(Decimal::from(most)), ..event })
            };
            tell(found, event.0, event.1);
        }
        if track.doubtful.len() == SETTLED {
            let since = track.doubtful.first().map_or(at, |(since, _)| *since);
            track.doubtful.clear();
            track.good = (at, mantissa);
            if mantissa < old {
                let text = format_smolstr!("Index {} modifié : il continue à {}", code.key(), track.shown(mantissa));
                let event = track.event(&self.changed, since, Some(track.normal(mantissa)), text);
                tell(found, &self.changed, Event { threshold: Some(track.normal(old)), ..event });
            }
            return true;
        }
        false
    }

    /// Total against tariffs.
    fn compare(&mut self, index: usize, tariffs: Tariffs, at: Instant, found: &mut Vec<Finding>) {
        let Some(apart) = tariffs.total.zip(tariffs.sum).and_then(|(total, sum)| total.checked_sub(sum)) else {
            return;
        };
        let Some(drift) = self.drift.get_mut(index) else { return };
        // 1970 began on a Thursday.
        let week = (at.unix_seconds() + 3 * 86_400).div_euclid(WEEK);
        if drift.week != week || drift.count != tariffs.count || drift.base.is_none() {
            *drift = Drift { week, count: tariffs.count, base: Some(apart), is_told: false };
            return;
        }
        let Some(drifted) = drift.base.and_then(|base| apart.checked_sub(base)) else { return };
        if drifted.abs() > self.tariffs.limit() && !drift.is_told {
            drift.is_told = true;
            let code = Obis::electricity(u8::try_from(index + 1).unwrap_or(1), 8, 0);
            let text = format!(
                "Le total {} et la somme de ses tarifs se sont écartés de {} kWh",
                code.key(),
                words::number(drifted, 3)
            );
            let event = Event {
                value: Some(drifted),
                unit: Some(SmolStr::new_static("kWh")),
                code: Some(code.key()),
                threshold: self.tariffs.threshold,
                ..bare(&self.tariffs, at, text)
            };
            tell(found, &self.tariffs, event);
        }
    }

    /// Whether energy stands still while power flows.
    fn stillness(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let told = |episode: &Episode| {
            let power = words::number(episode.extreme, 0);
            let text = words::episode(&format!("Index figé alors que la puissance atteint {power} W"), episode);
            let code = (None, Some(Column::EnergyImport.register()));
            of_episode(&self.frozen, episode, code, self.frozen.limit(), text)
        };
        if seen.broken
            && let Some(episode) = self.still.cut()
        {
            tell(found, &self.frozen, told(&episode));
        }
        let energies = [Column::EnergyImport, Column::EnergyExport].map(|column| seen.good(column));
        let (Some(_), Some(power)) = (energies[0], seen.good(Column::PowerTotal)) else { return };
        let stands = energies == std::mem::replace(&mut self.before, energies);
        let verdict = if stands && power.abs() > self.frozen.limit() { Verdict::Out } else { Verdict::In };
        if let Some(episode) = self.still.push(Look::at(seen.at, power.abs(), verdict)) {
            tell(found, &self.frozen, told(&episode));
        }
    }
}

impl Tariffs {
    fn take(&mut self, e: u8, register: &Register) {
        let Some((value, _)) = register.normalised() else { return };
        if e == 0 {
            self.total.get_or_insert(value);
        } else {
            self.count += 1;
            self.sum = self.sum.unwrap_or(Decimal::ZERO).checked_add(value);
        }
    }
}

impl Track {
    /// Whether it can run on by `step` in so many microseconds. Two last digits are always granted.
    fn allows(&self, step: i64, micros: i64, most: i64) -> bool {
        if step <= 2 {
            return true;
        }
        match self.sides(step) {
            Some((energy, power)) => {
                let allowed =
                    i128::from(most).checked_mul(i128::from(micros.max(0))).and_then(|a| a.checked_mul(power));
                allowed.is_none_or(|allowed| energy <= allowed)
            }
            None => false,
        }
    }

    /// A step as energy in watt-microseconds, and what the other side has to be multiplied by.
    fn sides(&self, step: i64) -> Option<(i128, i128)> {
        let kwh = i32::from(self.exponent) + i32::from(self.unit.normal().1);
        let energy = i128::from(step).checked_mul(3_600_000_000_000)?;
        let power = 10i128.checked_pow(kwh.unsigned_abs())?;
        if kwh < 0 { Some((energy, power)) } else { Some((energy.checked_mul(power)?, 1)) }
    }

    fn watts(&self, step: i64, micros: i64) -> Decimal {
        let mean = self.sides(step).map(|(energy, power)| divided(energy, (i128::from(micros.max(1))) * power));
        Decimal::from(mean.and_then(|mean| i64::try_from(mean).ok()).unwrap_or(i64::MAX))
    }

    /// The step over the top of the digits, where the old value was near it and the new one is near zero.
    fn wrapped(&self, new: i64) -> Option<i64> {
        let old = self.good.1;
        let decimals = u32::from(self.exponent.min(0).unsigned_abs());
        let by_digits = 10i64.checked_pow(u32::from(self.digits) + decimals).filter(|_| self.digits > 0);
        let by_binary = [1 << 32, 10i64.checked_pow(old.max(1).ilog10() + 1)?];
        let tops = if self.digits > 0 { [by_digits, None] } else { by_binary.map(Some) };
        tops.into_iter().flatten().find_map(|top| {
            let near = i128::from(old) * 10 > i128::from(top) * 9 && i128::from(new) * 10 < i128::from(top);
            (near && old < top).then(|| new.saturating_add(top - old))
        })
    }

    /// A mantissa as energy in kWh or its like.
    fn normal(&self, mantissa: i64) -> Decimal {
        let value = Decimal::new(mantissa, self.exponent);
        value.shifted(self.unit.normal().1).unwrap_or(value)
    }

    fn shown(&self, mantissa: i64) -> String {
        let unit = self.unit.normal().0.symbol();
        format!("{} {unit}", self.normal(mantissa).to_string().replace('.', ","))
    }

    fn event(&self, rule: &Rule, at: Instant, value: Option<Decimal>, text: SmolStr) -> Event {
        let unit = Some(self.unit.normal().0.symbol());
        Event { value, unit, code: Some(self.code.key()), ..bare(rule, at, text) }
    }
}

fn is_energy(unit: Unit) -> bool {
    matches!(unit.quantity(), Quantity::ActiveEnergy | Quantity::ReactiveEnergy | Quantity::ApparentEnergy)
}

/// The code, where a serial number or the id of the meter stands under it.
fn serial_code(code: &Code) -> Option<Obis> {
    let obis = match code {
        Code::Obis(obis) => *obis,
        Code::Named(name) if name.contains("C.1.") => code.resolved()?,
        Code::Named(_) => return None,
    };
    matches!(
        obis.octets(),
        [0, 0, 96, 1, 0 | 1, 255] | [1, 0, 96, 1, 0, 255] | [1, 0, 0, 0, 0 | 9, 255] | [0, 0, 42, 0, 0, 255]
    )
    .then_some(obis)
}

/// An identifier as text.
fn identifier(register: &Register) -> Option<SmolStr> {
    if let Some(text) = register.as_text().map(SmolStr::new).or_else(|| register.sent_text()) {
        return Some(text).filter(|text| !text.is_empty());
    }
    match &register.value {
        Value::Octets(octets) if !octets.is_empty() => {
            Some(octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into())
        }
        Value::Number(number) => Some(format_smolstr!("{number}")),
        _ => None,
    }
}
