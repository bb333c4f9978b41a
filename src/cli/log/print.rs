//! Readings on stdout as they are kept: by a thread of its own, so that a reader down the pipe who stops holds up nothing.

use crate::acquire::log;
use crate::cli::output::{self, WriteError};
use crate::document::{Values, reading_json};
use crate::logger::Kept;
use crate::reading::{MeterId, TariffMemory};
use crate::session::{Stop, Stopwatch};
use anyhow::Context as _;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// So many readings wait for a reader down the pipe; further ones are not printed.
const WAITING: usize = 10_000;

/// At the end so long is waited for him.
const END: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct Printer {
    readings: SyncSender<Box<Kept>>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Printer {
    /// Begins. When the output cannot be written, or its reader has gone, `stop` is set.
    pub(super) fn start(stop: &Stop) -> anyhow::Result<Self> {
        let (readings, coming) = sync_channel(WAITING);
        let stop = stop.clone();
        let print = move || {
            let done = print(&coming);
            if done.is_err() {
                stop.set();
            }
            done
        };
        let thread = thread::Builder::new().name("print".to_owned()).spawn(print)?;
        Ok(Self { readings, thread })
    }

    pub(super) fn print(&self, kept: Box<Kept>) {
        drop(self.readings.try_send(kept));
    }

    /// Ends, and says whether everything could be written. A closed pipe is a quiet end.
    pub(super) fn end(self) -> anyhow::Result<()> {
        let Self { readings, thread } = self;
        drop(readings);
        let watch = Stopwatch::start();
        while !thread.is_finished() && !watch.left(END).is_zero() {
            thread::sleep(Duration::from_millis(5));
        }
        if !thread.is_finished() {
            return Ok(());
        }
        match thread.join() {
            Ok(Err(error)) if !output::is_closed_pipe(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

fn print(coming: &Receiver<Box<Kept>>) -> anyhow::Result<()> {
    // Not by way of `Stdout`: whoever else asked for that, at the end, would wait for us.
    let mut output = BufWriter::new(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    let mut memories: HashMap<MeterId, TariffMemory> = HashMap::new();
    loop {
        let kept = match coming.try_recv() {
            Ok(kept) => kept,
            Err(TryRecvError::Disconnected) => return Ok(output.flush().map_err(WriteError)?),
            Err(TryRecvError::Empty) => {
                output.flush().map_err(WriteError)?;
                match coming.recv() {
                    Ok(kept) => kept,
                    Err(_) => return Ok(()),
                }
            }
        };
        let Kept { meter, at, zone, reading } = *kept;
        let values = Values::of(&reading, memories.entry(meter).or_default());
        let log = log::entries(&reading);
        let json = reading_json(&reading, &values, &log, at, zone, reading.protocol.default_source());
        let line = serde_json::to_string(&json).context("making JSON")?;
        writeln!(output, "{line}").map_err(WriteError)?;
    }
}
