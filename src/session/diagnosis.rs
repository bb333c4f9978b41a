//! Why nothing is read: one cause out of what was tried and heard.

use super::heard::{Heard, Look};
use crate::dialogue::iec62056::Facts;
use crate::reading::{Anomaly, AnomalyCode, Protocol, Reading};
use crate::wire::Line;
use smol_str::SmolStr;
use std::time::Duration;

/// One way a meter was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was done.
    pub what: Tried,
    /// With which line settings, where they are known.
    pub line: Option<Line>,
    /// How long it took.
    pub took: Duration,
    /// What came.
    pub heard: Heard,
    /// What the meter made of a request.
    pub answer: Answer,
}

/// What was done to get a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Listened for what the meter sends by itself.
    Listening,
    /// Sent the request of IEC 62056-21.
    SignOn,
    /// Opened an HDLC connection.
    Hdlc,
}

/// What a meter made of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, or nothing was asked.
    #[default]
    None,
    /// What was sent came back, and nothing else.
    Echo,
    /// It named itself, but gave no data.
    Identified {
        /// Its identification line.
        text: SmolStr,
        /// Whether it offers HDLC.
        offers_hdlc: bool,
    },
    /// Something like an identification, damaged.
    Damaged,
    /// It opened the connection, but no association for us, or one that may read nothing; the reason.
    Refused(SmolStr),
    /// It gave data.
    Data,
}

impl Answer {
    /// What a meter that was asked and gave no data answered: its name, or nothing.
    pub(super) fn by_name(facts: &Facts) -> Self {
        facts.identification.as_ref().map_or(Self::None, |identification| Self::Identified {
            text: identification.line().into(),
            offers_hdlc: identification.offers_hdlc(),
        })
    }
}

/// Why there is no reading, or not the one that was hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Not a byte came.
    Silent,
    /// Only what was sent came back.
    EchoOnly,
    /// The bytes are those of another speed.
    WrongSpeed {
        /// The settings that fit.
        right: Line,
    },
    /// The speed is right, the character format is not.
    WrongParity {
        /// The settings that fit.
        right: Line,
    },
    /// Telegrams come, but never a sound one: too little light, or light from outside.
    Misplaced {
        /// What was wrong with one of them.
        fault: Option<Anomaly>,
    },
    /// It names itself, but its data never comes.
    NoData {
        /// Its identification line.
        identification: SmolStr,
    },
    /// It speaks DLMS after the sign-on only, and gives an unknown client nothing.
    ModeEOnly {
        /// Its identification line.
        identification: SmolStr,
        /// What it refused.
        refusal: Option<SmolStr>,
    },
    /// It speaks DLMS, and gives this client nothing; its words.
    Refused {
        /// What it refused.
        words: SmolStr,
    },
    /// Telegrams are enciphered, and there is no key.
    KeyMissing {
        /// Who sent them.
        fault: Anomaly,
    },
    /// Telegrams are enciphered, and the key does not fit.
    KeyMismatch {
        /// Who sent them.
        fault: Anomaly,
    },
    /// The line is alive, but no push is sent over it.
    PushOff,
    /// Something else than a meter speaks.
    NotAMeter {
        /// The beginning of what it said.
        sample: Vec<u8>,
    },
    /// There is a reading, but the meter keeps the power back until its PIN has been entered.
    PinMissing,
}

impl Cause {
    /// The stable name, the same in every language.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Silent => "meter.silent",
            Self::EchoOnly => "head.echo",
            Self::WrongSpeed { .. } => "line.speed",
            Self::WrongParity { .. } => "line.parity",
            Self::Misplaced { .. } => "head.misplaced",
            Self::NoData { .. } => "meter.no_data",
            Self::ModeEOnly { .. } => "meter.mode_e",
            Self::Refused { .. } => "meter.refused",
            Self::KeyMissing { .. } => "key.missing",
            Self::KeyMismatch { .. } => "key.mismatch",
            Self::PushOff => "push.off",
            Self::NotAMeter { .. } => "meter.unknown",
            Self::PinMissing => "meter.pin",
        }
    }

    /// What the attempts come to, none of which gave a reading.
    #[must_use]
    pub fn of(attempts: &[Attempt]) -> Self {
        let faults = || attempts.iter().flat_map(|attempt| &attempt.heard.faults);
        let with_code = |code| faults().find(|fault| fault.code == code).cloned();
        if let Some(fault) = with_code(AnomalyCode::KeyMismatch) {
            return Self::KeyMismatch { fault };
        }
        if let Some(fault) = with_code(AnomalyCode::KeyMissing) {
            return Self::KeyMissing { fault };
        }
        let refusal = attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Refused(why) => Some(why.clone()),
            _ => None,
        });
        match (attempts.iter().find_map(Attempt::offers_only_hdlc), refusal) {
            (Some(identification), refusal) => return Self::ModeEOnly { identification, refusal },
            (None, Some(words)) => return Self::Refused { words },
            (None, None) => {}
        }
        let heard: Vec<&Heard> =
            attempts.iter().map(|attempt| &attempt.heard).filter(|heard| heard.bytes > 0).collect();
        let answered = |answer: &Answer| attempts.iter().any(|attempt| attempt.answer == *answer);
        if heard.is_empty() {
            return if answered(&Answer::Echo) { Self::EchoOnly } else { Self::Silent };
        }
        // At any other speed the same frames are noise.
        if heard.iter().any(|heard| heard.look() == Look::Idle) {
            return Self::PushOff;
        }
        let named = attempts.iter().find_map(|attempt| match &attempt.answer {
            Answer::Identified { text, .. } => Some(text.clone()),
            _ => None,
        });
        if let Some(identification) = named {
            return Self::NoData { identification };
        }
        // A telegram that nearly is one is the surest sign of a meter; text without any is one of something else.
        if let Some(fault) = faults().next() {
            return Self::Misplaced { fault: Some(fault.clone()) };
        }
        match heard.iter().find(|heard| heard.look() == Look::Text) {
            Some(heard) if !answered(&Answer::Damaged) => Self::NotAMeter { sample: heard.sample.clone() },
            _ => Self::Misplaced { fault: None },
        }
    }

    /// What settings that somebody insisted on have against those with which the meter is understood.
    #[must_use]
    pub fn of_line(insisted: Line, right: Line) -> Self {
        if insisted.baud == right.baud { Self::WrongParity { right } } else { Self::WrongSpeed { right } }
    }

    /// What a reading lacks, if it is a lack that can be helped.
    #[must_use]
    pub fn of_reading(reading: &Reading) -> Option<Self> {
        // German meters send whole kilowatt hours, and no power, until the owner has entered the PIN (FNN MS2020).
        let is_active = |c: u8, d: u8| {
            let resolved = reading.registers.iter().filter_map(|register| register.code.resolved());
            resolved.filter(|code| code.octets()[2] == c && code.octets()[3] == d).count() > 0
        };
        let counts = is_active(1, 8) || is_active(2, 8);
        let shows_power = is_active(16, 7) || is_active(1, 7) || is_active(2, 7);
        (reading.protocol == Protocol::Sml && counts && !shows_power).then_some(Self::PinMissing)
    }
}

