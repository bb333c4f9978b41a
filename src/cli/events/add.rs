//! What a person saw.

use super::{Word, kinds, known_kinds, unknown_kind};
use crate::cli::args::Globals;
use crate::cli::config::nearest;
use crate::cli::failure::{self, Failure};
use crate::cli::output::Output;
use crate::cli::when;
use crate::cli::words::tr;
use crate::document::EventJson;
use crate::reading::{Event, Instant, MeterId, Origin};
use crate::store::{EventQuery, KeptEvent, Store};
use clap::Args;
use smol_str::SmolStr;
use std::collections::HashSet;
use std::process::ExitCode;

/// A description is a sentence, not a book.
const LONGEST: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Add {
    /// What happened, in a sentence
    #[arg(value_name = "TEXT")]
    text: String,
    /// When it began
    #[arg(long, value_name = "TIME", default_value = "now", allow_hyphen_values = true)]
    at: String,
    /// When it was over
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Of which kind, like coupure
    #[arg(long = "type", value_name = "KIND", default_value = "note")]
    kind: String,
    /// How much it matters
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    severity: Word,
}

impl Add {
    pub(super) fn run(mut self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let path = globals.store_path()?;
        // Whoever mistypes the name of the store does not want a new one.
        let store = Store::open(&path)?;
        let known = known_kinds(&store)?;
        self.kind = kinds::meant(&self.kind, &known).into();
        self.check_kind(&known)?;
        let text: String =
            self.text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
        if text.is_empty() {
            return Err(Failure::new(failure::USAGE, "event.text", tr!("there is nothing in the text")).into());
        }
        let zone = globals.zone()?;
        let start = when::moment(&self.at, zone, false, globals)?;
        let end = self.until.as_deref().map(|until| when::moment(until, zone, true, globals)).transpose()?;
        if end.is_some_and(|end| end < start) {
            return Err(Failure::new(failure::USAGE, "time.order", tr!("--until is before --at")).into());
        }
        let meter = of_meter(&store, globals)?;
        let mut event = Event {
            meter,
            kind: SmolStr::new(&self.kind),
            severity: self.severity.severity(),
            start,
            end,
            description: text.into(),
            value: None,
            unit: None,
            code: None,
            threshold: None,
            phase: None,
            origin: Origin::Person,
        };
        make_room(&store, &mut event)?;
        drop(store);
        let put = Store::create(&path)?.put_events(std::slice::from_ref(&event))?;
        let id = put.added.first().copied().unwrap_or_default();
        output.line(&serde_json::to_string(&EventJson::new(id, &event))?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// A kind of one's own is welcome, a slip of the pen is not.
    fn check_kind(&self, known: &[SmolStr]) -> Result<(), Failure> {
        if known.iter().any(|known| known == self.kind.as_str()) {
            return Ok(());
        }
        let names: Vec<&str> = known.iter().map(SmolStr::as_str).collect();
        let is_name = (1..=50).contains(&self.kind.len())
            && self.kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        match nearest(&self.kind, &names) {
            None if is_name => Ok(()),
            Some(meant) if strsim::jaro_winkler(&self.kind, meant) < 0.88 && is_name => Ok(()),
            Some(_) => Err(unknown_kind(&self.kind, known)),
            None => {
                let what = tr!("'{kind}' is no name for a kind", kind = self.kind);
                Err(Failure::new(failure::USAGE, "event.type", what)
                    .tip(tr!("small letters, digits and _, like panne_secteur")))
            }
        }
    }
}

/// The meter that is meant; none where there are several, since then it concerns all.
fn of_meter(store: &Store, globals: &Globals) -> anyhow::Result<Option<MeterId>> {
    match globals.meter()? {
        Some(_) => Ok(Some(crate::cli::export::choose_meter(store, globals)?)),
        None => Ok(<[MeterId; 1]>::try_from(store.meters()?).ok().map(|[only]| only)),
    }
}

/// Two notes of the same time are two events.
fn make_room(store: &Store, event: &mut Event) -> anyhow::Result<()> {
    let query = EventQuery {
        period: Some(event.start..event.start.plus_seconds(1)),
        origin: Some(Origin::Person),
        ..EventQuery::default()
    };
    let there: Vec<KeptEvent> = store.events(&query)?;
    let is_taken = |event: &Event| {
        there.iter().any(|kept| {
            kept.event.meter == event.meter && kept.event.kind == event.kind && kept.event.start == event.start
        })
    };
    while is_taken(event) {
        event.start = Instant::from_unix_micros(event.start.unix_micros() + 1);
    }
    event.end = event.end.map(|end| end.max(event.start));
    Ok(())
}

/// Keeps events of other files, and says how many are new. One that is there already, whoever said so, is not added again.
pub(in crate::cli) fn put_imported(store: &mut Store, events: Vec<Event>) -> anyhow::Result<usize> {
    let mut fresh: Vec<Event> = Vec::new();
    let mut taken = HashSet::new();
    for mut event in events {
        // The second of its kind at the same time comes a microsecond later, and does so again at the next import.
        while !taken.insert((event.meter.clone(), event.kind.clone(), event.start, event.phase)) {
            if event.origin != Origin::Import {
                break;
            }
            event.start = Instant::from_unix_micros(event.start.unix_micros() + 1);
        }
        let query = EventQuery {
            meter: event.meter.clone(),
            period: Some(event.start..Instant::from_unix_micros(event.start.unix_micros() + 1)),
            kinds: vec![event.kind.clone()],
            ..EventQuery::default()
        };
        let there = store.events(&query)?;
        let is_there = |kept: &KeptEvent| {
            kept.event.start == event.start
                && kept.event.meter == event.meter
                && (kept.event.phase == event.phase || event.origin == Origin::Import)
        };
        if !there.iter().any(is_there) {
            fresh.push(event);
        }
    }
    Ok(store.put_events(&fresh)?.added.len())
}
