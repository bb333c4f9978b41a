//! The list of events.

use super::print::Printer;
use super::{Asked, Format, Word, follow, kinds, known_kinds, unknown_kind};
use crate::cli::args::Globals;
use crate::cli::failure::{self, Failure};
use crate::cli::output::Output;
use crate::cli::words::tr;
use crate::store::{EventQuery, Store};
use smol_str::SmolStr;
use std::process::ExitCode;

/// So many are shown on a terminal where nobody says how many.
const SCREEN: usize = 20;

pub(super) fn run(asked: &Asked, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
    let store = Store::open(&globals.store_path()?)?;
    let query = query(asked, &store, globals)?;
    let format = asked.format.unwrap_or(match (asked.json, output.is_terminal()) {
        (true, _) => Format::Json,
        (false, true) => Format::Table,
        (false, false) if asked.follow => Format::Ndjson,
        (false, false) => Format::Json,
    });
    let mut printer = Printer::new(format, &store, globals)?;
    if asked.follow {
        return follow::run(asked, &store, query, &mut printer, globals, output);
    }
    let limit = query.limit.or_else(|| (output.is_terminal() && asked.span.since.is_none()).then_some(SCREEN));
    let events = store.events(&EventQuery { limit, ..query.clone() })?;
    printer.all(&events, output)?;
    if events.is_empty() {
        globals.note(&tr!("no such event"));
    } else if limit == Some(events.len()) && asked.limit.is_none() {
        let all = store.count_events_of(&query)?;
        let earlier = all.saturating_sub(u64::try_from(events.len()).unwrap_or(0));
        if earlier > 0 {
            globals.note(&tr!("{n} earlier: --limit {all} or --since shows them", n = earlier, all));
        }
    }
    let is_failure = events.is_empty() && asked.fail_empty;
    Ok(if is_failure { ExitCode::from(failure::OTHER) } else { ExitCode::SUCCESS })
}

/// What is asked for.
fn query(asked: &Asked, store: &Store, globals: &Globals) -> anyhow::Result<EventQuery> {
    let known = known_kinds(store)?;
    let kinds: Vec<SmolStr> = asked.kinds.iter().map(|kind| kinds::meant(kind, &known)).collect();
    if let Some(unknown) = kinds.iter().find(|kind| !known.contains(kind)) {
        return Err(unknown_kind(unknown, &known).into());
    }
    let meter = match globals.meter()? {
        Some(named) => match store.find_meter(&named)? {
            Some(meter) => Some(meter),
            None => {
                let what = tr!("the store has no meter {meter}", meter = named);
                return Err(Failure::new(failure::NO_INPUT, "meter.missing", what)
                    .tip(tr!("releve meters lists them"))
                    .into());
            }
        },
        None => None,
    };
    let is_bounded = asked.span.since.is_some() || asked.span.until.is_some();
    Ok(EventQuery {
        meter,
        period: is_bounded.then(|| asked.span.resolve(globals)).transpose()?,
        severities: asked.severity.iter().copied().map(Word::severity).collect(),
        kinds,
        words: asked.search.clone(),
        limit: asked.limit.and_then(|limit| usize::try_from(limit).ok()),
        ..EventQuery::default()
    })
}
