//! `[mqtt]`: the broker that `releve log` publishes readings to.

use crate::cli::args::Globals;
use crate::cli::failure::{self, Failure};
use crate::cli::words::tr;
use crate::cli::{keys, when};
use crate::exchange::mqtt::{Style, is_prefix};
use crate::reading::Language;
use crate::transport::Address;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// What the settings say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Mqtt {
    /// The broker, `mqtt://host:port`.
    url: Option<String>,
    /// Who we are to it.
    user: Option<String>,
    /// The file with the password.
    password_file: Option<PathBuf>,
    /// What topics begin with.
    prefix: Option<String>,
    /// What Home Assistant's topics begin with; empty for none.
    discovery: Option<String>,
    /// The least time between two states of a meter.
    interval: Option<String>,
}

/// A broker and how to publish there.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::cli) struct Broker {
    /// A name or an address, that of IPv6 in brackets.
    pub(in crate::cli) host: String,
    pub(in crate::cli) port: u16,
    /// User and password.
    pub(in crate::cli) login: Option<(String, Zeroizing<String>)>,
    pub(in crate::cli) style: Style,
}

const PREFIX: &str = "releve";
const DISCOVERY: &str = "homeassistant";
/// The port of MQTT without TLS.
const PORT: u16 = 1883;

impl Mqtt {
    /// What is set, by key.
    pub(in crate::cli) fn settings(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("url", self.url.clone()),
            ("user", self.user.clone()),
            ("password-file", self.password_file.as_ref().map(|path| path.display().to_string())),
            ("prefix", self.prefix.clone()),
            ("discovery", self.discovery.clone()),
            ("interval", self.interval.clone()),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// Whether it makes sense.
    pub(in crate::cli) fn check(&self) -> Result<(), Failure> {
        self.url.as_deref().map(address).transpose().map_err(|why| wrong("url", &why))?;
        if self.password_file.is_some() && self.user.is_none() {
            return Err(wrong("password-file", &tr!("a password needs a user")));
        }
        self.style(Language::default()).map(drop)
    }

    fn style(&self, language: Language) -> Result<Style, Failure> {
        let level = |key, value: Option<&String>, default: &str| match value {
            Some(text) if is_prefix(text) => Ok(text.clone()),
            Some(_) => Err(wrong(key, &tr!("topics cannot begin with that; write it like home/meters"))),
            None => Ok(default.to_owned()),
        };
        let interval =
            self.interval.as_deref().map(when::duration).transpose().map_err(|why| wrong("interval", &why))?;
        let discovery = match &self.discovery {
            Some(none) if none.is_empty() => None,
            some => Some(level("discovery", some.as_ref(), DISCOVERY)?),
        };
        let prefix = level("prefix", self.prefix.as_ref(), PREFIX)?;
        Ok(Style { prefix, discovery, interval: interval.unwrap_or(Duration::ZERO), language })
    }

    /// The broker of the flag, else of the settings, if there is one.
    ///
    /// # Errors
    /// A [`Failure`] for what makes no sense, and for a password that cannot be read.
    pub(in crate::cli) fn broker(&self, flag: Option<&str>, globals: &Globals) -> anyhow::Result<Option<Broker>> {
        self.check()?;
        // The URL is not repeated: somebody may have put a password into it.
        let wrong = |why: String| Failure::new(failure::USAGE, "mqtt.url", tr!("--mqtt: {why}", why));
        let Some((host, port)) = flag.or(self.url.as_deref()).map(address).transpose().map_err(wrong)? else {
            return Ok(None);
        };
        let login = match (&self.user, &self.password_file) {
            (None, _) => None,
            (Some(user), None) => Some((user.clone(), Zeroizing::default())),
            (Some(user), Some(path)) => Some((user.clone(), keys::password(path, globals)?)),
        };
        Ok(Some(Broker { host, port, login, style: self.style(globals.language())? }))
    }
}

fn wrong(key: &str, why: &str) -> Failure {
    Failure::new(failure::CONFIG, "config.value", tr!("settings: [mqtt] {key}: {why}", key, why))
}

/// Host and port of `mqtt://host:port`.
fn address(url: &str) -> Result<(String, u16), String> {
    let form = || tr!("a broker is named mqtt://HOST:PORT");
    let rest = match url.split_once("://") {
        Some(("mqtt", rest)) => rest.trim_end_matches('/'),
        Some(("mqtts", _)) => {
            return Err(tr!(
                "there is no TLS in here: name a broker on this machine or in this network, or a bridge to another"
            ));
        }
        _ => return Err(form()),
    };
    if rest.contains('@') {
        return Err(tr!("user and password do not belong here: set user and password-file under [mqtt]"));
    }
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let full = if has_port { rest.to_owned() } else { format!("{rest}:{PORT}") };
    match format!("tcp://{full}").parse() {
        Ok(Address::Tcp { host, port }) if host.contains(':') => Ok((format!("[{host}]"), port)),
        Ok(Address::Tcp { host, port }) => Ok((host, port)),
        _ => Err(form()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mqtt(text: &str) -> Mqtt {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_broker_is_a_host_and_a_port() {
        for (url, host, port) in [
            ("mqtt://localhost", "localhost", 1883),
            ("mqtt://10.0.0.7:1884/", "10.0.0.7", 1884),
            ("mqtt://[::1]", "[::1]", 1883),
            ("mqtt://[fe80::1]:1884", "[fe80::1]", 1884),
        ] {
            assert_eq!(address(url), Ok((host.to_owned(), port)), "{url}");
        }
        for url in
            ["localhost", "tcp://localhost:1883", "mqtt://", "mqtt://:1883", "mqtt://a:b", "mqtt://::1", "mqtt://a b"]
        {
            assert_eq!(address(url), Err("a broker is named mqtt://HOST:PORT".into()), "{url}");
        }
        assert!(address("mqtts://localhost").unwrap_err().contains("no TLS"));
        let secret = address("mqtt://me:secret@localhost").unwrap_err();
        assert!(secret.contains("password-file") && !secret.contains("secret@"), "{secret}");
    }

    #[test]
    fn what_is_not_set_is_as_everybody_has_it() {
        let style = mqtt("").style(Language::French).unwrap();
        assert_eq!((style.prefix.as_str(), style.discovery.as_deref()), ("releve", Some("homeassistant")));
        assert_eq!((style.interval, style.language), (Duration::ZERO, Language::French));
        let style =
            mqtt("prefix = \"home/meters\"\ndiscovery = \"\"\ninterval = \"10s\"").style(Language::English).unwrap();
        assert_eq!(
            (style.prefix.as_str(), style.discovery, style.interval),
            ("home/meters", None, Duration::from_secs(10))
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let said = |text: &str| mqtt(text).check().unwrap_err().to_string();
        assert!(said("url = \"localhost\"").starts_with("error: settings: [mqtt] url: a broker is named"));
        assert!(said("prefix = \"a/#\"").contains("[mqtt] prefix: "));
        assert!(said("discovery = \"+\"").contains("[mqtt] discovery: "));
        assert!(said("interval = \"soon\"").contains("[mqtt] interval: "));
        assert!(said("password-file = \"x\"").contains("needs a user"));
        assert!(mqtt("url = \"mqtt://a\"\nuser = \"b\"").check().is_ok());
    }
}
