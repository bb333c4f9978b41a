//! Protocol objects to readings, a file for each protocol. Positions count from the start of the telegram.

pub mod dlms;
pub mod sml;
pub mod text;
