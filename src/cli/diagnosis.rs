//! Causes in words: what happened, why, and what to try.

use super::failure::{self, Failure};
use crate::session::{Attempt, Cause, Tried};
use std::time::Duration;

/// The failure that a cause comes to on a port.
pub(super) fn failure(cause: &Cause, port: &str, attempts: &[Attempt]) -> Failure {
    let new = |exit, message: String| Failure::new(exit, cause.id(), message);
    match cause {
        Cause::Silent => new(failure::NO_METER, format!("no answer from a meter on {port}"))
            .cause(tried(attempts))
            .tip("turn the head: the cable usually points down; the magnet must sit flat")
            .tip("a customer interface may have to be switched on by the grid operator first")
            .tip("a battery meter: --wake-up; a meter on a bus: --address"),
        Cause::EchoOnly => new(failure::NO_METER, format!("only our own request comes back on {port}"))
            .cause("the head echoes what it sends, or its two wires are bridged; behind it nothing answers")
            .tip("turn the head by a quarter, clean the window, see that the magnet sits flat"),
        Cause::WrongSpeed { right } => new(failure::NOT_A_METER, format!("the meter on {port} speaks at {right}"))
            .cause("with the settings that were given its bytes make no sense")
            .tip(format!("--serial {right}, or leave --serial out")),
        Cause::WrongParity { right } => new(failure::NOT_A_METER, format!("the line of {port} is {right}"))
            .cause("the speed is right, but with the parity that was given its bytes make no sense")
            .tip(format!("--serial {right}, or leave --serial out")),
        Cause::Misplaced { fault } => {
            let failure = new(failure::DATA, format!("what comes from {port} is damaged, again and again"));
            match fault {
                Some(fault) => failure.cause(format!("telegrams begin but do not check: {}", fault.detail)),
                None => failure.cause("bytes come, but no telegram begins in them at any speed"),
            }
            .tip("turn and centre the head; shade it from lamps and sun; clean the window")
            .tip("see the bytes: releve read --capture FILE …, then releve explain FILE")
        }
        Cause::NoData { identification } => {
            new(failure::DATA, format!("the meter on {port} names itself, but its data does not come"))
                .cause(format!("it says {identification}; after the change of speed nothing of use followed"))
                .tip("turn the head a little: the meter may not see the answer to its name")
                .tip("over a bridge that keeps its speed: --mode a, or rfc2217:// in place of tcp://")
        }
        Cause::ModeEOnly { identification, refusal } => {
            let failure =
                new(failure::NOT_A_METER, format!("the meter on {port} speaks DLMS only, and not to everybody"));
            match refusal {
                Some(refusal) => {
                    failure.cause(format!("it names itself {identification}; an unknown client gets: {refusal}"))
                }
                None => failure.cause(format!(
                    "it names itself {identification}, gives no readout, and answers no open association"
                )),
            }
            .tip(WHO_HAS_ACCESS)
            .tip("ask for the customer interface (P1, M-Bus push): it needs no password")
        }
        Cause::Refused { words } => {
            new(failure::DENIED, format!("the meter on {port} speaks DLMS, but not to everybody"))
                .cause(format!("this client gets: {words}"))
                .tip(WHO_HAS_ACCESS)
        }
        Cause::KeyMissing { fault } => {
            new(failure::DATA, format!("telegrams from {port} are enciphered and no key is set"))
                .cause(fault.detail.to_string())
                .how_to_get_a_key()
        }
        Cause::KeyMismatch { fault } => new(failure::DATA, format!("the key does not fit the telegrams from {port}"))
            .cause(fault.detail.to_string())
            .how_to_check_a_key(),
        Cause::PushOff => new(failure::NO_METER, format!("the line of {port} is alive, but no push comes over it"))
            .cause("only short M-Bus frames or idle flags came; the customer interface is not switched on")
            .tip("ask the grid operator to enable the customer interface (push) of this meter"),
        Cause::NotAMeter { sample } => new(failure::NOT_A_METER, format!("what speaks on {port} is no meter"))
            .cause(format!("it says: {}", beginning(sample)))
            .tip("is it the right port? releve ports"),
        Cause::PinMissing => new(failure::OTHER, format!("the meter on {port} keeps its power back"))
            .cause("it sends its counters in whole kilowatt hours and nothing else until its PIN is entered")
            .tip(
                "the grid operator gives out the PIN; enter it with a torch or the meter's button, then switch InF on",
            ),
    }
}

/// The tip for meters that want to know who asks.
const WHO_HAS_ACCESS: &str =
    "the grid operator has the password or the keys: --client N --password-file FILE or --key-file FILE";

/// A cause that does not stand in the way of a reading, as a warning with its tip.
pub(super) fn warning(cause: &Cause, port: &str) -> String {
    failure(cause, port, &[]).to_string().replacen("error:", "warning:", 1)
}

/// What was tried, in one line: `listened 2.5 s at 9600,8N1, 0 bytes; asked at 300,7E1, 0 bytes`.
pub(super) fn tried(attempts: &[Attempt]) -> String {
    let each: Vec<String> = attempts.iter().map(attempt).collect();
    each.join("; ")
}

/// One attempt in words.
pub(super) fn attempt(attempt: &Attempt) -> String {
    let verb = match attempt.what {
        Tried::Listening => "listened",
        Tried::SignOn => "sent /?!",
        Tried::Hdlc => "opened HDLC",
    };
    let line = attempt.line.map(|line| format!(" at {line}")).unwrap_or_default();
    let bytes = match attempt.heard.bytes {
        1 => "1 byte".to_owned(),
        count => format!("{count} bytes"),
    };
    format!("{verb}{line}, {bytes} in {}", seconds(attempt.took))
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

/// The beginning of what was heard, as text where it is text.
fn beginning(sample: &[u8]) -> String {
    const SHOWN: usize = 40;
    let masked: String = sample.iter().take(SHOWN).map(|byte| char::from(byte & 0x7F)).collect();
    masked.trim().to_owned()
}