impl Attempt {
    fn offers_only_hdlc(&self) -> Option<SmolStr> {
        match &self.answer {
            Answer::Identified { text, offers_hdlc: true } => Some(text.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Code, Decimal, Register, Unit};

    fn attempt(bytes: &[u8], answer: Answer) -> Attempt {
        let mut heard = Heard::default();
        heard.take(bytes);
        Attempt { what: Tried::SignOn, line: None, took: Duration::ZERO, heard, answer }
    }

    fn faulty(code: AnomalyCode) -> Attempt {
        let mut attempt = attempt(b"/LGZ", Answer::None);
        attempt.heard.fault(Anomaly::new(code, 0, "LGZ"));
        attempt
    }

    #[track_caller]
    fn comes_to(attempts: &[Attempt], id: &str) {
        assert_eq!(Cause::of(attempts).id(), id);
    }

    #[test]
    fn what_was_heard_names_the_cause() {
        let quiet = attempt(b"", Answer::None);
        comes_to(&[quiet.clone(), quiet.clone()], "meter.silent");
        comes_to(&[quiet.clone(), attempt(b"", Answer::Echo)], "head.echo");
        comes_to(&[quiet.clone(), attempt(&[0x10, 0x40, 0x01, 0x41, 0x16], Answer::None)], "push.off");
        comes_to(&[attempt(b"$GPRMC,123519,A,4807.038,N\r\n", Answer::None)], "meter.unknown");
        comes_to(&[attempt(&[0, 0xC4, 0x80, 0xF1, 9], Answer::None)], "head.misplaced");
        comes_to(&[quiet, faulty(AnomalyCode::Checksum)], "head.misplaced");
        comes_to(&[faulty(AnomalyCode::Checksum), faulty(AnomalyCode::KeyMissing)], "key.missing");
        comes_to(&[faulty(AnomalyCode::KeyMissing), faulty(AnomalyCode::KeyMismatch)], "key.mismatch");
        let no_data = Answer::Identified { text: "ISk5MT174".into(), offers_hdlc: false };
        comes_to(&[attempt(b"/ISk5MT174", no_data)], "meter.no_data");
        let mode_e = Answer::Identified { text: "LGZ5\\2ZMF".into(), offers_hdlc: true };
        let refused = attempt(b"", Answer::Refused("the authentication failed".into()));
        comes_to(&[attempt(b"/LGZ5\\2ZMF", mode_e), refused.clone()], "meter.mode_e");
        comes_to(&[refused], "meter.refused");
    }

    #[test]
    fn settings_that_are_insisted_on_are_told_from_the_right_ones() {
        let right = Line::eight_even(2400);
        assert_eq!(Cause::of_line(Line::eight_none(2400), right).id(), "line.parity");
        assert_eq!(Cause::of_line(Line::eight_none(9600), right).id(), "line.speed");
    }

    #[test]
    fn a_counter_without_a_power_over_sml_asks_for_the_pin() {
        let mut reading = Reading::new(Protocol::Sml);
        assert_eq!(Cause::of_reading(&reading), None);
        let number = |code: &[u8], unit| Register::number(Code::parse(code), Decimal::new(12, 0), Some(unit));
        reading.registers.push(number(b"1-0:1.8.0", Unit::WH));
        assert_eq!(Cause::of_reading(&reading), Some(Cause::PinMissing));
        reading.registers.push(number(b"1-0:16.7.0", Unit::W));
        assert_eq!(Cause::of_reading(&reading), None);
    }
}
