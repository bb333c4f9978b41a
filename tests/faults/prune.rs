//! The power goes while `releve consolidate --prune` runs: whatever the disk did with what it was not told to keep, each reading is
//! in the store or in a whole file of the archive, no file under a final name is broken, and the same command ends the work.

use crate::disk::{self, MODELS, Model, State};
use crate::testenv::random::Random;
use crate::testenv::{Place, Run, control, figures};
use crate::trace::{self, Change, What};
use crate::{each, long, releve};
use flate2::read::GzDecoder;
use releve::archive::sha256;
use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Reading, Register, Unit};
use releve::store::{Entry, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

const STORE: &str = "s.db";
const ARCHIVE: &str = "a";
const RUN: [&str; 7] = ["consolidate", "--archive", ARCHIVE, "--keep", "8w", "--prune", "-q"];
/// What unfinished files of the archive are called.
const TEMPORARY: &str = ".archive-";
/// What damaged files are called that were set aside.
const ASIDE: &str = ".corrompu";

/// A run as it came upon a disk, and what it made of it.
struct Recording {
    name: &'static str,
    /// The disk before it, all of it synced, and then what it did.
    changes: Vec<Change>,
    /// How many of the changes were there before.
    before: usize,
    /// Files that were damaged before it.
    damaged: State,
    /// Each reading, by time and values.
    all: BTreeSet<String>,
    /// The archive at its end, and the readings that stayed in the store.
    archive: State,
    kept: BTreeSet<String>,
}

fn entries(from: Instant, step: i64, count: i64) -> Vec<Entry> {
    let meter = MeterId::new("E450001234").unwrap();
    let entry = |index: i64| {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.meter = Some(meter.clone());
        reading.registers = vec![
            Register::number(Code::parse(b"1.8.0"), Decimal::new(154_320 + index, -3), Some(Unit::KWH)),
            Register::number(Code::parse(b"32.7.0"), Decimal::new(2300 + index * 7919 % 31, -1), Some(Unit::V)),
        ];
        let at = from.plus_seconds(index * step);
        Entry { meter: meter.clone(), at, source: "p1".to_owned(), reading, derived: false }
    };
    (0..count).map(entry).collect()
}

/// The disk as it is, as if all of it had been made and synced.
fn made(state: &State) -> Vec<Change> {
    let mut all = Vec::new();
    for (path, content) in state {
        match content {
            None => all.push(What::Folder(path.clone())),
            Some(bytes) => {
                all.extend([What::Create(path.clone()), What::Write(path.clone(), 0, bytes.clone())]);
                all.push(What::Sync(path.clone()));
            }
        }
    }
    let folders = state.iter().filter(|(_, content)| content.is_none()).map(|(path, _)| path.clone());
    all.extend(folders.chain([PathBuf::new()]).map(What::Sync).collect::<Vec<_>>());
    all.into_iter().map(|what| Change { at: UNIX_EPOCH, what }).collect()
}

/// What is below a folder.
fn tree(root: &Path) -> State {
    let mut found = State::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let content = path.is_file().then(|| std::fs::read(&path).unwrap());
            if content.is_none() {
                folders.push(path.clone());
            }
            // SQLite's index of its log is made anew from the log.
            if !path.to_str().unwrap().ends_with("-shm") {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), content);
            }
        }
    }
    found
}

fn consolidate(place: &Place) -> Run {
    let mut command = place.command();
    Run::of(command.current_dir(place.path("disk")).args(RUN).args(["--db", STORE]).output().unwrap())
}

/// Records a run that comes upon the disk of `place`.
fn record(place: &Place, name: &'static str, damaged: State) -> Recording {
    let root = place.path("disk");
    let mut changes = made(&tree(&root));
    let before = changes.len();
    let mut all = in_store(place).unwrap();
    all.extend(in_archive(&tree(&root), &damaged).unwrap());
    let mut command: Command = place.command();
    command.current_dir(&root).args(RUN).args(["--db", STORE]);
    let prefix = place.path(&format!("trace-{name}"));
    let run = Run::of(trace::traced(&command, &prefix).output().unwrap());
    assert!(run.exit == 0 && run.stderr.is_empty() == damaged.is_empty(), "{name}: {} {}", run.exit, run.stderr);
    changes.extend(trace::changes(&prefix, &root));
    let end = tree(&root);
    // What was recorded is all there is to it: played back in order, it is the same disk.
    let played = disk::after(&changes, Model::InOrder, usize::MAX, &mut Random::new(1));
    let other: Vec<_> = played.keys().chain(end.keys()).filter(|path| played.get(*path) != end.get(*path)).collect();
    assert!(other.is_empty(), "{name}: the record is another of {other:?}");
    let (archive, kept) = (of_archive(&end), in_store(place).unwrap());
    assert!(!kept.is_empty() && kept.len() < all.len(), "{name}: {} of {}", kept.len(), all.len());
    Recording { name, changes, before, damaged, all, archive, kept }
}

