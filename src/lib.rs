//! releve reads electricity meters and keeps what they say.
//!
//! # The rooms, from the bottom up
//!
//! | room | what it is for | may use |
//! |---|---|---|
//! | [`reading`] | the domain: numbers, units, codes, times, registers, readings | nothing |
//! | [`wire`] | bytes to protocol objects and back | `reading` |
//! | [`transport`] | where bytes come from and go to: ports, bridges, captures | `reading`, `wire` |
//! | [`dialogue`] | what is said to a meter and when, without port and clock | `reading`, `wire` |
//! | [`acquire`] | bytes to readings: finding telegrams, mapping, quirks | `reading`, `wire` |
//! | [`session`] | dialogues played over links: recognition of the meter, diagnosis | `reading`, `wire`, `transport`, `dialogue`, `acquire` |
//! | [`simulate`] | meters of our own: a household, its meter, the faults of both | `reading`, `wire`, `transport` |
//! | [`store`] | readings in SQLite, sealed into blocks (docs/STORE.md) | `reading` |
//! | [`detect`] | events out of readings: rules, episodes, what the meter itself says | `reading`, `acquire` |
//! | [`events`] | events kept beside the readings they were found in | `reading`, `detect`, `store` |
//! | [`logger`] | meters read for years: schedules, reconnecting, queues, group commits | `reading`, `wire`, `transport`, `acquire`, `session`, `store`, `detect`, `events` |
//! | [`document`] | the JSON of the contract | `reading` |
//! | [`exchange`] | other people's formats | `reading`, `document` |
//! | [`archive`] | the tree of gzip JSON files | `reading`, `document` |
//! | [`past`] | all that is known of a meter, wherever it lies | `reading`, `store`, `document`, `archive` |
//! | [`consolidate`] | the store into the archive: what is missing, writing it, pruning | `reading`, `store`, `document`, `exchange`, `archive`, `past` |
//! | [`analyse`] | statistics by local hours, days, weeks, months, years | `reading`, `store`, `past` |
//! | [`serve`] | the HTTP API and the dashboard | `reading`, `store`, `document`, `exchange`, `archive`, `past`, `analyse` |
//! | [`cli`] | the command line | everything |
//!
//! Imports go down only; `tests/layers.rs` checks this table against the sources.
//!
//! # The life of a reading
//!
//! | step | room | in → out | failure |
//! |---|---|---|---|
//! | take some bytes | `transport` | capture → `&[u8]` | `InputError` |
//! | cut | `acquire::scan`, `wire::*::cut` | bytes → telegram or frame, checksums good | an `Anomaly`; the search goes on |
//! | join, decipher | `wire::dlms` | frames → APDU → plain APDU | an `Anomaly` that names the system title |
//! | interpret | `acquire::map`, `acquire::quirks` | telegram → `Reading` | unknown codes are kept, doubts noted |
//! | stamp | `acquire::timestamp` | meter's clock and time of receipt → `Instant` | noted in the reading |
//! | keep | `store` | `Reading` → rows, once | `StoreError` |
//! | show | `document`, `exchange`, `cli` | `Reading` → JSON, table, line | a closed pipe is a quiet end |

pub mod acquire;
pub mod analyse;
pub mod archive;
pub mod cli;
pub mod consolidate;
pub mod detect;
pub mod dialogue;
pub mod document;
pub mod events;
pub mod exchange;
pub mod logger;
pub mod past;
pub mod reading;
pub mod serve;
pub mod session;
pub mod simulate;
pub mod store;
pub mod transport;
pub mod wire;
