//! Causes in words: what happened, why, and what to try.

use super::failure::{self, Failure};
use super::words::{count, tr};
use crate::session::{Attempt, Cause, Tried};
use std::time::Duration;

/// The failure that a cause comes to on a port.
pub(super) fn failure(cause: &Cause, port: &str, attempts: &[Attempt]) -> Failure {
    let new = |exit, message: String| Failure::new(exit, cause.id(), message);
    match cause {
        Cause::Silent => new(failure::NO_METER, tr!("no answer from a meter on {port}", port))
            .cause(tried(attempts))
            .tip(tr!("turn the head: the cable usually points down; the magnet must sit flat"))
            .tip(tr!("a customer interface may have to be switched on by the grid operator first"))
            .tip(tr!("a battery meter: --wake-up; a meter on a bus: --address")),
        Cause::EchoOnly => new(failure::NO_METER, tr!("only our own request comes back on {port}", port))
            .cause(tr!("the head echoes what it sends, or its two wires are bridged; behind it nothing answers"))
            .tip(tr!("turn the head by a quarter, clean the window, see that the magnet sits flat")),
        Cause::WrongSpeed { right } => {
            new(failure::NOT_A_METER, tr!("the meter on {port} speaks at {right}", port, right))
                .cause(tr!("with the settings that were given its bytes make no sense"))
                .tip(tr!("--serial {right}, or leave --serial out", right))
        }
        Cause::WrongParity { right } => new(failure::NOT_A_METER, tr!("the line of {port} is {right}", port, right))
            .cause(tr!("the speed is right, but with the parity that was given its bytes make no sense"))
            .tip(tr!("--serial {right}, or leave --serial out", right)),
        Cause::Misplaced { fault } => {
            let failure = new(failure::DATA, tr!("what comes from {port} is damaged, again and again", port));
            match fault {
                Some(fault) => failure.cause(tr!("telegrams begin but do not check: {why}", why = fault.detail)),
                None => failure.cause(tr!("bytes come, but no telegram begins in them at any speed")),
            }
            .tip(tr!("turn and centre the head; shade it from lamps and sun; clean the window"))
            .tip(tr!("see the bytes: releve read --capture FILE ..., then releve explain FILE"))
        }
        Cause::NoData { identification } => {
            new(failure::DATA, tr!("the meter on {port} names itself, but its data does not come", port))
                .cause(tr!(
                    "it says {identification}; after the change of speed nothing of use followed",
                    identification
                ))
                .tip(tr!("turn the head a little: the meter may not see the answer to its name"))
                .tip(tr!("over a bridge that keeps its speed: --mode a, or rfc2217:// in place of tcp://"))
        }
        Cause::ModeEOnly { identification, refusal } => {
            let failure =
                new(failure::NOT_A_METER, tr!("the meter on {port} speaks DLMS only, and not to everybody", port));
            match refusal {
                Some(refusal) => failure.cause(tr!(
                    "it names itself {identification}; an unknown client gets: {refusal}",
                    identification,
                    refusal
                )),
                None => failure.cause(tr!(
                    "it names itself {identification}, gives no readout, and answers no open association",
                    identification
                )),
            }
            .tip(who_has_access())
            .tip(tr!("ask for the customer interface (P1, M-Bus push): it needs no password"))
        }
        Cause::Refused { words } => {
            new(failure::DENIED, tr!("the meter on {port} speaks DLMS, but not to everybody", port))
                .cause(tr!("this client gets: {refusal}", refusal = words))
                .tip(who_has_access())
        }
        Cause::KeyMissing { fault } => {
            new(failure::DATA, tr!("telegrams from {port} are enciphered and no key is set", port))
                .cause(fault.detail.to_string())
                .how_to_get_a_key()
        }
        Cause::KeyMismatch { fault } => new(failure::DATA, tr!("the key does not fit the telegrams from {port}", port))
            .cause(fault.detail.to_string())
            .how_to_check_a_key(),
        Cause::PushOff => new(failure::NO_METER, tr!("the line of {port} is alive, but no push comes over it", port))
            .cause(tr!("only short M-Bus frames or idle flags came; the customer interface is not switched on"))
            .tip(tr!("ask the grid operator to enable the customer interface (push) of this meter")),
        Cause::NotAMeter { sample } => new(failure::NOT_A_METER, tr!("what speaks on {port} is no meter", port))
            .cause(tr!("it says: {text}", text = beginning(sample)))
            .tip(tr!("is it the right port? releve ports")),
        Cause::PinMissing => new(failure::OTHER, tr!("the meter on {port} keeps its power back", port))
            .cause(tr!("it sends its counters in whole kilowatt hours and nothing else until its PIN is entered"))
            .tip(tr!(
                "the grid operator gives out the PIN; enter it with a torch or the meter's button, then switch InF on"
            )),
    }
}

/// The tip for meters that want to know who asks.
fn who_has_access() -> String {
    tr!("the grid operator has the password or the keys: --client N --password-file FILE or --key-file FILE")
}

/// A cause that does not stand in the way of a reading, as a warning with its tip.
pub(super) fn warning(cause: &Cause, port: &str) -> String {
    failure(cause, port, &[]).as_warning()
}

/// What was tried, in one line: `listened 2.5 s at 9600,8N1, 0 bytes; asked at 300,7E1, 0 bytes`.
pub(super) fn tried(attempts: &[Attempt]) -> String {
    let each: Vec<String> = attempts.iter().map(attempt).collect();
    each.join("; ")
}

/// One attempt in words.
pub(super) fn attempt(attempt: &Attempt) -> String {
    let verb = match attempt.what {
        Tried::Listening => tr!("listened"),
        Tried::SignOn => tr!("sent /?!"),
        Tried::Hdlc => tr!("opened HDLC"),
    };
    let (bytes, time) = (count::bytes(attempt.heard.bytes), seconds(attempt.took));
    match attempt.line {
        Some(line) => tr!("{what} at {line}, {bytes} in {time}", what = verb, line, bytes, time),
        None => tr!("{what}, {bytes} in {time}", what = verb, bytes, time),
    }
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
