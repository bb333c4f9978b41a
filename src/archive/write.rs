//! Writing archive files: beside the final name, flushed, read back, renamed.

use super::{ArchiveError, merge, read_any, read_day};
use crate::document::{DayFile, Measure, Numbers};
use crate::reading::Instant;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What writing a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The file is new, or holds more than before.
    Changed {
        /// How many readings it holds now.
        readings: usize,
    },
    /// The file held all of it already, byte for byte.
    Unchanged {
        /// How many readings it holds.
        readings: usize,
    },
}

/// Writes a day file, merged with what is there. A damaged file is set aside as `….corrompu` first.
///
/// # Errors
/// [`ArchiveError`], naming the file; what was there before is then still there.
pub fn write_day(
    path: &Path,
    meter: &str,
    date: &str,
    stored: Vec<Measure>,
    mut units: BTreeMap<String, String>,
) -> Result<Written, ArchiveError> {
    let archived = match read_day(path) {
        Ok(Some(day)) if day.metadata.compteur_id != meter => {
            return Err(ArchiveError::OtherMeter { path: path.into(), found: day.metadata.compteur_id });
        }
        Ok(Some(day)) => {
            units.extend(day.unites);
            day.mesures
        }
        Ok(None) => Vec::new(),
        Err(ArchiveError::Damaged { .. }) => {
            set_aside(path)?;
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let merged = merge(archived, stored);
    let readings = merged.len();
    let day = DayFile::new(meter, Some(date.to_owned()), merged, units);
    put(path, &day, readings, |written| Ok(read_day(written)?.as_ref() == Some(&day)))
}

/// Writes a short file of a day, merged with what is there: of two readings of one time the later written is kept.
///
/// # Errors
/// [`ArchiveError`], naming the file; what was there before is then still there.
pub fn write_export(path: &Path, date: &str, stored: Vec<(Instant, Numbers)>) -> Result<Written, ArchiveError> {
    let mut merged = BTreeMap::new();
    let read = |from: &Path| {
        let mut found = BTreeMap::new();
        read_any(from, |reading| -> Result<(), ArchiveError> {
            if let Some(at) = reading.filed.at() {
                found.insert(at, reading.filed.numbers.clone());
            }
            Ok(())
        })?;
        Ok(found)
    };
    if path.exists() {
        match read(path) {
            Ok(archived) => merged = archived,
            Err(ArchiveError::Damaged { .. }) => set_aside(path)?,
            Err(error) => return Err(error),
        }
    }
    merged.extend(stored);
    let file = ExportFile { date, nb_mesures: merged.len(), mesures: &merged };
    put(path, &file, merged.len(), |written| Ok(read(written)? == merged))
}

/// The form of a short file: each reading has its values beside its time.
#[derive(Serialize)]
struct ExportFile<'a> {
    date: &'a str,
    nb_mesures: usize,
    #[serde(serialize_with = "flat")]
    mesures: &'a BTreeMap<Instant, Numbers>,
}

fn flat<S: serde::Serializer>(measures: &BTreeMap<Instant, Numbers>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Flat<'a> {
        timestamp: String,
        #[serde(flatten)]
        numbers: &'a Numbers,
    }
    serializer.collect_seq(measures.iter().map(|(at, numbers)| Flat { timestamp: at.to_string(), numbers }))
}

/// Puts a file in place, unless it is there already byte for byte.
fn put(
    path: &Path,
    file: &impl Serialize,
    readings: usize,
    verify: impl FnOnce(&Path) -> Result<bool, ArchiveError>,
) -> Result<Written, ArchiveError> {
    let bytes = pack(file).map_err(|source| ArchiveError::Io { path: path.into(), source })?;
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(Written::Unchanged { readings });
    }
    replace(path, &bytes, verify)?;
    Ok(Written::Changed { readings })
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (readings, end) = match self {
            Self::Changed { readings } => (readings, ""),
            Self::Unchanged { readings } => (readings, ", unchanged"),
        };
        write!(f, "{readings} {}{end}", if *readings == 1 { "reading" } else { "readings" })
    }
}

/// The bytes of a file: gzip without a time or a name, so that the same readings always give the same bytes.
fn pack(file: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer_pretty(&mut packer, file)?;
    packer.write_all(b"\n")?;
    packer.finish()
}

fn replace(
    path: &Path,
    bytes: &[u8],
    verify: impl FnOnce(&Path) -> Result<bool, ArchiveError>,
) -> Result<(), ArchiveError> {
    let fail = |source| ArchiveError::Io { path: path.into(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    let mut temporary = tempfile::Builder::new().prefix(".releve-").tempfile_in(folder).map_err(fail)?;
    temporary.write_all(bytes).and_then(|()| temporary.as_file().sync_all()).map_err(fail)?;
    if !verify(temporary.path())? {
        return Err(ArchiveError::NotVerified(path.into()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        temporary.as_file().set_permissions(fs::Permissions::from_mode(0o640)).map_err(fail)?;
    }
    temporary.persist(path).map_err(|error| fail(error.error))?;
    // The rename is only on the disk once the folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)
}

fn set_aside(path: &Path) -> Result<(), ArchiveError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".corrompu");
    fs::rename(path, PathBuf::from(name)).map_err(|source| ArchiveError::Io { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Values;
    use crate::reading::Quality;

    fn measures(minutes: std::ops::Range<u8>) -> Vec<Measure> {
        minutes
            .map(|minute| {
                let at = Instant::parse_utc(&format!("2025-11-07T00:{minute:02}:00Z")).unwrap();
                Measure::new(at, &Values::default(), Quality::Good, "p1")
            })
            .collect()
    }

    fn write(path: &Path, minutes: std::ops::Range<u8>) -> Result<Written, ArchiveError> {
        write_day(path, "M1", "2025-11-07", measures(minutes), BTreeMap::new())
    }

    #[test]
    fn writing_merges_and_twice_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quotidien/jour_20251107.json.gz");
        assert_eq!(write(&path, 0..3).unwrap(), Written::Changed { readings: 3 });
        assert_eq!(write(&path, 5..9).unwrap(), Written::Changed { readings: 7 });
        let before = fs::read(&path).unwrap();
        assert_eq!(write(&path, 0..9).unwrap(), Written::Changed { readings: 9 });
        assert_eq!(write(&path, 2..4).unwrap(), Written::Unchanged { readings: 9 });
        assert_ne!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a temporary file is left");
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_another_meters_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jour_20251107.json.gz");
        write(&path, 0..3).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        write(&path, 0..2).unwrap();
        assert_eq!(read_day(&path).unwrap().unwrap().nb_mesures, 2);
        assert!(folder.path().join("jour_20251107.json.gz.corrompu").exists());
        let other = write_day(&path, "M2", "2025-11-07", measures(0..1), BTreeMap::new());
        assert!(matches!(other, Err(ArchiveError::OtherMeter { found, .. }) if found == "M1"));
    }
}
