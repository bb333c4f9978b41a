//! Asking a meter of IEC 62056-21 for its readout.

use super::approach::Taken;
use super::diagnosis::Answer;
use super::heard::Heard;
use super::play::{PlayError, Stop, play};
use crate::acquire::{Decoder, Settings};
use crate::dialogue::iec62056::{Facts, Options, Outcome, Readout, Trouble};
use crate::reading::{Anomaly, AnomalyCode};
use crate::transport::Link;
use crate::wire::Line;

/// What a request came to.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) heard: Heard,
    pub(super) answer: Answer,
    /// The readings of the readout and what was damaged in it.
    pub(super) taken: Taken,
    /// The meter is in mode E, on a line of these settings: what follows is HDLC.
    pub(super) hdlc: Option<Line>,
    /// What came has the form of mode D and P1, which are sent unasked: a blank line behind the identification.
    pub(super) is_push: bool,
    pub(super) facts: Facts,
}

/// Asks for a readout.
pub(super) fn ask(link: &mut dyn Link, options: Options, settings: &Settings, stop: &Stop) -> Result<Asked, PlayError> {
    let mut readout = Readout::new(options);
    play(&mut readout, link, stop)?;
    let (outcome, facts) = readout.finish();
    let mut heard = Heard { bytes: facts.received, ..Heard::default() };
    let mut taken = Taken::default();
    let mut hdlc = None;
    let mut is_push = false;
    let trouble = match outcome {
        Outcome::Data { bytes, .. } => {
            let end = bytes.windows(2).position(|pair| pair == b"\r\n");
            is_push = end.is_some_and(|end| bytes.get(end + 2..end + 4) == Some(b"\r\n"));
            heard.sample_of(&bytes);
            let mut decoder = Decoder::new(settings.clone());
            decoder.push(&bytes, &mut |outcome| taken.take(outcome));
            decoder.finish(&mut |outcome| taken.take(outcome));
            None
        }
        Outcome::ModeE { line } => {
            hdlc = Some(line);
            None
        }
        Outcome::Failed { trouble, bytes } => {
            heard.sample_of(if bytes.is_empty() { &facts.noise_head } else { &bytes });
            Some(trouble)
        }
    };
    heard.readings = taken.readings.len();
    for fault in &taken.faults {
        heard.fault(fault.clone());
    }
    let answer = match trouble {
        None if hdlc.is_some() => Answer::by_name(&facts),
        None => Answer::Data,
        Some(Trouble::EchoOnly) => {
            heard = Heard::default();
            Answer::Echo
        }
        Some(Trouble::NoData | Trouble::Refused | Trouble::SpeedFixed) => Answer::by_name(&facts),
        Some(trouble @ (Trouble::BlockCheck | Trouble::BrokenOff | Trouble::StartLost | Trouble::TooLong)) => {
            let fault = Anomaly::new(AnomalyCode::Checksum, 0, trouble.to_string());
            heard.fault(fault.clone());
            taken.faults.push(fault);
            Answer::Damaged
        }
        Some(_) if facts.parity_errors > 0 && facts.identification.is_none() => Answer::Damaged,
        Some(_) => Answer::None,
    };
    Ok(Asked { heard, answer, taken, hdlc, is_push, facts })
}
