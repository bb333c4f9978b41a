//! `/api/stats/{hour,day,week,month,year}`: what `releve stats` tells, by the calendar of the server's zone.

use super::app::Question;
use super::data::Period;
use super::failure::Failure;
use super::reply::Reply;
use crate::analyse::{Ask, Wanted, analyse};
use crate::reading::{Calendar, Instant};

/// So many rows at most, the newest: a year of hours.
const MOST: i64 = 8784;
const DAY: i64 = 86_400;
/// So far back at most: a reading with a wrong clock must not make centuries be looked at.
const LONGEST: i64 = 30 * 366 * DAY;

pub(super) fn by_hour(question: &Question<'_>) -> Result<Reply, Failure> {
    by(question, Calendar::Hour, 3600, Some(2 * DAY))
}

pub(super) fn by_day(question: &Question<'_>) -> Result<Reply, Failure> {
    by(question, Calendar::Day, DAY, Some(31 * DAY))
}

pub(super) fn by_week(question: &Question<'_>) -> Result<Reply, Failure> {
    by(question, Calendar::Week, 7 * DAY, Some(53 * 7 * DAY))
}

pub(super) fn by_month(question: &Question<'_>) -> Result<Reply, Failure> {
    by(question, Calendar::Month, 30 * DAY, Some(396 * DAY))
}

pub(super) fn by_year(question: &Question<'_>) -> Result<Reply, Failure> {
    by(question, Calendar::Year, 365 * DAY, None)
}

fn by(question: &Question<'_>, calendar: Calendar, row: i64, usual: Option<i64>) -> Result<Reply, Failure> {
    let params = &question.params;
    let zone = question.app.settings.zone;
    let period = Period::of(params, question.now);
    let mut span = period.range;
    // A row that is not over changes with the clock.
    let stays = period.is_fixed && span.end <= question.now;
    let Some(meter) = question.meter()? else {
        let body = format!(
            "{{\"schema\":\"releve.stats/1\",\"compteur\":null,\"fuseau\":{},\"periodes\":[]}}",
            super::data::quoted(zone.name())
        );
        return Ok(Reply::json(body));
    };
    if params.time("debut").is_none() && params.hours().is_none() {
        span.start = match usual {
            Some(seconds) => span.end.plus_seconds(-seconds),
            None => Instant::from_unix(super::EVER.start),
        };
    }
    if let Some((first, last)) = question.past().extent(&meter)? {
        // No rows for what was long before, nor for what is to come.
        span.start = span.start.max(first.plus_seconds(-row));
        span.end = span.end.min(last.plus_seconds(row).max(question.now));
    }
    let earliest = span.end.plus_seconds(-(row * MOST).min(LONGEST));
    let is_cut = span.start < earliest;
    span.start = span.start.max(earliest);
    let wanted = Wanted { tariffs: true, power: true, demand: true, quality: true, surplus: true, ..Wanted::default() };
    let ask =
        Ask { meter: meter.clone(), span: span.clone(), calendar: Some(calendar), zone, now: question.now, wanted };
    let found = if span.start < span.end { analyse(&question.past(), &ask)? } else { None };
    let mut body = (question.app.settings.statistics)(&meter, zone, found.as_ref().map(|found| (found, wanted)));
    if is_cut && body.starts_with('{') {
        body.insert_str(1, &format!("\"avertissement\":\"seulement depuis {earliest}\","));
    }
    let reply = Reply::json(body);
    Ok(if stays { reply } else { reply.of_the_moment() })
}
