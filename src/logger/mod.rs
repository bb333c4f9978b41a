//! Meters read for years, and every reading kept: what `releve log` does.
//!
//! ```text
//! meter ─► reader (a thread each) ─┬─► queue, at most 10 000 ─► writer (one thread) ─► store
//!                                  └─► tail on a tmpfs, for what is in the queue when the process is killed
//! ```
//!
//! | file | what it decides, without thread or clock |
//! |---|---|
//! | `schedule` | when a meter is asked next |
//! | `thin` | which pushes are kept |
//! | `commit` | when what waits is written |
//! | `quiet` | which failures are worth a word |
//! | `queue` | what is given up when the memory is full |
//! | `line`, `disk` | what the reader itself notices: silence, damage, a full disk |
//! | `leftover` | what an earlier process noticed and did not see the end of |
//!
//! | file | what it does |
//! |---|---|
//! | `reader`, `port` | one meter: opening, recognising, reading, again after whatever happened |
//! | `writer`, `tail` | keeping |
//! | `shared`, this one | threads: beginning, watching, ending within two seconds |
//!
//! Nothing here ends the log but a wish to stop and what waiting would not change ([`Refusal`]). Several logs may write into one
//! store: SQLite lets one write at a time and the others wait in their queues.

mod commit;
mod disk;
mod leftover;
mod line;
mod notice;
mod plan;
mod port;
mod queue;
mod quiet;
mod reader;
mod refusal;
mod schedule;
mod shared;
mod tail;
mod thin;
mod writer;

pub use notice::{Event, Kept, Notice};
pub use plan::{Keep, Place, Plan};
pub use refusal::Refusal;

use crate::events::Watch;
use crate::session::{Stop, Stopwatch};
use crate::store::{Inserted, StoreError};
use disk::Disk;
use reader::Reader;
use shared::Shared;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tail::Tail;
use writer::{StoreKeeper, Writer};

/// How a log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Readings that were added to the store, and those that were in it already.
    pub stored: Inserted,
    /// Readings that could not be stored before the end.
    pub unstored: usize,
    /// Whether those wait in memory for the next log of this store.
    pub in_tail: bool,
    /// Readings that had to be given up while the store could not be written.
    pub lost: u64,
}

/// Events that wait to be heeded; about a second's worth at the highest speed.
const EVENTS: usize = 4096;

/// How often to look whether anything has changed.
const GLANCE: Duration = Duration::from_millis(50);

/// How often the writer wakes where there is nothing to write, to look at the room on the disk.
const DISK: Duration = Duration::from_secs(600);

/// How often life is reported.
const LIFE: Duration = Duration::from_secs(1);

/// A reader takes leave of its meter within so long; one that waits for a connection is left behind.
const READERS_END: Duration = Duration::from_millis(900);

/// With all the writer must be done within so long of the wish to stop.
const END: Duration = Duration::from_millis(1700);

/// What the threads come to; taken away by whoever waits for them.
#[derive(Debug, Default)]
struct Outcome {
    stored: Inserted,
    refusal: Option<Refusal>,
}

/// Logs meters until `stop` is set, `keep.count` readings are in, or going on is senseless. `heed` is told what happens, on
/// the thread of the caller.
///
/// # Errors
/// [`Refusal`]; what had been received before is stored.
pub fn run(plans: Vec<Plan>, keep: &Keep, stop: &Stop, heed: &mut dyn FnMut(Event)) -> Result<Summary, Refusal> {
    let (events, happened) = sync_channel(EVENTS);
    let (tail, left) = match &keep.tail {
        Some(folder) => Tail::open(folder, &name_of(&keep.store)),
        None => (Tail::default(), Vec::new()),
    };
    let shared = Arc::new(Shared::new(stop.clone(), events, tail, keep.window, keep.count, plans.len()));
    let outcome = Arc::new(Mutex::new(Outcome::default()));

    let events_of = Watch::new(keep.rules.clone(), keep.setting);
    let disk = Disk::new(&keep.rules, &keep.store);
    let writer = Writer::new(StoreKeeper::new(keep.store.clone(), events_of), keep.window, left);
    let writing = {
        let (shared, outcome) = (Arc::clone(&shared), Arc::clone(&outcome));
        spawn("store", move || write(writer, disk, &shared, &outcome))?
    };
    let alone = plans.len() == 1;
    let mut reading = Vec::new();
    for (index, plan) in plans.into_iter().enumerate() {
        let (reader, outcome) =
            (Reader::new(plan, Arc::clone(&shared), index, alone, &keep.rules), Arc::clone(&outcome));
        let (shared, name) = (Arc::clone(&shared), reader.name());
        let read = move || match reader.run() {
            Err(refusal) if alone => locked(&outcome).refusal = Some(refusal),
            Err(refusal) => shared.tell(Event::Notice { name, notice: Box::new(Notice::Ended { refusal }) }),
            Ok(()) => {}
        };
        reading.push(spawn("meter", read)?);
    }

    watch(&shared, &happened, &reading, heed);

    // Whoever ended first, all end now.
    let end = Stopwatch::start();
    let stopped = stop.is_set();
    stop.set();
    while !reading.iter().all(JoinHandle::is_finished) && !end.left(READERS_END).is_zero() {
        heed_for(GLANCE, &happened, heed);
    }
    shared.queue.close();
    while !writing.is_finished() && !end.left(END).is_zero() {
        heed_for(GLANCE, &happened, heed);
    }
    happened.try_iter().for_each(&mut *heed);

    let unstored = shared.queue.len();
    let in_tail = unstored > 0 && shared.tail().exists();
    let broken = reading.into_iter().chain([writing]).filter(JoinHandle::is_finished).any(|done| done.join().is_err());
    let mut outcome = locked(&outcome);
    match outcome.refusal.take() {
        Some(refusal) => Err(refusal),
        None if broken => Err(Refusal::Thread(io::Error::other("a thread broke down"))),
        None if !stopped => Err(Refusal::NothingLeft),
        None => Ok(Summary { stored: outcome.stored, unstored, in_tail, lost: shared.queue.dropped() }),
    }
}

