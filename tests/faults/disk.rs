//! A disk as it may be found when the power has gone at some instant.

use crate::testenv::random::Random;
use crate::trace::{Change, What};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a disk may do with that which nobody has told it to keep yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// Everything got there, in order.
    InOrder,
    /// Nothing got there.
    OnlySynced,
    /// Some of it got there; a file is as long as what got there asks for. Folders keep their order, whatever became of the data:
    /// a new name may be there before what is in it.
    Some,
    /// Everything, but of the last write some sectors only.
    Torn,
    /// The later part got there, the earlier did not: files have their length already, with zeros where data is missing, and
    /// a file may have its new name and its old one.
    Reordered,
}

pub(crate) const MODELS: [Model; 5] = [Model::InOrder, Model::OnlySynced, Model::Some, Model::Torn, Model::Reordered];

const SECTOR: usize = 512;

#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    /// Writes and truncations since.
    pending: Vec<(usize, What)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File(usize),
    Folder,
}

#[derive(Debug, Default)]
struct Folders {
    now: BTreeMap<PathBuf, Entry>,
    synced: BTreeMap<PathBuf, Entry>,
    /// What happened to the entries of each folder since it was synced; what a rename does goes together.
    pending: Vec<Vec<(PathBuf, Option<Entry>)>>,
}

impl Folders {
    fn set(&mut self, changes: Vec<(PathBuf, Option<Entry>)>) {
        changes.iter().for_each(|(path, entry)| put(&mut self.now, path, *entry));
        self.pending.push(changes);
    }

    fn sync(&mut self, folder: &Path) {
        let is_in = |changes: &Vec<(PathBuf, _)>| changes.iter().any(|(path, _)| path.parent() == Some(folder));
        let (reached, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending).into_iter().partition(is_in);
        put_all(&mut self.synced, &reached);
        self.pending = pending;
    }
}

fn put_all(entries: &mut BTreeMap<PathBuf, Entry>, changes: &[Vec<(PathBuf, Option<Entry>)>]) {
    changes.iter().flatten().for_each(|(path, entry)| put(entries, path, *entry));
}

fn put(entries: &mut BTreeMap<PathBuf, Entry>, path: &Path, entry: Option<Entry>) {
    match entry {
        Some(entry) => drop(entries.insert(path.to_owned(), entry)),
        None => drop(entries.remove(path)),
    }
}

/// Files by path, folders as `None`.
pub(crate) type State = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The disk after these changes. `obeys` is how many of them the disk was true to its word for: syncs behind those it only says
/// it has done.
pub(crate) fn after(changes: &[Change], model: Model, obeys: usize, random: &mut Random) -> State {
    let mut files: Vec<File> = Vec::new();
    let mut folders = Folders::default();
    for (place, Change { what, .. }) in changes.iter().enumerate() {
        let of = |folders: &Folders, path: &Path| match folders.now.get(path) {
            Some(Entry::File(file)) => Some(*file),
            _ => None,
        };
        match what {
            What::Create(path) if of(&folders, path).is_none() => {
                files.push(File::default());
                folders.set(vec![(path.clone(), Some(Entry::File(files.len() - 1)))]);
            }
            What::Create(_) => {}
            What::Folder(path) => folders.set(vec![(path.clone(), Some(Entry::Folder))]),
            What::Write(path, ..) | What::Truncate(path, _) => {
                let file = of(&folders, path).unwrap_or_else(|| panic!("{} was never made", path.display()));
                files[file].pending.push((place, what.clone()));
            }
            What::Unlink(path) => folders.set(vec![(path.clone(), None)]),
            What::Rename(from, to) => {
                let entry = folders.now.get(from).copied();
                folders.set(vec![(to.clone(), entry), (from.clone(), None)]);
            }
            What::Append(path, _) => panic!("nobody has seen where {} ends", path.display()),
            What::Sync(_) if place >= obeys => {}
            What::Sync(path) => match of(&folders, path) {
                Some(file) => {
                    let File { synced, pending } = &mut files[file];
                    pending.drain(..).for_each(|(_, what)| apply(synced, &what));
                }
                None => folders.sync(path),
            },
        }
    }

    let last = changes.len().saturating_sub(1);
    let contents: Vec<Vec<u8>> = files.into_iter().map(|file| found(file, model, last, random)).collect();
    let Folders { now, mut synced, pending } = folders;
    let entries = match model {
        Model::InOrder | Model::Torn => now,
        Model::OnlySynced => synced,
        // As every file system with a journal has it.
        Model::Some => {
            let kept = random.below(pending.len() + 1);
            put_all(&mut synced, &pending[..kept]);
            synced
        }
        Model::Reordered => {
            let missing = random.below(pending.len() + 1);
            for mut changes in pending.into_iter().skip(missing) {
                if changes.len() > 1 && random.one_in(4) {
                    changes.truncate(1);
                }
                put_all(&mut synced, &[changes]);
            }
            synced
        }
    };
    let mut state = State::new();
    for (path, entry) in &entries {
        let reachable = path.ancestors().skip(1).all(|above| above == Path::new("") || entries.contains_key(above));
        if reachable {
            state.insert(
                path.clone(),
                match entry {
                    Entry::Folder => None,
                    Entry::File(file) => Some(contents[*file].clone()),
                },
            );
        }
    }
    state
}

