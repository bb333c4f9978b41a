//! The fields of a row: names, order and values, the same in every machine format.

use crate::analyse::{Analysis, Energies, Row, Spread, Wanted};
use crate::cli::failure::{self, Failure};
use crate::cli::words::tr;
use crate::reading::{Calendar, Decimal, Instant, Zone};

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Number(Decimal),
    Count(i64),
    Text(String),
    Yes(bool),
    Nothing,
}

/// A named value; `group` holds several under one key of the JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) group: &'static str,
    pub(super) key: String,
    pub(super) cell: Cell,
}

impl Field {
    /// Its name as a column and on the command line.
    pub(super) fn name(&self) -> String {
        if self.group.is_empty() { self.key.clone() } else { format!("{}_{}", self.group, self.key) }
    }

    pub(super) const fn number(&self) -> Option<Decimal> {
        match self.cell {
            Cell::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl From<Option<Decimal>> for Cell {
    fn from(number: Option<Decimal>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }
}

impl Cell {
    /// As plain text; nothing is empty.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Text(text) => text.clone(),
            Self::Yes(yes) => yes.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

const VOLTAGES: [&str; 3] = ["tension_l1", "tension_l2", "tension_l3"];
const CURRENTS: [&str; 3] = ["courant_l1", "courant_l2", "courant_l3"];

/// What can be asked for, and what it takes; a name stands for the whole group.
const KNOWN: [(&str, Takes); 24] = [
    ("libelle", Takes::Nothing),
    ("duree_s", Takes::Nothing),
    ("terminee", Takes::Nothing),
    ("energie_active_import", Takes::Nothing),
    ("energie_active_export", Takes::Nothing),
    ("interpole", Takes::Nothing),
    ("tarifs", Takes::Tariffs),
    ("couverture", Takes::Nothing),
    ("trous", Takes::Nothing),
    ("nb_mesures", Takes::Nothing),
    ("nb_suspectes", Takes::Nothing),
    ("ruptures", Takes::Nothing),
    ("puissance_moyenne", Takes::Nothing),
    ("puissance_active_totale", Takes::Power),
    ("demande_15min", Takes::Demand),
    ("talon", Takes::Demand),
    ("facteur_charge", Takes::Demand),
    ("autoconsommation", Takes::Surplus),
    ("tension", Takes::Quality),
    ("courant", Takes::Quality),
    ("frequence", Takes::Quality),
    ("facteur_puissance", Takes::Quality),
    ("desequilibre_tension", Takes::Quality),
    ("desequilibre_courant", Takes::Quality),
];

#[derive(Debug, Clone, Copy)]
enum Takes {
    Nothing,
    Tariffs,
    Power,
    Demand,
    Quality,
    Surplus,
}

/// What is asked for by `--fields`; nothing named is everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    names: Vec<String>,
}

/// The names of all of them.
pub(in crate::cli) fn field_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name)
}

impl Chosen {
    pub(super) fn new(names: &[String]) -> Result<Self, Failure> {
        for name in names {
            // The same figures exist of each phase.
            let is_known = |(known, _): &(&str, Takes)| name == known || name.starts_with(&format!("{known}_"));
            if !KNOWN.iter().any(is_known) {
                let near = KNOWN.iter().map(|(known, _)| (strsim::jaro_winkler(known, name), *known));
                let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8);
                let failure = Failure::new(failure::USAGE, "stats.field", tr!("there is no field '{name}'", name));
                let failure = near
                    .into_iter()
                    .fold(failure, |failure, (_, near)| failure.tip(tr!("did you mean {word}?", word = near)));
                let all: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
                return Err(failure.tip(tr!("there are: {list}", list = all.join(", "))));
            }
        }
        Ok(Self { names: names.to_vec() })
    }

    pub(super) const fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    /// What has to be found out.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for (known, takes) in KNOWN {
            let asked = |name: &String| name == known || name.starts_with(&format!("{known}_"));
            if !self.is_all() && !self.names.iter().any(asked) {
                continue;
            }
            match takes {
                Takes::Nothing => {}
                Takes::Tariffs => wanted.tariffs = true,
                Takes::Power => wanted.power = true,
                Takes::Demand => wanted.demand = true,
                Takes::Quality => wanted.quality = true,
                Takes::Surplus => wanted.surplus = true,
            }
        }
        wanted
    }

    /// Those of a row that were asked for, in the order asked.
    pub(super) fn of(&self, fields: Vec<Field>) -> Vec<Field> {
        if self.is_all() {
            return fields;
        }
        let mut chosen: Vec<Field> = Vec::new();
        for name in &self.names {
            for field in &fields {
                let own = field.name();
                let fits = own == *name || field.group == name || (field.group.starts_with(&format!("{name}_l")));
                if fits && !chosen.contains(field) {
                    chosen.push(field.clone());
                }
            }
        }
        chosen
    }
}

/// The French word for a period.
pub(super) const fn step(calendar: Calendar) -> &'static str {
    match calendar {
        Calendar::Hour => "heure",
        Calendar::Day => "jour",
        Calendar::Week => "semaine",
        Calendar::Month => "mois",
        Calendar::Year => "annee",
    }
}

/// Collects fields.
struct Fields {
    all: Vec<Field>,
}

impl Fields {
    fn put(&mut self, group: &'static str, key: impl Into<String>, cell: impl Into<Cell>) {
        self.all.push(Field { group, key: key.into(), cell: cell.into() });
    }

    fn count(&mut self, group: &'static str, key: &str, count: u64) {
        self.put(group, key, Cell::Count(i64::try_from(count).unwrap_or(i64::MAX)));
    }

