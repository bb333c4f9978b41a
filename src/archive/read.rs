//! Reading archive files, whoever wrote them.

use super::ArchiveError;
use crate::document::DayFile;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The largest day file that is unpacked: a year at one reading a second stays below it, a gzip bomb does not.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;

/// Reads a day file; `None` where there is none.
///
/// # Errors
/// [`ArchiveError::Damaged`] where it is cut, its checksum does not fit, or it is not the contract's JSON.
pub fn read_day(path: &Path) -> Result<Option<DayFile>, ArchiveError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ArchiveError::Io { path: path.into(), source }),
    };
    let damaged =
        |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged { path: path.into(), source };
    let mut text = String::new();
    let mut unpacked = MultiGzDecoder::new(BufReader::new(file)).take(MAX_UNPACKED);
    unpacked.read_to_string(&mut text).map_err(|error| damaged(error.into()))?;
    if unpacked.limit() == 0 {
        return Err(damaged("it unpacks to more than any day holds".into()));
    }
    let day: DayFile = serde_json::from_str(&text).map_err(|error| damaged(error.into()))?;
    if day.nb_mesures != day.mesures.len() {
        let what = format!("nb_mesures says {}, there are {}", day.nb_mesures, day.mesures.len());
        return Err(damaged(what.into()));
    }
    Ok(Some(day))
}
