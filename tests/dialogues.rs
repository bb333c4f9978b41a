//! Every readout we have, asked for: a meter that sends it in answer to the dialogue gives the same reading as the file.

#![allow(missing_docs, clippy::print_stdout)]

mod testenv;

use releve::acquire::{Decoder, Outcome as Decoded, Settings};
use releve::dialogue::iec62056::{Options, Outcome, Readout};
use releve::dialogue::{Dialogue as _, Event, Step};
use releve::reading::{Quality, Reading, Register};
use releve::wire::iec62056::Identification;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn readings(bytes: &[u8]) -> Vec<Reading> {
    let mut found = Vec::new();
    let mut decoder = Decoder::new(Settings::default());
    let mut sink = |outcome| {
        if let Decoded::Reading(reading) = outcome {
            found.push(reading);
        }
    };
    decoder.push(bytes, &mut sink);
    decoder.finish(&mut sink);
    found
}

/// Files that hold the readout of one meter, from its identification on, and that reading.
fn readouts() -> Vec<(PathBuf, Vec<u8>, Reading)> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/iec62056");
    let mut files: Vec<PathBuf> = testenv::captures().into_iter().map(|(_, path)| path).collect();
    match fs::read_dir(&captures) {
        Ok(entries) => files.extend(entries.map(|entry| entry.unwrap().path())),
        Err(_) => println!("captures: skipped, there is no {}", captures.display()),
    }
    files.retain(|path| path.extension().is_some_and(|end| end == "txt" || end == "bin"));
    let of_one = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        let (at, _) = Identification::find(&bytes, true)?;
        let found = readings(&bytes);
        let [reading] = found.as_slice() else { return None };
        let whole = reading.identification.is_some() && reading.quality == Quality::Good;
        whole.then(|| (path, bytes[at.start..].to_vec(), reading.clone()))
    };
    files.into_iter().filter_map(of_one).collect()
}

/// Plays a meter that sends `telegram` in pieces of this size: its identification to the request, the rest to what follows.
fn ask(telegram: &[u8], piece: usize) -> Outcome {
    let head = Identification::find(telegram, true).unwrap().0.end;
    let mut readout = Readout::new(Options::default());
    let (mut now, mut sent) = (Duration::ZERO, 0);
    let mut until = 0;
    loop {
        let event = match readout.step() {
            Step::Done => return readout.finish().0,
            Step::Send(bytes) => {
                until = if bytes.starts_with(b"/?") { head } else { telegram.len() };
                Event::Sent
            }
            Step::SetLine(line) => {
                // Mode B goes on unasked.
                until = if line.baud == 300 { until } else { telegram.len() };
                Event::LineSet(true)
            }
            Step::Pause(wait) => {
                now += wait;
                Event::Paused
            }
            Step::Receive(wait) if sent >= until => {
                // Mode A goes on unasked, and late.
                until = if sent == head { telegram.len() } else { until };
                now += if until == sent { wait } else { Duration::from_millis(200) };
                if until == sent { Event::Silence } else { Event::Received(&[]) }
            }
            Step::Receive(_) => {
                let from = sent;
                sent = until.min(sent + piece);
                Event::Received(&telegram[from..sent])
            }
        };
        readout.on(event, now);
    }
}

#[test]
fn a_readout_that_is_asked_for_is_the_one_in_the_file() {
    let readouts = readouts();
    assert!(readouts.len() >= 2);
    for (path, telegram, expected) in &readouts {
        for piece in [1, 7, 4096] {
            let Outcome::Data { bytes, .. } = ask(telegram, piece) else { panic!("{}", path.display()) };
            let found = readings(&bytes);
            let [reading] = found.as_slice() else { panic!("{}: {} readings", path.display(), found.len()) };
            let registers: &[Register] = &reading.registers;
            assert_eq!(
                (registers, &reading.identification),
                (&*expected.registers, &expected.identification),
                "{path:?}"
            );
        }
    }
    println!("dialogues: {} readouts", readouts.len());
}
