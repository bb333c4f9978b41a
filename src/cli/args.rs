//! Arguments that every command shares.

use super::complete;
use super::config::{Config, Events, Meter, nearest};
use super::failure::{self, Failure};
use super::output;
use super::words::tr;
use crate::detect::Setting;
use crate::reading::{Language, MeterId, Zone};
use clap::{Args, ColorChoice, Parser, ValueEnum};
use std::cell::OnceCell;
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// Options that stand before or after any command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Globals {
    /// The store [default: $XDG_DATA_HOME/releve/releve.db]
    #[arg(long, value_name = "FILE", env = "RELEVE_DB", global = true, hide_env_values = true)]
    pub(super) db: Option<PathBuf>,
    /// The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]
    #[arg(
        long,
        value_name = "FILE",
        env = "RELEVE_CONFIG",
        global = true,
        hide_env_values = true,
        hide_short_help = true
    )]
    config: Option<PathBuf>,
    /// The meter, by its identifier or its alias in the settings
    #[arg(long, value_name = "ID", global = true, add = complete::meters())]
    pub(super) meter: Option<String>,
    /// The IANA time zone of meter clocks and bare dates [default: the system's]
    #[arg(long, value_name = "ZONE", global = true)]
    pub(super) tz: Option<String>,
    /// The language of what people read: tables, messages [default: the locale's]
    #[arg(long, value_name = "LANGUAGE", global = true, hide_short_help = true)]
    pub(super) lang: Option<Lang>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_short_help = true)]
    pub(super) color: ColorChoice,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    #[arg(skip)]
    loaded: OnceCell<Config>,
    /// That TZ is none has been said.
    #[arg(skip)]
    warned: OnceCell<()>,
}

/// Arguments as they are when none is given.
#[derive(Debug, Parser)]
struct Alone<T: Args> {
    #[command(flatten)]
    all: T,
}

