//! Our DLMS client and our DLMS server, talking over a line that loses and invents what it likes.
//!
//! Neither knows a port or a clock, so hours of silence pass in microseconds here.

#![allow(missing_docs, clippy::print_stdout)]

mod faults;
mod sessions;
mod world;
