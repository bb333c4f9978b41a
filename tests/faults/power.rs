//! The power goes while `releve log` runs: whatever the disk did with what it was not told to keep, the store opens, is whole,
//! and has every telegram that is older than the window of its group commits.

use crate::disk::{self, MODELS, Model, State};
use crate::meter::{House, Log, Meter, stored};
use crate::testenv::random::Random;
use crate::testenv::{Place, figures};
use crate::trace::{self, Change, What};
use crate::{each, long, releve};
use releve::reading::{Instant, MeterId, Protocol, Reading};
use releve::store::{Entry, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock, SystemTime};

/// W.
const WINDOW: Duration = Duration::from_millis(25);
/// From the last byte of a telegram to its commit on the disk, at most, beyond W: the machine is busy and traced.
const SLACK: Duration = Duration::from_millis(1000);
const STORE: &str = "new/deep/a.db";

/// What some logs did to a disk, one after the other.
struct Recording {
    changes: Vec<Change>,
    /// How many changes there were at the end of each log, and what was stored then.
    ends: Vec<(usize, BTreeSet<i64>)>,
    /// When each telegram had been sent.
    sent: BTreeMap<i64, SystemTime>,
    /// The readings at the end, as exported.
    lines: BTreeSet<String>,
}

fn record() -> Recording {
    let house = House::new();
    let root = house.place.path("disk");
    std::fs::create_dir(&root).unwrap();
    let db = root.join(STORE);
    let (clock, wall) = (Clock::now(), SystemTime::now());
    // From the end of yesterday on: the second log seals what the first has stored, the third what was late. A clock that is
    // off by a day would not be believed.
    let now = Instant::now().unix_seconds();
    let start = (now / 86_400 * 86_400 - 150).max(now - 84_600);
    let meter = Meter::sending_from(start, house.place.path("meter"), Duration::from_millis(5));
    let mut recording =
        Recording { changes: Vec::new(), ends: Vec::new(), sent: BTreeMap::new(), lines: BTreeSet::new() };
    let runs = [(Some("100"), 100), (None, long(4000, 1600)), (Some("300"), 0)];
    for (run, (count, readings)) in runs.into_iter().enumerate() {
        let mut command = house.command();
        let window = format!("{}ms", WINDOW.as_millis());
        command.env("RELEVE_DB", &db).args(["--port", "./meter", "--commit", &window]);
        command.args(count.iter().flat_map(|count| ["--count", count]));
        let prefix = house.place.path(&format!("trace{run}"));
        let log = Log::start(&mut trace::traced(&command, &prefix));
        if count.is_none() {
            // Ended by a kill, so that the next finds a log of SQLite's to recover.
            let before = recording.ends.last().map_or(0, |(_, stored)| stored.len());
            log.until("stored", 120, |_| stored(&db, crate::meter::METER).len() >= before + readings);
            kill_child_of(log.child.id());
        }
        let (code, said) = log.ended();
        assert_eq!(code.is_some(), count.is_some(), "{said}");
        recording.changes.extend(trace::changes(&prefix, &root));
        let stored = stored(&db, crate::meter::METER).into_iter().collect();
        recording.ends.push((recording.changes.len(), stored));
    }
    meter.speak(false);
    recording.sent = meter.sent().into_iter().map(|(second, at)| (second, wall + (at - clock))).collect();
    recording.lines = export(&house.place, &db).unwrap().lines().map(str::to_owned).collect();
    if now % 86_400 > 900 && start % 86_400 > 43_200 {
        assert!(Store::open(&db).unwrap().info().unwrap().spans > 0, "nothing was sealed");
    }
    assert!(recording.lines.len() >= 700 && recording.ends.iter().all(|(_, stored)| !stored.is_empty()));
    // What was recorded is all there is to it: played back in order, it is the same file.
    let played = disk::after(&recording.changes, Model::InOrder, usize::MAX, &mut Random::new(1));
    assert!(played[Path::new(STORE)] == Some(std::fs::read(&db).unwrap()), "the record lacks something");
    recording
}

