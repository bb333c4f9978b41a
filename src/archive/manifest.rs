//! Manifests: what each file of a folder must be, so that an archive proves itself without the store.
//!
//! `quotidien` has one a month, the other folders one a year. It is JSON, a file a line, and its last line is the SHA-256 of
//! everything before that line. It is written before the files it lists get their names: where a file that was replaced is
//! still the former one, its former checksum (`avant`) says so.

use super::ArchiveError;
use super::checksum::sha256;
use super::content::{Content, Summary};
use crate::document::Exact;
use crate::reading::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of a manifest, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// What is listed.
    pub files: BTreeMap<String, Listed>,
}

/// A file in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Whose it is.
    #[serde(rename = "compteur")]
    pub meter: String,
    /// The SHA-256 of its bytes.
    pub sha256: String,
    /// How many they are.
    #[serde(rename = "octets")]
    pub bytes: u64,
    /// How many readings it has, or values, of a week or month file.
    #[serde(rename = "nb_mesures")]
    pub count: usize,
    /// The time of the first.
    #[serde(rename = "premiere", skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The time of the last.
    #[serde(rename = "derniere", skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The first and the last value of the counter of energy taken.
    #[serde(rename = "energie_active_import", default, skip_serializing_if = "Option::is_none")]
    pub import: Option<(Exact, Exact)>,
    /// The same of energy fed in.
    #[serde(rename = "energie_active_export", default, skip_serializing_if = "Option::is_none")]
    pub export: Option<(Exact, Exact)>,
    /// What it was made of: a mark of the store's readings, or of the day files of a week or month.
    #[serde(rename = "origine")]
    pub origin: String,
    /// The SHA-256 of the file that it takes the place of.
    #[serde(rename = "avant", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl Listed {
    /// The line of a file.
    #[must_use]
    pub fn new(meter: &str, content: &Content, origin: String) -> Self {
        let Summary { count, between, counters: [import, export] } = content.summary;
        let exact = |ends: Option<_>| ends.map(|(first, last)| (Exact(first), Exact(last)));
        Self {
            meter: meter.to_owned(),
            sha256: sha256(&content.bytes),
            bytes: content.bytes.len() as u64,
            count,
            first: between.map(|(first, _)| first.to_string()),
            last: between.map(|(_, last)| last.to_string()),
            import: exact(import),
            export: exact(export),
            origin,
            before: None,
        }
    }

    /// The times of the first and the last reading.
    #[must_use]
    pub fn between(&self) -> Option<(Instant, Instant)> {
        let time = |text: &Option<String>| Instant::parse_utc(text.as_deref()?).ok();
        time(&self.first).zip(time(&self.last))
    }
}

const HEAD: &str = "{\n  \"version\": \"1.0\",\n  \"fichiers\": {";
const SUM: &str = "  \"sha256\": \"";

impl Manifest {
    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::from(HEAD);
        let mut comma = "";
        for (name, listed) in &self.files {
            text.push_str(comma);
            comma = ",";
            // Strings and numbers always serialise.
            let name = serde_json::to_string(name).unwrap_or_default();
            let listed = serde_json::to_string(listed).unwrap_or_default();
            text.push_str(&format!("\n    {name}: {listed}"));
        }
        text.push_str("\n  },\n");
        let sum = sha256(text.as_bytes());
        text.push_str(&format!("{SUM}{sum}\"\n}}\n"));
        text
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`], naming `path`, where it is not what was written.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArchiveError> {
        #[derive(Deserialize)]
        struct File {
            fichiers: BTreeMap<String, Listed>,
        }
        let damaged = |what: &str| ArchiveError::Damaged { path: path.into(), source: what.to_owned().into() };
        let at = text.rfind(SUM).ok_or_else(|| damaged("it has no checksum"))?;
        let (body, end) = text.split_at(at);
        if end != format!("{SUM}{}\"\n}}\n", sha256(body.as_bytes())) {
            return Err(damaged("its checksum does not fit"));
        }
        let file: File = serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
        Ok(Self { files: file.fichiers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_every_other_byte_is_noticed() {
        let content = Content { bytes: b"abc".to_vec(), summary: Summary::default() };
        let mut manifest = Manifest::default();
        manifest.files.insert("jour_20251107.json.gz".into(), Listed::new("M1", &content, "0".into()));
        let text = manifest.to_text();
        let path = Path::new("m.json");
        assert_eq!(Manifest::parse(&text, path).unwrap(), manifest);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(other) = String::from_utf8(bytes) else { continue };
            assert!(Manifest::parse(&other, path).is_err(), "byte {at}");
            assert!(Manifest::parse(&text[..at], path).is_err(), "cut at {at}");
        }
        assert_eq!(Manifest::parse(&Manifest::default().to_text(), path).unwrap(), Manifest::default());
    }
}
