//! What a server is told when it starts.

use crate::analyse::{Analysis, Wanted};
use crate::reading::{MeterId, Zone};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How and what to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub store: PathBuf,
    /// The archive that is read where the store was pruned.
    pub archive: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What a client has to know: for every request where others can reach the address, and for every POST.
    pub token: Option<Token>,
    /// Names under which the server may be called, besides its addresses.
    pub hosts: Vec<String>,
    /// The origins whose pages may ask, like `https://example.org`.
    pub cors: Vec<String>,
    /// The meter that is meant where a request names none.
    pub meter: Option<MeterId>,
    /// The zone of days, weeks and months.
    pub zone: Zone,
    /// A newest reading older than this is no good sign.
    pub stale: Duration,
    /// What a client may take its time for.
    pub limits: Limits,
    /// Writes the document of an analysis, the same that `releve stats` prints; `None` where there is nothing to tell.
    pub statistics: fn(&MeterId, Zone, Option<(&Analysis, Wanted)>) -> String,
}

/// Bounds for clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The head of a request has to be there after so long; a connection may be idle for as long.
    pub head: Duration,
    /// Its body after so long.
    pub body: Duration,
    /// A client that takes next to nothing of its answer for so long is cut off.
    pub stalled: Duration,
    /// So many connections at once.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            body: Duration::from_secs(20),
            stalled: Duration::from_secs(20),
            connections: 4096,
        }
    }
}

/// A secret that clients name. It is never printed.
#[derive(Clone)]
pub struct Token(String);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is 16 to 512 printable characters on one line, without blanks")]
pub struct TokenError;

impl Token {
    /// The token of a file's text.
    ///
    /// # Errors
    /// [`TokenError`] where it is too short to be one, or more than one line.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let fits = (16..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(TokenError) }
    }

    /// Whether it is this one; how long that takes says nothing about where they differ.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Settings {
    /// Whether only this machine can reach the server.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.listen.ip().is_loopback()
    }

    /// Whether a request may call the server so. A page whose name was made to point here has a foreign name; an address
    /// is no name.
    pub(super) fn knows_host(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or(host, |(address, _)| address),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        if let Ok(address) = name.parse::<IpAddr>() {
            return address.is_loopback() || !self.is_private();
        }
        let name = name.trim_end_matches('.');
        name.eq_ignore_ascii_case("localhost") || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}
