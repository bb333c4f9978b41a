//! The options that say which meter and how it is reached: shared by `read`, `log` and `doctor`.

use super::args::Globals;
use super::config;
use super::failure::{self, Failure};
use super::words::{errors, tr};
use super::{keys, when};
use crate::acquire::Settings;
use crate::acquire::quirks::dlms::PushList;
use crate::dialogue::dlms::{Access, Counter, Gmac, PUBLIC_CLIENT, Station, usual_stations};
use crate::dialogue::iec62056::{Options, WakeUp};
use crate::reading::{Obis, Protocol};
use crate::session::{Way, Wishes};
use crate::transport::{Address, LinkError};
use crate::wire::dlms::{Authenticator, Keys, Password, SystemTitle};
use crate::wire::iec62056::{self, Mode, Request, TextError};
use crate::wire::{Line, hdlc};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// How the meter is reached. What is not given is taken from the settings of the meter named with `--meter`, else found out.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The meter")]
pub(super) struct Source {
    /// A device, tcp://HOST:PORT or rfc2217://HOST:PORT [default: the only one]
    #[arg(short, long, value_name = "PORT", add = super::complete::ports())]
    pub(super) port: Option<String>,
    /// The protocol [default: found out]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<ProtocolChoice>,
    /// Speed and character format, like 9600,8N1 [default: found out]
    #[arg(long, value_name = "LINE")]
    serial: Option<Line>,
    /// The mode of IEC 62056-21, or push for a meter that sends by itself [default: found out]
    #[arg(long, value_name = "MODE", hide_short_help = true)]
    mode: Option<ModeChoice>,
    /// The meter's address in the request, on a bus with several
    #[arg(long, hide_short_help = true, value_name = "ADDRESS")]
    address: Option<String>,
    /// Wake a battery meter before the request
    #[arg(long, hide_short_help = true)]
    wake_up: bool,
    /// How long to wait for a meter that says something that cannot be read
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "30s", value_parser = when::duration)]
    pub(super) timeout: Duration,
    /// The file with the keys of enciphered telegrams
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The file with the password, for meters that ask for one
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// What the values of a push without OBIS codes mean
    #[arg(long, hide_short_help = true, value_name = "NAME")]
    push_list: Option<PushList>,
    /// DLMS: the client's address; 16 is the public client
    #[arg(long, hide_short_help = true, value_name = "NUMBER", default_value = "16", value_parser = clap::value_parser!(u8).range(1..=127))]
    client: u8,
    /// DLMS: the server's address, logical or logical/physical, like 1 or 1/17 [default: the usual ones are tried]
    #[arg(long, hide_short_help = true, value_name = "ADDRESS", value_parser = server)]
    server: Option<hdlc::Address>,
    /// DLMS: how to prove who we are [default: low with --password-file, else public]
    #[arg(long, hide_short_help = true, value_name = "LEVEL")]
    security: Option<Security>,
    /// DLMS: our own system title, 16 hex digits, where the meter insists on one
    #[arg(long, hide_short_help = true, value_name = "HEX", value_parser = system_title)]
    system_title: Option<SystemTitle>,
}

/// How a DLMS client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Security {
    /// Not at all
    Public,
    /// With a password
    Low,
    /// With answers to challenges (GMAC), by the two keys of the key file
    High,
    /// The same, and everything enciphered
    Ciphered,
}

fn server(text: &str) -> Result<hdlc::Address, String> {
    /// The largest half of a four-octet address.
    const MOST: u16 = 0x3FFF;
    let (upper, lower) = text.split_once('/').map_or((text, None), |(upper, lower)| (upper, Some(lower)));
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number <= MOST);
    let upper = number(upper).filter(|number| *number > 0);
    let lower = lower.map(|text| number(text).ok_or(())).transpose();
    match (upper, lower) {
        (Some(upper), Ok(lower)) => Ok(hdlc::Address::server(upper, lower)),
        _ => Err(tr!("write it like 1 or 1/17, numbers up to {most}", most = MOST)),
    }
}