    fn time(&mut self, group: &'static str, key: &str, at: Option<Instant>, zone: Zone) {
        self.put(group, key, at.map_or(Cell::Nothing, |at| Cell::Text(at.in_zone(zone))));
    }

    fn spread(&mut self, group: &'static str, spread: Option<&Spread>) {
        self.put(group, "moyenne", spread.and_then(|spread| spread.mean));
        self.put(group, "min", spread.map(|spread| spread.min));
        self.put(group, "max", spread.map(|spread| spread.max));
    }
}

/// Every field of a row that the meter has something for at all, whatever the row itself has.
pub(super) fn fields(row: &Row, analysis: &Analysis, wanted: Wanted) -> Vec<Field> {
    let whole = &analysis.whole;
    let zone = analysis.zone;
    let mut fields = Fields { all: Vec::new() };
    fields.put("", "libelle", Cell::Text(analysis.calendar.name(row.period.start, zone)));
    let seconds = (row.period.end.unix_micros() - row.period.start.unix_micros()) / 1_000_000;
    fields.put("", "duree_s", Cell::Count(seconds));
    fields.put("", "terminee", Cell::Yes(row.is_over));
    let energy = |energies: Option<Energies>| energies.map(|energies| energies.energy);
    fields.put("", "energie_active_import", energy(row.import));
    fields.put("", "energie_active_export", energy(row.export));
    let interpolated = |energies: Option<Energies>| energies.map(|energies| energies.interpolated);
    fields.put("interpole", "energie_active_import", interpolated(row.import));
    fields.put("interpole", "energie_active_export", interpolated(row.export));
    for (register, energies) in &row.tariffs {
        fields.put("tarifs", register.key(), energy(*energies));
    }
    fields.put("", "couverture", row.cover.share());
    fields.count("trous", "nombre", row.cover.holes);
    fields.put("trous", "duree_s", Cell::Count((row.cover.elapsed - row.cover.covered) / 1_000_000));
    let in_holes = |energies: Option<Energies>| energies.map(|energies| energies.in_holes);
    fields.put("trous", "energie_active_import", in_holes(row.import));
    fields.put("trous", "energie_active_export", in_holes(row.export));
    fields.count("", "nb_mesures", row.readings);
    fields.count("", "nb_suspectes", row.doubtful);
    fields.count("", "ruptures", row.breaks);
    fields.put("", "puissance_moyenne", row.mean_power);
    if wanted.power && whole.power.is_some() {
        let group = "puissance_active_totale";
        fields.spread(group, row.power.as_ref());
        fields.time(group, "min_instant", row.power.map(|power| power.min_at), zone);
        fields.time(group, "max_instant", row.power.map(|power| power.max_at), zone);
        for (index, key) in ["p50", "p95", "p99"].into_iter().enumerate() {
            fields.put(group, key, row.percentiles.and_then(|all| all.get(index).copied()));
        }
    }
    if wanted.demand {
        demand(row, whole, zone, &mut fields);
    }
    if wanted.surplus && whole.surplus.is_some() {
        fields.put("autoconsommation", "deplacable", row.surplus.map(|surplus| surplus.shiftable));
        fields.put("autoconsommation", "part_temps_export", row.surplus.and_then(|surplus| surplus.share));
    }
    if wanted.quality {
        quality(row, whole, &mut fields);
    }
    fields.all
}

fn demand(row: &Row, whole: &Row, zone: Zone, fields: &mut Fields) {
    if whole.demand.is_some() {
        fields.put("demande_15min", "max", row.demand.map(|demand| demand.power));
        fields.time("demande_15min", "debut", row.demand.map(|demand| demand.at), zone);
        let origin = |is_counted| Cell::Text(String::from(if is_counted { "compteur" } else { "puissance" }));
        fields.put("demande_15min", "origine", row.demand.map_or(Cell::Nothing, |demand| origin(demand.is_counted)));
    }
    if whole.base_load.is_some() {
        fields.put("", "talon", row.base_load);
    }
    if whole.load_factor.is_some() {
        fields.put("", "facteur_charge", row.load_factor);
    }
}

fn quality(row: &Row, whole: &Row, fields: &mut Fields) {
    let phases = row.voltages.iter().zip(&whole.voltages).zip(VOLTAGES);
    for ((voltage, _), group) in phases.filter(|((_, whole), _)| whole.is_some()) {
        fields.spread(group, voltage.as_ref());
        let share = voltage.and_then(|voltage| voltage.within).and_then(|(all, inside)| share(inside, all));
        fields.put(group, "part_10pct", share);
    }
    let phases = row.currents.iter().zip(&whole.currents).zip(CURRENTS);
    for ((current, _), group) in phases.filter(|((_, whole), _)| whole.is_some()) {
        fields.spread(group, current.as_ref());
    }
    if whole.frequency.is_some() {
        fields.spread("frequence", row.frequency.as_ref());
    }
    if whole.factor.is_some() {
        fields.spread("facteur_puissance", row.factor.as_ref());
    }
    if whole.voltage_unbalance.is_some() {
        fields.put("", "desequilibre_tension", row.voltage_unbalance);
    }
    if whole.current_unbalance.is_some() {
        fields.put("", "desequilibre_courant", row.current_unbalance);
    }
}

/// Rounded down to four decimals, so that one is all of them.
fn share(part: u64, all: u64) -> Option<Decimal> {
    let scaled = u128::from(part) * 10_000;
    Some(Decimal::new(i64::try_from(scaled.checked_div(u128::from(all))?).ok()?, -4))
}
