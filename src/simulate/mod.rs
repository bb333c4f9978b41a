//! Meters of our own: a household, the meter in its hall, the line to it, and the faults of all three.
//!
//! | room | what it is for |
//! |---|---|
//! | [`household`] | the power of every second, a pure function of seed and time |
//! | [`works`] | what a meter makes of it: counters, load profile, logs, a clock of its own |
//! | [`meter`] | how a meter says it: P1, SML, DLMS, IEC 62056-21; bytes in, timed bytes out |
//! | [`dlms`] | the DLMS server of those that have one |
//! | [`catalogue`], [`fault`] | the meters and the faults to choose from |
//! | [`cable`], [`mod@line`], [`disturb`] | what becomes of characters on their way, at the speed of the line |
//! | [`host`] | pseudo terminal, TCP port, file; the loop that lets time pass |
//!
//! Everything but [`host`] is told the time and owns no port, and everything is exact: whole watts and seconds, no floats. The
//! same setup gives the same bytes on every machine.
//!
//! ```
//! use releve::reading::Instant;
//! use releve::simulate::meter::p1::P1;
//! use releve::simulate::meter::{Meter, Push};
//! use releve::simulate::works::{Setup, Works};
//! let start = Instant::parse_utc("2025-11-07T14:30:00Z")?;
//! let mut meter = Push::new(Works::new(&Setup::new(1, start)), P1::V5);
//! let telegram = meter.act(start).unwrap();
//! assert!(telegram.bytes.starts_with(b"/XMX5LGF0010455445\r\n"));
//! assert_eq!(meter.due(), Some(start.plus_seconds(1)));
//! # Ok::<(), releve::reading::TimeError>(())
//! ```

pub mod cable;
pub mod catalogue;
pub mod disturb;
pub mod dlms;
pub mod fault;
pub mod host;
pub mod household;
pub mod line;
pub mod meter;
mod random;
pub mod works;
