//! Settings: flag over environment over file over default, and where each value comes from.

mod command;
mod events;
mod file;
mod mqtt;

pub(super) use command::Cmd;
pub(super) use events::Events;
pub(super) use file::{File, Meter, nearest};
pub(super) use mqtt::Broker;

use super::failure::{self, Failure};
use super::words::tr;
use etcetera::BaseStrategy as _;
use std::path::{Path, PathBuf};

/// The file that holds for the whole machine, where the user has none.
const SYSTEM: &str = "/etc/releve/releve.toml";

/// Whether a text makes sense as a settings file, and what is said where it does not.
pub(super) fn check(text: &str) -> Result<(), Failure> {
    File::parse(text, "settings").map(drop)
}

/// The settings file in force.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    /// Which file it is.
    pub(super) path: Option<PathBuf>,
    /// What it says.
    pub(super) file: File,
}

impl Config {
    /// The file that was named, else the user's, else the machine's, else nothing.
    ///
    /// # Errors
    /// A [`Failure`] for a named file that is not there, and for one that does not make sense.
    pub(super) fn load(named: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = named {
            let Some(file) = File::read(path)? else {
                return Err(Failure::new(
                    failure::NO_INPUT,
                    "config.missing",
                    tr!("there is no {path}", path = path.display()),
                )
                .tip(tr!("`releve config default` prints one to start from")));
            };
            return Ok(Self { path: Some(path.into()), file });
        }
        let user = etcetera::choose_base_strategy().ok().map(|folders| folders.config_dir().join("releve/config.toml"));
        for path in user.into_iter().chain([PathBuf::from(SYSTEM)]) {
            if let Some(file) = File::read(&path)? {
                return Ok(Self { path: Some(path), file });
            }
        }
        Ok(Self::default())
    }

    /// The meter of an alias.
    pub(super) fn meter(&self, alias: &str) -> Option<&Meter> {
        self.file.meters.get(alias)
    }
}
