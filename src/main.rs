//! The `releve` command.

fn main() {}