/// The arguments of a command of which none is given.
pub(super) fn none_given<T: Args>() -> T {
    Alone::parse_from([""]).all
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

/// The first of these parts of the locale that is set.
fn locale(names: [&str; 3]) -> Option<String> {
    names.into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn names_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Whether the locale's characters are those of UTF-8.
pub(super) fn is_utf8() -> bool {
    locale(["LC_ALL", "LC_CTYPE", "LANG"]).is_some_and(|locale| names_utf8(&locale))
}

/// A terminal without UTF-8 could not show accents: there it is English.
fn language_of_locale() -> Option<Language> {
    let locale = locale(["LC_ALL", "LC_MESSAGES", "LANG"])?;
    if names_utf8(&locale) || is_utf8() { Language::from_locale(&locale) } else { None }
}

/// What the option and the environment say of colour; bixense.com/clicolors and no-color.org. An empty variable says nothing.
fn chosen_colour(option: ColorChoice) -> ColorChoice {
    let value = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match option {
        ColorChoice::Auto if value("NO_COLOR").is_some() => ColorChoice::Never,
        ColorChoice::Auto if value("CLICOLOR_FORCE").is_some_and(|value| value != "0") => ColorChoice::Always,
        chosen => chosen,
    }
}

/// The colour of help and of what is said of wrong arguments: these are printed before the arguments are understood.
pub(super) fn colour_of_help() -> ColorChoice {
    let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
    let mut option = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let word = word.to_string_lossy();
        let value = match word.strip_prefix("--color") {
            Some("") => words.next().map(|value| value.to_string_lossy().into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        option = value.and_then(|value| ColorChoice::from_str(&value, true).ok()).unwrap_or(option);
    }
    match chosen_colour(option) {
        // Else clap takes even CLICOLOR_FORCE=0 for a wish.
        ColorChoice::Auto if !std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() => ColorChoice::Never,
        chosen => chosen,
    }
}

/// An identifier that names a meter.
pub(super) fn meter_id(text: &str) -> Result<MeterId, Failure> {
    MeterId::new(text)
        .ok_or_else(|| Failure::new(failure::USAGE, "meter.name", tr!("'{text}' is no meter identifier", text)))
}

/// A zone by its name; `of` says which setting has it.
fn named_zone(name: &str, exit: u8, id: &'static str, of: &str) -> Result<Zone, Failure> {
    Zone::parse(name).map_err(|_| {
        let failure = Failure::new(exit, id, format!("{of}{}", tr!("'{name}' is not an IANA time zone", name)));
        let names: Vec<&str> = Zone::names().collect();
        match nearest(name, &names) {
            Some(meant) => failure.tip(tr!("did you mean '{meant}'?", meant)),
            None => failure.tip(tr!("write it like Europe/Zurich, Europe/Brussels or UTC")),
        }
    })
}

fn default_store() -> anyhow::Result<PathBuf> {
    use etcetera::BaseStrategy as _;
    let folders = etcetera::choose_base_strategy().map_err(|_| {
        Failure::new(failure::CONFIG, "store.home", tr!("cannot tell where the store is: HOME is not set"))
            .tip(tr!("name it with --db FILE or RELEVE_DB"))
    })?;
    Ok(folders.data_dir().join("releve").join("releve.db"))
}

impl Globals {
    /// The same options; the settings file is read again when it is next asked for.
    pub(super) fn afresh(&self) -> Self {
        Self { loaded: OnceCell::new(), ..self.clone() }
    }

    /// The settings file, read when it is first asked for.
    pub(super) fn config(&self) -> anyhow::Result<&Config> {
        if let Some(config) = self.loaded.get() {
            return Ok(config);
        }
        let config = Config::load(self.config.as_deref())?;
        Ok(self.loaded.get_or_init(|| config))
    }

    /// The settings of the file with their values, and where each comes from.
    pub(super) fn settings(&self) -> anyhow::Result<Vec<(String, Option<String>, String)>> {
        let config = self.config()?;
        let file = &config.file;
        let named = config.path.as_ref().map(|path| path.display().to_string());
        let setting =
            |key: &str, flag: Option<String>, variable: &str, file: Option<String>, default: Option<String>| {
                // The environment reaches us by the same way as the flag.
                let by_variable = std::env::var(variable).is_ok_and(|value| flag.as_ref() == Some(&value));
                let (value, from) = match (flag, file) {
                    (Some(value), _) if by_variable => (Some(value), variable.to_owned()),
                    (Some(value), _) => (Some(value), format!("flag --{key}")),
                    (None, Some(value)) => (Some(value), named.clone().unwrap_or_default()),
                    (None, None) => (default, "default".to_owned()),
                };
                (key.to_owned(), value, from)
            };
        let shown = |path: &PathBuf| path.display().to_string();
        let lang = self.lang.map(|lang| lang.to_possible_value().map(|value| value.get_name().to_owned()));
        let mut settings = vec![
            setting("config", self.config.as_ref().map(shown), "RELEVE_CONFIG", None, named.clone()),
            setting(
                "db",
                self.db.as_ref().map(shown),
                "RELEVE_DB",
                file.db.as_ref().map(shown),
                default_store().ok().as_ref().map(shown),
            ),
            setting("archive", None, "", file.archive.as_ref().map(shown), None),
            setting("tz", self.tz.clone(), "", file.tz.clone(), Some(self.zone()?.zone.to_string())),
            setting("lang", lang.flatten(), "", file.lang.clone(), None),
            setting("meter", self.meter.clone(), "", file.meter.clone(), None),
        ];
        let of_table = |table: String, all: Vec<(&'static str, String)>| {
            all.into_iter().map(move |(key, value)| (format!("{table}.{key}"), value))
        };
        let of_meters =
            file.meters.iter().flat_map(|(alias, meter)| of_table(format!("meters.{alias}"), meter.settings()));
        let of_file = file.evenements.settings().into_iter().chain(of_meters);
        let of_file = of_file.chain(of_table("serve".to_owned(), file.serve.settings()));
        let of_file = of_file.chain(of_table("mqtt".to_owned(), file.mqtt.settings()));
        settings.extend(of_file.map(|(key, value)| (key, Some(value), named.clone().unwrap_or_default())));
        Ok(settings)
    }

    /// The names of meters in the settings, and what they stand for.
    pub(super) fn aliases(&self) -> Vec<(String, Option<String>)> {
        let Ok(config) = self.config() else { return Vec::new() };
        config.file.meters.iter().map(|(alias, meter)| (alias.clone(), meter.id.clone())).collect()
    }

    /// What the settings say of events.
    pub(super) fn events(&self) -> anyhow::Result<&Events> {
        Ok(&self.config()?.file.evenements)
    }

    /// What is known of a meter beside its readings.
    pub(super) fn setting(&self) -> anyhow::Result<Setting> {
        Ok(Setting { zone: self.zone()?.zone, family: self.events()?.family })
    }

    /// The store's path: the option, the environment, the settings, or the user's data folder.
    pub(super) fn store_path(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.db.as_ref().or(self.config()?.file.db.as_ref()) {
            return Ok(path.clone());
        }
        default_store()
    }

    /// The zone: the option, the settings, else the system's, else UTC.
    pub(super) fn zone(&self) -> anyhow::Result<ZoneChoice> {
        if let Some(name) = &self.tz {
            let zone = named_zone(name, failure::USAGE, "time.zone", "")?;
            return Ok(ZoneChoice { zone, chosen: true });
        }
        let config = self.config()?;
        if let Some(name) = &config.file.tz {
            let file = config.path.as_ref().map(|path| format!("{}: tz: ", path.display())).unwrap_or_default();
            let zone = named_zone(name, failure::CONFIG, "config.value", &file)?;
            return Ok(ZoneChoice { zone, chosen: true });
        }
        let system = || Zone::system().unwrap_or(Zone::UTC);
        match std::env::var("TZ") {
            Ok(name) if !name.is_empty() => match Zone::parse(name.trim_start_matches(':')) {
                Ok(zone) => return Ok(ZoneChoice { zone, chosen: false }),
                Err(_) => {
                    let zone = system();
                    if self.warned.set(()).is_ok() {
                        self.warn(&tr!("TZ={name} is no IANA time zone; {zone} is used", name, zone));
                    }
                    return Ok(ZoneChoice { zone, chosen: false });
                }
            },
            _ => {}
        }
        Ok(ZoneChoice { zone: system(), chosen: false })
    }

    /// The meter that is meant: named by the option, or in the settings.
    pub(super) fn meter(&self) -> anyhow::Result<Option<MeterId>> {
        let named = self.named_meter()?;
        if named.is_some() {
            return Ok(named);
        }
        self.default_meter()
    }

    /// The meter that the option names.
    pub(super) fn named_meter(&self) -> anyhow::Result<Option<MeterId>> {
        self.identifier(self.meter.as_deref())
    }

    /// The meter that the settings name.
    pub(super) fn default_meter(&self) -> anyhow::Result<Option<MeterId>> {
        self.identifier(self.config()?.file.meter.as_deref())
    }

    /// What the settings say of the meter that was named, by its alias or its identifier.
    pub(super) fn meter_settings(&self) -> anyhow::Result<Option<&Meter>> {
        let config = self.config()?;
        let Some(named) = self.meter.as_deref().or(config.file.meter.as_deref()) else { return Ok(None) };
        let by_id = || config.file.meters.values().find(|meter| meter.id.as_deref() == Some(named));
        Ok(config.meter(named).or_else(by_id))
    }

    /// An identifier, or what an alias of the settings stands for.
    fn identifier(&self, named: Option<&str>) -> anyhow::Result<Option<MeterId>> {
        let Some(text) = named else { return Ok(None) };
        let identifier = match self.config()?.meter(text) {
            Some(meter) => meter.id.as_deref(),
            None => Some(text),
        };
        Ok(identifier.map(meter_id).transpose()?)
    }

    /// The language: the option, the settings, else the locale's, else English.
    pub(super) fn language(&self) -> Language {
        match self.lang {
            Some(Lang::En) => Language::English,
            Some(Lang::Fr) => Language::French,
            Some(Lang::De) => Language::German,
            None => self.language_of_settings().or_else(language_of_locale).unwrap_or_default(),
        }
    }

    fn language_of_settings(&self) -> Option<Language> {
        Language::from_locale(self.config().ok()?.file.lang.as_deref()?)
    }

    /// Whether stdout gets colour: the option, NO_COLOR, CLICOLOR_FORCE, then whether it is a terminal.
    pub(super) fn colour(&self) -> bool {
        match chosen_colour(self.color) {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
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
        self.note(&failure::warning(text));
    }
}
