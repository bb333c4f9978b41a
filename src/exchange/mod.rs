//! Other people's formats.
//!
//! - [`influx`]: the InfluxDB line protocol.
//! - [`prometheus`]: the text exposition format 0.0.4, for the textfile collector.
//! - [`csv`](mod@csv): a row for each register.

pub mod csv;
pub mod influx;
pub mod prometheus;