fn kill_child_of(strace: u32) {
    let children = std::fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    let child = children.split_whitespace().next().unwrap().parse().unwrap();
    let child = rustix::process::Pid::from_raw(child).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
}

/// Every reading, a line each; an error is what was said instead.
fn export(place: &Place, db: &Path) -> Result<String, String> {
    let run = releve(place, db, &["export", "-f", "ndjson", "-q"]);
    // The second: there is a store, and no meter in it yet.
    if run.exit == 0 || run.stderr.contains("[store.empty]") {
        Ok(run.stdout)
    } else {
        Err(format!("export: {} {}", run.exit, run.stderr))
    }
}

impl Recording {
    /// What had been acknowledged before the change at `cut`: it was visible when the last sync of SQLite's log had returned.
    fn acknowledged(&self, cut: usize, known: &Mutex<BTreeMap<usize, BTreeSet<i64>>>) -> BTreeSet<i64> {
        let is_of_log = |path: &Path| path.to_str().is_some_and(|path| path.ends_with("-wal"));
        let synced = |change: &Change| matches!(&change.what, What::Sync(path) if is_of_log(path));
        let Some(last) = self.changes[..cut].iter().rposition(synced) else { return BTreeSet::new() };
        if let Some(seconds) = known.lock().unwrap().get(&last) {
            return seconds.clone();
        }
        let state = disk::after(&self.changes[..=last], Model::InOrder, usize::MAX, &mut Random::new(1));
        let place = Place::new();
        disk::write(&state, &place.path("disk"));
        let seconds: BTreeSet<i64> = match export(&place, &place.path("disk").join(STORE)) {
            Ok(text) => text.lines().map(second_of).collect(),
            Err(_) => BTreeSet::new(),
        };
        known.lock().unwrap().insert(last, seconds.clone());
        seconds
    }

    /// What is older than W at the cut, of that which the log in question stored in the end.
    fn older_than_window(&self, cut: usize) -> BTreeSet<i64> {
        let (_, of_run) = self.ends.iter().find(|(end, _)| cut <= *end).unwrap();
        let Some(at) = self.changes.get(cut).map(|change| change.at) else { return of_run.clone() };
        let is_old = |second: &&i64| self.sent.get(second).is_some_and(|sent| *sent + WINDOW + SLACK < at);
        of_run.iter().filter(is_old).copied().collect()
    }

    /// Instants for the power to go: half of them anywhere, half where something else happens than SQLite's log growing.
    fn cuts(&self, many: usize, random: &mut Random) -> Vec<usize> {
        let is_dull = |change: &Change| matches!(&change.what, What::Write(path, ..) | What::Sync(path) if path.to_str().unwrap().ends_with("-wal"));
        let special: Vec<usize> = (0..self.changes.len()).filter(|&at| !is_dull(&self.changes[at])).collect();
        let anywhere = |random: &mut Random| random.below(self.changes.len() + 1);
        let near =
            |random: &mut Random| (special[random.below(special.len())] + random.below(3)).min(self.changes.len());
        (0..many).map(|turn| if turn % 2 == 0 { anywhere(random) } else { near(random) }).collect()
    }
}

/// The second of an exported reading.
fn second_of(line: &str) -> i64 {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    Instant::parse_utc(line["timestamp"].as_str().unwrap()).unwrap().unix_seconds()
}

