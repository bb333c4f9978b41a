//! Writing down what passes a link.

use super::{CAN, Entry, MARK, What};
use crate::reading::Instant;
use crate::transport::link::LinkError;
use crate::transport::tap::{Tap, Traffic};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant as Monotonic};

/// A [`Tap`] that writes a capture.
pub struct Recorder {
    sink: Box<dyn Write + Send>,
    name: String,
    begun: Monotonic,
}

/// The most octets on a line.
const OCTETS: usize = 1024;

impl Recorder {
    /// Starts a recording of `link` in a file, which is made, or appended to where it is a capture already.
    ///
    /// # Errors
    /// [`LinkError::Capture`]; a file that holds something else is left as it is.
    pub fn open(path: &Path, link: &str, now: Instant) -> Result<Self, LinkError> {
        let name = path.display().to_string();
        match prepare(path) {
            Ok(file) => Self::new(Box::new(file), name, link, now),
            Err(source) => Err(LinkError::Capture { name, source }),
        }
    }

    /// Starts a recording of `link` into `sink`, which messages call `name`.
    ///
    /// # Errors
    /// [`LinkError::Capture`].
    #[expect(clippy::disallowed_methods, reason = "times in a capture count from here, whatever happens to the clock")]
    pub fn new(sink: Box<dyn Write + Send>, name: String, link: &str, now: Instant) -> Result<Self, LinkError> {
        let mut recorder = Self { sink, name, begun: Monotonic::now() };
        recorder.write(&Entry::Start { at: now, name: link.to_owned() })?;
        Ok(recorder)
    }

    fn write(&mut self, entry: &Entry) -> Result<(), LinkError> {
        let line = format!("{entry}\n");
        self.sink.write_all(line.as_bytes()).map_err(|source| LinkError::Capture { name: self.name.clone(), source })
    }

    fn octets(&mut self, after: Duration, bytes: &[u8], what: fn(Vec<u8>) -> What) -> Result<(), LinkError> {
        bytes.chunks(OCTETS).try_for_each(|piece| self.write(&Entry::Passed { after, what: what(piece.to_vec()) }))
    }
}

impl Tap for Recorder {
    fn on(&mut self, traffic: Traffic<'_>) -> Result<(), LinkError> {
        let after = self.begun.elapsed();
        match traffic {
            Traffic::Received(bytes) => self.octets(after, bytes, What::Received),
            Traffic::Sent(bytes) => self.octets(after, bytes, What::Sent),
            Traffic::SentSecret => {
                self.write(&Entry::Passed { after, what: What::Note("a message with a password was sent".to_owned()) })
            }
            Traffic::Line(line) => self.write(&Entry::Passed { after, what: What::Line(line) }),
            Traffic::Failed(error) => self.write(&Entry::Passed { after, what: What::Note(error.to_string()) }),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Opens a capture for appending, and ends the line that a power cut may have left.
fn prepare(path: &Path) -> io::Result<File> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut head = Vec::new();
    io::Read::by_ref(&mut file).take(MARK.len() as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(file);
    }
    if head != MARK {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and holds something else"));
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(&[CAN, b'\n'])?;
    }
    Ok(file)
}
