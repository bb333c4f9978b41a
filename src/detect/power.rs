//! Power, current, frequency and power factor.

use super::Finding;
use super::exact::divided;
use super::machine::{Episode, Hold, Look, Machine, Side};
use super::means::{Mean, Means};
use super::rules::{Rule, Rules};
use super::seen::{CURRENTS, Seen, bare, of_episode, phase_number, tell};
use super::words;
use crate::reading::{Column, Decimal, Event, Instant, Obis};
use smol_str::SmolStr;

#[derive(Debug)]
pub(super) struct Power {
    peak: (Rule, Machine),
    contract: (Rule, Means, Machine),
    month: (Rule, Option<Decimal>),
    direction: Direction,
    factor: (Rule, Means, Machine),
    fuse: (Rule, [Machine; 3]),
    /// What the meter says its fuse and its contract are.
    of_meter: (Option<Decimal>, Option<Decimal>),
    unbalance: (Rule, Means, Machine),
    frequency: Frequency,
}

#[derive(Debug)]
struct Direction {
    rule: Rule,
    /// Whether energy flows out; `None` before that is known.
    out: Option<bool>,
    turned: Option<Instant>,
}

/// The frequency as means of ten seconds.
#[derive(Debug)]
struct Frequency {
    rule: Rule,
    machine: Machine,
    window: i64,
    sum: i128,
    count: i128,
    /// Which limit was crossed.
    limit: Decimal,
    extreme: Decimal,
}

const TEN: i64 = 10_000_000;
const NOMINAL: Decimal = Decimal::new(50, 0);

impl Power {
    pub(super) fn new(rules: &Rules) -> Self {
        let machine = |rule: &Rule, side| Machine::new(side, Hold::seconds(rule.hold(), rule.release()));
        let rule = |kind| rules.get(kind);
        let [peak, contract, factor, fuse, unbalance, frequency] = [
            "pic_puissance",
            "puissance_souscrite_depassee",
            "facteur_puissance_faible",
            "seuil_courant",
            "desequilibre_courant",
            "deviation_frequence",
        ]
        .map(rule);
        let fuses = || machine(&fuse, Side::Above);
        Self {
            peak: (peak, machine(&peak, Side::Above)),
            contract: (contract, Means::new(contract.window()), machine(&contract, Side::Above)),
            month: (rule("pointe_mensuelle"), None),
            direction: Direction { rule: rule("changement_sens"), out: None, turned: None },
            factor: (factor, Means::new(factor.window()), machine(&factor, Side::Below)),
            fuse: (fuse, [fuses(), fuses(), fuses()]),
            of_meter: (None, None),
            unbalance: (unbalance, Means::new(unbalance.window()), machine(&unbalance, Side::Above)),
            frequency: Frequency {
                rule: frequency,
                machine: machine(&frequency, Side::Above),
                window: i64::MIN,
                sum: 0,
                count: 0,
                limit: NOMINAL,
                extreme: NOMINAL,
            },
        }
    }

