//! `POST /api/events` and `POST /api/data`: what others report, checked before it is kept.

use super::app::Question;
use super::events::write_event;
use super::failure::Failure;
use super::reply::Reply;
use crate::document::{Exact, Filed};
use crate::reading::{Code, Decimal, Event, Instant, MeterId, Origin, Severity};
use crate::store::{Entry, EventQuery, Store};
use axum::http::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// So many readings at once.
const MAX_READINGS: usize = 10_000;

/// The store, opened for writing. It is never made here.
fn writable(question: &Question<'_>) -> Result<Store, Failure> {
    let path = &question.app.settings.store;
    if !path.exists() {
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "La base n'est plus là"));
    }
    Ok(Store::create(path)?)
}

/// What serde says, with the key it names.
fn refused(error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    let names_key = said.starts_with("missing field") || said.starts_with("unknown field");
    let key = said.split('`').nth(1).filter(|_| names_key).map(str::to_owned);
    let message = format!("Corps illisible : {said}");
    Failure { status: StatusCode::BAD_REQUEST, message, parameter: key.map(Into::into) }
}

/// An incident as it is reported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    timestamp: Option<String>,
    r#type: String,
    severite: Option<String>,
    description: String,
    valeur: Option<Number>,
    unite: Option<String>,
    code_obis: Option<String>,
    seuil: Option<Number>,
    fin: Option<String>,
    duree_s: Option<Number>,
    phase: Option<Number>,
    compteur: Option<String>,
}

/// A number of a report, as written.
#[derive(Debug, Deserialize)]
struct Number(Exact);

/// Nine digits before the point and nine behind it: no meter has more, and no sum of them overflows.
fn is_reasonable(value: Decimal) -> bool {
    let finer = u32::from(value.exponent().saturating_add(9).min(0).unsigned_abs());
    let is_fine_enough = 10i64.checked_pow(finer).map_or(value.is_zero(), |power| value.mantissa() % power == 0);
    value.abs() <= Decimal::from(1_000_000_000) && is_fine_enough
}

impl Number {
    fn value(self, name: &'static str) -> Result<Decimal, Failure> {
        let Self(Exact(number)) = self;
        let refuse = || Failure::parameter(name, "doit avoir neuf chiffres avant la virgule et neuf après, au plus");
        if is_reasonable(number) { Ok(number) } else { Err(refuse()) }
    }

    /// A whole number between two others.
    fn whole(self, name: &'static str, low: i64, high: i64) -> Result<i64, Failure> {
        let Self(Exact(number)) = self;
        let number = super::params::whole(number).filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| Failure::parameter(name, format!("doit être un entier de {low} à {high}")))
    }
}

fn moment(name: &'static str, text: &str) -> Result<Instant, Failure> {
    let at = Instant::parse_utc(text).ok().filter(|at| super::EVER.contains(&at.unix_seconds()));
    at.ok_or_else(|| Failure::parameter(name, "doit être une date RFC 3339, comme 2025-11-07T14:30:00Z"))
}

fn short(name: &'static str, text: Option<String>, most: usize) -> Result<Option<String>, Failure> {
    match text {
        Some(text) if text.chars().count() > most => {
            Err(Failure::parameter(name, format!("est trop long ({most} caractères au plus)")))
        }
        Some(text) if text.contains('\0') => Err(Failure::parameter(name, "contient un caractère nul")),
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}

impl Reported {
    fn event(self, question: &Question<'_>) -> Result<Event, Failure> {
        let start = self.timestamp.as_deref().map_or(Ok(question.now), |text| moment("timestamp", text))?;
        let is_name = |text: &str| {
            (1..=50).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !is_name(&self.r#type) {
            return Err(Failure::parameter("type", "doit être un nom de 1 à 50 lettres minuscules, chiffres ou _"));
        }
        let severity = match &self.severite {
            None => Severity::Info,
            Some(word) => Severity::parse(word)
                .ok_or_else(|| Failure::parameter("severite", "doit être info, warning, error ou critical"))?,
        };
        let description = short("description", Some(self.description), 1000)?;
        let description = description.ok_or_else(|| Failure::parameter("description", "est vide"))?;
        let length = self.duree_s.map(|length| length.whole("duree_s", 0, 31_536_000)).transpose()?;
        let end = match (&self.fin, length) {
            (Some(text), _) => Some(moment("fin", text)?),
            (None, length) => length.map(|seconds| start.plus_seconds(seconds)),
        };
        if end.is_some_and(|end| end < start) {
            return Err(Failure::parameter("fin", "est avant timestamp"));
        }
        let phase = self.phase.map(|phase| phase.whole("phase", 1, 3)).transpose()?;
        let meter = match self.compteur {
            None => None,
            Some(name) => Some(known_meter(question, &name)?),
        };
        Ok(Event {
            meter,
            kind: self.r#type.into(),
            severity,
            start,
            end,
            description: description.into(),
            value: self.valeur.map(|number| number.value("valeur")).transpose()?,
            unit: short("unite", self.unite, 10)?.map(Into::into),
            code: short("code_obis", self.code_obis, 20)?.map(Into::into),
            threshold: self.seuil.map(|number| number.value("seuil")).transpose()?,
            phase: phase.and_then(|phase| u8::try_from(phase).ok()),
            origin: Origin::Person,
        })
    }
}

/// A name that an archive's files can carry anywhere.
fn identifier(name: &str) -> Option<MeterId> {
    MeterId::new(name).filter(|meter| meter.as_str() == name && name.is_ascii())
}

fn known_meter(question: &Question<'_>, name: &str) -> Result<MeterId, Failure> {
    let named = identifier(name);
    let named = named.ok_or_else(|| Failure::parameter("compteur", "n'est pas un identifiant de compteur"))?;
    question.reader.store.find_meter(&named)?.ok_or_else(|| Failure {
        status: StatusCode::NOT_FOUND,
        ..Failure::parameter("compteur", format!("{named} est inconnu"))
    })
}

/// `POST /api/events`.
pub(super) fn event(question: &Question<'_>) -> Result<Reply, Failure> {
    let reported: Reported = serde_json::from_slice(question.body).map_err(|error| refused(&error))?;
    let event = reported.event(question)?;
    let mut store = writable(question)?;
    let put = store.put_events(std::slice::from_ref(&event))?;
    let query = EventQuery {
        meter: event.meter.clone(),
        period: Some(event.start..Instant::from_unix_micros(event.start.unix_micros().saturating_add(1))),
        kinds: vec![event.kind.clone()],
        origin: Some(Origin::Person),
        ..EventQuery::default()
    };
    let same = |event: &Event, other: &Event| {
        (event.start, &event.meter, event.phase) == (other.start, &other.meter, other.phase)
    };
    let kept = store.events(&query)?.into_iter().find(|kept| same(&kept.event, &event));
    let kept = kept.ok_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "L'événement n'a pas été gardé"))?;
    let mut out = format!("{{\"ajoute\":{},\"evenement\":", !put.added.is_empty());
    write_event(&mut out, kept.id, &kept.event);
    out.push('}');
    let status = if put.added.is_empty() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Reply::json(out).with_status(status).of_the_moment())
}

