//! A folder in memory for what is not in the store yet: it outlives the process, and writing to it wears no flash.

use std::fs::{DirBuilder, symlink_metadata};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The service's own runtime folder, the user's, or one in the machine's shared memory.
///
/// A unit with `RuntimeDirectory=` needs `RuntimeDirectoryPreserve=yes`, or the folder goes with the process that was killed.
pub(super) fn folder() -> Option<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let variable = |name: &str| Some(PathBuf::from(std::env::var_os(name)?)).filter(|path| path.is_absolute());
    // Several may be named, with colons between; the first will do.
    let runtime = variable("RUNTIME_DIRECTORY")
        .and_then(|list| Some(PathBuf::from(list.to_str()?.split(':').next()?)))
        .map(|folder| folder.join("log"));
    let session = variable("XDG_RUNTIME_DIR").map(|folder| folder.join("releve"));
    let machine = Some(PathBuf::from(format!("/dev/shm/releve-{user}")));
    [runtime, session, machine].into_iter().flatten().find(|folder| is_usable(folder, user))
}

/// Whether the folder is, or could be made, in memory and ours alone. In a folder where everybody may write, somebody else may have
/// made it first.
fn is_usable(folder: &Path, user: u32) -> bool {
    if !folder.parent().is_some_and(is_in_memory) {
        return false;
    }
    drop(DirBuilder::new().mode(0o700).create(folder));
    symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0)
}

fn is_in_memory(folder: &Path) -> bool {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of statfs(2).
    const MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58F6];
    rustix::fs::statfs(folder).is_ok_and(|stat| u64::try_from(stat.f_type).is_ok_and(|kind| MEMORY.contains(&kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn only_a_folder_in_memory_that_is_ours_alone_will_do() {
        let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
            println!("skipped: there is no /dev/shm");
            return;
        };
        let user = rustix::process::geteuid().as_raw();
        let folder = memory.path().join("a");
        assert!(is_usable(&folder, user));
        assert!(is_usable(&folder, user));
        assert!(!is_usable(&folder, user + 1));
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!is_usable(&folder, user));
        symlink(memory.path(), memory.path().join("link")).unwrap();
        assert!(!is_usable(&memory.path().join("link"), user));
        assert!(!is_usable(Path::new("/proc/releve"), user));
    }
}