    pub(super) fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let power = seen.good(Column::PowerTotal);
        let code = power_code(seen);
        self.registers(seen, found);
        self.peak(seen, power, code, found);
        self.contract(seen, power, code, found);
        if let Some(power) = power {
            self.direction.push(seen, power, code, found);
        }
        self.factor(seen, power, found);
        self.fuses(seen, found);
        self.unbalance(seen, found);
        self.frequency.push(seen, found);
    }

    /// Fuse, limiter and the month's maximum, which the meter sends itself.
    fn registers(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        if !seen.is_good {
            return;
        }
        for register in &seen.reading.registers {
            match register.code.obis().map(Obis::octets) {
                Some([1, 0, 31, 4, 0, 255]) => self.of_meter.0 = register.normalised().map(|(amps, _)| amps),
                Some([0, 0, 17, 0, 0, 255]) => self.of_meter.1 = register.normalised().map(|(watts, _)| watts),
                Some([1, 0, 1, 6, 0, 255]) => {
                    let Some((value, _)) = register.normalised() else { continue };
                    let (rule, before) = &mut self.month;
                    if before.replace(value).is_some_and(|before| value > before) {
                        let text = format!("Nouvelle pointe du mois : {} W", words::number(value, 0));
                        let event = Event {
                            value: Some(value),
                            unit: Some(SmolStr::new_static("W")),
                            code: Some(SmolStr::new_static("1-0:1.6.0")),
                            ..bare(rule, seen.at, text)
                        };
                        tell(found, rule, event);
                    }
                }
                _ => {}
            }
        }
    }

    fn peak(&mut self, seen: &Seen<'_>, power: Option<Decimal>, code: Obis, found: &mut Vec<Finding>) {
        let (rule, machine) = &mut self.peak;
        let told = |episode: &Episode| {
            let (value, limit) = (words::number(episode.extreme, 0), words::number(rule.limit(), 0));
            let text = words::episode(&format!("Pic de puissance : {value} W (limite {limit} W)"), episode);
            of_episode(rule, episode, (None, Some(code)), rule.limit(), text)
        };
        let cut = if seen.broken { machine.cut() } else { None };
        let looked = power.and_then(|power| {
            machine.push(Look::at(seen.at, power, Side::Above.judge(power, rule.limit(), rule.margin())))
        });
        for episode in cut.iter().chain(&looked) {
            tell(found, rule, told(episode));
        }
    }

    /// The mean of a quarter of an hour against the contract.
    fn contract(&mut self, seen: &Seen<'_>, power: Option<Decimal>, code: Obis, found: &mut Vec<Finding>) {
        let (rule, means, machine) = &mut self.contract;
        let mean = means.push(seen.at, power);
        let Some(limit) = rule.threshold.or(self.of_meter.1).filter(|limit| !limit.is_zero()) else { return };
        let told = |episode: &Episode| {
            let (value, limit_text) = (words::number(episode.extreme, 0), words::number(limit, 0));
            let what = format!(
                "Puissance souscrite dépassée : {value} W en moyenne sur {} (limite {limit_text} W)",
                words::length(rule.window())
            );
            of_episode(rule, episode, (None, Some(code)), limit, words::episode(&what, episode))
        };
        let looked = mean.and_then(|mean| machine.push(look_at(&mean, Side::Above, limit, Decimal::ZERO)));
        let cut = if seen.broken { machine.cut() } else { None };
        for episode in looked.iter().chain(&cut) {
            tell(found, rule, told(episode));
        }
    }

    fn factor(&mut self, seen: &Seen<'_>, power: Option<Decimal>, found: &mut Vec<Finding>) {
        let (rule, means, machine) = &mut self.factor;
        if !rule.on {
            return;
        }
        let is_loaded = power.zip(rule.low).is_some_and(|(power, low)| power.abs() > low);
        let factor = seen.good(Column::PowerFactor).filter(|_| is_loaded).map(Decimal::abs);
        let mean = means.push(seen.at, factor);
        let looked = mean.and_then(|mean| machine.push(look_at(&mean, Side::Below, rule.limit(), rule.margin())));
        let cut = if seen.broken { machine.cut() } else { None };
        for episode in looked.iter().chain(&cut) {
            let (value, limit) = (words::number(episode.extreme, 3), words::number(rule.limit(), 3));
            let text = words::episode(&format!("Facteur de puissance faible : {value} (limite {limit})"), episode);
            let code = Some(Column::PowerFactor.register());
            tell(found, rule, Event { unit: None, ..of_episode(rule, episode, (None, code), rule.limit(), text) });
        }
    }

    fn fuses(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let (rule, machines) = &mut self.fuse;
        let Some(limit) = rule.threshold.or(self.of_meter.0).filter(|limit| !limit.is_zero()) else { return };
        let grave = rule.severe.and_then(|percent| {
            let mantissa = limit.mantissa().checked_mul(percent.mantissa())?;
            Decimal::new(mantissa, limit.exponent().checked_add(percent.exponent())?).shifted(-2)
        });
        for (index, (machine, amps)) in machines.iter_mut().zip(seen.phases(CURRENTS)).enumerate() {
            let cut = if seen.broken { machine.cut() } else { None };
            let looked = amps.and_then(|amps| {
                let verdict = Side::Above.judge(amps, limit, rule.margin_of(limit));
                let is_grave = grave.is_some_and(|grave| amps > grave);
                machine.push(Look { is_grave, ..Look::at(seen.at, amps, verdict) })
            });
            let number = phase_number(index);
            for episode in cut.iter().chain(&looked) {
                let (value, limit_text) = (words::number(episode.extreme, 1), words::number(limit, 1));
                let what = format!("Courant{} : {value} A (calibre {limit_text} A)", words::phase(number));
                let code = (number, Some(CURRENTS[index].register()));
                tell(found, rule, of_episode(rule, episode, code, limit, words::episode(&what, episode)));
            }
        }
    }

    fn unbalance(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let (rule, means, machine) = &mut self.unbalance;
        let spread = match seen.phases(CURRENTS) {
            [Some(a), Some(b), Some(c)] => a.max(b).max(c).checked_sub(a.min(b).min(c)),
            _ => None,
        };
        let mean = means.push(seen.at, spread);
        let looked = mean.and_then(|mean| machine.push(look_at(&mean, Side::Above, rule.limit(), rule.margin())));
        let cut = if seen.broken { machine.cut() } else { None };
        for episode in looked.iter().chain(&cut) {
            let (value, limit) = (words::number(episode.extreme, 1), words::number(rule.limit(), 1));
            let window = words::length(rule.window());
            let what = format!("Déséquilibre de courant : {value} A en moyenne sur {window} (limite {limit} A)");
            let code = Some(Column::CurrentL1.register());
            tell(found, rule, of_episode(rule, episode, (None, code), rule.limit(), words::episode(&what, episode)));
        }
    }
}

