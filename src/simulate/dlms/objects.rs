//! What a simulated meter holds.

use crate::reading::Obis;
use crate::wire::dlms::{Attribute, Data, Selection};
use std::time::Duration;

/// An object as the association's list names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Its interface class.
    pub class: u16,
    /// The version of that class.
    pub version: u8,
    /// Its logical name.
    pub obis: Obis,
    /// How many attributes it has; they are numbered from 1.
    pub attributes: i8,
}

/// The objects of a meter.
///
/// The association (0-0:40.0.0) and the invocation counter (0-0:43.1.0) are the server's own.
pub trait Objects {
    /// All objects, in the order the meter lists them.
    fn list(&self) -> Vec<Object>;

    /// The value of an attribute, or a part of it. `now` is what the server was told last.
    ///
    /// # Errors
    /// The [`access`](crate::wire::dlms::access) result that says why there is none.
    fn get(&mut self, attribute: Attribute, selection: Option<&Selection>, now: Duration) -> Result<Data, u8>;
}
