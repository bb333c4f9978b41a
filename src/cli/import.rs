//! `releve import`: what other programs and earlier times kept, into the store.

use super::args::{Globals, ZoneChoice};
use super::failure::{self, Failure};
use super::found::{Found, files};
use super::output::{Output, printable};
use super::words::{count, errors, tr};
use crate::acquire::{Decoder, Outcome, Receipt, Settings, timestamp};
use crate::archive::{ArchiveError, InFile, read_any};
use crate::events::again;
use crate::exchange::csv::{self, CsvError, CsvReading};
use crate::exchange::old_database::{OldDatabase, OldDatabaseError, OldRow};
use crate::reading::{Event, Instant, MeterId, Reading};
use crate::store::{Entry, EventQuery, Import, Store, StoreError};
use crate::transport::Input;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve import fixtures/dsmr/smart5.txt --db target/imported.db
  releve import fixtures/sml fixtures/dlms/e450_push.bin --db target/imported.db --meter HOME

PATH is a capture, an archive file of this or of the old application (.json, .json.gz), the old application's SQLite
file, a CSV file with a column timestamp, another store, or a folder with any of these. A reading that the store already
has is not added again, and of a file that cannot be read to its end nothing is kept.";

/// Take readings from captures, archives, the old database, CSV
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// Files or folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The file with the keys of enciphered captures
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Say why each reading was refused
    #[arg(long)]
    why: bool,
    /// Also find events in what was added, as `events detect` would
    #[arg(long)]
    events: bool,
}

/// What became of the readings of a file.
#[derive(Debug, Clone, Default)]
struct Tally {
    read: u64,
    added: u64,
    refused: u64,
    /// Events, to be kept once the readings are.
    events: Vec<Event>,
    events_added: usize,
    /// Of each meter, the time of the oldest reading that was added.
    since: BTreeMap<MeterId, Instant>,
    /// The first reason.
    why: Option<String>,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let keys = super::keys::load(self.key_file.as_deref(), globals)?;
        let zone = globals.zone()?;
        let meter = globals.meter()?;
        let files = files(&self.paths)?;
        if files.is_empty() {
            return Err(Failure::new(failure::NO_INPUT, "import.empty", tr!("there is no file in it")).into());
        }
        let mut store = Store::create(&globals.store_path()?)?;
        let now = Instant::now();
        let mut total = Tally::default();
        let mut exit = 0;
        let mut run = Run { globals, zone, meter, keys, now, why: self.why };
        let count = files.len();
        let mut files: VecDeque<Found> = files.into();
        while let Some(found) = files.pop_front() {
            let name = printable(&found.path.display().to_string());
            match run.file(&mut store, &found) {
                Ok(tally) => {
                    if !globals.quiet {
                        // Said when it is on the disk, not later.
                        output.line(&format!("{name}  {tally}"))?;
                        output.flush()?;
                    }
                    if tally.refused > 0
                        && !self.why
                        && let Some(why) = &tally.why
                    {
                        globals.warn(&tr!("{name}: {n} refused, the first: {why}", name, n = tally.refused, why));
                    }
                    total.take(&tally);
                }
                Err(error) => {
                    // What stops one file need not stop the others, what stops the store does.
                    let failure = Failure::of(&error);
                    if failure.id == "archive.derived" && (count > 1 || found.by_chance) {
                        globals.note(&tr!("{name}: made of day files, passed over", name));
                        continue;
                    }
                    for path in found.instead.into_iter().rev() {
                        files.push_front(Found { by_chance: true, ..Found::named(path) });
                    }
                    if (count == 1 && files.is_empty()) || failure.id.starts_with("store.") {
                        return Err(error);
                    }
                    super::output::say(&failure.to_string());
                    exit = failure.exit;
                }
            }
        }
        store.seal(now)?;
        store.join(now)?;
        if self.events {
            let (rules, setting) = (globals.events()?.rules(), globals.setting()?);
            for (meter, since) in &total.since {
                again(&mut store, meter, Some(*since), (&rules, setting), &mut |_| true)?;
            }
        }
        if count > 1 && !globals.quiet {
            output.line(&format!("{}  {total}", count::files(count)))?;
        }
        Ok(ExitCode::from(exit))
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let there = self.read - self.added;
        let Self { read, added, refused, .. } = self;
        f.write_str(&tr!(
            "{read} read, {added} added, {there} already there, {refused} refused",
            read,
            added,
            there,
            refused
        ))?;
        match self.events_added {
            0 => Ok(()),
            1 => f.write_str(&tr!(", 1 event added")),
            n => f.write_str(&tr!(", {n} events added", n)),
        }
    }
}

