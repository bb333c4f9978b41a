//! New events as they come.

use super::Asked;
use super::exec::Runner;
use super::print::Printer;
use crate::cli::args::Globals;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::store::{EventQuery, Store, StoreError};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// How often to look.
const GLANCE: Duration = Duration::from_millis(200);
/// So many of those that there are already are shown first.
const BEFORE: usize = 10;
/// A command that runs when we are stopped is waited for so long.
const END: Duration = Duration::from_secs(5);

pub(super) fn run(
    asked: &Asked,
    store: &Store,
    query: EventQuery,
    printer: &mut Printer,
    globals: &Globals,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::catch()?;
    let runner = asked.exec.clone().map(Runner::start).transpose()?;
    // Whatever comes later is new.
    let mut above = store.last_event()?;
    let limit = query.limit.or_else(|| asked.span.since.is_none().then_some(BEFORE));
    let before = store.events(&EventQuery { limit, ..query.clone() })?;
    for kept in before.iter().rev().filter(|kept| kept.id <= above) {
        printer.one(kept, output)?;
    }
    output.flush()?;
    while !interrupt.stop().is_set() {
        thread::sleep(GLANCE);
        let next = EventQuery { above: Some(above), limit: None, oldest_first: true, ..query.clone() };
        let events = match store.events(&next) {
            Ok(events) => events,
            // Somebody writes; the next look will find it.
            Err(StoreError::Locked(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        for kept in &events {
            above = above.max(kept.id);
            printer.one(kept, output)?;
            if let Some(runner) = &runner {
                runner.run(kept, globals);
            }
        }
        output.flush()?;
    }
    if let Some(runner) = runner {
        runner.end(END);
    }
    Ok(interrupt.end())
}
