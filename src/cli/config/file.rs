//! The settings file: TOML, every key optional, an unknown one an error.

use super::events::Events;
use super::mqtt::Mqtt;
use crate::cli::failure::{self, Failure};
use crate::cli::words::tr;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What a settings file may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct File {
    /// The store.
    pub(in crate::cli) db: Option<PathBuf>,
    /// The folder of the archive.
    pub(in crate::cli) archive: Option<PathBuf>,
    /// The IANA zone of meter clocks and local days.
    pub(in crate::cli) tz: Option<String>,
    /// The language of what people read.
    pub(in crate::cli) lang: Option<String>,
    /// The meter that is meant where none is named: an alias or an identifier.
    pub(in crate::cli) meter: Option<String>,
    /// The meters, by alias.
    #[serde(default)]
    pub(in crate::cli) meters: BTreeMap<String, Meter>,
    /// Thresholds of events.
    #[serde(default)]
    pub(in crate::cli) evenements: Events,
    /// The server.
    #[serde(default)]
    pub(in crate::cli) serve: Serve,
    /// Where readings are published.
    #[serde(default)]
    pub(in crate::cli) mqtt: Mqtt,
}

/// How `releve serve` serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Serve {
    /// Address and port.
    pub(in crate::cli) listen: Option<String>,
    /// The file with the token.
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// Names it may be called by, besides its addresses.
    #[serde(default)]
    pub(in crate::cli) hosts: Vec<String>,
    /// Origins whose pages may ask it.
    #[serde(default)]
    pub(in crate::cli) cors: Vec<String>,
    /// How old the newest reading may be before `/healthz` says so.
    pub(in crate::cli) stale: Option<String>,
}

impl Serve {
    /// What is set, by key.
    pub(in crate::cli) fn settings(&self) -> Vec<(&'static str, String)> {
        let list = |list: &[String]| (!list.is_empty()).then(|| list.join(", "));
        let all = [
            ("listen", self.listen.clone()),
            ("token-file", self.token_file.as_ref().map(|path| path.display().to_string())),
            ("hosts", list(&self.hosts)),
            ("cors", list(&self.cors)),
            ("stale", self.stale.clone()),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// One meter and how it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Meter {
    /// The identifier it is stored under, if not the one in its telegrams.
    pub(in crate::cli) id: Option<String>,
    /// The device, or an address like `tcp://host:port`.
    pub(in crate::cli) port: Option<String>,
    /// Speed and character format, like `2400,8E1`.
    pub(in crate::cli) serial: Option<String>,
    /// The protocol.
    pub(in crate::cli) protocol: Option<String>,
    /// The mode of the dialogue.
    pub(in crate::cli) mode: Option<String>,
    /// The address in the request.
    pub(in crate::cli) address: Option<String>,
    /// The file with its keys.
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// The file with its password.
    pub(in crate::cli) password_file: Option<PathBuf>,
    /// What the values of a push without OBIS codes mean.
    pub(in crate::cli) push_list: Option<String>,
    /// How often it is read, or its pushes are kept.
    pub(in crate::cli) interval: Option<String>,
}

impl Meter {
    /// What is set, by key.
    pub(in crate::cli) fn settings(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let all = [
            ("id", self.id.clone()),
            ("port", self.port.clone()),
            ("serial", self.serial.clone()),
            ("protocol", self.protocol.clone()),
            ("mode", self.mode.clone()),
            ("address", self.address.clone()),
            ("key-file", path(&self.key_file)),
            ("password-file", path(&self.password_file)),
            ("push-list", self.push_list.clone()),
            ("interval", self.interval.clone()),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

impl File {
    /// Reads a settings file; `None` where there is no such file.
    ///
    /// # Errors
    /// A [`Failure`] that names file, line and key, with a suggestion.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let name = path.display();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &name.to_string()).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Failure::new(failure::DENIED, "config.denied", tr!("may not read {path}", path = name)))
            }
            Err(error) => {
                let what = tr!("cannot read {path}: {why}", path = name, why = error);
                Err(Failure::new(failure::CONFIG, "config.read", what))
            }
        }
    }

    pub(super) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let words: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
            match words.split_first() {
                Some((unknown, known)) if error.message().starts_with("unknown field") => {
                    let failure = Failure::new(
                        failure::CONFIG,
                        "config.key",
                        tr!("{file} line {line}: unknown key '{key}'", file = name, line, key = unknown),
                    );
                    match nearest(unknown, known) {
                        Some(known) => failure.tip(tr!("did you mean '{word}'?", word = known)),
                        None => failure.tip(tr!("known here: {list}", list = known.join(", "))),
                    }
                }
                Some((unknown, known)) if error.message().starts_with("unknown variant") => {
                    let what = tr!("{file} line {line}: there is no '{word}'", file = name, line, word = unknown);
                    let failure = Failure::new(failure::CONFIG, "config.value", what);
                    match nearest(unknown, known) {
                        Some(known) => failure.tip(tr!("did you mean '{word}'?", word = known)),
                        None => failure.tip(tr!("known here: {list}", list = known.join(", "))),
                    }
                }
                _ => {
                    let why = error.message().lines().next().unwrap_or("not TOML");
                    let what = tr!("{file} line {line}: {why}", file = name, line, why);
                    Failure::new(failure::CONFIG, "config.syntax", what)
                        .tip(tr!("`releve config default` prints a file with every key"))
                }
            }
        })
    }
}

/// The known word that an unknown one was probably meant to be.
pub(in crate::cli) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    const NEAR: f64 = 0.7;
    let by_likeness = known.iter().map(|word| (strsim::jaro_winkler(unknown, word), *word));
    by_likeness.filter(|(likeness, _)| *likeness > NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_one_that_was_meant() {
        let error = File::parse("tz = \"Europe/Paris\"\n\n[meters.home]\nprot = \"x\"\n", "f.toml").unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: f.toml line 4: unknown key 'prot'  [config.key]\n  tip: did you mean 'port'?"
        );
        assert_eq!(error.exit, failure::CONFIG);
        let error = File::parse("zzz = 1\n", "f.toml").unwrap_err().to_string();
        assert!(error.contains("known here: db, archive, tz"), "{error}");
    }

    #[test]
    fn the_default_file_names_every_key_and_says_nothing() {
        let text = include_str!("default.toml");
        assert_eq!(File::parse(text, "default").unwrap(), File::default());
        // With its comment marks taken away every key is set.
        let example = |line: &str| {
            line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with('[')).map(str::to_owned)
        };
        let set: String = text.lines().filter_map(example).map(|line| line + "\n").collect();
        let file = File::parse(&set, "example").unwrap();
        assert_eq!(file.meters["home"].settings().len(), 10);
        assert_eq!(file.serve.settings().len(), 5);
        assert_eq!(file.mqtt.settings().len(), 6);
        assert!(
            file.db.is_some()
                && file.evenements.settings().len() == 4
                && file.archive.is_some()
                && file.tz.is_some()
                && file.lang.is_some()
                && file.meter.is_some()
        );
    }

    #[test]
    fn what_is_no_toml_is_named_with_its_line() {
        let error = File::parse("db = \"a\"\ntz = \n", "f.toml").unwrap_err();
        assert!(error.to_string().starts_with("error: f.toml line 2: "), "{error}");
        let error = File::parse("db = 3\n", "f.toml").unwrap_err();
        assert!(error.to_string().contains("line 1: invalid type: integer"), "{error}");
    }
}
