//! The tree on the disk: what is there, what must be there, and how a file gets its name.

use super::checksum::sha256;
use super::content::Content;
use super::disk::{flush, make_folder, make_one, names_in, set_aside, sync};
use super::layout::{FOLDERS, Named, Period, is_manifest};
use super::manifest::{Listed, Manifest};
use super::{ArchiveError, scan};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::NamedTempFile;

/// What the names of files begin with that are not finished. Only who holds the lock of the tree makes and removes them.
const TEMPORARY: &str = ".archive-";

/// No packed file of the tree is larger: a day of a hundred registers a second stays below it.
const MAX_FILE: u64 = 128 * 1024 * 1024;

/// An archive.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    dry: bool,
    state: Mutex<State>,
    /// Held while files get their names: manifests are written one after the other, and nobody else waits for the disk.
    naming: Mutex<()>,
}

/// What is known of the disk.
#[derive(Debug, Default)]
struct State {
    names: BTreeMap<&'static str, BTreeSet<String>>,
    manifests: BTreeMap<(&'static str, String), Manifest>,
    /// The root has folders that may not be on the disk yet.
    has_new_folders: bool,
}

/// Held while files are written: nobody else writes to the tree.
#[derive(Debug)]
pub struct TreeLock {
    _folder: File,
    /// The folder, where it was made for this run.
    made: Option<PathBuf>,
}

impl Drop for TreeLock {
    fn drop(&mut self) {
        if let Some(folder) = &self.made {
            // Only an empty folder goes: nothing was written.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// How a file compares with the line of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is what the manifest says.
    Whole,
    /// It is the file that was to be replaced.
    Former,
    /// It is something else.
    Other,
    /// It is not there.
    Missing,
}

/// A file that is written beside its name.
#[derive(Debug)]
pub struct Prepared {
    period: Period,
    name: String,
    listed: Listed,
    temporary: Option<NamedTempFile>,
    is_new: bool,
    set_aside: bool,
}

/// A file that is on the disk, whole, and has not got its name yet.
#[derive(Debug)]
pub struct Proven(Prepared);

impl Prepared {
    /// Whether the disk has something else under the name, or nothing.
    #[must_use]
    pub const fn is_change(&self) -> bool {
        self.is_new
    }

    /// What the manifest is to say of it.
    #[must_use]
    pub const fn listed(&self) -> &Listed {
        &self.listed
    }
}

impl Tree {
    /// The archive in a folder, which need not be there yet. A `dry` one takes part in everything and changes nothing.
    ///
    /// # Errors
    /// [`ArchiveError`] where the folder cannot be read.
    pub fn open(root: &Path, dry: bool) -> Result<Self, ArchiveError> {
        let mut state = State::default();
        for folder in FOLDERS {
            state.names.insert(folder, names_in(&root.join(folder))?);
        }
        Ok(Self { root: root.into(), dry, state: Mutex::new(state), naming: Mutex::new(()) })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Locks the tree for writing, makes its folder if need be, and clears away what an interrupted run has left.
    ///
    /// # Errors
    /// [`ArchiveError::Busy`] where another program writes to it.
    pub fn lock(&self) -> Result<TreeLock, ArchiveError> {
        let fail = |source| ArchiveError::Io { path: self.root.clone(), source };
        let made = (!self.root.exists()).then(|| self.root.clone());
        make_folder(&self.root)?;
        let folder = File::open(&self.root).map_err(fail)?;
        match rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(ArchiveError::Busy(self.root.clone())),
            Err(error) => return Err(fail(error.into())),
        }
        for folder in FOLDERS {
            let folder = self.root.join(folder);
            for name in names_in(&folder)?.iter().filter(|name| name.starts_with(TEMPORARY)) {
                let path = folder.join(name);
                fs::remove_file(&path).map_err(|source| ArchiveError::Io { path, source })?;
            }
        }
        // What others wrote while this one waited.
        let mut state = self.state();
        state.manifests.clear();
        for folder in FOLDERS {
            state.names.insert(folder, names_in(&self.root.join(folder))?);
        }
        Ok(TreeLock { _folder: folder, made })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked with it left it whole: nothing in it is changed in steps.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file of this name is in the folder.
    #[must_use]
    pub fn has(&self, folder: &'static str, name: &str) -> bool {
        self.state().names.get(folder).is_some_and(|names| names.contains(name))
    }

    /// The names in a folder.
    #[must_use]
    pub fn names(&self, folder: &'static str) -> Vec<String> {
        self.state().names.get(folder).into_iter().flatten().cloned().collect()
    }

    /// The line of a file in its manifest.
    ///
    /// # Errors
    /// [`ArchiveError`] where the manifest is damaged.
    pub fn listed(&self, period: Period, name: &str) -> Result<Option<Listed>, ArchiveError> {
        let mut state = self.state();
        Ok(self.manifest(&mut state, (period.kind().folder(), period.manifest()))?.files.get(name).cloned())
    }

    /// Everything that is listed in a folder.
    ///
    /// # Errors
    /// [`ArchiveError`] where a manifest is damaged.
    pub fn all_listed(&self, folder: &'static str) -> Result<BTreeMap<String, Listed>, ArchiveError> {
        let mut state = self.state();
        let mut names: BTreeSet<String> =
            state.names.get(folder).into_iter().flatten().filter(|name| is_manifest(name)).cloned().collect();
        names.extend(state.manifests.keys().filter(|(of, _)| *of == folder).map(|(_, name)| name.clone()));
        let mut all = BTreeMap::new();
        for name in names {
            all.extend(self.manifest(&mut state, (folder, name))?.files.clone());
        }
        Ok(all)
    }

    fn manifest<'s>(
        &self,
        state: &'s mut State,
        key: (&'static str, String),
    ) -> Result<&'s mut Manifest, ArchiveError> {
        if !state.manifests.contains_key(&key) {
            let there = state.names.get(key.0).is_some_and(|names| names.contains(&key.1));
            let manifest = if there { self.read_manifest(&self.root.join(key.0).join(&key.1))? } else { None };
            state.manifests.insert(key.clone(), manifest.unwrap_or_default());
        }
        Ok(state.manifests.entry(key).or_default())
    }

    fn read_manifest(&self, path: &Path) -> Result<Option<Manifest>, ArchiveError> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| ArchiveError::damaged(path, error.utf8_error()))?;
        Manifest::parse(&text, path).map(Some)
    }

