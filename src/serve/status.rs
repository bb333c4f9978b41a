//! What there is and how it is: `/api/stats`, `/api/meters`, `/healthz`, `/metrics`.

use super::app::Question;
use super::data::quoted;
use super::failure::Failure;
use super::measures::{newest, newest_credible};
use super::reply::Reply;
use crate::document::Values;
use crate::exchange::prometheus::{Sample, exposition};
use crate::reading::{Instant, Language, MeterId, describe};
use axum::http::StatusCode;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// `GET /api/stats`.
pub(super) fn stats(question: &Question<'_>) -> Result<Reply, Failure> {
    let meter = question.meter()?;
    let known = question.reader.store.list_meters()?;
    let known = known.into_iter().find(|known| Some(&known.identifier) == meter.as_ref());
    let extent = match &meter {
        Some(meter) => question.past().extent(meter)?,
        None => None,
    };
    let shown = |at: Option<Instant>| at.map_or_else(|| "null".to_owned(), |at| format!("\"{at}\""));
    let days = extent.map_or(0, |(first, last)| (last.unix_micros() - first.unix_micros()) / 86_400_000_000);
    Ok(Reply::json(format!(
        "{{\"nb_mesures\":{},\"date_premiere\":{},\"date_derniere\":{},\"nb_evenements\":{},\"periode_jours\":{days},\
         \"timestamp\":\"{}\",\"status\":\"online\"}}",
        known.map_or(0, |known| known.readings),
        shown(extent.map(|(first, _)| first)),
        shown(extent.map(|(_, last)| last)),
        question.reader.store.count_events()?,
        question.now,
    ))
    .of_the_moment())
}

/// `GET /api/meters`.
pub(super) fn meters(question: &Question<'_>) -> Result<Reply, Failure> {
    let mut out = String::new();
    let meters = question.reader.store.list_meters()?;
    for (index, meter) in meters.iter().enumerate() {
        let id = &meter.identifier;
        let extent = question.past().extent(id)?;
        let time = |at: Option<Instant>| at.map_or_else(|| "null".to_owned(), |at| format!("\"{at}\""));
        let _ = write!(
            out,
            "{}{{\"compteur\":{},\"alias\":{},\"nb_mesures\":{},\"date_premiere\":{},\"date_derniere\":{},\"registres\":[",
            if index == 0 { "" } else { "," },
            quoted(id.as_str()),
            meter.alias.as_deref().map_or_else(|| "null".to_owned(), quoted),
            meter.readings,
            time(extent.map(|(first, _)| first)),
            time(extent.map(|(_, last)| last)),
        );
        for (index, series) in question.past().series(id)?.iter().enumerate() {
            let _ = write!(
                out,
                "{}{{\"obis\":{},\"unite\":{},\"nom\":{}}}",
                if index == 0 { "" } else { "," },
                quoted(&series.code.to_string()),
                series.unit.map_or_else(|| "null".to_owned(), |unit| quoted(&unit.symbol())),
                name_of(&series.code),
            );
        }
        out.push_str("]}");
    }
    Ok(Reply::json(format!("{{\"nb_compteurs\":{},\"compteurs\":[{out}]}}", meters.len())))
}

fn name_of(code: &crate::reading::Code) -> String {
    describe(code, Language::French).map_or_else(|| "null".to_owned(), |named| quoted(&named))
}

/// `GET /healthz`: whether readings are coming.
pub(super) fn health(question: &Question<'_>) -> Result<Reply, Failure> {
    let mut last: Option<Instant> = None;
    match &question.app.settings.meter {
        Some(_) => {
            if let Some(meter) = question.meter()? {
                last = newest_credible(question.past(), &meter, question.now)?;
            }
        }
        // Of several meters the newest reading counts.
        None => {
            for meter in question.past().meters()? {
                last = last.max(newest_credible(question.past(), &meter, question.now)?);
            }
        }
    }
    let stale = i64::try_from(question.app.settings.stale.as_secs()).unwrap_or(i64::MAX);
    let age = last.map(|last| question.now.unix_seconds().saturating_sub(last.unix_seconds()).max(0));
    let (status, word) = match age {
        None => (StatusCode::SERVICE_UNAVAILABLE, "vide"),
        Some(age) if age > stale => (StatusCode::SERVICE_UNAVAILABLE, "perime"),
        Some(_) => (StatusCode::OK, "ok"),
    };
    let body = format!(
        "{{\"status\":\"{word}\",\"date_derniere\":{},\"age_s\":{},\"limite_s\":{stale}}}",
        last.map_or_else(|| "null".to_owned(), |last| format!("\"{last}\"")),
        age.map_or_else(|| "null".to_owned(), |age| age.to_string()),
    );
    Ok(Reply::json(body).with_status(status).of_the_moment())
}

/// `GET /metrics`.
pub(super) fn metrics(question: &Question<'_>) -> Result<Reply, Failure> {
    let past = question.past();
    let mut newest_of: Vec<(MeterId, Instant, Values)> = Vec::new();
    for meter in past.meters()? {
        if let Some(kept) = newest(past, &meter)? {
            let values = Values::of(&kept.reading, &mut past.tariff_memory(&meter)?);
            newest_of.push((meter, kept.at, values));
        }
    }
    let samples: Vec<Sample<'_>> = newest_of
        .iter()
        .map(|(meter, at, values)| Sample { meter: meter.as_str(), values, read_at: at.unix_seconds() })
        .collect();
    let mut text = exposition(&samples);
    let counts = &question.app.counts;
    text.push_str("# HELP releve_http_responses_total Answers by the class of their status.\n");
    text.push_str("# TYPE releve_http_responses_total counter\n");
    for (class, count) in counts.answers.iter().enumerate().skip(2) {
        let _ = writeln!(text, "releve_http_responses_total{{class=\"{class}xx\"}} {}", count.load(Ordering::Relaxed));
    }
    for (name, help, value) in [
        ("releve_http_connections", "Connections that are open.", counts.connections.load(Ordering::Relaxed)),
        ("releve_live_clients", "Clients that follow the readings.", question.app.hub.clients()),
    ] {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    Ok(Reply::new("text/plain; version=0.0.4; charset=utf-8", text).of_the_moment())
}
