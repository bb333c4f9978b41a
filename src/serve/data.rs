//! `/api/data` and `/api/data/current`: readings.

use super::app::{Question, lock};
use super::failure::Failure;
use super::measures::{each_reading, each_values, newest};
use super::params::Params;
use super::recent::Rendered;
use super::reply::Reply;
use crate::document::Values;
use crate::reading::{Column, Decimal, Instant, MeterId, Register, Value};
use axum::http::StatusCode;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::ops::{ControlFlow, Range};

/// So many readings are kept written out; a request for more is worked out each time.
const WRITTEN_OUT: usize = 20_000;
/// A page holds so many bytes; the rest is on the next.
const PAGE: usize = 24 << 20;

/// The keys of a reading, of which `metrics` may choose.
pub(super) const METRICS: [&str; 5] = ["puissance_active", "tensions", "courants", "frequence", "facteur_puissance"];

/// Which keys of a reading are wanted, a bit for each of [`METRICS`].
fn chosen(params: &Params) -> u8 {
    let named = params.list("metrics");
    if params.text("metrics").is_none() {
        return u8::MAX;
    }
    METRICS.iter().enumerate().filter(|(_, name)| named.contains(name)).map(|(bit, _)| 1 << bit).sum()
}

/// The period of a request: `debut` and `fin`, or the last hours.
pub(super) struct Period {
    pub(super) range: Range<Instant>,
    hours: String,
    /// It does not move with the clock.
    pub(super) is_fixed: bool,
}

impl Period {
    pub(super) fn of(params: &Params, now: Instant) -> Self {
        let (micros, hours) = params.hours().unwrap_or((24 * 3_600_000_000, "24"));
        let (start, end) = (params.time("debut"), params.time("fin"));
        let until = end.unwrap_or(now);
        let since = start.unwrap_or_else(|| Instant::from_unix_micros(until.unix_micros().saturating_sub(micros)));
        let hours = if start.is_some() {
            // To four decimals, without trailing zeros.
            let parts = (until.unix_micros() - since.unix_micros()) / 360_000;
            let text = Decimal::new(parts, -4).to_string();
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            hours.to_owned()
        };
        Self { range: since..until, hours, is_fixed: end.is_some() }
    }

    /// `"periode":{…}` and, where nothing can be in it, a word about that.
    pub(super) fn write(&self, out: &mut String) {
        let Range { start, end } = &self.range;
        let _ = write!(
            out,
            "\"periode\":{{\"debut\":\"{start}\",\"fin\":\"{end}\",\"heures\":{}}}",
            if self.hours.is_empty() { "0" } else { &self.hours }
        );
        if start >= end {
            out.push_str(",\"avertissement\":\"debut n'est pas avant fin\"");
        }
    }
}

/// `/api/data`.
pub(super) fn data(question: &Question<'_>) -> Result<Reply, Failure> {
    let params = &question.params;
    let meter = question.meter()?;
    let limit = params.whole("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100);
    let period = Period::of(params, question.now);
    let descends = params.text("order") == Some("desc");
    let mut range = period.range.clone();
    if let Some(after) = params.cursor(0) {
        match descends {
            true => range.end = range.end.min(Instant::from_unix_micros(after)),
            false => range.start = range.start.max(Instant::from_unix_micros(after.saturating_add(1))),
        }
    }
    let page = match &meter {
        Some(meter) if range.start < range.end => {
            let wanted =
                Wanted { meter, range, limit, chosen: chosen(params), whole: params.text("registres").is_some() };
            match descends {
                true => wanted.newest_first(question)?,
                false => wanted.oldest_first(question)?,
            }
        }
        _ => Page::default(),
    };
    let mut head = String::from("{");
    period.write(&mut head);
    let _ = write!(head, ",\"nb_mesures\":{}", page.count);
    if let Some(next) = page.next {
        let _ = write!(head, ",\"suivant\":\"{next}\"");
    }
    head.push_str(",\"mesures\":[");
    let mut reply = Reply::json(head);
    reply.parts.extend([page.text, Bytes::from_static(b"]}")]);
    Ok(if period.is_fixed { reply } else { reply.of_the_moment() })
}

/// Readings written out.
#[derive(Default)]
struct Page {
    text: Bytes,
    count: usize,
    /// The cursor of the page behind it.
    next: Option<i64>,
}

struct Wanted<'a> {
    meter: &'a MeterId,
    range: Range<Instant>,
    limit: usize,
    chosen: u8,
    whole: bool,
}

