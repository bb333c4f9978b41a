//! The text of a file, packed or not, within bounds: a gzip bomb is refused before it has unpacked.

use flate2::bufread::MultiGzDecoder;
use std::io::Read as _;

/// What is wrong with a file.
pub(super) type Wrong = Box<dyn std::error::Error + Send + Sync>;

/// The most text that is read: a day of a hundred registers a second stays below it.
pub(super) const MAX_TEXT: usize = 256 * 1024 * 1024;

/// A file of readings unpacks to some twenty times its size; deflate reaches a thousand with nothing to say.
const MAX_RATIO: usize = 300;

/// How a gzip file begins (RFC 1952).
const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Small files may unpack to so much whatever their size.
const SMALL: usize = 1024 * 1024;

/// Hands on the text of some bytes piece by piece.
pub(super) fn unpack_each(bytes: &[u8], mut sink: impl FnMut(&[u8]) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let limit = bytes.len().saturating_mul(MAX_RATIO).clamp(SMALL, MAX_TEXT);
    let mut unpacked = 0;
    let mut take = |piece: &[u8]| {
        unpacked += piece.len();
        if unpacked > limit { Err("it unpacks to more than any day holds".into()) } else { sink(piece) }
    };
    if !bytes.starts_with(&MAGIC) {
        return take(bytes);
    }
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = decoder.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        take(piece.get(..count).unwrap_or_default())?;
    }
}

/// The whole text of some bytes.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<String, Wrong> {
    let text = if bytes.starts_with(&MAGIC) {
        let mut text = Vec::with_capacity(bytes.len().saturating_mul(16).min(MAX_TEXT));
        unpack_each(&bytes, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        text
    } else {
        bytes
    };
    let text = String::from_utf8(text).map_err(|error| error.utf8_error())?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}
