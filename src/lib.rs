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
//! | [`document`] | the JSON of the contract | `reading` |
//! | [`exchange`] | other people's formats | `reading`, `document` |

pub mod acquire;
pub mod document;
pub mod exchange;
pub mod reading;
pub mod transport;
pub mod wire;
