//! Days and moments as people type them.

use super::args::{Globals, ZoneChoice};
use super::failure::{self, Failure};
use super::words::{errors, tr};
use crate::reading::{Asked, AskedError, Instant, parse_length};
use clap::Args;
use std::ops::Range;
use std::time::Duration;

/// A span of time, as every command that looks back takes it.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Span {
    /// From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) since: Option<String>,
    /// Until when: a bare day, week or month reaches its end, a time is exclusive
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) until: Option<String>,
}

/// Longer ago and further ahead than any meter has counted.
pub(super) const EVER: Range<i64> = -62_135_596_800..253_402_300_800;

impl Span {
    /// Whether anything was said about it.
    pub(super) const fn is_given(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// The span; an end that is not given is open.
    pub(super) fn resolve(&self, globals: &Globals) -> anyhow::Result<Range<Instant>> {
        self.resolve_in(globals.zone()?, globals)
    }

    /// The span, its bare dates in a zone.
    pub(super) fn resolve_in(&self, zone: ZoneChoice, globals: &Globals) -> anyhow::Result<Range<Instant>> {
        let end = |text: &Option<String>, is_end, open| match text {
            Some(text) => moment(text, zone, is_end, globals),
            None => Ok(Instant::from_unix(open)),
        };
        let span = end(&self.since, false, EVER.start)?..end(&self.until, true, EVER.end)?;
        if span.start >= span.end {
            return Err(Failure::new(failure::USAGE, "time.order", tr!("--since is not before --until")).into());
        }
        if self.is_given() {
            let (since, until) = (span.start.in_zone(zone.zone), span.end.in_zone(zone.zone));
            globals.detail(&match (&self.since, &self.until) {
                (Some(_), Some(_)) => tr!("from {since} to {until}", since, until),
                (Some(_), None) => tr!("from {since} to the last", since),
                _ => tr!("from the first to {until}", until),
            });
        }
        Ok(span)
    }
}

/// Where a span begins (or, for an end, where it is over): any of the forms of [`Asked`], settled outwards.
pub(super) fn moment(text: &str, zone: ZoneChoice, is_end: bool, globals: &Globals) -> Result<Instant, Failure> {
    let asked = Asked::parse(text, Instant::now(), zone.zone).map_err(|error| match &error {
        AskedError::Skipped { instead, .. } => {
            let instead = instead.in_zone(zone.zone);
            Failure::new(failure::USAGE, "time.gap", errors::asked(&error))
                .tip(tr!("the clock was put forward over it; give {time} instead", time = instead))
        }
        // What can be typed is English in every language.
        AskedError::Unknown(_) => {
            Failure::new(failure::USAGE, "time.unknown", errors::asked(&error)).tip(errors::forms_of_times())
        }
    })?;
    let at = if is_end { asked.until } else { asked.since };
    if asked.twice {
        let at = at.in_zone(zone.zone);
        globals.detail(&tr!("{text} came twice in {zone}: {time} is taken", text, zone = zone.zone, time = at));
    }
    Ok(at)
}

/// A length of time, as an option takes it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_length(text).ok_or_else(|| tr!("write it like 500ms, 30s, 5min, 2h or 30d"))
}
