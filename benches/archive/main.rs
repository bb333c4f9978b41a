//! x
#![allow(missing_docs, clippy::all, unreachable_pub, clippy::print_stdout)]
#[path = "../store/household.rs"]
mod household;
use household::Household;
use releve::store::Store;
use releve::reading::Instant;
fn main() {
    let path = std::path::Path::new("/tmp/arch-year.db");
    let _ = std::fs::remove_file(path);
    let mut store = Store::create(path).unwrap();
    let mut house = Household::new(60);
    let mut import = store.import(Instant::from_unix(1_704_067_200 + 5000*86400)).unwrap();
    for _ in 0..525600 { import.add(&house.entry()).unwrap(); }
    import.finish().unwrap();
    println!("{}", env!("CARGO_BIN_EXE_releve"));
}