fn look_at(mean: &Mean, side: Side, limit: Decimal, margin: Decimal) -> Look {
    Look { until: mean.until, ..Look::at(mean.from, mean.value, side.judge(mean.value, limit, margin)) }
}

/// The register that the power is from.
fn power_code(seen: &Seen<'_>) -> Obis {
    let net = Column::PowerTotal.register();
    if seen.reading.register(net).is_some() { net } else { Obis::electricity(1, 7, 0) }
}

impl Direction {
    fn push(&mut self, seen: &Seen<'_>, power: Decimal, code: Obis, found: &mut Vec<Finding>) {
        let limit = self.rule.limit();
        let is_out = match power {
            power if power > limit => false,
            power if power.checked_neg().is_some_and(|out| out > limit) => true,
            _ => return,
        };
        if seen.broken {
            self.turned = None;
        }
        let Some(before) = self.out else {
            self.out = Some(is_out);
            return;
        };
        if before == is_out {
            self.turned = None;
            return;
        }
        let since = *self.turned.get_or_insert(seen.at);
        if words::between(since, seen.at) >= self.rule.release() {
            (self.out, self.turned) = (Some(is_out), None);
            let text =
                if is_out { "L'énergie est injectée dans le réseau" } else { "L'énergie est prise au réseau" };
            let event = Event {
                value: Some(power),
                unit: Some(SmolStr::new_static("W")),
                code: Some(code.key()),
                threshold: self.rule.threshold,
                ..bare(&self.rule, since, text)
            };
            tell(found, &self.rule, event);
        }
    }
}

impl Frequency {
    fn push(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) {
        let at = seen.at.unix_micros();
        let window = at - at.rem_euclid(TEN);
        if window != self.window && self.count > 0 {
            let millionths = divided(std::mem::take(&mut self.sum), std::mem::take(&mut self.count));
            let mean = Decimal::new(i64::try_from(millionths).unwrap_or(i64::MAX), -6);
            self.judge(Instant::from_unix_micros(self.window), mean, found);
        }
        self.window = window;
        if seen.broken
            && let Some(episode) = self.machine.cut()
        {
            self.tell(&episode, found);
        }
        if let Some(hertz) = seen.good(Column::Frequency).and_then(super::exact::millionths) {
            self.sum += i128::from(hertz);
            self.count += 1;
        }
    }

    fn judge(&mut self, from: Instant, mean: Decimal, found: &mut Vec<Finding>) {
        let rule = &self.rule;
        let Some(away) = mean.checked_sub(NOMINAL) else { return };
        let verdict = Side::Above.judge(away.abs(), rule.limit(), rule.margin());
        // 47 Hz below and 52 Hz above: a Hz less of room above.
        let grave = rule
            .severe
            .map(|severe| if away > Decimal::ZERO { severe.checked_sub(Decimal::new(1, 0)) } else { Some(severe) });
        let is_grave = grave.flatten().is_some_and(|grave| away.abs() > grave);
        let further =
            mean.checked_sub(NOMINAL).zip(self.extreme.checked_sub(NOMINAL)).is_some_and(|(a, b)| a.abs() > b.abs());
        if self.machine.is_normal() || further {
            self.extreme = mean;
            let limit = if away > Decimal::ZERO {
                NOMINAL.checked_add(rule.limit())
            } else {
                NOMINAL.checked_sub(rule.limit())
            };
            self.limit = limit.unwrap_or(NOMINAL);
        }
        let look = Look {
            until: Instant::from_unix_micros(from.unix_micros() + TEN),
            is_grave,
            ..Look::at(from, away.abs(), verdict)
        };
        if let Some(episode) = self.machine.push(look) {
            self.tell(&episode, found);
        }
    }

    fn tell(&self, episode: &Episode, found: &mut Vec<Finding>) {
        let (value, limit) = (words::number(self.extreme, 3), words::number(self.limit, 3));
        let text = words::episode(&format!("Déviation de fréquence : {value} Hz (limite {limit} Hz)"), episode);
        let episode = Episode { extreme: self.extreme, ..*episode };
        let code = Some(Column::Frequency.register());
        tell(found, &self.rule, of_episode(&self.rule, &episode, (None, code), self.limit, text));
    }
}