fn system_title(text: &str) -> Result<SystemTitle, String> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let octets: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit)).collect();
    let whole = text.len() == 16 && digits.len() == 16;
    octets.try_into().ok().filter(|_| whole).map(SystemTitle).ok_or_else(|| tr!("it has 16 hex digits"))
}

/// The protocols by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProtocolChoice {
    /// Find out from the bytes
    Auto,
    /// IEC 62056-21
    #[value(name = "iec62056-21")]
    Iec62056,
    /// DLMS/COSEM
    Dlms,
    /// DSMR P1
    Dsmr,
    /// SML
    Sml,
}

impl ProtocolChoice {
    const fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Auto => None,
            Self::Iec62056 => Some(Protocol::Iec62056),
            Self::Dlms => Some(Protocol::Dlms),
            Self::Dsmr => Some(Protocol::Dsmr),
            Self::Sml => Some(Protocol::Sml),
        }
    }
}

/// How a dialogue goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeChoice {
    /// Request, then data at 300 baud
    A,
    /// Request, then data at a speed the meter chooses
    B,
    /// Request, then data at a speed both agree on
    C,
    /// The meter sends by itself, as text
    D,
    /// Request, then DLMS
    E,
    /// The meter sends by itself
    Push,
    /// DLMS from the start, without a request before
    Hdlc,
}

/// How a meter is reached: what was said, with the settings filled in.
#[derive(Debug)]
pub(super) struct Reach {
    /// Where, if it is not to be found out.
    pub(super) port: Option<Address>,
    /// What is known of the rest.
    pub(super) wishes: Wishes,
    /// The password, as programming mode wants it: `None` where there is none, or none that it could take.
    pub(super) password: Option<iec62056::Password>,
}

impl Source {
    /// What was said, and what the settings say of the meter that was named.
    pub(super) fn resolve(&self, globals: &Globals) -> anyhow::Result<Reach> {
        let none = config::Meter::default();
        self.reach(globals.meter_settings()?.unwrap_or(&none), globals)
    }

    /// The port of this name, given or in the settings.
    fn port_named(&self, name: &str) -> anyhow::Result<Address> {
        name.parse().map_err(|error: LinkError| match self.port {
            Some(_) => error.into(),
            None => {
                let what =
                    tr!("settings: {key} = \"{text}\": {why}", key = "port", text = name, why = errors::link(&error));
                Failure::new(failure::CONFIG, "config.value", what).into()
            }
        })
    }

    /// What was said, and these settings of a meter.
    pub(super) fn reach(&self, meter: &config::Meter, globals: &Globals) -> anyhow::Result<Reach> {
        let port = self.port.as_ref().or(meter.port.as_ref()).filter(|name| *name != "auto");
        let keys = keys::load(self.key_file.as_deref().or(meter.key_file.as_deref()), globals)?;
        let secret = self.password_file.as_deref().or(meter.password_file.as_deref());
        let secret = secret.map(|path| keys::password(path, globals)).transpose()?;
        let line = setting(self.serial, "serial", meter.serial.as_deref(), |text| {
            text.parse()
                .map_err(|_| tr!("'{text}' is no line setting; write it like 9600,8N1, 300,7E1 or 2400,8E1", text))
        })?;
        let way = setting(self.mode, "mode", meter.mode.as_deref(), choice)?.map(ModeChoice::way);
        let address = self.address.as_ref().or(meter.address.as_ref()).map_or("", String::as_str);
        let request = Request::new(address).map_err(|error| {
            let why = match error {
                TextError::TooLong(most) => tr!("longer than {n} characters", n = most),
                TextError::Character => tr!("only printable ASCII characters, and none of those that end the message"),
                TextError::Empty => tr!("nothing is there to ask for"),
            };
            Failure::new(failure::USAGE, "read.address", tr!("'{address}' is no address: {why}", address, why))
        })?;
        let push_list = setting(self.push_list, "push-list", meter.push_list.as_deref(), |text| {
            text.parse().map_err(|_| {
                let names = PushList::ALL.map(PushList::as_str).join(", ");
                tr!("'{text}' is not a push list; there are {list}", text, list = names)
            })
        })?;
        let protocol = setting(self.protocol, "protocol", meter.protocol.as_deref(), choice)?;
        Ok(Reach {
            port: port.map(|name| self.port_named(name)).transpose()?,
            wishes: Wishes {
                line,
                way,
                sign_on: Options { request, wake_up: self.wake_up.then_some(WakeUp::Slow), ..Options::default() },
                access: self.access(&keys, secret.as_ref().map(|secret| secret.as_bytes()))?,
                stations: self.server.map(|server| Station { client: self.client, server }).map_or_else(
                    || if self.client == PUBLIC_CLIENT { Vec::new() } else { usual_stations(self.client) },
                    |station| vec![station],
                ),
                patience: self.timeout,
                decoder: Settings { protocol: protocol.and_then(ProtocolChoice::protocol), keys, push_list },
            },
            password: secret.and_then(|secret| iec62056::Password::new(secret).ok()),
        })
    }