/// What is found of a file.
fn found(file: File, model: Model, last: usize, random: &mut Random) -> Vec<u8> {
    let File { synced: mut bytes, pending } = file;
    match model {
        Model::InOrder => pending.iter().for_each(|(_, what)| apply(&mut bytes, what)),
        Model::OnlySynced => {}
        Model::Some => {
            let rarity = 2 + random.below(4);
            pending.iter().filter(|_| !random.one_in(rarity)).for_each(|(_, what)| apply(&mut bytes, what));
        }
        Model::Torn => {
            for (place, what) in &pending {
                match what {
                    What::Write(path, offset, data) if *place == last => {
                        for (sector, part) in data.chunks(SECTOR).enumerate() {
                            if random.one_in(2) {
                                let part = What::Write(path.clone(), offset + sector * SECTOR, part.to_vec());
                                apply(&mut bytes, &part);
                            }
                        }
                    }
                    what => apply(&mut bytes, what),
                }
            }
        }
        Model::Reordered => {
            let missing = random.below(pending.len() + 1);
            for (index, (_, what)) in pending.iter().enumerate() {
                match what {
                    What::Write(_, offset, data) if index < missing => {
                        let end = offset + data.len();
                        bytes.resize(bytes.len().max(end), 0);
                    }
                    what => apply(&mut bytes, what),
                }
            }
        }
    }
    bytes
}

fn apply(bytes: &mut Vec<u8>, what: &What) {
    match what {
        What::Write(_, offset, data) => {
            let end = offset + data.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[*offset..end].copy_from_slice(data);
        }
        What::Truncate(_, length) => bytes.resize(*length, 0),
        _ => {}
    }
}

/// Puts a disk into a folder.
pub(crate) fn write(state: &State, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (path, content) in state {
        let path = folder.join(path);
        match content {
            None => std::fs::create_dir_all(path).unwrap(),
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn state(changes: &[What], model: Model) -> State {
        let changes: Vec<_> = changes.iter().map(|what| Change { at: UNIX_EPOCH, what: what.clone() }).collect();
        after(&changes, model, usize::MAX, &mut Random::new(3))
    }

    fn path(name: &str) -> PathBuf {
        PathBuf::from(name)
    }

    #[test]
    fn what_is_not_synced_may_be_missing_and_what_is_synced_is_there() {
        let write = |at: usize, text: &str| What::Write(path("d/f"), at, text.as_bytes().to_vec());
        let mut all =
            vec![What::Folder(path("d")), What::Create(path("d/f")), write(0, "abc"), What::Sync(path("d/f"))];
        assert_eq!(state(&all, Model::OnlySynced), State::new());
        all.push(What::Sync(path("d")));
        assert_eq!(state(&all, Model::OnlySynced), State::new(), "the folder itself is not there yet");
        all.push(What::Sync(path("")));
        all.push(write(1, "xyz"));
        let file = |model| state(&all, model).remove(&path("d/f")).unwrap().unwrap();
        assert_eq!(file(Model::OnlySynced), b"abc");
        assert_eq!(file(Model::InOrder), b"axyz");
        let reordered: Vec<_> = (1..20)
            .map(|seed| {
                let changes: Vec<_> = all.iter().map(|what| Change { at: UNIX_EPOCH, what: what.clone() }).collect();
                after(&changes, Model::Reordered, usize::MAX, &mut Random::new(seed))
                    .remove(&path("d/f"))
                    .flatten()
                    .unwrap()
            })
            .collect();
        assert!(reordered.contains(&b"abc\0".to_vec()) && reordered.contains(&b"axyz".to_vec()), "{reordered:?}");
    }

    #[test]
    fn a_file_has_its_old_name_its_new_one_or_both_and_never_none() {
        let file = |name: &str| vec![What::Create(path(name)), What::Write(path(name), 0, name.as_bytes().to_vec())];
        let mut all = [file("a"), file("b"), vec![What::Sync(path("")), What::Rename(path("a"), path("b"))]].concat();
        let changes =
            |all: &[What]| -> Vec<_> { all.iter().map(|what| Change { at: UNIX_EPOCH, what: what.clone() }).collect() };
        for model in MODELS {
            for seed in 0..40 {
                let found = after(&changes(&all), model, usize::MAX, &mut Random::new(seed));
                assert!(found.contains_key(&path("b")), "{model:?} {seed}");
            }
        }
        let names: Vec<Vec<_>> = (0..40)
            .map(|seed| {
                after(&changes(&all), Model::Reordered, usize::MAX, &mut Random::new(seed)).into_keys().collect()
            })
            .collect();
        assert!(names.contains(&vec![path("a"), path("b")]) && names.contains(&vec![path("b")]), "{names:?}");
        // A name can be on the disk before what it stands for: nobody synced the file.
        assert_eq!(state(&all, Model::InOrder)[&path("b")], Some(b"a".to_vec()));
        all.push(What::Sync(path("")));
        assert_eq!(state(&all, Model::OnlySynced)[&path("b")], Some(Vec::new()));
    }

    #[test]
    fn a_removed_file_may_be_back() {
        let mut all = vec![
            What::Create(path("f")),
            What::Write(path("f"), 0, b"old".to_vec()),
            What::Sync(path("f")),
            What::Sync(path("")),
            What::Unlink(path("f")),
            What::Create(path("f")),
            What::Write(path("f"), 0, b"new".to_vec()),
            What::Sync(path("f")),
        ];
        assert_eq!(state(&all, Model::OnlySynced)[&path("f")], Some(b"old".to_vec()));
        assert_eq!(state(&all, Model::InOrder)[&path("f")], Some(b"new".to_vec()));
        all.push(What::Sync(path("")));
        assert_eq!(state(&all, Model::OnlySynced)[&path("f")], Some(b"new".to_vec()));
    }
}