impl Tally {
    fn take(&mut self, other: &Self) {
        self.read += other.read;
        self.added += other.added;
        self.refused += other.refused;
        self.events_added += other.events_added;
        for (meter, since) in &other.since {
            let known = self.since.entry(meter.clone()).or_insert(*since);
            *known = (*known).min(*since);
        }
    }
}

/// What stops the reading of a file.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Old(#[from] OldDatabaseError),
    #[error(transparent)]
    Csv(#[from] CsvError),
    #[error(transparent)]
    Failure(#[from] Failure),
}

struct Run<'g> {
    globals: &'g Globals,
    zone: ZoneChoice,
    meter: Option<MeterId>,
    keys: crate::wire::dlms::Keys,
    now: Instant,
    why: bool,
}

/// A file that is being taken in.
struct Taking<'i, 's> {
    import: &'i mut Import<'s>,
    tally: Tally,
    /// The meter that was named, whatever the file says.
    meter: Option<MeterId>,
    bar: ProgressBar,
    loud: bool,
    name: String,
    /// The meter that the name of an archive's file says.
    suffix: Option<String>,
}

impl Run<'_> {
    fn file(&mut self, store: &mut Store, found: &Found) -> anyhow::Result<Tally> {
        let path = found.path.as_path();
        if found.is_outside {
            return Err(ArchiveError::Outside { path: path.into() }.into());
        }
        let suffix = listed_as(found)?;
        let kind = kind_of(path)?;
        let mut import = store.import(self.now)?;
        let taking = Taking {
            import: &mut import,
            tally: Tally::default(),
            meter: self.meter.clone(),
            bar: self.bar(path),
            loud: self.why,
            name: path.display().to_string(),
            suffix,
        };
        match self.read(path, kind, taking) {
            Ok(mut tally) => {
                import.finish()?;
                let put = super::events::put_imported(store, std::mem::take(&mut tally.events))?;
                tally.events_added = put;
                Ok(tally)
            }
            // Dropped: nothing of it is kept.
            Err(error) => Err(refused(path, error)),
        }
    }

    fn read(&mut self, path: &Path, kind: FileKind, mut taking: Taking<'_, '_>) -> Result<Tally, Stop> {
        match kind {
            FileKind::Archive => read_any(path, |found| taking.filed(found))?,
            FileKind::OldDatabase => {
                let old = OldDatabase::open(path)?;
                taking.bar.set_length(old.count()?);
                if taking.meter.is_none() {
                    return Err(unnamed(path).into());
                }
                old.rows(|row| taking.old(row))?;
                old.events(|event| taking.event(event))?;
            }
            FileKind::Store => {
                let other = Store::open(path)?;
                let ever = Instant::from_unix(i64::MIN / 4_000_000)..Instant::from_unix(i64::MAX / 4_000_000);
                for meter in other.meters()? {
                    other.readings(&meter, ever.clone(), |kept| -> Result<(), Stop> {
                        let (at, source) = (kept.at, kept.source.to_string());
                        taking.add(Some(meter.clone()), at, source, kept.reading, false)
                    })?;
                }
                for kept in other.events(&EventQuery { oldest_first: true, ..EventQuery::default() })? {
                    taking.event(Ok(kept.event)).map_err(|error: Stop| error)?;
                }
            }
            FileKind::Csv => {
                let file = File::open(path).map_err(|error| unreadable(path, &error))?;
                csv::read(taking.bar.clone().wrap_read(file), |row| taking.csv(row))?;
            }
            FileKind::Capture => self.capture(path, &mut taking)?,
        }
        taking.bar.finish_and_clear();
        Ok(taking.tally)
    }

    fn capture(&self, path: &Path, taking: &mut Taking<'_, '_>) -> Result<(), Stop> {
        let mut input = Input::open(path).map_err(|error| Failure::of(&error.into()))?;
        let receipt = Receipt::Replay(input.modified().map_or(self.now, Instant::from_system_time));
        let mut decoder = Decoder::new(Settings { keys: self.keys.clone(), ..Settings::default() });
        let mut buffer = vec![0; 64 * 1024];
        let mut outcomes = Vec::new();
        loop {
            let count = match input.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(path, &error).into()),
            };
            let mut sink = |outcome| outcomes.push(outcome);
            if count == 0 {
                decoder.finish(&mut sink);
            } else {
                decoder.push(buffer.get(..count).unwrap_or_default(), &mut sink);
            }
            taking.bar.inc(count as u64);
            for outcome in outcomes.drain(..) {
                match outcome {
                    Outcome::Reading(mut reading) => {
                        let at = timestamp(&mut reading, receipt, self.zone.zone, self.zone.chosen).at;
                        let source = reading.protocol.default_source().to_owned();
                        taking.add(reading.meter.clone(), at, source, reading, false)?;
                    }
                    Outcome::Fault(fault) => taking.refuse(fault.to_string()),
                }
            }
            if count == 0 {
                break;
            }
        }
        if taking.tally.read == 0 {
            let what = tr!("{source}: nothing in it is a reading", source = path.display());
            let failure = Failure::new(failure::NOT_A_METER, "data.unknown", what);
            let failure = match &taking.tally.why {
                Some(why) => failure.cause(why.clone()),
                None => failure,
            };
            return Err(failure.into());
        }
        Ok(())
    }

    fn bar(&self, path: &Path) -> ProgressBar {
        if self.globals.quiet {
            return ProgressBar::hidden();
        }
        let length = fs::metadata(path).map(|metadata| metadata.len()).unwrap_or_default();
        // Drawn on a terminal only.
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta}") {
            bar.set_style(style);
        }
        bar
    }
}