    /// How to prove to a DLMS server who we are.
    fn access(&self, keys: &Keys, password: Option<&[u8]>) -> anyhow::Result<Access> {
        let wrong = |what: String, tip: String| Failure::new(failure::USAGE, "read.security", what).tip(tip);
        let security = self.security.unwrap_or(match password {
            Some(_) if self.client != PUBLIC_CLIENT => Security::Low,
            _ => Security::Public,
        });
        match (security, password, keys) {
            (Security::Public, ..) => Ok(Access::Public),
            (Security::Low, Some(password), _) => Ok(Access::Password(Password::new(password))),
            (Security::Low, None, _) => {
                Err(wrong(tr!("low security needs a password"), "--password-file FILE".to_owned()).into())
            }
            (
                Security::High | Security::Ciphered,
                _,
                Keys { encryption: Some(encryption), authentication: Some(authentication), .. },
            ) => Ok(Access::Gmac(Box::new(Gmac {
                keys: Authenticator { encryption: encryption.clone(), authentication: authentication.clone() },
                title: self.system_title.unwrap_or(OWN_TITLE),
                challenge: [0; 16],
                ciphered: security == Security::Ciphered,
                counter: Counter::ReadFrom(COUNTER),
            }))),
            _ => Err(wrong(
                tr!("high security needs two keys"),
                tr!("a key file with encryption = \"...\" and authentication = \"...\", named with --key-file"),
            )
            .into()),
        }
    }
}

impl ModeChoice {
    const fn way(self) -> Way {
        match self {
            Self::A => Way::Ask(Some(Mode::A)),
            Self::B => Way::Ask(Some(Mode::B)),
            Self::C => Way::Ask(Some(Mode::C)),
            Self::D | Self::Push => Way::Push,
            Self::E => Way::ModeE,
            Self::Hdlc => Way::Hdlc,
        }
    }
}

/// Our own system title, where none is given.
const OWN_TITLE: SystemTitle = SystemTitle(*b"RLV\0\0\0\0\x01");

/// Where meters show the invocation counter of the global unicast key (Blue Book, 0-0:43.1.x).
const COUNTER: Obis = Obis::new(0, 0, 43, 1, 0, 255);

/// The option, else what the settings file says.
fn setting<T>(
    option: Option<T>,
    key: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    match (option, text) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some(text)) => parse(text).map(Some).map_err(|why| {
            let what = tr!("settings: {key} = \"{text}\": {why}", key, text, why);
            Failure::new(failure::CONFIG, "config.value", what)
        }),
        (None, None) => Ok(None),
    }
}

/// One of the words of an option.
fn choice<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
        tr!("it is one of {list}", list = words.join(", "))
    })
}
