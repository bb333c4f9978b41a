//! `/api/events`: what happened.

use super::app::Question;
use super::data::{Period, quoted};
use super::failure::Failure;
use super::reply::Reply;
use crate::reading::{Event, Instant, Severity};
use crate::store::{EventQuery, KeptEvent};
use std::fmt::Write as _;

pub(super) const SEVERITIES: [&str; 5] = ["", "info", "warning", "error", "critical"];

/// `GET /api/events`.
pub(super) fn events(question: &Question<'_>) -> Result<Reply, Failure> {
    let params = &question.params;
    let limit = params.whole("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50);
    // Without `debut`, `fin` or `hours` all of them are meant.
    let is_bounded = params.time("debut").is_some() || params.time("fin").is_some() || params.hours().is_some();
    let mut period = Period::of(params, question.now).range;
    if params.time("debut").is_none() && params.hours().is_none() {
        period.start = Instant::from_unix(super::EVER.start);
    }
    if !is_bounded {
        period.end = Instant::from_unix(super::EVER.end);
    }
    let after = params.cursor(0).map(|at| (at, params.cursor(1).unwrap_or(i64::MAX)));
    if let Some((at, _)) = after {
        period.end = period.end.min(Instant::from_unix_micros(at.saturating_add(1)));
    }
    let mut wanted = EventQuery {
        meter: if params.meter().is_some() { question.meter()? } else { None },
        severities: params.text("severity").and_then(Severity::parse).into_iter().collect(),
        kinds: params.text("type").map(Into::into).into_iter().collect(),
        words: params.text("q").map(str::to_owned),
        ..EventQuery::default()
    };
    if is_bounded || after.is_some() {
        wanted.period = Some(period.clone());
    }
    // Those of the cursor's own instant that were on the page before come again: enough is asked for to pass over them.
    let mut extra = 1;
    let mut found = loop {
        let asked = limit.saturating_add(extra);
        wanted.limit = Some(asked);
        let all = if period.start < period.end { question.reader.store.events(&wanted)? } else { Vec::new() };
        let is_all = all.len() < asked;
        let fresh =
            |kept: &KeptEvent| after.is_none_or(|(at, id)| (kept.event.start.unix_micros(), kept.id) < (at, id));
        let found: Vec<KeptEvent> = all.into_iter().filter(fresh).collect();
        if is_all || found.len() > limit {
            break found;
        }
        extra = extra.saturating_mul(8);
    };
    let next = if found.len() > limit { limit.checked_sub(1).and_then(|last| found.get(last)) } else { None };
    let next = next.map(|kept| format!("{}_{}", kept.event.start.unix_micros(), kept.id));
    found.truncate(limit);
    let mut out = format!("{{\"nb_evenements\":{}", found.len());
    if let Some(next) = next {
        let _ = write!(out, ",\"suivant\":\"{next}\"");
    }
    out.push_str(",\"evenements\":[");
    for (index, kept) in found.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_event(&mut out, kept.id, &kept.event);
    }
    out.push_str("]}");
    let reply = Reply::json(out);
    // Bounds that are counted from now move with the clock.
    let moves = is_bounded && params.time("fin").is_none();
    Ok(if moves { reply.of_the_moment() } else { reply })
}

/// An event in the contract's form.
pub(super) fn write_event(out: &mut String, id: i64, event: &Event) {
    let text = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), quoted);
    let number = |number: Option<crate::reading::Decimal>| number.map_or_else(|| "null".into(), |n| n.to_string());
    let _ = write!(
        out,
        "{{\"id\":{id},\"timestamp\":\"{}\",\"type\":{},\"severite\":\"{}\",\"description\":{},\"valeur\":{},\"unite\":{}",
        event.start,
        quoted(&event.kind),
        event.severity,
        quoted(&event.description),
        number(event.value),
        text(event.unit.as_deref()),
    );
    let end = event.end.map(|end| end.to_string());
    let seconds = event.end.map(|end| end.unix_seconds().saturating_sub(event.start.unix_seconds()));
    let _ = write!(
        out,
        ",\"code_obis\":{},\"seuil\":{},\"fin\":{},\"duree_s\":{},\"phase\":{},\"origine\":\"{}\",\"compteur\":{}}}",
        text(event.code.as_deref()),
        number(event.threshold),
        text(end.as_deref()),
        seconds.map_or_else(|| "null".to_owned(), |seconds| seconds.to_string()),
        event.phase.map_or_else(|| "null".to_owned(), |phase| phase.to_string()),
        event.origin,
        text(event.meter.as_ref().map(crate::reading::MeterId::as_str)),
    );
}