    /// Sets damaged manifests aside, so that the files can be listed anew. Which.
    ///
    /// # Errors
    /// [`ArchiveError`] where that cannot be done.
    pub fn set_damaged_manifests_aside(&self) -> Result<Vec<ArchiveError>, ArchiveError> {
        let mut damaged = Vec::new();
        let mut state = self.state();
        for folder in FOLDERS {
            let names: Vec<String> =
                state.names.get(folder).into_iter().flatten().filter(|name| is_manifest(name)).cloned().collect();
            for name in names {
                match self.manifest(&mut state, (folder, name.clone())) {
                    Ok(_) => {}
                    Err(error @ (ArchiveError::Damaged { .. } | ArchiveError::Outside { .. })) => {
                        if !self.dry {
                            set_aside(&self.root.join(folder).join(&name))?;
                        }
                        if let Some(names) = state.names.get_mut(folder) {
                            names.remove(&name);
                        }
                        damaged.push(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(damaged)
    }

    /// The bytes of a file of the tree; `None` where there is none.
    ///
    /// # Errors
    /// [`ArchiveError::Outside`] where a link leads out of the tree or to no file, [`ArchiveError::Damaged`] where it is
    /// larger than any file of an archive.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, ArchiveError> {
        let fail = |source| ArchiveError::Unreadable { path: path.into(), source };
        let (kind, length) = match fs::symlink_metadata(path) {
            Ok(metadata) => (metadata.file_type(), metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        if kind.is_symlink() {
            let inside = fs::canonicalize(path).ok().zip(fs::canonicalize(&self.root).ok());
            if !inside.is_some_and(|(target, root)| target.starts_with(root) && target.is_file()) {
                return Err(ArchiveError::Outside { path: path.into() });
            }
        } else if !kind.is_file() {
            return Err(ArchiveError::Outside { path: path.into() });
        }
        // Room for all of it and for seeing that it ends there.
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(MAX_FILE)).unwrap_or_default() + 32);
        let file = File::open(path).map_err(fail)?;
        if file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fail)? as u64 > MAX_FILE {
            return Err(ArchiveError::damaged(path, "it is larger than any file of an archive"));
        }
        Ok(Some(bytes))
    }

    /// Holds a file against the line of its manifest.
    ///
    /// # Errors
    /// [`ArchiveError`] where it cannot be read.
    pub fn state_of(&self, period: Period, name: &str, listed: &Listed) -> Result<Standing, ArchiveError> {
        let path = self.root.join(period.kind().folder()).join(name);
        let Some(bytes) = self.read(&path)? else { return Ok(Standing::Missing) };
        let sum = sha256(&bytes);
        Ok(match listed {
            _ if sum == listed.sha256 => Standing::Whole,
            Listed { before: Some(before), .. } if sum == *before => Standing::Former,
            _ => Standing::Other,
        })
    }

    /// Holds a file against its manifest and itself: checksum, count, first and last time.
    ///
    /// # Errors
    /// [`ArchiveError`] with what is wrong with it.
    pub fn verify(&self, period: Period, name: &str, listed: &Listed) -> Result<Vec<u8>, ArchiveError> {
        let path = self.root.join(period.kind().folder()).join(name);
        let bytes = self.read(&path)?.ok_or_else(|| ArchiveError::damaged(&path, "it is missing"))?;
        let sum = sha256(&bytes);
        if sum != listed.sha256 {
            let what = match &listed.before {
                Some(before) if *before == sum => "it was to be replaced when a run was interrupted: consolidate again",
                _ => "it is not what the manifest says",
            };
            return Err(ArchiveError::damaged(&path, what));
        }
        let found = scan::scan(&bytes, period.kind()).map_err(|error| ArchiveError::damaged(&path, error))?;
        if (found.count, found.between) != (listed.count, listed.between()) {
            return Err(ArchiveError::damaged(&path, "its readings are not those that the manifest says"));
        }
        Ok(bytes)
    }

    /// Writes a file beside its name. `set_aside` says that what has the name now is damaged.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file; nothing was changed.
    pub fn prepare(
        &self,
        period: Period,
        (name, meter): (String, &str),
        content: &Content,
        origin: String,
        set_aside: bool,
    ) -> Result<Prepared, ArchiveError> {
        let folder = self.root.join(period.kind().folder());
        let path = folder.join(&name);
        let mut listed = Listed::new(meter, content, origin);
        let there = if set_aside { None } else { self.read(&path)? };
        let is_new = there.as_ref() != Some(&content.bytes);
        listed.before = there.filter(|_| is_new).map(|bytes| sha256(&bytes));
        let mut prepared = Prepared { period, name, listed, temporary: None, is_new, set_aside };
        if !is_new || self.dry {
            return Ok(prepared);
        }
        // One after the other, so that no name is given in a folder that another thread has made and not noted yet.
        let mut state = self.state();
        state.has_new_folders |= make_one(&folder)?;
        drop(state);
        prepared.temporary = Some(self.write(&folder, &path, &content.bytes)?);
        Ok(prepared)
    }

    /// Flushes a file to the disk and reads it back: only then it may have its name.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file; nothing was changed.
    pub fn prove(&self, prepared: Prepared) -> Result<Proven, ArchiveError> {
        let Some(temporary) = &prepared.temporary else { return Ok(Proven(prepared)) };
        let Prepared { period, name, listed, .. } = &prepared;
        let path = self.path(*period, name);
        flush(temporary, &path)?;
        let back = self.read(temporary.path())?.unwrap_or_default();
        let found = scan::scan(&back, period.kind()).map_err(|_| ArchiveError::NotVerified(path.clone()))?;
        if sha256(&back) != listed.sha256 || (found.count, found.between) != (listed.count, listed.between()) {
            return Err(ArchiveError::NotVerified(path));
        }
        Ok(Proven(prepared))
    }

    /// Writes a file beside its name; it is to be flushed before it gets it.
    fn write(&self, folder: &Path, path: &Path, bytes: &[u8]) -> Result<NamedTempFile, ArchiveError> {
        let fail = |source| ArchiveError::Io { path: path.into(), source };
        let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(fail)?;
        temporary.write_all(bytes).map_err(fail)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            temporary.as_file().set_permissions(fs::Permissions::from_mode(0o640)).map_err(fail)?;
        }
        Ok(temporary)
    }

    /// Gives files their names. First what is damaged is set aside, so that a power cut leaves its line of the manifest to tell
    /// what is missing; then the manifests say what is to come, then the names are changed, then what the files took the place of
    /// is forgotten.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file. Whatever has its name by then is whole.
    pub fn commit(&self, files: Vec<Proven>) -> Result<(), ArchiveError> {
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched: BTreeMap<(&'static str, String), bool> = BTreeMap::new();
        let files: Vec<Prepared> = files.into_iter().map(|Proven(file)| file).collect();
        if std::mem::take(&mut self.state().has_new_folders) {
            sync(&self.root).inspect_err(|_| self.state().has_new_folders = true)?;
        }
        for file in files.iter().filter(|file| file.set_aside && !self.dry) {
            let path = self.path(file.period, &file.name);
            if fs::symlink_metadata(&path).is_ok() {
                set_aside(&path)?;
            }
        }
        let mut state = self.state();
        for file in &files {
            let key = (file.period.kind().folder(), file.period.manifest());
            let manifest = self.manifest(&mut state, key.clone())?;
            let is_listed = manifest.files.get(&file.name) == Some(&file.listed);
            if !is_listed {
                manifest.files.insert(file.name.clone(), file.listed.clone());
            }
            *touched.entry(key).or_default() |= !is_listed;
        }
        drop(state);
        let changed = touched.iter().filter(|(_, is_changed)| **is_changed);
        changed.map(|(key, _)| key).try_for_each(|key| self.put_manifest(key))?;
        let mut again = BTreeSet::new();
        for file in files {
            let folder = file.period.kind().folder();
            let path = self.root.join(folder).join(&file.name);
            if let Some(temporary) = file.temporary {
                temporary.persist(&path).map_err(|error| ArchiveError::Io { path, source: error.error })?;
            }
            let key = (folder, file.period.manifest());
            let mut state = self.state();
            if let Some(listed) = state.manifests.get_mut(&key).and_then(|all| all.files.get_mut(&file.name))
                && listed.before.take().is_some()
            {
                again.insert(key);
            }
            state.names.entry(folder).or_default().insert(file.name);
        }
        if self.dry {
            return Ok(());
        }
        let folders: BTreeSet<&str> = touched.keys().map(|(folder, _)| *folder).collect();
        for folder in folders {
            // A rename is only on the disk once the folder is.
            sync(&self.root.join(folder))?;
        }
        again.iter().try_for_each(|key| self.put_manifest(key))
    }

    /// Forgets what files took the place of, where they have: a run that was interrupted had no time to.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the manifest.
    pub fn forget_former(&self) -> Result<(), ArchiveError> {
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for (key, manifest) in &mut state.manifests {
            for (name, listed) in manifest.files.iter_mut().filter(|(_, listed)| listed.before.is_some()) {
                // What cannot be read is told by who wants to read it.
                let found = self.read(&self.root.join(key.0).join(name));
                if found.is_ok_and(|bytes| bytes.is_some_and(|bytes| sha256(&bytes) == listed.sha256)) {
                    listed.before = None;
                    touched.insert(key.clone());
                }
            }
        }
        drop(state);
        for key in &touched {
            // The names that the interrupted run gave may not be on the disk yet; only once they are may the manifest forget.
            if !self.dry {
                sync(&self.root.join(key.0))?;
            }
            self.put_manifest(key)?;
        }
        Ok(())
    }

    /// Changes what manifests say of the origin of files.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the manifest.
    pub fn set_origins(&self, origins: Vec<(Period, String, String)>) -> Result<(), ArchiveError> {
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for (period, name, origin) in origins {
            let key = (period.kind().folder(), period.manifest());
            if let Some(listed) = self.manifest(&mut state, key.clone())?.files.get_mut(&name)
                && listed.origin != origin
            {
                listed.origin = origin;
                touched.insert(key);
            }
        }
        drop(state);
        for key in &touched {
            self.put_manifest(key)?;
            if !self.dry {
                sync(&self.root.join(key.0))?;
            }
        }
        Ok(())
    }

    /// Removes files, first from their manifests.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file.
    pub fn remove(&self, files: &[(Period, String)]) -> Result<(), ArchiveError> {
        let mut state = self.state();
        let mut touched = BTreeSet::new();
        for (period, name) in files {
            let key = (period.kind().folder(), period.manifest());
            if self.manifest(&mut state, key.clone())?.files.remove(name).is_some() {
                touched.insert(key);
            }
        }
        drop(state);
        for key in &touched {
            self.put_manifest(key)?;
        }
        let mut folders = BTreeSet::new();
        for (period, name) in files {
            let folder = period.kind().folder();
            folders.insert(folder);
            let path = self.root.join(folder).join(name);
            if !self.dry {
                match fs::remove_file(&path) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(ArchiveError::Io { path, source });
                    }
                    _ => {}
                }
            }
            if let Some(names) = self.state().names.get_mut(folder) {
                names.remove(name);
            }
        }
        if !self.dry {
            folders.into_iter().try_for_each(|folder| sync(&self.root.join(folder)))?;
        }
        Ok(())
    }

    /// Writes a manifest, or removes it where it lists nothing.
    fn put_manifest(&self, key: &(&'static str, String)) -> Result<(), ArchiveError> {
        let text = match self.state().manifests.get(key) {
            Some(manifest) if manifest.files.is_empty() => None,
            Some(manifest) => Some(manifest.to_text()),
            None => return Ok(()),
        };
        let folder = self.root.join(key.0);
        let path = folder.join(&key.1);
        match &text {
            _ if self.dry => {}
            None => match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(ArchiveError::Io { path, source });
                }
                _ => {}
            },
            Some(text) => {
                make_folder(&folder)?;
                let temporary = self.write(&folder, &path, text.as_bytes())?;
                flush(&temporary, &path)?;
                if self.read(temporary.path())?.as_deref() != Some(text.as_bytes()) {
                    return Err(ArchiveError::NotVerified(path));
                }
                temporary.persist(&path).map_err(|error| ArchiveError::Io { path, source: error.error })?;
                sync(&folder)?;
            }
        }
        let mut state = self.state();
        let names = state.names.entry(key.0).or_default();
        match text {
            Some(_) => names.insert(key.1.clone()),
            None => names.remove(&key.1),
        };
        Ok(())
    }

    /// The files of the tree that no manifest lists, but whose name says what they are.
    ///
    /// # Errors
    /// [`ArchiveError`] where a manifest is damaged.
    pub fn unlisted(&self) -> Result<Vec<(Named, String)>, ArchiveError> {
        let mut found = Vec::new();
        for folder in FOLDERS {
            let listed = self.all_listed(folder)?;
            for name in self.names(folder) {
                if let Some(named) = Named::parse(&name).filter(|named| named.period.kind().folder() == folder)
                    && !listed.contains_key(&name)
                {
                    found.push((named, name));
                }
            }
        }
        Ok(found)
    }
}