/// A first run over five weeks; one that comes upon late readings of days that are in the archive alone; one that comes upon
/// damaged files of days that the store still has, and has readings to prune.
fn recordings() -> Vec<Recording> {
    let place = Place::new();
    let root = place.path("disk");
    std::fs::create_dir(&root).unwrap();
    let from = Instant::now().unix_seconds() / 86_400 * 86_400 - (8 * 7 + 25) * 86_400;
    let from = Instant::from_unix(from);
    let fill = |entries: &[Entry]| {
        let mut store = Store::create(&root.join(STORE)).unwrap();
        store.insert(entries).unwrap();
        store.seal(Instant::now()).unwrap();
        store.compact().unwrap();
    };
    fill(&entries(from, 3600, 35 * 24));
    let first = record(&place, "first", State::new());
    // Of twenty days one reading each.
    fill(&entries(from.plus_seconds(1234), 86_400, 20));
    let second = record(&place, "late", State::new());
    fill(&entries(from.plus_seconds(2345), 86_400, 20));
    let mut damaged = State::new();
    let archive = tree(&root).into_iter().filter(|(path, _)| path.starts_with(ARCHIVE));
    let days = archive
        .filter_map(|(path, bytes)| Some((path, bytes?)))
        .filter(|(path, _)| path.to_str().unwrap().contains("jour_"));
    for (path, bytes) in days.skip(30).take(3) {
        let half = bytes[..bytes.len() / 2].to_vec();
        std::fs::write(root.join(&path), &half).unwrap();
        damaged.insert(path, Some(half));
    }
    let third = record(&place, "damaged", damaged);
    vec![first, second, third]
}

