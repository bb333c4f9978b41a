//! The DLMS server of a meter, fed from its works: behind the sign-on of mode E, or on the optical port from the start.
//!
//! | client | has to prove who it is | may read |
//! |---|---|---|
//! | 16, public | not at all | everything; a closed meter shows it clock and name only |
//! | 1, management | with the password `00000000` | everything |
//! | 2, reading | with GMAC, by the published example keys | everything |
//! | 3, the same | with GMAC, and everything is enciphered | everything |

mod image;

use super::Station;
use super::e450::{PushKeys, system_title};
use crate::reading::{Instant, Obis};
use crate::simulate::dlms::{Config, MeterImage, Offer, Security, Server};
use crate::simulate::works::Works;
use crate::wire::dlms::{Password, SystemTitle};
use image::image;
use std::time::Duration;

/// What the client of the management association has to know.
const PASSWORD: &[u8] = b"00000000";
/// All that a closed meter shows to everybody (IDIS).
const FOR_EVERYBODY: [Obis; 2] = [Obis::new(0, 0, 1, 0, 0, 255), Obis::new(0, 0, 42, 0, 0, 255)];
/// After so much silence a connection is dropped.
const INACTIVITY: Duration = Duration::from_secs(60);
/// What every frame begins and ends with.
const FLAG: u8 = 0x7E;

/// The server.
#[derive(Debug)]
pub struct Cosem {
    server: Server<MeterImage>,
    is_closed: bool,
    serial: u32,
    was_connected: bool,
}

impl Cosem {
    /// The server of a meter, closed to the public client or not.
    #[must_use]
    pub fn new(works: &Works, is_closed: bool) -> Self {
        let server = Server::new(config(works, is_closed), image(works));
        Self { server, is_closed, serial: works.serial(), was_connected: false }
    }
}

fn config(works: &Works, is_closed: bool) -> Config {
    let keys = || PushKeys::EXAMPLE.authenticator();
    let offer = |client, security| Offer { client, security, only: None };
    Config {
        inactivity: INACTIVITY,
        title: SystemTitle(system_title(works)),
        offers: vec![
            Offer { only: is_closed.then(|| FOR_EVERYBODY.to_vec()), ..offer(16, Security::None) },
            offer(1, Security::Password(Password::new(PASSWORD))),
            offer(2, Security::Gmac { keys: keys(), ciphered: false }),
            offer(3, Security::Gmac { keys: keys(), ciphered: true }),
        ],
        ..Config::default()
    }
}

impl Station for Cosem {
    fn receive(&mut self, octets: &[u8], works: &Works, now: Instant) -> Vec<u8> {
        if works.serial() != self.serial {
            *self = Self::new(works, self.is_closed);
        }
        // Only the end of a frame can make the server look at what the meter holds.
        if octets.contains(&FLAG) {
            *self.server.objects() = image(works);
        }
        let now = Duration::from_micros(now.unix_micros().unsigned_abs());
        let answer = self.server.receive(octets, now);
        self.was_connected |= self.server.is_connected();
        answer
    }

    fn is_over(&self) -> bool {
        self.was_connected && !self.server.is_connected()
    }

    fn reset(&mut self) {
        self.server.disconnect();
        self.was_connected = false;
    }
}
