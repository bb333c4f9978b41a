//! What a program does to the files below a folder, in order: recorded by strace.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A change to a file or folder; paths are relative to the recorded folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A file is there from here on; it may have been before.
    Create(PathBuf),
    Folder(PathBuf),
    Write(PathBuf, usize, Vec<u8>),
    /// A write behind what was written before; [`changes`] says where that is.
    Append(PathBuf, Vec<u8>),
    Truncate(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
    /// A file, or a folder's entries, are on the disk once this has returned.
    Sync(PathBuf),
}

#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// When the call was made.
    pub(crate) at: SystemTime,
    pub(crate) what: What,
}

const CALLS: &str = "trace=openat,open,creat,mkdir,mkdirat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,\
                     sync_file_range,ftruncate,truncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,link,linkat,\
                     copy_file_range,sendfile,mmap,rmdir";

/// Whether there is an strace that may trace; says so if not.
pub(crate) fn is_possible() -> bool {
    let there = Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    if !there {
        println!("skipped: strace is not installed or may not trace; .ci/run installs it");
    }
    there
}

/// The same command under strace, which writes a file for each thread next to `prefix`.
pub(crate) fn traced(command: &Command, prefix: &Path) -> Command {
    let mut traced = Command::new("strace");
    // -xx and a length beyond any write: every byte is there.
    traced.args(["-ff", "-qq", "-ttt", "-y", "-xx", "-s", "4194304", "-e", CALLS, "-o"]).arg(prefix);
    traced
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.current_dir(command.get_current_dir().unwrap()).stdin(std::process::Stdio::null());
    traced
}

/// What was done below `root` according to the files that begin with `prefix`, by a program that ran in `root`.
pub(crate) fn changes(prefix: &Path, root: &Path) -> Vec<Change> {
    let root = root.canonicalize().unwrap();
    let mut all = Vec::new();
    let name = prefix.file_name().unwrap().to_str().unwrap();
    for entry in std::fs::read_dir(prefix.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().is_some_and(|found| found.starts_with(name)) {
            let text = std::fs::read_to_string(&path).unwrap();
            all.extend(text.lines().filter_map(|line| change(line, &root)));
        }
    }
    // SQLite's calls are those of one thread; among threads the clock decides.
    all.sort_by_key(|change| change.at);
    placed(all)
}

/// The changes with the place of each write: what is appended to are files that the program has made itself.
fn placed(mut all: Vec<Change>) -> Vec<Change> {
    let mut lengths: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for change in &mut all {
        match &mut change.what {
            What::Create(path) => drop(lengths.entry(path.clone()).or_default()),
            What::Unlink(path) => drop(lengths.remove(path)),
            What::Rename(from, to) => {
                let length = lengths.remove(from);
                lengths.extend(length.map(|length| (to.clone(), length)));
            }
            What::Append(path, bytes) => {
                let length = lengths.get_mut(path).unwrap_or_else(|| panic!("{} was never made", path.display()));
                let (at, bytes) = (*length, std::mem::take(bytes));
                *length += bytes.len();
                change.what = What::Write(path.clone(), at, bytes);
            }
            _ => {}
        }
    }
    all
}

fn change(line: &str, root: &Path) -> Option<Change> {
    let (time, call) = line.split_once(' ')?;
    let (name, rest) = call.split_once('(')?;
    // Short calls are padded, so that results stand below each other.
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result = result.split(['<', ' ']).next()?;
    let failed = result.starts_with('-');
    if failed || result == "?" {
        return None;
    }
    let strings = strings(arguments);
    let of_descriptor = || below(root, &descriptor(arguments)?);
    let named = |index: usize| below(root, &root.join(OsStr::from_bytes(strings.get(index)?)));
    let numbers = || arguments.rsplit(", ").map(str::trim);
    let what = match name {
        "openat" | "open" | "creat" if name == "creat" || arguments.contains("O_CREAT") => {
            assert!(!arguments.contains("O_TRUNC"), "{arguments}");
            What::Create(named(0)?)
        }
        "openat" | "open" => return None,
        "mkdir" | "mkdirat" => What::Folder(named(0)?),
        "pwrite64" => {
            let path = of_descriptor()?;
            let offset = numbers().next()?.parse().ok()?;
            let bytes = strings.first()?.clone();
            assert_eq!(result.parse(), Ok(bytes.len()), "a short write of {}", path.display());
            What::Write(path, offset, bytes)
        }
        "write" => {
            let path = of_descriptor()?;
            let bytes = strings.first()?.clone();
            assert_eq!(result.parse(), Ok(bytes.len()), "a short write of {}", path.display());
            What::Append(path, bytes)
        }
        "ftruncate" => What::Truncate(of_descriptor()?, number(numbers().next()?)),
        "fsync" | "fdatasync" => What::Sync(of_descriptor()?),
        "unlink" | "unlinkat" | "rmdir" => What::Unlink(named(0)?),
        "rename" | "renameat" | "renameat2" => What::Rename(named(0)?, named(1)?),
        "mmap" => {
            if let Some(path) = arguments.contains("PROT_WRITE").then(of_descriptor).flatten() {
                assert!(is_index(&path) || arguments.contains("MAP_PRIVATE"), "{} is mapped to write", path.display());
            }
            return None;
        }
        _ => {
            if let Some(path) = of_descriptor() {
                panic!("{name} of {} is not understood", path.display());
            }
            return None;
        }
    };
    let (seconds, micros) = time.split_once('.')?;
    let since = Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(micros.parse().ok()?);
    let about_index = match &what {
        What::Create(path)
        | What::Write(path, ..)
        | What::Append(path, _)
        | What::Truncate(path, _)
        | What::Unlink(path) => is_index(path),
        _ => false,
    };
    // SQLite makes its index of the log anew from the log; nobody syncs it.
    (!about_index).then_some(Change { at: UNIX_EPOCH + since, what })
}

