//! Captures, line by line.

use super::{CAN, Entry, MAX_LINE, What};
use std::io::{self, BufRead, Read as _};

/// Why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// A line is not as the format has it.
    #[error("line {line} of the capture is damaged: {why}")]
    Damaged {
        /// Which, from 1.
        line: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// The source fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<CaptureError> for io::Error {
    /// The system's error, or one of kind [`InvalidData`](io::ErrorKind::InvalidData) with the [`CaptureError`] in it.
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Io(error) => error,
            damaged @ CaptureError::Damaged { .. } => Self::new(io::ErrorKind::InvalidData, damaged),
        }
    }
}

/// Reads a capture line by line, never holding more than one.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    number: u64,
    cut: Option<u64>,
}

impl Reader {
    /// The next entry of `source`; `None` at its end.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn next(&mut self, source: &mut impl BufRead) -> Result<Option<Entry>, CaptureError> {
        loop {
            self.line.clear();
            let limit = MAX_LINE as u64 + 1;
            if source.take(limit).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let damaged = |why| CaptureError::Damaged { line: self.number, why };
            let (line, is_cut) = match self.line.strip_suffix(b"\n") {
                None if self.line.len() > MAX_LINE => return Err(damaged("it is too long")),
                None => (self.line.as_slice(), true),
                Some(line) => match line.strip_suffix(&[CAN]) {
                    Some(line) => (line, true),
                    None => (line.strip_suffix(b"\r").unwrap_or(line), false),
                },
            };
            let text = std::str::from_utf8(line).map_err(|_| "it is no text");
            let entry = if is_cut {
                self.cut = Some(self.number);
                // It ends anywhere, perhaps in the middle of an octet. Only octets mean something without their end.
                let whole =
                    |text: &str| text.get(..text.len().saturating_sub(1)).and_then(|text| Entry::parse(text).ok()?);
                let entry = text.ok().and_then(|text| Entry::parse(text).unwrap_or_else(|_| whole(text)));
                entry.filter(|entry| matches!(entry, Entry::Passed { what: What::Received(_), .. }))
            } else {
                text.and_then(Entry::parse).map_err(damaged)?
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
    }

    /// The last line so far that was cut off while it was written, if there was one, counted from 1.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }
}
