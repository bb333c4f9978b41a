//! The archive kept up to date while meters are logged: what is complete is written soon after the hour, on a thread of its
//! own with a connection that only reads.

use super::journal::Level;
use crate::archive::ArchiveError;
use crate::cli::consolidate::trouble;
use crate::cli::failure::Failure;
use crate::cli::words::{count, tr};
use crate::consolidate::{Bounds, ConsolidateError, Done, Select, Wishes, run};
use crate::document::Form;
use crate::reading::{Instant, MeterId};
use crate::store::StoreError;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// So long after an hour's end its readings have been committed, and it counts as complete.
const AFTER_S: i64 = 75;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The thread that archives.
pub(super) struct Archivist {
    said: Receiver<(Level, String)>,
    stop: Arc<AtomicBool>,
}

impl Archivist {
    /// Begins with what is not archived yet.
    pub(super) fn start(store: PathBuf, archive: PathBuf, default_meter: Option<MeterId>) -> io::Result<Self> {
        let (sender, said) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let wishes = move |now| Wishes {
            store: store.clone(),
            archive: archive.clone(),
            meter: None,
            default_meter: default_meter.clone(),
            select: Select::All,
            hours: false,
            form: Form::Indented,
            bounds: Bounds::default(),
            dry: false,
            trusting: true,
            now,
            workers: 1,
        };
        thread::Builder::new().name("archive".to_owned()).spawn(move || {
            let mut done: Option<i64> = None;
            while !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                let hour = now.plus_seconds(-AFTER_S).unix_seconds().div_euclid(3600);
                // A clock that was set back brings the hour again: nothing is written twice.
                // A fault of ours in one run must not be the end of all: the next hour tries again.
                let run = || archive_now(&wishes(now), &sender);
                if done != Some(hour) && panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| broken(&sender))
                {
                    done = Some(hour);
                }
                thread::sleep(LOOK);
            }
        })?;
        Ok(Self { said, stop })
    }

    /// What was said since this was asked last.
    pub(super) fn said(&self) -> impl Iterator<Item = (Level, String)> + '_ {
        self.said.try_iter()
    }

    /// No run begins any more. One that is going on may be cut off anywhere: its files are whole or not there.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A run that was the program's own fault is said, and over.
fn broken(said: &Sender<(Level, String)>) -> bool {
    let why = tr!("a fault of the program itself, please report it");
    drop(said.send((Level::Error, tr!("the archive could not be written: {why}", why))));
    true
}

/// One run; whether it is over and done with for this hour.
fn archive_now(wishes: &Wishes, said: &Sender<(Level, String)>) -> bool {
    // Who no longer listens is about to end.
    let say = |level, text| drop(said.send((level, text)));
    let mut files = 0;
    let done = run(wishes, |done| {
        files += usize::from(matches!(done, Done::Written { unchanged: false, .. }));
        if let Some(trouble) = trouble(&done) {
            say(Level::Warning, trouble);
        }
    });
    match done {
        Ok(_) if files > 0 => say(Level::Debug, tr!("{files} written into the archive", files = count::files(files))),
        Ok(_) => {}
        // Nothing was logged yet, or somebody else is at it: it is tried again.
        Err(ConsolidateError::Store(StoreError::Missing(_) | StoreError::Locked(_) | StoreError::Foreign(_))) => {
            return false;
        }
        Err(ConsolidateError::Busy { .. } | ConsolidateError::Archive(ArchiveError::Busy(_))) => return false,
        Err(error) => {
            let failure = Failure::of(&error.into());
            let why = std::iter::once(failure.said()).chain(failure.reasons()).collect::<Vec<_>>().join("; ");
            say(Level::Warning, tr!("the archive could not be written: {why}", why));
        }
    }
    true
}
