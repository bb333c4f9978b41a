//! The port of a meter: where it is now, also after it was plugged in again under another number.

use super::plan::Place;
use crate::transport::{self, Address, Link, LinkError, Usb, find_again, plugged_into, ports};
use crate::wire::Line;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Finds and opens the port of one meter.
#[derive(Debug)]
pub(super) struct Port {
    place: Place,
    /// The device that was open last.
    usb: Option<Usb>,
}

/// After so long another device in the place of ours is taken for its replacement.
const REPLACED: Duration = Duration::from_secs(60);

impl Port {
    pub(super) const fn new(place: Place) -> Self {
        Self { place, usb: None }
    }

    /// Opens it, `away` being how long it has not been there. `Ok(None)`: no port is named, and none is plugged in.
    pub(super) fn open(&mut self, line: Line, away: Duration) -> Result<Option<Box<dyn Link>>, LinkError> {
        let Some(address) = self.find(away) else {
            return match &self.place {
                Place::TheOnly => Ok(None),
                Place::At(address) => {
                    Err(LinkError::Missing { name: address.to_string(), source: io::ErrorKind::NotFound.into() })
                }
            };
        };
        let link = transport::open(&address, line)?;
        if let Address::Device(path) = &address {
            self.usb = plugged_into(path);
        }
        Ok(Some(link))
    }

    fn find(&self, away: Duration) -> Option<Address> {
        let given = match &self.place {
            Place::At(Address::Device(path)) => Some(path.clone()),
            Place::At(address) => return Some(address.clone()),
            Place::TheOnly => the_only(),
        };
        let path = match &self.usb {
            None => given,
            Some(usb) => {
                let there = given.as_deref().and_then(plugged_into);
                if there.as_ref() == Some(usb) {
                    given
                } else {
                    // A number given to another device is not ours, unless ours has been replaced by it.
                    find_again(usb).or_else(|| given.filter(|_| there.is_none() || away > REPLACED))
                }
            }
        };
        path.map(Address::Device)
    }
}

fn the_only() -> Option<PathBuf> {
    let mut usb = ports().into_iter().filter(|port| port.usb.is_some());
    let first = usb.next()?;
    usb.next().is_none().then_some(first.path)
}
