//! releve reads electricity meters and keeps what they say.
//!
//! # The rooms, from the bottom up
//!
//! | room | what it is for | may use |
//! |---|---|---|
//! | [`reading`] | the domain: numbers, units, codes, times, registers, readings | nothing |
//! | [`transport`] | where bytes come from | nothing |
//! | [`wire`] | bytes to protocol objects | `reading` |
//! | [`acquire`] | bytes to readings: finding telegrams, mapping, quirks | `reading`, `transport`, `wire` |
//! | [`store`] | readings in SQLite | `reading` |
//! | [`document`] | the JSON of the contract | `reading` |
//! | [`exchange`] | other people's formats | `reading`, `document` |
//! | [`archive`] | the tree of gzip JSON files | `reading`, `document` |

pub mod acquire;
pub mod archive;
pub mod document;
pub mod exchange;
pub mod reading;
pub mod store;
pub mod transport;
pub mod wire;