/// Readings as they are sent: one, several, or several of a meter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    compteur: Option<String>,
    mesures: Vec<Filed>,
    #[serde(default)]
    unites: BTreeMap<String, String>,
}

impl Sent {
    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let many = |mesures| Self { compteur: None, mesures, unites: BTreeMap::new() };
        let read = match first {
            Some(b'[') => serde_json::from_slice(body).map(many),
            _ => serde_json::from_slice(body).or_else(|error| {
                // One reading by itself has a time of its own.
                serde_json::from_slice::<Filed>(body).map(|one| many(vec![one])).map_err(|_| error)
            }),
        };
        read.map_err(|error| refused(&error))
    }
}

/// `POST /api/data`.
pub(super) fn data(question: &Question<'_>) -> Result<Reply, Failure> {
    let Sent { compteur, mesures, unites } = Sent::parse(question.body)?;
    if mesures.len() > MAX_READINGS {
        return Err(Failure::parameter("mesures", format!("a plus de {MAX_READINGS} mesures")));
    }
    if compteur.as_deref().is_some_and(|name| identifier(name).is_none()) {
        return Err(Failure::parameter("compteur", "n'est pas un identifiant de compteur"));
    }
    let latest = question.now.plus_seconds(86_400);
    let mut entries = Vec::with_capacity(mesures.len());
    let (mut default, mut empty) = (None, 0u32);
    for (index, filed) in mesures.iter().enumerate() {
        let at = moment("timestamp", &filed.timestamp)?;
        if at > latest {
            let now = question.now;
            let why = format!("{at} (mesure {index}) est à plus d'un jour dans l'avenir ; ici il est {now}");
            return Err(Failure { status: StatusCode::CONFLICT, ..Failure::parameter("timestamp", why) });
        }
        if filed.numbers.0.is_empty() {
            empty += 1;
            continue;
        }
        for key in filed.numbers.0.iter().map(|(key, _)| key).chain(filed.texts.keys()) {
            let (code, _) = crate::document::register_of_key(key, None);
            if !matches!(code, Code::Obis(_)) {
                return Err(Failure::parameter(
                    "valeurs",
                    format!("ne connaît pas {} (mesure {index})", super::data::quoted(key)),
                ));
            }
        }
        if let Some((key, _)) = filed.numbers.0.iter().find(|(_, Exact(value))| !is_reasonable(*value)) {
            let why =
                format!("{key} doit avoir neuf chiffres avant la virgule et neuf après, au plus (mesure {index})");
            return Err(Failure::parameter("valeurs", why));
        }
        if let Some(word) = filed.quality.as_deref().filter(|word| crate::reading::Quality::parse(word).is_none()) {
            let why = format!("{} n'est pas good, suspect ou bad", super::data::quoted(word));
            return Err(Failure::parameter("qualite", why));
        }
        let named = filed.meter.as_deref().or(compteur.as_deref());
        let meter = match named {
            Some(name) => {
                let meter = identifier(name);
                let meter =
                    meter.ok_or_else(|| Failure::parameter("compteur", "n'est pas un identifiant de compteur"))?;
                // An alias stands for its meter.
                question.reader.store.find_meter(&meter)?.unwrap_or(meter)
            }
            None => match &default {
                Some(meter) => MeterId::clone(meter),
                None => {
                    let meter = question.meter()?.ok_or_else(|| Failure::parameter("compteur", "manque"))?;
                    default.insert(meter).clone()
                }
            },
        };
        let source = filed.source.clone().unwrap_or_else(|| "import".to_owned());
        let source = short("source", Some(source), 50)?.unwrap_or_else(|| "import".to_owned());
        let mut reading = filed.reading(&unites);
        reading.meter = Some(meter.clone());
        entries.push(Entry { meter, at, source, reading, derived: true });
    }
    let done = if entries.is_empty() { Default::default() } else { writable(question)?.insert(&entries)? };
    let body = format!("{{\"nb_ajoutees\":{},\"nb_connues\":{},\"nb_vides\":{empty}}}", done.added, done.known);
    let status = if done.added > 0 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::json(body).with_status(status).of_the_moment())
}
