//! A command that is run for each new event, by a thread of its own, so that one that hangs holds up nothing.

use crate::cli::args::Globals;
use crate::cli::failure;
use crate::cli::output;
use crate::cli::words::tr;
use crate::document::EventJson;
use crate::session::Stopwatch;
use crate::store::KeptEvent;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// So many events wait for the command; further ones are left out, and that is said.
const WAITING: usize = 1000;
/// A command may take so long.
const LONGEST: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// Runs the command.
#[derive(Debug)]
pub(in crate::cli) struct Runner {
    events: SyncSender<String>,
    thread: JoinHandle<()>,
}

impl Runner {
    pub(in crate::cli) fn start(command: String) -> anyhow::Result<Self> {
        let (events, coming) = sync_channel(WAITING);
        let thread = thread::Builder::new().name("exec".to_owned()).spawn(move || serve(&command, &coming))?;
        Ok(Self { events, thread })
    }

    /// Runs it for an event, as soon as those before are done.
    pub(in crate::cli) fn run(&self, kept: &KeptEvent, globals: &Globals) {
        let Ok(json) = serde_json::to_string(&EventJson::new(kept.id, &kept.event)) else { return };
        if let Err(TrySendError::Full(_)) = self.events.try_send(json) {
            globals.warn(&tr!("the command is too slow: it is not run for event {number}", number = kept.id));
        }
    }

    /// Waits for the last one, so long at most.
    pub(in crate::cli) fn end(self, longest: Duration) {
        let Self { events, thread } = self;
        drop(events);
        let watch = Stopwatch::start();
        while !thread.is_finished() && !watch.left(longest).is_zero() {
            thread::sleep(GLANCE);
        }
    }
}

fn serve(command: &str, coming: &Receiver<String>) {
    for json in coming {
        if let Err(why) = call(command, &json) {
            // Not the command itself: a token may stand in it.
            output::say(&failure::warning(&tr!("the command for events: {why}", why)));
        }
    }
}

/// Runs it once, with a line on its standard input. What it prints goes to our standard error: stdout is for data.
fn call(command: &str, json: &str) -> Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read it is not at fault.
        let _ = stdin.write_all(json.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
    }
    let watch = Stopwatch::start();
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(tr!("ended with {status}", status)),
            None if watch.left(LONGEST).is_zero() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(tr!("stopped after {n} s", n = LONGEST.as_secs()));
            }
            None => thread::sleep(GLANCE),
        }
    }
}
