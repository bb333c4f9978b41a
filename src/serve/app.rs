//! What all requests share: the settings, connections to the store, and what was worked out before.

use super::failure::Failure;
use super::live::Hub;
use super::params::Params;
use super::recent::Recent;
use super::reply::Reply;
use super::rollup::Rollups;
use super::settings::Settings;
use crate::archive::Tree;
use crate::past::{Past, PastError};
use crate::reading::{Instant, MeterId};
use crate::store::{Store, StoreError};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant as Clock;

/// For so long it is believed that nobody has written to the store.
const TRUST: Duration = Duration::from_millis(25);
/// A question may take so long.
const PATIENCE_MS: i64 = 10_000;
/// Answers that are kept together hold so many bytes.
const KEPT: usize = 8 << 20;
/// All large answers that are being made and sent together hold so many KiB.
pub(super) const LARGE: usize = 40 << 10;

/// What all requests share.
#[derive(Debug)]
pub(super) struct App {
    pub(super) settings: Settings,
    began: Clock,
    watch: Mutex<Watch>,
    idle: Mutex<Vec<Reader>>,
    answers: Mutex<Answers>,
    pub(super) recent: Mutex<Recent>,
    pub(super) rollups: Mutex<Rollups>,
    pub(super) large: Arc<Semaphore>,
    pub(super) hub: Hub,
    pub(super) counts: Counts,
    stopping: AtomicBool,
}

/// How often what happened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Answers by the first digit of their status.
    pub(super) answers: [AtomicU64; 6],
    pub(super) connections: AtomicUsize,
}

/// The connection that is asked whether somebody has written.
#[derive(Debug)]
struct Watch {
    store: Store,
    version: i64,
    checked: Option<Clock>,
}

/// Answers for as long as the store stays as it is.
#[derive(Debug, Default)]
struct Answers {
    version: i64,
    bytes: usize,
    by_request: HashMap<String, Reply>,
}

/// A connection to the store for one request at a time.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) store: Store,
    until: Arc<AtomicI64>,
    /// The archive as it is now, where a part of the past is in it alone.
    archive: Option<Tree>,
}

impl Reader {
    pub(super) fn past(&self) -> Past<'_> {
        self.archive.as_ref().map_or(Past::new(&self.store), |archive| Past::with_archive(&self.store, archive))
    }
}

/// What a handler is asked.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) app: &'a App,
    pub(super) reader: &'a Reader,
    pub(super) params: Params,
    /// The version of the store before it is read.
    pub(super) version: i64,
    pub(super) body: &'a [u8],
    pub(super) now: Instant,
}

