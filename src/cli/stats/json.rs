//! The JSON of an analysis, `releve.stats/1`: a row a line.

use super::fields::{Cell, Chosen, Field, fields, step};
use super::versus::Compared;
use crate::analyse::{Analysis, Breach, Row, Wanted};
use crate::reading::{Instant, MeterId, Zone};
use crate::store::Break;
use serde_json::json;
use std::ops::Range;

const UNITS: &str =
    r#"{"energie":"kWh","puissance":"W","tension":"V","courant":"A","frequence":"Hz","desequilibre":"%"}"#;

/// The document of a meter; `None` where there is nothing to tell.
pub(super) fn document(
    meter: &MeterId,
    zone: Zone,
    found: Option<(&Analysis, Wanted)>,
    chosen: &Chosen,
    compared: Option<&Compared>,
) -> String {
    let mut text = format!(
        "{{\n  \"schema\": \"releve.stats/1\",\n  \"compteur\": {},\n  \"fuseau\": {},\n",
        json!(meter.as_str()),
        json!(zone.name())
    );
    let Some((analysis, wanted)) = found else {
        text.push_str("  \"periodes\": []\n}\n");
        return text;
    };
    text.push_str(&format!("  \"pas\": \"{}\",\n  \"unites\": {UNITS},\n", step(analysis.calendar)));
    text.push_str(&format!("  \"ensemble\": {},\n", row(&analysis.whole, analysis, wanted, chosen)));
    text.push_str("  \"periodes\": [");
    for (index, one) in analysis.rows.iter().enumerate() {
        text.push_str(if index == 0 { "\n    " } else { ",\n    " });
        text.push_str(&row(one, analysis, wanted, chosen));
    }
    text.push_str("\n  ]");
    if !analysis.breaks.is_empty() {
        let all: Vec<_> = analysis.breaks.iter().map(|breach| breach_json(breach, zone)).collect();
        text.push_str(&format!(",\n  \"ruptures\": {}", json!(all)));
    }
    if let Some(curve) = &analysis.curve {
        let levels: Vec<String> =
            curve.iter().map(|level| format!("[{},{}]", super::curve::share(level.share), level.power)).collect();
        text.push_str(&format!(",\n  \"courbe\": [{}]", levels.join(",")));
    }
    if let Some(compared) = compared {
        text.push_str(&format!(",\n  \"comparaison\": {}", compared.json(zone)));
    }
    text.push_str("\n}\n");
    text
}

/// A row on one line.
fn row(row: &Row, analysis: &Analysis, wanted: Wanted, chosen: &Chosen) -> String {
    let mut fields = fields(row, analysis, wanted);
    if std::ptr::eq(row, &raw const analysis.whole) {
        fields.retain(|field| field.key != "libelle");
    }
    object(&row.period, analysis.zone, &chosen.of(fields))
}

/// A period and its fields, groups as objects of their own.
fn object(period: &Range<Instant>, zone: Zone, fields: &[Field]) -> String {
    let mut text = format!("{{\"periode\":{}", period_json(period, zone));
    let mut written: Vec<&str> = Vec::new();
    for field in fields {
        if field.group.is_empty() {
            text.push_str(&format!(",{}:{}", json!(field.key), cell(&field.cell)));
        } else if !written.contains(&field.group) {
            written.push(field.group);
            let inner = fields.iter().filter(|other| other.group == field.group);
            let inner: Vec<String> = inner.map(|field| format!("{}:{}", json!(field.key), cell(&field.cell))).collect();
            text.push_str(&format!(",{}:{{{}}}", json!(field.group), inner.join(",")));
        }
    }
    text.push('}');
    text
}

pub(super) fn period_json(period: &Range<Instant>, zone: Zone) -> String {
    format!("{{\"debut\":\"{}\",\"fin\":\"{}\"}}", period.start.in_zone(zone), period.end.in_zone(zone))
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => json!(text).to_string(),
        Cell::Nothing => String::from("null"),
        other => other.text(),
    }
}

fn breach_json(breach: &Breach, zone: Zone) -> serde_json::Value {
    json!({ "obis": breach.register.to_string(), "instant": breach.at.in_zone(zone), "raison": reason(breach.why) })
}

/// The words that `meters segments` has, too.
const fn reason(why: Break) -> &'static str {
    match why {
        Break::Rollover { .. } => "retour_a_zero",
        Break::Lower => "compteur_recule",
        Break::Higher => "saut_index",
        Break::Said => "compteur_remplace",
    }
}
