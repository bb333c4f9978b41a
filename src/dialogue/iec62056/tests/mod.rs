//! Dialogues against scripts that read like the figures of the standard.
//!
//! | line | the dialogue must want | and is told |
//! |---|---|---|
//! | `line 9600,7E1`, `line 9600,7E1 stays` | these settings | that they are set, that they cannot be |
//! | `reader bytes` | to send them | that they are written, at once: as a USB adapter says it |
//! | `meter bytes` | to receive | these bytes, 100 ms later |
//! | `silence 2500 ms` | to receive for that long | nothing, all that time |
//! | `pause 200 ms` | a pause of that length | that it is over |
//! | `cancel`, `lost` | anything | that |
//! | `done` | nothing more | |

mod modes;
mod properties;
mod registers;
mod trouble;

use super::*;
use crate::dialogue::{Dialogue, Event, Step};
use crate::wire::iec62056::BlockCheck;

/// What each dialogue begins with.
const OPENING: &str = r"
    line 300,7E1
    silence 50 ms
    reader /?!\r\n";

/// Plays a script to its end.
#[track_caller]
fn play(dialogue: &mut dyn Dialogue, script: &str) {
    let mut now = Duration::ZERO;
    for (number, line) in script.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let step = dialogue.step();
        let said = || format!("line {number}, {line:?}: the dialogue wants {step:?}");
        let millis = || rest.trim_end_matches(" ms").parse::<u128>().unwrap();
        match (word, step) {
            ("line", Step::SetLine(wanted)) => {
                let is_set = !rest.ends_with(" stays");
                assert_eq!(rest.trim_end_matches(" stays"), wanted.to_string(), "{}", said());
                dialogue.on(Event::LineSet(is_set), now);
            }
            ("reader", Step::Send(bytes)) => {
                assert_eq!(
                    bytes.escape_ascii().to_string(),
                    unescape(rest).escape_ascii().to_string(),
                    "line {number}"
                );
                dialogue.on(Event::Sent, now);
            }
            ("meter", Step::Receive(wait)) => {
                now += wait.min(Duration::from_millis(100));
                dialogue.on(Event::Received(&unescape(rest)), now);
            }
            ("silence", Step::Receive(wait)) => {
                assert_eq!(wait.as_millis(), millis(), "{}", said());
                now += wait;
                dialogue.on(Event::Silence, now);
            }
            ("pause", Step::Pause(wait)) => {
                assert_eq!(wait.as_millis(), millis(), "{}", said());
                now += wait;
                dialogue.on(Event::Paused, now);
            }
            ("cancel", _) => dialogue.on(Event::Cancelled, now),
            ("lost", _) => dialogue.on(Event::Lost, now),
            ("done", Step::Done) => {}
            _ => panic!("{}", said()),
        }
    }
    assert_eq!(dialogue.step(), Step::Done, "the script ends before the dialogue");
}

/// Reads `\r`, `\n`, `\\` and `\xNN`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (byte, length) = match rest.as_bytes() {
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'\\', ..] => (b'\\', 2),
            [b'\\', b'x', ..] => (u8::from_str_radix(&rest[2..4], 16).unwrap(), 4),
            _ => (u8::try_from(first).unwrap(), first.len_utf8()),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// A readout behind its opening, played to its end.
#[track_caller]
fn readout(options: Options, script: &str) -> Readout {
    whole_readout(options, &format!("{OPENING}\n{script}"))
}

/// A readout played from its first step to its end.
#[track_caller]
fn whole_readout(options: Options, script: &str) -> Readout {
    let mut readout = Readout::new(options);
    play(&mut readout, script);
    readout
}

#[track_caller]
fn data(readout: Readout) -> (String, Facts) {
    match readout.finish() {
        (Outcome::Data { bytes, .. }, facts) => (bytes.escape_ascii().to_string(), facts),
        (other, _) => panic!("{other:?}"),
    }
}

#[track_caller]
fn trouble(readout: Readout) -> (Trouble, Facts) {
    match readout.finish() {
        (Outcome::Failed { trouble, .. }, facts) => (trouble, facts),
        (other, _) => panic!("{other:?}"),
    }
}

/// Options for one try.
fn once() -> Options {
    Options { tries: 1, ..Options::default() }
}

/// A message as 8N1 receives it from a 7E1 line.
fn parity_image(text: &str) -> String {
    let image = |byte: u8| format!("\\x{:02x}", talk::with_parity(byte));
    unescape(text).into_iter().map(image).collect()
}
