//! The names of ways to a meter: `/dev/ttyUSB0`, `tcp://HOST:PORT`, `rfc2217://HOST:PORT`.

use super::link::{Link, LinkError};
use super::rfc2217::Rfc2217;
use super::serial::Serial;
use super::tcp::Tcp;
use crate::wire::Line;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a meter is reached.
///
/// ```
/// use releve::transport::Address;
///
/// let bridge: Address = "tcp://192.168.1.7:8899".parse()?;
/// assert_eq!(bridge, Address::Tcp { host: "192.168.1.7".into(), port: 8899 });
/// assert!("ttyUSB0".parse::<Address>().is_err());
/// # Ok::<(), releve::transport::LinkError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A serial port on this machine, by its path.
    Device(PathBuf),
    /// A bridge that hands bytes on and keeps its own speed.
    Tcp {
        /// A name or an address, that of IPv6 without brackets.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// A bridge whose speed and character format can be changed, by RFC 2217.
    Rfc2217 {
        /// A name or an address, that of IPv6 without brackets.
        host: String,
        /// The TCP port.
        port: u16,
    },
}

impl FromStr for Address {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why| LinkError::Name { name: text.to_owned(), why };
        if text.is_empty() {
            return Err(wrong("nothing is named"));
        }
        if text.contains('\0') {
            return Err(wrong("no path holds a NUL"));
        }
        match text.split_once("://") {
            Some(("tcp", rest)) => host_and_port(rest).map(|(host, port)| Self::Tcp { host, port }).map_err(wrong),
            Some(("rfc2217", rest)) => {
                host_and_port(rest).map(|(host, port)| Self::Rfc2217 { host, port }).map_err(wrong)
            }
            Some(_) => Err(wrong("only tcp:// and rfc2217:// are known")),
            None if text.contains('/') => Ok(Self::Device(text.into())),
            None if text.contains(':') => Err(wrong("a bridge is named tcp://HOST:PORT or rfc2217://HOST:PORT")),
            None => Err(wrong("a device is named by its path, like /dev/ttyUSB0")),
        }
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    const NO_PORT: &str = "the port is missing, write HOST:PORT";
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("the ] is missing")?;
            (host, rest.strip_prefix(':').ok_or(NO_PORT)?)
        }
        None => text.rsplit_once(':').ok_or(NO_PORT)?,
    };
    let plain = |c: char| c.is_alphanumeric() || "-._%".contains(c);
    if host.is_empty() {
        return Err("the host is missing, write HOST:PORT");
    }
    if host.contains(':') && !text.starts_with('[') {
        return Err("an IPv6 address stands in brackets: [::1]:PORT");
    }
    if !host.chars().all(|c| plain(c) || c == ':') {
        return Err("a host is a name or an address, nothing else");
    }
    match port.parse() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => Ok((host.to_owned(), number)),
        _ => Err("a port is a number from 1 to 65535"),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bridge = |scheme, host: &str, port| match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        };
        match self {
            Self::Device(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port } => bridge("tcp", host, *port),
            Self::Rfc2217 { host, port } => bridge("rfc2217", host, *port),
        }
    }
}

/// Opens the way to a meter, with these settings where they can be set from here.
///
/// # Errors
/// [`LinkError`] with the name: there is nothing there, somebody else has it, the user may not, it is something else.
pub fn open(address: &Address, line: Line) -> Result<Box<dyn Link>, LinkError> {
    match address {
        Address::Device(path) => Ok(Box::new(Serial::open(path, line)?)),
        Address::Tcp { host, port } => Ok(Box::new(Tcp::open(address.to_string(), host, *port)?)),
        Address::Rfc2217 { host, port } => Ok(Box::new(Rfc2217::open(address.to_string(), host, *port, line)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in [
            "/dev/ttyUSB0",
            "/dev/serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0",
            "./meter",
            "tcp://meter.local:8899",
            "tcp://[fe80::1%eth0]:4059",
            "rfc2217://192.168.1.7:2217",
        ] {
            assert_eq!(name.parse::<Address>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_name_that_makes_no_sense_is_refused_with_the_reason() {
        for (name, why) in [
            ("", "nothing"),
            ("ttyUSB0", "by its path"),
            ("192.168.1.7:8899", "tcp://HOST:PORT"),
            ("udp://h:1", "only tcp://"),
            ("tcp://h", "port is missing"),
            ("tcp://[::1]", "port is missing"),
            ("tcp://:1", "host is missing"),
            ("tcp://::1:80", "brackets"),
            ("tcp://h:0", "from 1 to 65535"),
            ("tcp://h:65536", "from 1 to 65535"),
            ("tcp://h:+80", "from 1 to 65535"),
            ("tcp://h:80/", "from 1 to 65535"),
            ("tcp://user@h:80", "nothing else"),
            ("rfc2217://[::1:80", "] is missing"),
        ] {
            let error = name.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(name), "{name}: {error}");
        }
    }
}
