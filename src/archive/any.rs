//! Readings out of archive files of any age, one after the other.
//!
//! Day and hour files of this and of the old application, its hour files of one bare object or a list of them, its export
//! files, and the lines that `export -f ndjson` writes. Week and month files hold means, not readings, and are refused.

use super::ArchiveError;
use super::text::{MAX_TEXT, Wrong, unpack};
use crate::document::Filed;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

/// A reading in a file, and what the file says about all of its readings.
#[derive(Debug, Clone, Copy)]
pub struct InFile<'a> {
    /// The reading.
    pub filed: &'a Filed,
    /// The meter that the file is of.
    pub meter: Option<&'a str>,
    /// The units of keys that are no columns.
    pub units: &'a BTreeMap<String, String>,
}

/// What stands around the readings of a file.
#[derive(Deserialize)]
struct Outline<'a> {
    metadata: Option<About>,
    nb_mesures: Option<usize>,
    #[serde(default)]
    unites: BTreeMap<String, String>,
    #[serde(borrow)]
    mesures: Option<&'a RawValue>,
    #[serde(borrow)]
    series: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct About {
    compteur_id: Option<String>,
}

/// The readings of a file, in its order, into `sink`.
///
/// # Errors
/// [`ArchiveError`], naming the file, or what `sink` returns.
pub fn read_any<E: From<ArchiveError>>(path: &Path, sink: impl FnMut(InFile<'_>) -> Result<(), E>) -> Result<(), E> {
    let fail = |source| ArchiveError::Unreadable { path: path.into(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    if file.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(fail)? > MAX_TEXT {
        return Err(ArchiveError::damaged(path, "it is larger than any file of an archive").into());
    }
    read_bytes(path, bytes, sink)
}

/// The readings of a file whose bytes are known.
///
/// # Errors
/// [`ArchiveError`], naming the file, or what `sink` returns.
pub fn read_bytes<E: From<ArchiveError>>(
    path: &Path,
    bytes: Vec<u8>,
    mut sink: impl FnMut(InFile<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let text = unpack(bytes).map_err(|error| ArchiveError::damaged(path, error))?;
    let damaged =
        |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged { path: path.into(), source };
    let values = serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>();
    let mut found = false;
    for value in values {
        let value = value.map_err(|error| damaged(error.into()))?.get();
        found = true;
        let mut stopped = None;
        let read = if value.starts_with('[') {
            each_of(
                value,
                &mut |filed| sink(InFile { filed: &filed, meter: None, units: &BTreeMap::new() }),
                &mut stopped,
            )
            .map(drop)
        } else {
            object(value, &mut sink, &mut stopped)
        };
        if let Some(error) = stopped {
            return Err(error);
        }
        read.map_err(|error| match error.is::<Means>() {
            true => ArchiveError::Derived(path.into()),
            false => damaged(error),
        })?;
    }
    if found { Ok(()) } else { Err(damaged("it is empty".into()).into()) }
}

/// The file is of a week or a month.
#[derive(Debug, thiserror::Error)]
#[error("it holds means")]
struct Means;

fn object<E>(
    value: &str,
    sink: &mut impl FnMut(InFile<'_>) -> Result<(), E>,
    stopped: &mut Option<E>,
) -> Result<(), Wrong> {
    let outline: Outline<'_> = serde_json::from_str(value)?;
    if outline.series.is_some() {
        return Err(Means.into());
    }
    let meter = outline.metadata.and_then(|about| about.compteur_id);
    let units = outline.unites;
    let mut deliver = |filed: Filed| {
        let meter = filed.meter.clone().or_else(|| meter.clone());
        sink(InFile { filed: &filed, meter: meter.as_deref(), units: &units })
    };
    let Some(list) = outline.mesures else {
        let filed = serde_json::from_str(value)?;
        *stopped = deliver(filed).err();
        return Ok(());
    };
    let count = each_of(list.get(), &mut deliver, stopped)?;
    match outline.nb_mesures {
        Some(said) if said != count && stopped.is_none() => {
            Err(format!("nb_mesures says {said}, there are {count}").into())
        }
        _ => Ok(()),
    }
}

/// Hands on each element of a JSON array; how many there were.
fn each_of<E>(
    array: &str,
    deliver: &mut impl FnMut(Filed) -> Result<(), E>,
    stopped: &mut Option<E>,
) -> Result<usize, Wrong> {
    struct Elements<'f, F, E> {
        deliver: &'f mut F,
        stopped: &'f mut Option<E>,
    }
    impl<'de, F: FnMut(Filed) -> Result<(), E>, E> Visitor<'de> for Elements<'_, F, E> {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of readings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while let Some(filed) = list.next_element()? {
                count += 1;
                if let Err(error) = (self.deliver)(filed) {
                    *self.stopped = Some(error);
                    return Err(serde::de::Error::custom("stopped"));
                }
            }
            Ok(count)
        }
    }
    impl<'de, F: FnMut(Filed) -> Result<(), E>, E> DeserializeSeed<'de> for Elements<'_, F, E> {
        type Value = usize;

        fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
            deserializer.deserialize_seq(self)
        }
    }
    let mut json = serde_json::Deserializer::from_str(array);
    Ok(json.deserialize_seq(Elements { deliver, stopped })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Option<String>)>, ArchiveError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, text).unwrap();
        let mut all = Vec::new();
        read_any(&path, |found| {
            all.push((found.filed.timestamp.clone(), found.meter.map(ToOwned::to_owned)));
            Ok::<_, ArchiveError>(())
        })?;
        Ok(all)
    }

    #[test]
    fn every_form_of_file_is_read() {
        let time = || "2025-11-07T00:00:00Z".to_owned();
        let bare = r#"{"timestamp": "2025-11-07T00:00:00Z", "donnees": {"tension_l1": 231.5}}"#;
        assert_eq!(read(bare).unwrap(), [(time(), None)]);
        assert_eq!(read(&format!("[{bare}, {bare}]")).unwrap().len(), 2);
        assert_eq!(read(&format!("{bare}\n{bare}\n")).unwrap().len(), 2);
        let day = format!(r#"{{"mesures": [{bare}], "nb_mesures": 1, "metadata": {{"compteur_id": "M1"}}}}"#);
        assert_eq!(read(&day).unwrap(), [(time(), Some("M1".to_owned()))]);
        assert_eq!(read(&day.replace("\"nb_mesures\": 1", "\"date\": \"2025-11-07\"")).unwrap().len(), 1);
    }

    #[test]
    fn what_is_damaged_or_no_reading_is_refused() {
        let cases = [
            "",
            "{",
            r#"{"mesures": [], "nb_mesures": 1}"#,
            r#"{"timestamp": "2025-11-07T00:00:00Z", "donnees": {"tension_l1": NaN}}"#,
            r#"{"timestamp": "2025-11-07T00:00:00Z", "donnees": {"tension_l1": 1e400}}"#,
            r#"{"timestamp": 5}"#,
            "7",
            &"[".repeat(100_000),
        ];
        for text in cases {
            assert!(matches!(read(text), Err(ArchiveError::Damaged { .. })), "{text:.60}");
        }
        assert!(matches!(read(r#"{"compteur": "M1", "series": {}}"#), Err(ArchiveError::Derived(_))));
    }
}