impl Wanted<'_> {
    fn oldest_first(&self, question: &Question<'_>) -> Result<Page, Failure> {
        let from = self.range.start.unix_micros();
        if !self.whole && self.limit <= WRITTEN_OUT {
            let known =
                lock(&question.app.recent).page(question.version, self.meter, self.chosen, &self.range, self.limit);
            if let Some((text, count, next)) = known {
                return Ok(Page { text, count, next });
            }
            // Some more, so that the same question a little later finds its answer here too.
            // What is too much, or wrong behind the period, is no reason not to answer: it is read as it was asked for.
            if let Ok(rendered) = self.render(question, self.limit.saturating_mul(2).saturating_add(100))
                && let Some((text, count, next)) = rendered.page(&self.range, self.limit)
            {
                lock(&question.app.recent).put(rendered);
                return Ok(Page { text, count, next });
            }
        }
        let mut page = Page::default();
        let mut text = String::new();
        let mut last = from;
        self.each(question, self.range.clone(), |at, write| {
            if page.count == self.limit || text.len() > PAGE {
                page.next = Some(last);
                return ControlFlow::Break(());
            }
            if page.count > 0 {
                text.push(',');
            }
            write(&mut text);
            page.count += 1;
            last = at.unix_micros();
            ControlFlow::Continue(())
        })?;
        page.text = text.into();
        Ok(page)
    }

    /// Up to so many readings from the start of the period on, written out.
    fn render(&self, question: &Question<'_>, count: usize) -> Result<Rendered, Failure> {
        let from = self.range.start.unix_micros();
        let mut rendered = Rendered::new(question.version, self.meter.clone(), self.chosen, from);
        let mut text = String::new();
        let open = self.range.start..Instant::from_unix(super::EVER.end);
        self.each(question, open, |at, write| {
            if rendered.len() == count || text.len() > PAGE / 4 {
                rendered.until = at.unix_micros();
                return ControlFlow::Break(());
            }
            if rendered.len() > 0 {
                text.push(',');
            }
            write(&mut text);
            rendered.push(at.unix_micros(), text.len());
            ControlFlow::Continue(())
        })?;
        rendered.text = text.into();
        Ok(rendered)
    }

    fn newest_first(&self, question: &Question<'_>) -> Result<Page, Failure> {
        let Some((first, last)) = question.past().extent(self.meter)? else { return Ok(Page::default()) };
        let start = self.range.start.max(first);
        let mut end = self.range.end.min(last.plus_seconds(1));
        // The newest stand at the end: ever longer stretches are read from there on.
        let mut stretch = 3_600_000_000i64;
        let (mut page, mut text) = (Page::default(), String::new());
        while start < end {
            let from = start.max(Instant::from_unix_micros(end.unix_micros().saturating_sub(stretch)));
            let room = self.limit - page.count;
            let mut found: VecDeque<(Instant, String)> = VecDeque::new();
            self.each(question, from..end, |at, write| {
                let mut one = String::new();
                write(&mut one);
                found.push_back((at, one));
                // One more than there is room for tells that there is a next page.
                if found.len() > room + 1 {
                    found.pop_front();
                }
                ControlFlow::Continue(())
            })?;
            for (at, one) in found.into_iter().rev() {
                if page.count == self.limit || text.len() > PAGE {
                    page.text = text.into();
                    return Ok(page);
                }
                if page.count > 0 {
                    text.push(',');
                }
                text.push_str(&one);
                page.count += 1;
                page.next = Some(at.unix_micros());
            }
            end = from;
            stretch = stretch.saturating_mul(4);
        }
        page.next = None;
        page.text = text.into();
        Ok(page)
    }

    /// Each reading of a period with what writes it.
    fn each(
        &self,
        question: &Question<'_>,
        period: Range<Instant>,
        mut sink: impl FnMut(Instant, &mut dyn FnMut(&mut String)) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        if !self.whole {
            return each_values(question.past(), self.meter, period, |at, values, _| {
                sink(at, &mut |out| write_measure(out, at, values, self.chosen, None))
            });
        }
        let mut memory = question.past().tariff_memory(self.meter)?;
        each_reading(question.past(), self.meter, period, |kept| {
            let values = Values::of(&kept.reading, &mut memory);
            sink(kept.at, &mut |out| {
                write_measure(out, kept.at, &values, self.chosen, Some(&kept.reading.registers));
            })
        })
    }
}

