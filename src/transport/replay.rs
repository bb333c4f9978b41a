//! Captures: a file or standard input, read from its beginning as if a meter were sending it.
//!
//! Both forms are known by their first bytes: what this program recorded (see [`capture`](super::capture)), of which only
//! what was received is handed on, and the raw bytes of the line.

use super::capture::{Entry, MARK, Reader, What, moment};
use crate::reading::Instant;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A source of captured bytes.
#[derive(Debug)]
pub struct Input {
    captured: Captured,
    endless: bool,
    modified: Option<SystemTime>,
    /// Received and not read yet, with its place.
    pending: (Vec<u8>, usize),
    /// When the recording began, and the bytes handed on last came.
    begun: Option<Instant>,
    received: Option<Instant>,
}

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is no such file.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
    /// It is a folder.
    #[error("{} is a folder, not a capture", .0.display())]
    Directory(PathBuf),
    /// The user may not read it.
    #[error("may not read {}", .0.display())]
    Denied(PathBuf),
    /// Anything else the system says.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// [`InputError`], naming the path.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.as_os_str() == "-" {
            return Ok(Self::new(Source::Stdin(io::stdin()), true, None));
        }
        let fail = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => InputError::Missing(path.into()),
            io::ErrorKind::PermissionDenied => InputError::Denied(path.into()),
            io::ErrorKind::IsADirectory => InputError::Directory(path.into()),
            _ => InputError::Io { path: path.into(), source },
        };
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if metadata.is_dir() {
            return Err(InputError::Directory(path.into()));
        }
        Ok(Self::new(Source::File(file), !metadata.is_file(), metadata.modified().ok()))
    }

    fn new(source: Source, endless: bool, modified: Option<SystemTime>) -> Self {
        let captured = Captured { source: BufReader::with_capacity(CHUNK, source), head: b"", form: None };
        Self { captured, endless, modified, pending: (Vec::new(), 0), begun: None, received: None }
    }

    /// Whether the end may never come: a pipe, a device.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// When the capture was last written, if it is a file.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified.filter(|_| !self.endless)
    }

    /// When the bytes that were read last had been received, where the capture says it.
    #[must_use]
    pub fn received(&self) -> Option<Instant> {
        self.received
    }

    /// The last line so far that was cut off while it was written, counted from 1: what is there of it has been read.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        match &self.captured.form {
            Some(Form::Recorded(reader)) => reader.cut(),
            _ => None,
        }
    }

    /// What stands next in the capture.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        self.captured.next()
    }
}

impl Read for Input {
    /// # Errors
    /// Those of the source; [`InvalidData`](io::ErrorKind::InvalidData) with a [`CaptureError`](super::CaptureError) in it
    /// where a line is damaged.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (bytes, at) = &mut self.pending;
            let mut rest = bytes.get(*at..).unwrap_or_default();
            if !rest.is_empty() || buffer.is_empty() {
                let count = rest.read(buffer)?;
                *at += count;
                return Ok(count);
            }
            match self.captured.next()? {
                None => return Ok(0),
                Some(Entry::Start { at, .. }) => self.begun = Some(at),
                Some(Entry::Passed { after, what: What::Received(bytes) }) => {
                    self.pending = (bytes, 0);
                    self.received = self.begun.map(|begun| moment(begun, after));
                }
                Some(Entry::Passed { .. }) => {}
            }
        }
    }
}

/// How much to take from a raw source at once.
const CHUNK: usize = 64 * 1024;

/// A capture of either form, as entries.
#[derive(Debug)]
struct Captured {
    source: BufReader<Source>,
    /// What has been taken from the source to recognise the form, and not handed on yet: a beginning of the mark.
    head: &'static [u8],
    form: Option<Form>,
}

#[derive(Debug)]
enum Form {
    Raw,
    Recorded(Reader),
}

#[derive(Debug)]
enum Source {
    File(File),
    Stdin(io::Stdin),
}

impl Captured {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        self.recognise()?;
        let mut source = (&mut self.head).chain(&mut self.source);
        if let Some(Form::Recorded(reader)) = &mut self.form {
            return Ok(reader.next(&mut source)?);
        }
        let bytes = source.fill_buf()?.to_vec();
        source.consume(bytes.len());
        let received = |bytes| Entry::Passed { after: Duration::ZERO, what: What::Received(bytes) };
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()).map(received))
    }

    /// Looks for the mark of our own form, as far as the source goes along with it: a pipe may give it in pieces.
    fn recognise(&mut self) -> io::Result<()> {
        while self.form.is_none() {
            let (_, left) = MARK.split_at(self.head.len().min(MARK.len()));
            let there = self.source.fill_buf()?;
            let len = there.len().min(left.len());
            if left.is_empty() {
                self.form = Some(Form::Recorded(Reader::default()));
            } else if len == 0 || there.get(..len) != left.get(..len) {
                self.form = Some(Form::Raw);
            } else {
                self.source.consume(len);
                self.head = MARK.get(..self.head.len() + len).unwrap_or(MARK);
            }
        }
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_path_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.bin");
        assert!(matches!(Input::open(&missing), Err(InputError::Missing(path)) if path == missing));
        assert!(matches!(Input::open(folder.path()), Err(InputError::Directory(_))));
    }

    fn input(bytes: &[u8]) -> Input {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Input::open(file.path()).unwrap()
    }

    #[test]
    fn of_a_recording_only_what_was_received_is_read_and_when() {
        let mut input = input(
            b"releve capture 1 2026-11-21T14:30:00Z /dev/ttyUSB0\n+0.1 > 2F3F210D0A\n+1.5 < 2F4C47\n+2 = 4800,7E1\n\
              +2.000001 < 5A\nreleve capture 1 2026-11-22T00:00:00Z /dev/ttyUSB1\n+0 < 21\n+0.5 <",
        );
        let (mut buffer, mut read) = ([0; 2], Vec::new());
        loop {
            let count = input.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            read.push((buffer[..count].to_vec(), input.received().unwrap().to_string()));
        }
        let expected = [
            (&b"/L"[..], "2026-11-21T14:30:01.5Z"),
            (b"G", "2026-11-21T14:30:01.5Z"),
            (b"Z", "2026-11-21T14:30:02.000001Z"),
            (b"!", "2026-11-22T00:00:00Z"),
        ];
        assert_eq!(read, expected.map(|(bytes, at)| (bytes.to_vec(), at.to_owned())));
        assert_eq!(input.cut(), Some(8));
    }

    #[test]
    fn anything_else_is_read_as_it_is() {
        for raw in [&b""[..], b"r", b"releve", b"releve capture 2 ", b"/ISK5\r\n", &[0xFF; 100_000]] {
            let mut input = input(raw);
            let mut read = Vec::new();
            input.read_to_end(&mut read).unwrap();
            assert_eq!((read.as_slice(), input.received(), input.cut()), (raw, None, None));
        }
    }

    #[test]
    fn a_damaged_line_is_named() {
        let error = input(b"releve capture 1 2026-11-21T14:30:00Z x\n+1 < 2\n+2 < 21\n").read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "line 2 of the capture is damaged: half an octet");
    }
}
