//! What single makes of meters do differently.
//!
//! One entry says what is odd, which meters do it, how we know, and when the entry would be wrong.

pub mod dlms;
pub mod events;
pub mod sml;