/// Heeds what happens until somebody wishes to stop or no reader is left.
fn watch(shared: &Shared, happened: &Receiver<Event>, reading: &[JoinHandle<()>], heed: &mut dyn FnMut(Event)) {
    let mut life = Stopwatch::start();
    while !shared.stop.is_set() && !reading.iter().all(JoinHandle::is_finished) {
        heed_for(GLANCE, happened, heed);
        if life.left(LIFE).is_zero() {
            life = Stopwatch::start();
            if shared.is_alive() {
                heed(Event::Alive);
            }
        }
    }
}

/// Heeds what happens, or waits so long for something to happen.
fn heed_for(longest: Duration, happened: &Receiver<Event>, heed: &mut dyn FnMut(Event)) {
    match happened.recv_timeout(longest) {
        Ok(event) => {
            heed(event);
            happened.try_iter().take(EVENTS).for_each(&mut *heed);
        }
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => thread::sleep(longest),
    }
}

/// The writer's thread.
fn write(mut writer: Writer<StoreKeeper>, mut disk: Disk, shared: &Shared, outcome: &Mutex<Outcome>) {
    let mut tell = |notice: Notice| shared.tell(Event::Notice { name: None, notice: Box::new(notice) });
    match writer.begin() {
        Ok(()) => {}
        // Those pass.
        Err(StoreError::Locked(_) | StoreError::Write { .. }) => {}
        Err(error) => {
            locked(outcome).refusal = Some(error.into());
            return shared.stop.set();
        }
    }
    let queue = &shared.queue;
    loop {
        // Before, so that whatever comes from here on ends the wait.
        let seen = queue.changes();
        let mut notes = shared.notes();
        notes.extend(disk.look(shared.now()));
        let unkept = writer.note(notes);
        let is_held_up = !unkept.is_empty();
        shared.note_later(unkept);
        for kept in writer.new_events() {
            shared.tell(Event::Found(Box::new(kept)));
        }
        let longest = match writer.due(queue, shared.now()) {
            Some(due) if due.is_zero() => {
                if writer.write(queue, shared.now(), &mut tell) {
                    shared.written();
                }
                locked(outcome).stored = writer.done();
                continue;
            }
            Some(due) => due,
            None if queue.is_closed() => break,
            None => DISK,
        };
        if !queue.is_closed() && writer.tidy_in(shared.now()).is_zero() {
            writer.tidy(shared.now(), &mut tell);
            continue;
        }
        let longest = longest.min(writer.tidy_in(shared.now()));
        queue.wait(if is_held_up { longest.min(LIFE) } else { longest }, seen);
    }
    shared.tail().end();
}

fn locked(outcome: &Mutex<Outcome>) -> std::sync::MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name for what belongs to a store, the same in every process.
fn name_of(store: &Path) -> String {
    const CRC: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    let path = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
    let path = path.canonicalize().unwrap_or(path);
    format!("{:016x}", CRC.checksum(path.as_os_str().as_encoded_bytes()))
}

fn spawn(name: &str, what: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Refusal> {
    thread::Builder::new().name(name.to_owned()).spawn(what).map_err(Refusal::Thread)
}