/// Whether a store that is found so keeps the promises; how many readings it has.
fn survives(recording: &Recording, state: &State, must: &BTreeSet<i64>) -> Result<usize, String> {
    let place = Place::new();
    let root = place.path("disk");
    disk::write(state, &root);
    let db = root.join(STORE);
    let checked = releve(&place, &db, &["db", "check"]);
    let mut found = BTreeSet::new();
    match checked.exit {
        0 => {
            for line in export(&place, &db)?.lines() {
                if !recording.lines.contains(line) || !found.insert(second_of(line)) {
                    return Err(format!("a reading that was not sent, or twice: {line}"));
                }
            }
        }
        // There is no store yet: it says so, and that is right if nothing was promised.
        66 if checked.stderr.contains("[store.missing]") => {}
        exit => return Err(format!("check: {exit} {}", checked.stderr)),
    }
    if let Some(lost) = must.difference(&found).next() {
        let count = must.difference(&found).count();
        return Err(format!("{count} of {} readings are lost, the first of {lost}", must.len()));
    }
    // The next log can go on with it.
    let meter = MeterId::new("NEXT").unwrap();
    let mut reading = Reading::new(Protocol::Dsmr);
    reading.meter = Some(meter.clone());
    let next = Entry { meter, at: Instant::from_unix(1), source: "p1".to_owned(), reading, derived: false };
    let goes_on = Store::create(&db).and_then(|mut store| {
        store.insert(&[next])?;
        store.seal(Instant::now())?;
        store.check()
    });
    match goes_on {
        Ok(whole) if whole.readings == found.len() + 1 => Ok(found.len()),
        other => Err(format!("{} readings, then {other:?}", found.len())),
    }
}

#[test]
fn promise_p02_a_power_cut_at_any_instant_costs_no_telegram_older_than_the_window() {
    if !trace::is_possible() {
        return;
    }
    let recording = record();
    let (changes, known) = (&recording.changes, Mutex::default());
    let checkpoints = changes.windows(2).filter(|pair| {
        let is_file = |what: &What| matches!(what, What::Write(path, ..) if path == Path::new(STORE));
        is_file(&pair[1].what) && !is_file(&pair[0].what)
    });
    println!("{} changes, the file itself written in {} stretches", changes.len(), checkpoints.count());
    let mut random = Random::new(0);
    let cases: Vec<(usize, Model)> = MODELS
        .iter()
        .flat_map(|&model| recording.cuts(long(200, 40), &mut random).into_iter().map(move |cut| (cut, model)))
        .collect();
    assert!(cases.len() >= 160);

    let (kept, failed) = (Mutex::new(BTreeMap::<String, (usize, usize)>::new()), Mutex::new(Vec::new()));
    each(&cases, |index, &(cut, model)| {
        let mut random = Random::new(index);
        let mut must = recording.acknowledged(cut, &known);
        must.extend(recording.older_than_window(cut));
        let state = disk::after(&changes[..cut], model, usize::MAX, &mut random);
        match survives(&recording, &state, &must) {
            Ok(found) => {
                let mut kept = kept.lock().unwrap();
                let (states, readings) = kept.entry(format!("{model:?}")).or_default();
                (*states, *readings) = (*states + 1, *readings + found);
            }
            Err(why) => {
                let at =
                    changes.get(cut).map(|change| format!("{:?}", change.what).chars().take(80).collect::<String>());
                failed.lock().unwrap().push(format!("{model:?}, before change {cut} {at:?}: {why}"));
            }
        }
    });
    let (kept, failed) = (kept.into_inner().unwrap(), failed.into_inner().unwrap());
    for (model, (states, readings)) in &kept {
        println!("{model}: {states} states whole, {readings} readings in them, 0 lost");
    }
    assert!(failed.is_empty(), "{} of {}: {:#?}", failed.len(), cases.len(), &failed[..failed.len().min(8)]);

    // The same check of a disk that says it has synced and has not: it would have noticed.
    let lies: Vec<usize> = recording.cuts(long(60, 24), &mut random);
    let noticed = AtomicUsize::new(0);
    each(&lies, |index, &cut| {
        let mut random = Random::new(index);
        let model = [Model::OnlySynced, Model::Some, Model::Reordered][index % 3];
        let state = disk::after(&changes[..cut], model, cut * 3 / 4, &mut random);
        let must = recording.acknowledged(cut, &known);
        noticed.fetch_add(usize::from(survives(&recording, &state, &must).is_err()), Ordering::Relaxed);
    });
    let noticed = noticed.into_inner();
    assert!(noticed * 2 > lies.len(), "{noticed} of {}", lies.len());
    let readings: usize = kept.values().map(|(_, readings)| readings).sum();
    figures(2, cases.len(), cases.len() - failed.len(), 0, format_args!("disk states, {readings} readings in them"));
    println!("P02 control: {} lying disks, {noticed} noticed", lies.len());
}
