//! Other people's formats.
//!
//! - [`mqtt`]: MQTT messages, and what Home Assistant makes of them.
//! - [`influx`]: the InfluxDB line protocol.
//! - [`prometheus`]: the text exposition format 0.0.4, for the textfile collector.
//! - [`csv`](mod@csv): a row for each register, or one for each reading.
//! - [`steps`]: readings brought to even steps of time.
//! - [`old_database`]: the SQLite file of the application that this one takes over from.

pub mod csv;
pub mod influx;
pub mod mqtt;
pub mod old_database;
pub mod prometheus;
pub mod steps;
