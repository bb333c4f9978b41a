//! A clean place to run the built program in: an empty home, a fixed zone and language, no terminal.

#![allow(dead_code, unreachable_pub, clippy::disallowed_methods)]

pub mod check;
pub mod figures;
pub mod python;
pub mod random;
pub mod simulator;

// Not every crate that shares this holds a promise.
#[allow(unused_imports)]
pub use figures::{control, figures};

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

/// 2025-11-07T14:30:00Z: when every capture copied into a place was last written.
pub const WRITTEN: Duration = Duration::from_secs(1_762_525_800);

pub struct Place {
    folder: tempfile::TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn fixture(name: &str) -> PathBuf {
    repository().join("fixtures").join(name)
}

/// Every capture among the fixtures, by name.
pub fn captures() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for folder in ["dlms", "dsmr", "iec62056", "sml"] {
        for entry in fs::read_dir(fixture(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "bin" || extension == "txt") {
                let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
                found.push((name, path));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 15, "fixtures are missing: {found:?}");
    found
}

/// Runs a line as a shell does, in `folder`, with the program and the system's own in its path and nothing else around it.
pub fn shell(folder: &Path, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_releve"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env_clear().env("PATH", path).env("HOME", folder);
    Run::of(command.stdin(Stdio::null()).output().unwrap())
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(UNIX_EPOCH + WRITTEN).unwrap();
        path
    }

    /// A fixture, as if it had been captured at [`WRITTEN`].
    pub fn capture(&self, name: &str) -> PathBuf {
        self.write(&name.replace('/', "_"), fs::read(fixture(name)).unwrap())
    }

    /// The program, ready to run here.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_releve"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "Europe/Zurich")
            .env("LANG", "C")
            // Where the coverage of what runs here is counted, if it is.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .stdin(Stdio::null());
        command
    }

    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        Run::of(self.command().args(arguments).output().unwrap())
    }
}

impl Run {
    pub fn of(output: Output) -> Self {
        let run = Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// Stdout of a run that went well and said nothing else.
    pub fn clean(self) -> String {
        assert_eq!((self.exit, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.clean()).unwrap()
    }
}
