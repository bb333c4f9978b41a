//! releve reads electricity meters and keeps what they say.
//!
//! # The rooms, from the bottom up
//!
//! | room | what it is for | may use |
//! |---|---|---|
//! | [`reading`] | the domain: numbers, units, codes, times, registers, readings | nothing |
//! | [`wire`] | bytes to protocol objects | `reading` |

pub mod reading;
pub mod wire;
