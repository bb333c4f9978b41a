//! A run: what it is asked for, what it does one after the other, and what it tells.

use super::ConsolidateError;
use super::filing::Filing;
use super::lock::Lock;
use super::plan::{self, Ask, Known, Piece, Place};
use super::prune;
use super::work::{Worker, sources};
use crate::archive::{ArchiveError, Kind, Listed, Named, Period, Standing, Tree, Whose};
use crate::document::Form;
use crate::reading::{Event, Instant, MeterId, Origin, Severity};
use crate::store::{EventQuery, KeptEvent, Stock, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// What is to be written.
pub type Select = Ask;

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The store.
    pub store: PathBuf,
    /// The folder of the archive.
    pub archive: PathBuf,
    /// Only this meter.
    pub meter: Option<MeterId>,
    /// The meter whose files have no suffix, where there are several.
    pub default_meter: Option<MeterId>,
    /// Which files.
    pub select: Select,
    /// Hour files of all days, not only of today and yesterday.
    pub hours: bool,
    /// How files are laid out.
    pub form: Form,
    /// Until when the store and the archive are cleared.
    pub bounds: Bounds,
    /// Tell what would be done, and do nothing.
    pub dry: bool,
    /// Do not hold every file that is there against its manifest.
    pub trusting: bool,
    /// The current time.
    pub now: Instant,
    /// How many may work at once.
    pub workers: usize,
}

/// What is kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// Readings before this time leave the store, if the archive has them.
    pub store: Option<Instant>,
    /// Files that end before this time leave the archive.
    pub archive: Option<Instant>,
}

