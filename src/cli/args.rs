//! Arguments that every command shares.

use super::failure::{self, Failure};
use super::output;
use crate::reading::{Language, MeterId, Zone};
use clap::{Args, ColorChoice, ValueEnum};
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Options that stand before or after any command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Globals {
    /// The store [default: $XDG_DATA_HOME/releve/releve.db]
    #[arg(long, value_name = "FILE", env = "RELEVE_DB", global = true, hide_env_values = true)]
    pub(super) db: Option<PathBuf>,
    /// The meter, by its identifier
    #[arg(long, value_name = "ID", global = true)]
    pub(super) meter: Option<String>,
    /// The IANA time zone of meter clocks and bare dates [default: the system's]
    #[arg(long, value_name = "ZONE", global = true)]
    pub(super) tz: Option<String>,
    /// The language of names in tables [default: the locale's]
    #[arg(long, value_name = "LANGUAGE", global = true)]
    pub(super) lang: Option<Lang>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub(super) color: ColorChoice,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// A language for people.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Lang {
    /// English
    En,
    /// Français
    Fr,
    /// Deutsch
    De,
}

/// The zone that times without one are in.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZoneChoice {
    pub(super) zone: Zone,
    /// Named by the user, so that no protocol's habit overrides it.
    pub(super) chosen: bool,
}

impl Globals {
    /// The store's path: the option, the environment, or the user's data folder.
    pub(super) fn store_path(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = &self.db {
            return Ok(path.clone());
        }
        use etcetera::BaseStrategy as _;
        let folders = etcetera::choose_base_strategy().map_err(|_| {
            Failure::new(failure::CONFIG, "store.home", "cannot tell where the store is: HOME is not set")
                .tip("name it with --db FILE or RELEVE_DB")
        })?;
        Ok(folders.data_dir().join("releve").join("releve.db"))
    }

    /// The zone: the option, else the system's, else UTC.
    pub(super) fn zone(&self) -> anyhow::Result<ZoneChoice> {
        if let Some(name) = &self.tz {
            let zone = Zone::parse(name).map_err(|error| {
                Failure::new(failure::USAGE, "time.zone", error.to_string())
                    .tip("write it like Europe/Zurich, Europe/Brussels or UTC")
            })?;
            return Ok(ZoneChoice { zone, chosen: true });
        }
        match std::env::var("TZ") {
            Ok(name) if !name.is_empty() => match Zone::parse(name.trim_start_matches(':')) {
                Ok(zone) => return Ok(ZoneChoice { zone, chosen: false }),
                Err(_) => self.warn(&format!("TZ={name} is no IANA time zone; the system's is used")),
            },
            _ => {}
        }
        Ok(ZoneChoice { zone: Zone::system().unwrap_or(Zone::UTC), chosen: false })
    }

    /// The meter that was named.
    pub(super) fn meter(&self) -> anyhow::Result<Option<MeterId>> {
        self.meter
            .as_deref()
            .map(|text| {
                MeterId::new(text).ok_or_else(|| {
                    Failure::new(failure::USAGE, "meter.name", format!("'{text}' is no meter identifier")).into()
                })
            })
            .transpose()
    }

    /// The language: the option, else the locale's, else English.
    pub(super) fn language(&self) -> Language {
        match self.lang {
            Some(Lang::En) => Language::English,
            Some(Lang::Fr) => Language::French,
            Some(Lang::De) => Language::German,
            None => ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .and_then(|locale| Language::from_locale(&locale))
                .unwrap_or_default(),
        }
    }

    /// Whether stdout gets colour: the option, NO_COLOR, CLICOLOR_FORCE, then whether it is a terminal.
    pub(super) fn colour(&self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// A word on stderr, unless `-q`.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            output::say(text);
        }
    }

    /// A word on stderr with `-v` only.
    pub(super) fn detail(&self, text: &str) {
        if self.verbose > 0 {
            output::say(text);
        }
    }

    /// A warning on stderr, unless `-q`.
    pub(super) fn warn(&self, text: &str) {
        self.note(&format!("warning: {text}"));
    }
}
