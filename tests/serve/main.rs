//! `releve serve` as its clients see it: the old application's requests, hostile ones, slow ones, and a browser.

#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../testenv/mod.rs"]
mod testenv;

mod abuse;
mod browser;
mod contract;
mod document;
mod history;
mod live;
mod post;
mod slow;
mod world;