fn is_index(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with("-shm"))
}

/// The path below the root; `None` for others, and for files that are removed but still open.
fn below(root: &Path, path: &Path) -> Option<PathBuf> {
    let relative = path.strip_prefix(root).ok()?;
    let removed = relative.as_os_str().as_bytes().ends_with(b" (deleted)");
    (!removed).then(|| relative.components().collect())
}

/// The path of the first descriptor that has one.
fn descriptor(arguments: &str) -> Option<PathBuf> {
    let start = arguments.find('<')? + 1;
    let end = start + arguments.get(start..)?.find('>')?;
    Some(PathBuf::from(OsStr::from_bytes(&unescape(arguments.get(start..end)?))))
}

fn strings(arguments: &str) -> Vec<Vec<u8>> {
    arguments.split('"').skip(1).step_by(2).map(unescape).collect()
}

/// `\x2f\x64`; without strace's -xx some stay as they are.
fn unescape(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match rest {
            [b'\\', b'x', high, low, tail @ ..] => {
                bytes.push(digit(*high).unwrap() << 4 | digit(*low).unwrap());
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// A number as strace prints it: with -xx some are in hexadecimal.
fn number(text: &str) -> usize {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

#[test]
fn calls_are_understood() {
    let root = Path::new("/a");
    let what = |line: &str| change(&format!("12.000005 {line}"), root).map(|change| change.what);
    let path = PathBuf::from("s.db-wal");
    assert_eq!(
        what(r#"pwrite64(11</a/s.db-wal>, "\x00\x22\x29", 3, 4096) = 3"#),
        Some(What::Write(path.clone(), 4096, vec![0, 0x22, 0x29]))
    );
    assert_eq!(what(r"fsync(11<\x2f\x61\x2fs.db-wal>) = 0"), Some(What::Sync(path.clone())));
    assert_eq!(what("fdatasync(11</a>) = 0"), Some(What::Sync(PathBuf::new())));
    assert_eq!(what("fsync(11</a/s.db-wal>) = -1 EIO (Input/output error)"), None);
    assert_eq!(what("ftruncate(3</a/s.db-wal>, 0x3) = 0"), Some(What::Truncate(path.clone(), 3)));
    assert_eq!(what(r#"unlink("\x2f\x61\x2fs.db-wal") = 0"#), Some(What::Unlink(path.clone())));
    assert_eq!(
        what(r#"openat(AT_FDCWD</a>, "s.db-wal", O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 9</a/s.db-wal>"#),
        Some(What::Create(path.clone()))
    );
    assert_eq!(what(r#"write(4</a/s.db-wal>, "\x00\x22", 2) = 2"#), Some(What::Append(path.clone(), vec![0, 0x22])));
    assert_eq!(
        what(r#"rename("\x2f\x61\x2fn/.t", "n/s") = 0"#),
        Some(What::Rename(PathBuf::from("n/.t"), PathBuf::from("n/s")))
    );
    assert_eq!(what(r#"rmdir("n") = 0"#), Some(What::Unlink(PathBuf::from("n"))));
    assert_eq!(what(r#"mkdir("\x61", 0777)   = 0"#), Some(What::Folder(PathBuf::from("a"))));
    assert_eq!(what(r#"pwrite64(11</a/s.db-shm>, "\x00", 1, 4096) = 1"#), None);
    assert_eq!(what(r#"pwrite64(11</b/s.db-wal>, "\x00", 1, 4096) = 1"#), None);
    assert_eq!(what("fsync(11</a/s.db-wal (deleted)>) = 0"), None);
}