impl Taking<'_, '_> {
    fn add(
        &mut self,
        meter: Option<MeterId>,
        at: Instant,
        source: String,
        mut reading: Reading,
        derived: bool,
    ) -> Result<(), Stop> {
        let Some(meter) = self.meter.clone().or(meter) else {
            return Err(unnamed(Path::new(&self.name)).into());
        };
        reading.meter = Some(meter.clone());
        self.tally.read += 1;
        let entry = Entry { meter, at, source, reading, derived };
        if self.import.add(&entry)? {
            self.tally.added += 1;
            match self.tally.since.get_mut(&entry.meter) {
                Some(since) => *since = at.min(*since),
                None => drop(self.tally.since.insert(entry.meter, at)),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, why: String) {
        self.tally.refused += 1;
        if self.loud {
            super::output::say(&printable(&format!("{}: {why}", self.name)));
        }
        self.tally.why.get_or_insert(why);
    }

    fn filed(&mut self, found: InFile<'_>) -> Result<(), Stop> {
        let Some(at) = found.filed.at() else {
            let what = format!("'{:.40}' is not a time", found.filed.timestamp);
            return Err(ArchiveError::Damaged { path: PathBuf::from(&self.name), source: what.into() }.into());
        };
        let source = found.filed.source.clone().unwrap_or_else(|| "import".to_owned());
        let meter = match (found.meter, &self.suffix) {
            (Some(meter), Some(suffix)) if meter != suffix => {
                let (path, found) = (PathBuf::from(&self.name), meter.to_owned());
                return Err(ArchiveError::OtherMeter { path, found }.into());
            }
            (Some(meter), _) => MeterId::new(meter),
            (None, suffix) => suffix.as_deref().and_then(MeterId::new),
        };
        self.add(meter, at, source, found.filed.reading(found.units), true)
    }

    fn old(&mut self, row: Result<OldRow, String>) -> Result<(), Stop> {
        match row {
            Ok(row) => {
                if self.tally.read.is_multiple_of(8192) {
                    self.bar.set_position(self.tally.read);
                }
                self.add(None, row.at, row.source, row.reading, true)
            }
            Err(why) => {
                self.refuse(why);
                Ok(())
            }
        }
    }

    fn event(&mut self, event: Result<Event, String>) -> Result<(), Stop> {
        match event {
            Ok(event) => {
                let meter = self.meter.clone().or(event.meter);
                self.tally.events.push(Event { meter, ..event });
            }
            Err(why) => self.refuse(why),
        }
        Ok(())
    }

    fn csv(&mut self, row: Result<CsvReading, String>) -> Result<(), Stop> {
        match row {
            Ok(row) => {
                let source = row.source.unwrap_or_else(|| "import".to_owned());
                self.add(row.meter.as_deref().and_then(MeterId::new), row.at, source, row.reading, true)
            }
            Err(why) => {
                self.refuse(why);
                Ok(())
            }
        }
    }
}

/// Holds a file against the manifest of its archive; the meter in its name.
fn listed_as(found: &Found) -> Result<Option<String>, ArchiveError> {
    let Some((tree, named)) = &found.of_archive else { return Ok(None) };
    let name = found.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(listed) = tree.listed(named.period, &name)? {
        tree.verify(named.period, &name, &listed)?;
    }
    Ok(named.suffix.clone())
}

fn unnamed(path: &Path) -> Failure {
    let what = tr!("{path} does not say which meter it is of", path = path.display());
    Failure::new(failure::USAGE, "meter.unknown", what).tip(tr!("name it: --meter ID"))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let exit = if error.kind() == io::ErrorKind::PermissionDenied { failure::DENIED } else { failure::NO_INPUT };
    Failure::new(exit, "input.read", errors::cannot_read(path)).cause(error.to_string())
}

/// The failure of a file, with its name.
fn refused(path: &Path, stop: Stop) -> anyhow::Error {
    let data = |cause: String| {
        Failure::new(
            failure::DATA,
            "import.damaged",
            tr!("{path} cannot be read, nothing of it was kept", path = path.display()),
        )
        .cause(cause)
        .into()
    };
    match stop {
        Stop::Old(OldDatabaseError::NoReadings) => data(tr!("it has no table mesures_energie")),
        Stop::Old(error) => data(error.to_string()),
        Stop::Csv(CsvError::Header) => data(tr!("its first line has no column 'timestamp'")),
        Stop::Csv(error) => data(error.to_string()),
        Stop::Store(error) => error.into(),
        Stop::Archive(error) => error.into(),
        Stop::Failure(failure) => failure.into(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Archive,
    OldDatabase,
    Store,
    Csv,
    Capture,
}

/// What a file is, by its first bytes.
fn kind_of(path: &Path) -> anyhow::Result<FileKind> {
    let fail = |error: io::Error| unreadable(path, &error);
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(4096).read_to_end(&mut start)).map_err(fail)?;
    if start.starts_with(b"SQLite format 3\0") {
        let is_ours = start.get(68..72) == Some(b"relv");
        return Ok(if is_ours { FileKind::Store } else { FileKind::OldDatabase });
    }
    let text = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&start).trim_ascii_start();
    if start.starts_with(&[0x1F, 0x8B]) || text.starts_with(b"{") || text.starts_with(b"[") {
        return Ok(FileKind::Archive);
    }
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let names = std::str::from_utf8(first).unwrap_or_default();
    let is_header = names.split([',', ';']).any(|name| name.trim() == "timestamp");
    Ok(if is_header { FileKind::Csv } else { FileKind::Capture })
}
