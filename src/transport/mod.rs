//! Where bytes come from. All I/O with meters and captures lives here.

mod replay;

pub use replay::{Input, InputError};