/// The archive of a disk, but for what was set aside: where both names of a file were left, that is one more.
fn of_archive(state: &State) -> State {
    let is_of_it = |path: &Path| path.starts_with(ARCHIVE) && !path.to_str().unwrap().ends_with(ASIDE);
    state.iter().filter(|(path, _)| is_of_it(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

/// A reading's time and values, in one form for the store's and the archive's.
fn key(reading: &Value) -> String {
    format!("{} {}", reading["timestamp"], reading["valeurs"])
}

/// The readings in the store; an error is what was said instead.
fn in_store(place: &Place) -> Result<BTreeSet<String>, String> {
    let db = place.path("disk").join(STORE);
    let checked = releve(place, &db, &["db", "check", "-q"]);
    let run = releve(place, &db, &["export", "-f", "ndjson", "-q"]);
    // The last: all of it was given away.
    if checked.exit != 0 || run.exit != 0 {
        return Err(format!("the store: {} {} {}", checked.stderr, run.exit, run.stderr));
    }
    let mut found = BTreeSet::new();
    for line in run.stdout.lines() {
        let reading = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        if !found.insert(key(&reading)) {
            return Err(format!("twice in the store: {line}"));
        }
    }
    Ok(found)
}

fn json(bytes: &[u8], path: &Path) -> Result<Value, String> {
    let broken = |error: &dyn std::fmt::Display| format!("{} is broken: {error}", path.display());
    let mut text = Vec::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(bytes).read_to_end(&mut text).map_err(|error| broken(&error))?;
    } else {
        text.extend_from_slice(bytes);
    }
    serde_json::from_slice(&text).map_err(|error| broken(&error))
}

/// The readings in day files that are what their manifest says. An error is a file that has its final name and is not whole; no
/// code of the archive's is asked.
fn in_archive(disk: &State, damaged: &State) -> Result<BTreeSet<String>, String> {
    let mut sums: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut days = Vec::new();
    for (path, content) in disk.iter().filter(|(path, _)| path.starts_with(ARCHIVE)) {
        let (name, Some(bytes)) = (path.file_name().unwrap().to_str().unwrap(), content) else { continue };
        if name.starts_with(TEMPORARY) || name.ends_with(ASIDE) || damaged.get(path) == Some(content) {
            continue;
        }
        let file = json(bytes, path)?;
        if name.starts_with("manifeste_") {
            let end = String::from_utf8_lossy(bytes).rfind("  \"sha256\": \"").unwrap_or_default();
            if file["sha256"] != sha256(&bytes[..end]) {
                return Err(format!("{}: its checksum does not fit", path.display()));
            }
            for (name, listed) in file["fichiers"].as_object().into_iter().flatten() {
                let known = ["sha256", "avant"].iter().filter_map(|key| listed[*key].as_str().map(str::to_owned));
                sums.insert(path.with_file_name(name), known.collect());
            }
        } else {
            days.push((path, sha256(bytes), file));
        }
    }
    let mut found = BTreeSet::new();
    for (path, sum, file) in days {
        match sums.get(path) {
            Some(known) if known.contains(&sum) => {}
            Some(_) => return Err(format!("{} is not what the manifest says", path.display())),
            None => return Err(format!("{} is in no manifest", path.display())),
        }
        found.extend(file["mesures"].as_array().into_iter().flatten().map(key));
    }
    Ok(found)
}

/// Whether a disk that is found so keeps the promise.
fn survives(recording: &Recording, state: &State, lost: &AtomicUsize) -> Result<(), String> {
    let place = Place::new();
    let root = place.path("disk");
    disk::write(state, &root);
    let mut found = in_archive(state, &recording.damaged)?;
    if found.len() > recording.all.len() {
        return Err("readings that never were".to_owned());
    }
    // What is listed and not there yet, and what was damaged before, is all that may be said of it.
    if root.join(ARCHIVE).is_dir() {
        let verified = place.run(["consolidate", "--archive", "disk/a", "--verify", "-q"]);
        let was_damaged = |line: &str| recording.damaged.keys().any(|path| line.contains(path.to_str().unwrap()));
        let is_unfinished = |line: &str| line.contains("it is missing") || line.contains("a run was interrupted");
        let mut complaints = verified.stderr.lines().filter(|line| line.contains(".json") && !line.contains(ASIDE));
        if let Some(line) = complaints.find(|line| !is_unfinished(line) && !was_damaged(line)) {
            return Err(format!("--verify: {line}"));
        }
    }
    found.extend(in_store(&place)?);
    if found != recording.all {
        let count = recording.all.difference(&found).count();
        lost.fetch_add(count, Ordering::Relaxed);
        return Err(format!("{count} of {} readings are lost, {} found", recording.all.len(), found.len()));
    }
    // The same command ends it.
    let again = consolidate(&place);
    if again.exit != 0 {
        return Err(format!("the next run: {} {}", again.exit, again.stderr));
    }
    let verified = place.run(["consolidate", "--archive", "disk/a", "--verify", "-q"]);
    if verified.exit != 0 {
        return Err(format!("--verify after the next run: {}", verified.stderr));
    }
    let end = tree(&root);
    if of_archive(&end) != recording.archive {
        let other = |(path, content): (&PathBuf, _)| recording.archive.get(path) != Some(content);
        let stray: Vec<_> =
            of_archive(&end).iter().filter(|entry| other(*entry)).map(|(path, _)| path.clone()).collect();
        return Err(format!("another archive after the next run: {stray:?}"));
    }
    // SQLite's log stays, empty, where the last one to close the store only reads.
    let of_store = [STORE, "s.db-wal", "s.db.lock"].map(Path::new);
    let is_ours = |path: &&PathBuf| path.starts_with(ARCHIVE) || of_store.contains(&path.as_path());
    if let Some(stray) = end.keys().find(|path| !is_ours(path)) {
        return Err(format!("{} is left behind", stray.display()));
    }
    let (mut found, kept) = (in_archive(&end, &State::new())?, in_store(&place)?);
    // A new day may have begun meanwhile, and one more was old enough.
    if !kept.is_subset(&recording.kept) {
        return Err(format!("{} readings stay in the store in place of {}", kept.len(), recording.kept.len()));
    }
    found.extend(kept);
    if found == recording.all { Ok(()) } else { Err(format!("{} readings after the next run", found.len())) }
}

impl Recording {
    /// Instants for the power to go: half of them anywhere, half around what gives a file its name or takes readings away.
    fn cuts(&self, many: usize, random: &mut Random) -> Vec<usize> {
        let is_special = |change: &Change| match &change.what {
            What::Rename(..) | What::Unlink(_) => true,
            What::Write(path, ..) | What::Sync(path) => path.to_str().is_some_and(|path| path.starts_with(STORE)),
            _ => false,
        };
        let special: Vec<usize> =
            (self.before..self.changes.len()).filter(|&at| is_special(&self.changes[at])).collect();
        let anywhere = |random: &mut Random| self.before + random.below(self.changes.len() + 1 - self.before);
        let near =
            |random: &mut Random| (special[random.below(special.len())] + random.below(3)).min(self.changes.len());
        (0..many).map(|turn| if turn % 2 == 0 { anywhere(random) } else { near(random) }).collect()
    }
}

#[test]
fn promise_p04_a_power_cut_while_pruning_loses_nothing_and_the_same_command_ends_the_work() {
    if !trace::is_possible() {
        return;
    }
    let recordings = recordings();
    let mut random = Random::new(4);
    let mut cases: Vec<(&Recording, usize, Model)> = Vec::new();
    for recording in &recordings {
        for model in MODELS {
            cases.extend(recording.cuts(long(30, 4), &mut random).into_iter().map(|cut| (recording, cut, model)));
        }
    }
    let (failed, lost) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    each(&cases, |index, &(recording, cut, model)| {
        let state = disk::after(&recording.changes[..cut], model, usize::MAX, &mut Random::new(index));
        if let Err(why) = survives(recording, &state, &lost) {
            let at = recording.changes.get(cut).map(|change| format!("{:.80}", format!("{:?}", change.what)));
            failed.lock().unwrap().push(format!("{}, {model:?}, before change {cut} {at:?}: {why}", recording.name));
        }
    });
    let failed = failed.into_inner().unwrap();
    let calls: usize = recordings.iter().map(|recording| recording.changes.len() - recording.before).sum();
    let more = format!("disk states of {calls} recorded changes under {} disk models", MODELS.len());
    figures(4, cases.len(), cases.len() - failed.len(), lost.into_inner(), &more);
    assert!(failed.is_empty(), "{} of {}: {:#?}", failed.len(), cases.len(), &failed[..failed.len().min(8)]);
}

/// The check is one that can fail: disks and programs that do not keep their word are found out.
#[test]
fn promise_p04_control_a_lying_disk_and_a_forgotten_sync_are_found_out() {
    if !trace::is_possible() {
        return;
    }
    let recordings = recordings();
    let first = &recordings[0];
    let end = first.changes.len();
    type Forgets = fn(&What) -> bool;
    let cases: [(&str, Forgets); 3] = [
        (
            "the disk lies about every sync of the archive",
            |what| matches!(what, What::Sync(path) if path.starts_with(ARCHIVE)),
        ),
        (
            "the program forgets to sync folders",
            |what| matches!(what, What::Sync(path) if path.starts_with(ARCHIVE) && path.extension().is_none() && !is_temporary(path)),
        ),
        ("the program forgets to sync files", |what| matches!(what, What::Sync(path) if is_temporary(path))),
    ];
    let nobody = AtomicUsize::new(0);
    let mut results = Vec::new();
    for (what, forgets) in cases {
        let mut changes = first.changes.clone();
        let mut place = 0;
        changes.retain(|change| {
            place += 1;
            place <= first.before || !forgets(&change.what)
        });
        assert!(changes.len() < end, "{what}: there was none");
        let state = disk::after(&changes, Model::OnlySynced, usize::MAX, &mut Random::new(9));
        results.push((what, survives(first, &state, &nobody)));
    }
    // Results made up: a reading lost, one changed, a broken file under its name.
    let whole = disk::after(&first.changes, Model::InOrder, usize::MAX, &mut Random::new(1));
    survives(first, &whole, &nobody).unwrap();
    let day = whole.keys().find(|path| path.to_str().unwrap().contains("jour_")).unwrap();
    let bytes = whole[day].clone().unwrap();
    let broken: [(&str, Option<Vec<u8>>); 3] = [
        ("a day file is gone", None),
        ("half a day file", Some(bytes[..bytes.len() / 2].to_vec())),
        ("a day file with other values, whole by itself", Some(repacked(&bytes))),
    ];
    for (what, content) in broken {
        let mut state = whole.clone();
        match content {
            Some(content) => drop(state.insert(day.clone(), Some(content))),
            None => drop(state.remove(day)),
        }
        results.push((what, survives(first, &state, &nobody)));
    }
    control(4, results);
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(TEMPORARY))
}

fn repacked(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.replacen("23", "99", 3).as_bytes()).unwrap();
    packer.finish().unwrap()
}