impl Question<'_> {
    pub(super) fn past(&self) -> Past<'_> {
        self.reader.past()
    }

    /// Fails once the time for an answer is over.
    pub(super) fn go_on(&self) -> Result<(), Failure> {
        if self.app.millis() <= self.reader.until.load(Ordering::Relaxed) && !self.app.is_stopping() {
            return Ok(());
        }
        let message = "La question prend trop de temps ; réduisez la période";
        Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message))
    }

    /// Whether half the time for an answer is over.
    pub(super) fn is_late(&self) -> bool {
        let until = self.reader.until.load(Ordering::Relaxed);
        self.app.millis() > until.saturating_sub(PATIENCE_MS / 2)
    }

    /// The meter that is meant; `None` where the store has none.
    pub(super) fn meter(&self) -> Result<Option<MeterId>, Failure> {
        let asked = self.params.meter();
        if let Some(named) = asked.or(self.app.settings.meter.as_ref().map(Some)) {
            let found = match named {
                Some(named) => self.reader.store.find_meter(named)?,
                None => None,
            };
            return match found {
                Some(meter) => Ok(Some(meter)),
                // The one in the settings may have no reading yet.
                None if asked.is_none() => Ok(None),
                None => Err(Failure { status: StatusCode::NOT_FOUND, ..Failure::parameter("meter", "est inconnu") }),
            };
        }
        let meters = self.past().meters()?;
        match meters.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let names: Vec<&str> = several.iter().map(MeterId::as_str).collect();
                // Nothing is wrong with the request; there is more than one answer to it.
                let status = StatusCode::CONFLICT;
                Err(Failure {
                    status,
                    ..Failure::parameter("meter", format!("doit dire lequel : {}", names.join(", ")))
                })
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    pub(super) fn new(settings: Settings) -> Result<Self, StoreError> {
        let store = Store::open(&settings.store)?;
        // It is asked on the thread that serves everybody.
        store.set_patience(Duration::ZERO)?;
        let version = store.version()?;
        Ok(Self {
            settings,
            began: Clock::now(),
            watch: Mutex::new(Watch { store, version, checked: None }),
            idle: Mutex::default(),
            answers: Mutex::default(),
            recent: Mutex::default(),
            rollups: Mutex::default(),
            large: Arc::new(Semaphore::new(LARGE)),
            hub: Hub::default(),
            counts: Counts::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// A number that changes when somebody writes to the store.
    pub(super) fn version(&self) -> i64 {
        let mut watch = lock(&self.watch);
        if watch.checked.is_none_or(|checked| checked.elapsed() > TRUST) {
            // A store that is busy is as it was.
            if let Ok(version) = watch.store.version() {
                watch.version = version;
            }
            watch.checked = Some(Clock::now());
        }
        watch.version
    }

    /// Nobody is to begin anything long.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn millis(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn reader(&self) -> Result<Reader, Failure> {
        let idle = lock(&self.idle).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let mut store = Store::open(&self.settings.store)?;
                let until = Arc::new(AtomicI64::new(i64::MAX));
                let (seen, began) = (Arc::clone(&until), self.began);
                store.give_up_when(move || {
                    let now = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
                    now > seen.load(Ordering::Relaxed)
                })?;
                Reader { store, until, archive: None }
            }
        };
        reader.archive = match &self.settings.archive {
            Some(folder) if reader.store.is_pruned()? => Some(Tree::open(folder, true).map_err(PastError::from)?),
            _ => None,
        };
        reader.until.store(self.millis().saturating_add(PATIENCE_MS), Ordering::Relaxed);
        Ok(reader)
    }

    /// Answers a question with a connection of its own. Blocks.
    pub(super) fn ask<T>(
        &self,
        params: Params,
        body: &[u8],
        act: impl FnOnce(&Question<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let version = self.version();
        let reader = self.reader()?;
        let done = act(&Question { app: self, reader: &reader, params, version, body, now: Instant::now() });
        lock(&self.idle).push(reader);
        done
    }

    /// The answer to a request that was given before, if nobody has written since.
    pub(super) fn known(&self, request: &str) -> Option<Reply> {
        let version = self.version();
        let mut answers = lock(&self.answers);
        if answers.version != version {
            *answers = Answers { version, ..Answers::default() };
        }
        answers.by_request.get(request).cloned()
    }

    /// Keeps an answer that was worked out of this version of the store.
    pub(super) fn keep(&self, request: &str, version: i64, reply: &Reply) {
        let bytes = reply.len() + request.len();
        if !reply.stays || reply.share.is_some() || bytes > KEPT / 4 {
            return;
        }
        let mut answers = lock(&self.answers);
        if answers.version == version {
            if answers.bytes + bytes > KEPT {
                (answers.bytes, answers.by_request) = (0, HashMap::new());
            }
            answers.bytes += bytes;
            answers.by_request.insert(request.to_owned(), reply.clone());
        }
    }
}

/// Works out the days of the main quantities, so that the first who looks at ten years does not wait.
pub(super) fn warm(app: &Arc<App>) {
    let app = Arc::clone(app);
    // It is let go of when the server stops.
    drop(tokio::task::spawn_blocking(move || {
        for column in crate::reading::Column::ALL {
            // Each time it gets further, where there is very much.
            for _ in 0..100 {
                let done = app.ask(Params::default(), &[], |question| {
                    let Some(meter) = question.meter().ok().flatten() else { return Ok(()) };
                    let (series, memory) = (question.past().series(&meter)?, question.past().tariff_memory(&meter)?);
                    let track = super::track::Track::of(super::track::Name::Column(column), &series, memory);
                    super::rollup::days(question, &meter, &track).map(drop)
                });
                if done.is_ok() || app.is_stopping() {
                    break;
                }
            }
            if app.is_stopping() {
                break;
            }
        }
    }));
}
