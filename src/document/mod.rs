//! The JSON we publish: one place where the contract's French keys stand.
//!
//! Serde structs for `read`, `export`, the archive and, later, the HTTP API. Numbers keep the digits the meter sent, see
//! [`Exact`]. What a reading comes to in the contract's terms (ten columns, further registers under their codes) is
//! worked out by [`Values`].

mod archive;
mod event;
mod exact;
mod history;
mod measure;
mod reading;
mod values;

pub use archive::{DayFile, Measure, Metadata, Numbers};
pub use event::{EVENT_COLUMNS, EventJson, event_cells};
pub use exact::Exact;
pub use history::{History, HistoryError};
pub use measure::{Filed, Form, protocol_of, reading_of, register_of_key, write_entry, write_measure, write_short};
pub use reading::{log_json, reading_json};
pub use values::{Extra, Repeated, Values, column_key};
