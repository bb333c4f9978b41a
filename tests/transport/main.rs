//! Ways to a meter, driven over real ptys and sockets.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod capture;
mod pty;
mod rfc2217;
mod serial;
mod tcp;
