//! The domain: what a meter says, in types that no other room needs to explain.
//!
//! Pure values. No I/O, no clock, no configuration, no serialisation; every other room may use this one and this
//! one uses none of them.
//!
//! - [`Decimal`], [`Unit`], [`Obis`]: a number exactly as sent, what it counts, and what it is about.
//! - [`MeterTime`], [`Instant`], [`Zone`]: three kinds of time that are never mixed up silently.
//! - [`Register`], [`Reading`]: one value under its code; one telegram's worth of them.
//! - [`Event`]: something worth knowing that happened.
//! - [`Columns`]: the ten quantities of the contract, derived from a reading without inventing any.

mod anomaly;
mod columns;
mod decimal;
mod event;
mod meter;
mod names;
mod obis;
#[allow(clippy::module_inception)]
mod reading;
mod register;
mod time;
mod unit;

pub use anomaly::{Anomaly, AnomalyCode};
pub use columns::{Column, Columns, TariffMemory};
pub use decimal::{Decimal, DecimalError};
pub use event::{Event, Origin, Severity};
pub use meter::MeterId;
pub use names::{Kind, Language, LanguageError, Named, describe, describe_register, kind_of, search};
pub use obis::{Code, Obis, ObisError};
pub use reading::{LogEntry, Profile, ProfileRow, Protocol, Quality, Reading};
pub use register::{Detail, Register, Value};
pub use time::{
    Asked, AskedError, Calendar, CivilTime, Instant, MeterTime, Offset, Resolved, TimeError, Zone, parse_length,
};
pub use unit::{Quantity, Unit};
