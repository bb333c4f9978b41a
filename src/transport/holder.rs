//! Who has a device: the program and its process number, out of `/proc`.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A program that has a device open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name, with the command for one of ours: `releve log`.
    pub program: String,
    /// Its process number.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.program, self.pid)
    }
}

impl Holder {
    /// Who has a device: who has locked it, else any other program that has it open, as far as this user may see.
    #[must_use]
    pub fn of(device: &Path) -> Option<Self> {
        let proc = Path::new("/proc");
        let device = fs::canonicalize(device).ok()?;
        locked_by(proc, &device).or_else(|| {
            let open = opened_by(proc, std::slice::from_ref(&device));
            open.into_iter().map(|(_, holder)| holder).find(|holder| holder.pid != std::process::id())
        })
    }
}

/// Who holds the `flock` of a device. Locks are listed even where another user's open files are not.
pub(super) fn locked_by(proc: &Path, device: &Path) -> Option<Holder> {
    let metadata = fs::metadata(device).ok()?;
    let (major, minor) = (rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
    let place = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
    let locks = fs::read_to_string(proc.join("locks")).ok()?;
    // 1: FLOCK  ADVISORY  WRITE 812 00:06:1234 0 EOF
    let pid = locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == place)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    })?;
    holder(proc, pid)
}

/// Which of these devices (canonical paths) other programs and this one have open, as far as this user may see.
pub(super) fn opened_by(proc: &Path, devices: &[PathBuf]) -> Vec<(PathBuf, Holder)> {
    let mut found = Vec::new();
    for process in fs::read_dir(proc).into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        for open in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(open.path()) else { continue };
            let known = |(path, holder): &(PathBuf, Holder)| *path == target && holder.pid == pid;
            if devices.contains(&target)
                && !found.iter().any(known)
                && let Some(holder) = holder(proc, pid)
            {
                found.push((target, holder));
            }
        }
    }
    found
}

fn holder(proc: &Path, pid: u32) -> Option<Holder> {
    let process = proc.join(pid.to_string());
    let program = fs::read_to_string(process.join("comm")).ok()?.trim_end().to_owned();
    let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
    let command = arguments.split(|byte| *byte == 0).nth(1).and_then(|word| std::str::from_utf8(word).ok());
    match command {
        Some(command) if program == "releve" && command.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            Some(Holder { program: format!("{program} {command}").trim_end().to_owned(), pid })
        }
        _ => Some(Holder { program, pid }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A `/proc` of our own with one process that has one file open.
    fn proc(comm: &str, cmdline: &str, device: &Path) -> tempfile::TempDir {
        let proc = tempfile::tempdir().unwrap();
        let process = proc.path().join("812");
        fs::create_dir_all(process.join("fd")).unwrap();
        fs::write(process.join("comm"), format!("{comm}\n")).unwrap();
        fs::write(process.join("cmdline"), cmdline).unwrap();
        symlink(device, process.join("fd/3")).unwrap();
        symlink(device, process.join("fd/4")).unwrap();
        fs::create_dir(proc.path().join("self")).unwrap();
        proc
    }

    #[test]
    fn a_process_that_has_the_device_open_is_named_once() {
        let device = Path::new("/dev/ttyUSB0");
        let proc = proc("minicom", "minicom\0-D\0/dev/ttyUSB0\0", device);
        let found = opened_by(proc.path(), &[device.into()]);
        assert_eq!(found, [(device.into(), Holder { program: "minicom".into(), pid: 812 })]);
        assert_eq!(found[0].1.to_string(), "minicom (pid 812)");
        assert_eq!(opened_by(proc.path(), &["/dev/ttyUSB1".into()]), []);
    }

    #[test]
    fn the_lock_names_its_holder_and_ours_its_command() {
        let device = tempfile::NamedTempFile::new().unwrap();
        let proc = proc("releve", "/usr/bin/releve\0log\0--port\0x\0", Path::new("/nowhere"));
        assert_eq!(locked_by(proc.path(), device.path()), None);
        let metadata = fs::metadata(device.path()).unwrap();
        let (major, minor) = (rustix::fs::major(metadata.dev()), rustix::fs::minor(metadata.dev()));
        let inode = metadata.ino();
        let locks = format!(
            "1: POSIX  ADVISORY  READ 7 {major:02x}:{minor:02x}:1{inode} 0 EOF\n\
             2: FLOCK  ADVISORY  WRITE 812 {major:02x}:{minor:02x}:{inode} 0 EOF\n"
        );
        fs::write(proc.path().join("locks"), locks).unwrap();
        assert_eq!(locked_by(proc.path(), device.path()).unwrap().to_string(), "releve log (pid 812)");
    }
}