/// Something that was done, or would be.
#[derive(Debug)]
pub enum Done {
    /// So many files are going to be written.
    Planned(usize),
    /// A file.
    Written {
        /// Its path.
        path: PathBuf,
        /// How many readings, or values of a week or month, are in it.
        count: usize,
        /// How long it is.
        bytes: u64,
        /// It was so already.
        unchanged: bool,
    },
    /// A damaged file got another name; what could be found was written anew.
    SetAside {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        error: ArchiveError,
        /// How many readings it is to have held, if that is known.
        expected: Option<usize>,
        /// How many there are now.
        now: usize,
    },
    /// A file that was left alone, and counts as if it were not there.
    Refused(ArchiveError),
    /// A file that is whole but was in no manifest.
    Adopted {
        /// Its path.
        path: PathBuf,
        /// How many readings are in it.
        count: usize,
    },
    /// Readings that left the store.
    Pruned {
        /// Whose.
        meter: MeterId,
        /// Before this time.
        until: Instant,
        /// How many.
        readings: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Readings that stay in the store though they are old enough.
    Kept {
        /// Whose.
        meter: MeterId,
        /// From this day on.
        day: Period,
        /// Why.
        why: String,
    },
    /// A file that left the archive.
    Removed {
        /// Its path.
        path: PathBuf,
        /// How long it was.
        bytes: u64,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that are new or hold something else than before.
    pub changed: usize,
    /// Files that were so already.
    pub unchanged: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Something is damaged, and could not be made good.
    pub is_damaged: bool,
}

impl Report {
    fn take(&mut self, done: &Done) {
        match done {
            Done::Written { bytes, unchanged, .. } => {
                *(if *unchanged { &mut self.unchanged } else { &mut self.changed }) += 1;
                self.bytes += bytes;
            }
            Done::SetAside { expected, now, .. } => self.is_damaged |= expected.is_none_or(|expected| *now < expected),
            Done::Refused(_) | Done::Kept { .. } => self.is_damaged = true,
            _ => {}
        }
    }
}

/// Consolidates. `tell` hears of each thing when it is done; in a dry run of the same things in the same order.
///
/// # Errors
/// [`ConsolidateError`]; what was done before it stays done and is whole.
pub fn run(wishes: &Wishes, mut tell: impl FnMut(Done)) -> Result<Report, ConsolidateError> {
    let store = Store::open(&wishes.store)?;
    store.set_cache(CACHE_KB)?;
    let tree = Tree::open(&wishes.archive, wishes.dry)?;
    let _locks = if wishes.dry { None } else { Some((Lock::take(&wishes.store)?, tree.lock()?)) };
    let mut report = Report::default();
    let mut set_aside = Vec::new();
    let mut tell = |done: Done| {
        report.take(&done);
        if let Done::SetAside { path, .. } = &done {
            set_aside.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        tell(done);
    };
    for error in tree.set_damaged_manifests_aside()? {
        tell(Done::Refused(error));
    }
    let meters = store.meters()?;
    let known: Vec<String> = meters.iter().map(|meter| meter.as_str().to_owned()).collect();
    let mut written = BTreeSet::new();
    for meter in meters.iter().filter(|meter| wishes.meter.as_ref().is_none_or(|wanted| wanted == *meter)) {
        let is_default = match &wishes.default_meter {
            Some(default) => default == meter,
            None => meters.len() == 1,
        };
        store.quick_check(meter)?;
        let run = Run { wishes, store: &store, tree: &tree, meter, is_default, known: &known };
        written.extend(run.meter(&mut tell)?);
    }
    tree.forget_former()?;
    if wishes.select == Ask::All {
        adopt(wishes, &tree, &known, &mut tell)?;
    }
    let mut pruned = BTreeMap::new();
    if let Some(cutoff) = wishes.bounds.store {
        let pruning = prune::Pruning { wishes, tree: &tree, cutoff, known: &known, written: &written };
        pruned = pruning.run(&store, &meters, &mut tell)?;
    }
    if let Some(cutoff) = wishes.bounds.archive {
        let mut held = BTreeSet::new();
        for meter in &meters {
            let from = Instant::from_unix_micros(i64::MIN / 2);
            let hours = store.stock(meter, from..cutoff)?.into_keys();
            // What left just now is still there in a dry run.
            held.extend(hours.filter(|hour| pruned.get(meter).is_none_or(|until| hour >= until)));
        }
        prune::archive(&tree, (wishes, &known), cutoff, &held, &mut tell)?;
    }
    drop(store);
    if !wishes.dry && !set_aside.is_empty() {
        note_damage(wishes, &set_aside)?;
    }
    Ok(report)
}

/// An event for files that were damaged; a store that may only be read has none.
fn note_damage(wishes: &Wishes, files: &[String]) -> Result<(), ConsolidateError> {
    const SHOWN: usize = 3;
    let more = if files.len() > SHOWN { format!(" et {} autres", files.len() - SHOWN) } else { String::new() };
    let names = files.get(..SHOWN).unwrap_or(files).join(", ");
    let event = Event {
        meter: None,
        kind: "donnees_corrompues".into(),
        severity: Severity::Critical,
        start: wishes.now,
        end: Some(wishes.now),
        description: format!("Archive endommagée : {names}{more}, mis de côté et refait").into(),
        value: None,
        unit: None,
        code: None,
        threshold: None,
        phase: None,
        origin: Origin::Reader,
    };
    match Store::create(&wishes.store).and_then(|mut store| store.put_events(&[event])) {
        Ok(_) | Err(StoreError::Denied(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Everything is read once: pages need not be kept.
const CACHE_KB: u16 = 256;

/// The files of one meter.
struct Run<'a> {
    wishes: &'a Wishes,
    store: &'a Store,
    tree: &'a Tree,
    meter: &'a MeterId,
    is_default: bool,
    known: &'a [String],
}

/// The name of a meter's file, and what its manifest says of it: one it already has keeps its name.
pub(super) fn place_of(
    tree: &Tree,
    meter: &MeterId,
    is_default: bool,
    period: Period,
) -> Result<(String, Option<Listed>), ArchiveError> {
    for suffix in [None, Some(meter.as_str())] {
        let name = period.file_name(suffix);
        if let Some(listed) = tree.listed(period, &name)?.filter(|listed| listed.meter == meter.as_str()) {
            return Ok((name, Some(listed)));
        }
    }
    let plain = period.file_name(None);
    let is_taken = tree.listed(period, &plain)?.is_some();
    Ok((if is_default && !is_taken { plain } else { period.file_name(Some(meter.as_str())) }, None))
}

impl<'a> Run<'a> {
    fn whose(&self) -> Whose<'a> {
        Whose { meter: self.meter.as_str(), is_default: self.is_default, known: self.known }
    }

    /// Writes what is missing; the days that are in the archive now.
    fn meter(&self, tell: &mut impl FnMut(Done)) -> Result<BTreeSet<String>, ConsolidateError> {
        let ever = Instant::from_unix_micros(i64::MIN / 2)..Instant::from_unix_micros(i64::MAX);
        let stock = self.store.stock(self.meter, ever)?;
        let (filed, hour_files) = (self.filed(), self.hour_files()?);
        let events = self.store.events(&EventQuery {
            meter: Some(self.meter.clone()),
            oldest_first: true,
            ..EventQuery::default()
        })?;
        let sources = |period| sources(self.tree, self.meter, self.is_default, period, &events);
        let Wishes { now, hours, .. } = *self.wishes;
        let known = Known { stock: &stock, filed: &filed, hour_files: &hour_files, now, hours };
        let tasks = plan::tasks(&known, &self.wishes.select, |period| self.look(period), sources)?;
        tell(Done::Planned(tasks.len()));
        let means: Vec<(Period, String)> = tasks
            .iter()
            .filter(|task| !task.period.kind().has_readings())
            .map(|task| (task.period, task.name.clone()))
            .collect();
        let pieces = plan::pieces(tasks, self.wishes.workers);
        let mut written = BTreeSet::new();
        self.all(&stock, &events, &pieces, &mut |done| {
            if let Done::Written { path, .. } = &done {
                written.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
            tell(done);
        })?;
        // Once every day is what it is going to be.
        let origins = means.into_iter().map(|(period, name)| Ok((period, name, sources(period)?)));
        self.tree.set_origins(origins.collect::<Result<_, ArchiveError>>()?)?;
        Ok(written)
    }

    /// Days of which there are hour files or a plain day file, but no packed one.
    fn filed(&self) -> BTreeSet<Period> {
        let mut days = BTreeSet::new();
        for name in self.tree.names(Kind::Day.folder()) {
            let Some(named) = Named::parse(&name) else { continue };
            let is_own = named.suffix.as_deref().map_or(self.is_default, |suffix| suffix == self.meter.as_str());
            let is_source = named.period.kind() == Kind::Hour || !named.packed;
            if is_own && is_source {
                days.extend(Period::containing(Kind::Day, named.period.start()));
            }
        }
        days
    }

    /// Hours of which there are listed files.
    fn hour_files(&self) -> Result<BTreeSet<Period>, ArchiveError> {
        let all = self.tree.all_listed(Kind::Hour.folder())?.into_iter();
        let own = all.filter(|(_, listed)| listed.meter == self.meter.as_str());
        let periods = own.filter_map(|(name, _)| Named::parse(&name)).map(|named| named.period);
        Ok(periods.filter(|period| period.kind() == Kind::Hour).collect())
    }

    fn look(&self, period: Period) -> Result<Place, ArchiveError> {
        let (name, listed) = place_of(self.tree, self.meter, self.is_default, period)?;
        let Some(listed) = listed else { return Ok(Place { name, listed: None }) };
        let standing = if self.wishes.trusting && listed.before.is_none() {
            match self.tree.has(period.kind().folder(), &name) {
                true => Standing::Whole,
                false => Standing::Missing,
            }
        } else {
            match self.tree.state_of(period, &name, &listed) {
                Err(ArchiveError::Outside { .. } | ArchiveError::Damaged { .. }) => Standing::Other,
                standing => standing?,
            }
        };
        Ok(Place { name, listed: Some((listed.origin, standing)) })
    }

    /// Does all pieces, the oldest first, several at once; what they tell comes in order.
    fn all(
        &self,
        stock: &BTreeMap<Instant, Stock>,
        events: &[KeptEvent],
        pieces: &[Piece],
        tell: &mut dyn FnMut(Done),
    ) -> Result<(), ConsolidateError> {
        if pieces.is_empty() {
            return Ok(());
        }
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<ConsolidateError>> = Mutex::new(None);
        // Each worker has a connection of its own: this one's cannot be shared.
        let Self { wishes, tree, meter, is_default, .. } = *self;
        let whose = self.whose();
        let work = |filing: &mut Filing<'_>| -> Result<(), ConsolidateError> {
            let store = Store::open(&wishes.store)?;
            store.set_cache(CACHE_KB)?;
            let worker = Worker { store, tree, meter, is_default, whose, stock, events, form: wishes.form };
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(piece) = pieces.get(index) else { return Ok(()) };
                worker.piece((index, piece), filing)?;
            }
        };
        std::thread::scope(|scope| -> Result<(), ConsolidateError> {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..wishes.workers.clamp(1, pieces.len()) {
                let mut filing = Filing::start(scope, tree, sender.clone())?;
                let (work, failed, next) = (&work, &failed, &next);
                let started =
                    std::thread::Builder::new().name("consolidate".to_owned()).spawn_scoped(scope, move || {
                        if let Err(error) = work(&mut filing).and_then(|()| filing.end()) {
                            // Nobody begins another piece.
                            next.store(usize::MAX / 2, Ordering::Relaxed);
                            failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                        }
                    });
                started.map_err(ConsolidateError::Thread)?;
            }
            drop(sender);
            let mut turn = 0;
            let mut waiting: BTreeMap<usize, Vec<Option<Done>>> = BTreeMap::new();
            for (index, done) in receiver {
                waiting.entry(index).or_default().push(done);
                while let Some(all) = waiting.get_mut(&turn) {
                    let mut is_over = false;
                    for done in all.drain(..) {
                        match done {
                            Some(done) => tell(done),
                            None => is_over = true,
                        }
                    }
                    if !is_over {
                        break;
                    }
                    waiting.remove(&turn);
                    turn += 1;
                }
            }
            Ok(())
        })?;
        failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// Lists files that are whole but in no manifest: those of an older program, or whose manifest was damaged.
fn adopt(wishes: &Wishes, tree: &Tree, known: &[String], tell: &mut dyn FnMut(Done)) -> Result<(), ConsolidateError> {
    let day_ago = wishes.now.plus_seconds(-86_400);
    for (named, name) in tree.unlisted()? {
        // A program that is still running may write to a young file again.
        if !named.packed || named.period.end() > day_ago {
            continue;
        }
        match tree.adopt(&named, &name, known) {
            Ok(Some(count)) => tell(Done::Adopted { path: tree.path(named.period, &name), count }),
            Ok(None) => {}
            Err(error @ (ArchiveError::Io { .. } | ArchiveError::NotVerified(_))) => return Err(error.into()),
            Err(error) => tell(Done::Refused(error)),
        }
    }
    Ok(())
}
