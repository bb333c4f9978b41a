//! Where a log's messages go: stderr, with the journal's priorities where that is where stderr goes.

use crate::cli::args::Globals;
use crate::cli::output::{printable, say};
use std::io;

/// How much a message matters (sd-daemon(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Journal {
    /// What is less important than this is not said.
    least: Level,
    prefixed: bool,
}

impl Journal {
    pub(super) fn new(globals: &Globals) -> Self {
        let least = match (globals.quiet, globals.verbose) {
            (true, _) => Level::Error,
            (false, 0) => Level::Info,
            (false, _) => Level::Debug,
        };
        let stream = std::env::var("JOURNAL_STREAM").ok();
        Self { least, prefixed: stream.is_some_and(|stream| is_stderr(&stream)) }
    }

    /// One line, without a time stamp: journals have their own.
    pub(super) fn say(self, level: Level, text: &str) {
        if level > self.least {
            return;
        }
        let text = printable(text);
        if self.prefixed { say(&format!("<{}>{text}", level as u8)) } else { say(&text) }
    }
}

/// Whether stderr is the stream `DEVICE:INODE` that the service manager made: it may have been redirected since.
fn is_stderr(stream: &str) -> bool {
    let stat = rustix::fs::fstat(io::stderr());
    stat.is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}
