//! Days and moments as people type them.

use super::args::{Globals, ZoneChoice};
use super::failure::{self, Failure};
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
            return Err(Failure::new(failure::USAGE, "time.order", "--since is not before --until").into());
        }
        if self.is_given() {
            let shown = |given: &Option<String>, at: Instant, open| match given {
                Some(_) => at.in_zone(zone.zone),
                None => String::from(open),
            };
            let (since, until) =
                (shown(&self.since, span.start, "the first"), shown(&self.until, span.end, "the last"));
            globals.detail(&format!("from {since} to {until}"));
        }
        Ok(span)
    }
}

/// Where a span begins (or, for an end, where it is over): any of the forms of [`Asked`], settled outwards.
pub(super) fn moment(text: &str, zone: ZoneChoice, is_end: bool, globals: &Globals) -> Result<Instant, Failure> {
    let asked = Asked::parse(text, Instant::now(), zone.zone).map_err(|error| match &error {
        AskedError::Skipped { instead, .. } => Failure::new(failure::USAGE, "time.gap", error.to_string())
            .tip(format!("the clock was put forward over it; give {} instead", instead.in_zone(zone.zone))),
        _ => Failure::new(failure::USAGE, "time.unknown", error.to_string()).tip(Asked::FORMS),
    })?;
    let at = if is_end { asked.until } else { asked.since };
    if asked.twice {
        globals.detail(&format!("{text} came twice in {}: {} is taken", zone.zone, at.in_zone(zone.zone)));
    }
    Ok(at)
}

/// A length of time, as an option takes it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_length(text).ok_or_else(|| "write it like 500ms, 30s, 5min, 2h or 30d".to_owned())
}
