//! A visit to a meter: a reading, now, or the records it has kept.

use super::collector::Collector;
use super::printer::Format;
use super::records;
use crate::acquire::Receipt;
use crate::cli::args::Globals;
use crate::cli::diagnosis;
use crate::cli::failure::{self, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::source::Reach;
use crate::cli::words::{errors, tr};
use crate::reading::Instant;
use crate::session::{
    Attempt, Cause, Found, Kept, NoRecords, NotFound, PlayError, Records, Wanted, history, recognise,
};
use crate::transport::Link;
use indicatif::ProgressBar;
use std::ops::Range;
use std::time::Duration;

/// How a visit to a meter ended.
pub(super) enum Visit {
    /// With readings, all of them collected.
    Read,
    /// The meter answered, but has no records of that period.
    Empty,
    /// With a log, which has been printed.
    Printed,
    /// Somebody stopped it.
    Stopped,
}

/// Somebody at a port, who collects what the meter says.
pub(super) struct Visitor<'a, 'c> {
    pub(super) link: &'a mut dyn Link,
    pub(super) reach: &'a Reach,
    pub(super) interrupt: &'a Interrupt,
    pub(super) globals: &'a Globals,
    pub(super) collector: &'a mut Collector<'c>,
}

impl Visitor<'_, '_> {
    /// Recognises the meter and takes a reading.
    pub(super) fn read(&mut self, output: &mut Output) -> anyhow::Result<Visit> {
        let port = self.link.name().to_owned();
        let waiting = waiting(&port, self.globals);
        let mut progress = |attempt: &Attempt| waiting.attempt(attempt);
        let found = recognise(self.link, &self.reach.wishes, self.interrupt.stop(), &mut progress);
        drop(waiting);
        let Found { approach, taken, .. } = match found {
            Ok(found) => found,
            Err(error) => return self.not_found(error, &port),
        };
        self.globals.detail(&format!("{port}: {}", errors::approach(&approach)));
        self.collector.origin = approach.source();
        for fault in taken.faults {
            self.collector.fault(fault);
        }
        for received in taken.readings {
            if let Some(cause) = Cause::of_reading(&received.reading) {
                self.globals.note(&diagnosis::warning(&cause, &port));
            }
            self.collector.reading(received.reading, Receipt::Live(received.at), output)?;
        }
        Ok(Visit::Read)
    }

    /// Asks the meter for records of `span`.
    pub(super) fn records(
        &mut self,
        records: Records,
        span: &Range<Instant>,
        format: Format,
        output: &mut Output,
    ) -> anyhow::Result<Visit> {
        let port = self.link.name().to_owned();
        let wanted = Wanted {
            records,
            since: bound(span.start),
            until: bound(span.end),
            zone: self.globals.zone()?.zone,
            password: self.reach.password.clone(),
        };
        let waiting = waiting(&port, self.globals);
        let mut progress = |attempt: &Attempt| waiting.attempt(attempt);
        let found = history(self.link, &self.reach.wishes, &wanted, self.interrupt.stop(), &mut progress);
        drop(waiting);
        let found = match found {
            Ok(found) => found,
            Err(NoRecords::NotFound(error)) => return self.not_found(error, &port),
            Err(NoRecords::Refused(why)) => {
                let what = tr!("{port}: the meter does not give its records: {why}", port, why);
                return Err(Failure::new(failure::DENIED, "meter.refused", what)
                    .tip(tr!("some meters want a password: --password-file FILE"))
                    .into());
            }
        };
        self.collector.origin = Some(OPTICAL_PORT);
        match found {
            Kept::Rows(rows) if rows.is_empty() => return Ok(Visit::Empty),
            Kept::Rows(rows) => {
                for row in rows {
                    // However old a row says it is, it is believed.
                    self.collector.reading(row, Receipt::Replay(Instant::now()), output)?;
                }
            }
            Kept::Log(entries) => {
                records::print_log(&entries, format, self.globals, output)?;
                if let Some(saver) = &mut self.collector.saver {
                    saver.log(&entries, self.globals)?;
                }
                return Ok(if entries.is_empty() { Visit::Empty } else { Visit::Printed });
            }
        }
        Ok(Visit::Read)
    }

    fn not_found(&self, error: NotFound, port: &str) -> anyhow::Result<Visit> {
        match error {
            NotFound::Play(PlayError::Stopped) => Ok(Visit::Stopped),
            NotFound::Play(PlayError::Link(error)) => Err(error.into()),
            NotFound::Cause { cause, attempts } => Err(diagnosis::failure(&cause, port, &attempts).into()),
        }
    }
}

/// Where a meter is that can be asked.
const OPTICAL_PORT: &str = "port_optique";

/// An end of a span, unless it is open.
fn bound(at: Instant) -> Option<Instant> {
    /// The last moment that four digits of a year can name.
    const LAST: i64 = 253_402_300_799;
    (0..=LAST).contains(&at.unix_seconds()).then_some(at)
}

/// A line on a terminal's stderr for as long as nothing has been read; it appears at once, for a sign-on takes seconds.
struct Waiting<'a> {
    bar: ProgressBar,
    port: &'a str,
    globals: &'a Globals,
}

fn waiting<'a>(port: &'a str, globals: &'a Globals) -> Waiting<'a> {
    let bar = if globals.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_message(format!("{port}  {}", tr!("listening ...")));
    bar.enable_steady_tick(Duration::from_millis(120));
    Waiting { bar, port, globals }
}

impl Waiting<'_> {
    fn attempt(&self, attempt: &Attempt) {
        let said = diagnosis::attempt(attempt);
        self.bar.set_message(format!("{}  {said} ...", self.port));
        self.bar.suspend(|| self.globals.detail(&format!("{}: {said}", self.port)));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
