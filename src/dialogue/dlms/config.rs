//! How a meter is to be read.

use super::association::Access;
use super::connection::Station;
use super::plan::{Known, Plan};
use crate::wire::Line;
use crate::wire::hdlc::{self, Address, Limits};
use std::time::Duration;

/// How a meter is to be read.
#[derive(Debug, Clone)]
pub struct Config {
    /// The line to set before anything is sent; `None` where it is right already, as behind mode E.
    pub line: Option<Line>,
    /// The line that bytes travel on, where it is known but not to be set; for the bounds of time only.
    pub speed: Option<Line>,
    /// The addresses to try, the likeliest first; at most sixteen.
    pub stations: Vec<Station>,
    /// How the client proves who it is.
    pub access: Access,
    /// How much is offered to be taken and sent at once.
    pub limits: Limits,
    /// How long a meter may take to answer.
    pub response: Duration,
    /// How long the whole may take; the goodbye comes on top.
    pub budget: Duration,
    /// What to read.
    pub plan: Plan,
    /// What need not be read again.
    pub known: Known,
}

impl Config {
    /// The usual way to read a meter by its optical port: 512 octets at once, answers within 1.5 s, five minutes.
    #[must_use]
    pub fn new(stations: Vec<Station>, access: Access, plan: Plan) -> Self {
        Self {
            line: None,
            speed: None,
            stations,
            access,
            limits: Limits { transmit: 512, receive: 512, ..Limits::default() },
            response: Duration::from_millis(1500),
            budget: Duration::from_secs(300),
            plan,
            known: Known::default(),
        }
    }
}

/// The client address that needs no proof of who it is.
pub const PUBLIC_CLIENT: u8 = 16;

/// The addresses of a meter that are usual, for one client: the management logical device, without a physical address, and
/// with 16 and 17 in two octets and in four. (An Iskra at 1/17 was captured; no E450 document names its address.)
#[must_use]
pub fn usual_stations(client: u8) -> Vec<Station> {
    let servers = [
        Address::server(1, None),
        Address::server(1, Some(16)),
        Address::server(1, Some(17)),
        Address { upper: 1, lower: Some(16), octets: 4 },
        Address { upper: 1, lower: Some(17), octets: 4 },
    ];
    servers.map(|server| Station { client, server }).into()
}

/// How long things may take on the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) response: Duration,
    pub(super) line: Option<Line>,
}

impl Timing {
    /// Two frames of the largest size.
    pub(super) fn longest_frame(&self) -> Duration {
        self.line.unwrap_or(Line::eight_none(9600)).time_of(2 * (hdlc::MAX_INFORMATION + 20))
    }
}