fn number(out: &mut String, value: Option<Decimal>) {
    // Writing to a string cannot fail.
    let _ = match value {
        Some(value) => write!(out, "{value}"),
        None => out.write_str("null"),
    };
}

fn phases(out: &mut String, values: &Values, columns: [Column; 3]) {
    for (key, column) in ["{\"l1\":", ",\"l2\":", ",\"l3\":"].into_iter().zip(columns) {
        out.push_str(key);
        number(out, values.column(column));
    }
    out.push('}');
}

const VOLTAGES: [Column; 3] = [Column::VoltageL1, Column::VoltageL2, Column::VoltageL3];
const CURRENTS: [Column; 3] = [Column::CurrentL1, Column::CurrentL2, Column::CurrentL3];

/// A reading of `/api/data`.
fn write_measure(out: &mut String, at: Instant, values: &Values, chosen: u8, registers: Option<&[Register]>) {
    out.push_str("{\"timestamp\":\"");
    let _ = write!(out, "{at}");
    out.push('"');
    for (bit, key) in METRICS.into_iter().enumerate() {
        if chosen & 1 << bit == 0 {
            continue;
        }
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":");
        match bit {
            0 => number(out, values.column(Column::PowerTotal)),
            1 => phases(out, values, VOLTAGES),
            2 => phases(out, values, CURRENTS),
            3 => number(out, values.column(Column::Frequency)),
            _ => number(out, values.column(Column::PowerFactor)),
        }
    }
    if let Some(registers) = registers {
        out.push_str(",\"registres\":[");
        for (index, register) in registers.iter().enumerate() {
            out.push_str(if index == 0 { "{\"obis\":" } else { ",{\"obis\":" });
            out.push_str(&quoted(&register.code.to_string()));
            match &register.value {
                Value::Number(value) => {
                    out.push_str(",\"valeur\":");
                    let _ = write!(out, "{value}");
                }
                _ => {
                    if let Some(text) = register.as_text() {
                        out.push_str(",\"texte\":");
                        out.push_str(&quoted(text));
                    }
                }
            }
            if let Some(unit) = register.unit {
                out.push_str(",\"unite\":");
                out.push_str(&quoted(&unit.symbol()));
            }
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A newest reading in the form of `/api/data/current`.
pub(super) fn current_text(at: Instant, values: &Values, meter: Option<&MeterId>) -> String {
    let mut out = String::from("{\"timestamp\":\"");
    let _ = write!(out, "{at}");
    out.push_str("\",\"puissance_active\":");
    number(&mut out, values.column(Column::PowerTotal));
    out.push_str(",\"energies\":{\"active_import\":");
    number(&mut out, values.column(Column::EnergyImport));
    out.push_str(",\"active_export\":");
    number(&mut out, values.column(Column::EnergyExport));
    for (key, columns) in [("},\"tensions\":[", VOLTAGES), ("],\"courants\":[", CURRENTS)] {
        out.push_str(key);
        for (index, column) in columns.into_iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            number(&mut out, values.column(column));
        }
    }
    out.push(']');
    if let Some(meter) = meter {
        out.push_str(",\"frequence\":");
        number(&mut out, values.column(Column::Frequency));
        out.push_str(",\"facteur_puissance\":");
        number(&mut out, values.column(Column::PowerFactor));
        let _ = write!(out, ",\"compteur\":{}", quoted(meter.as_str()));
    }
    out.push('}');
    out
}

/// `/api/data/current`.
pub(super) fn current(question: &Question<'_>) -> Result<Reply, Failure> {
    let kept = match question.meter()? {
        Some(meter) => newest(question.past(), &meter)?.map(|kept| (meter, kept)),
        None => None,
    };
    let Some((meter, kept)) = kept else {
        return Err(Failure::new(StatusCode::NOT_FOUND, "Aucune donnée disponible"));
    };
    let values = Values::of(&kept.reading, &mut question.past().tariff_memory(&meter)?);
    Ok(Reply::json(current_text(kept.at, &values, None)))
}
