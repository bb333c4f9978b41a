//! Reading meters of IEC 62056-21 by request: the optical port, current loops, RS-485.
//!
//! ```text
//! reader  /?!                    300 Bd       reader  /?!                            300 Bd
//! meter   /ISk5MT174-0002        300 Bd       meter   /EMH5\@\201LZQJL0013F          300 Bd
//! reader  ACK 0 5 0              300 Bd       reader  ACK 0 5 1                      300 Bd
//! meter   STX 1.8.0(…) … ! ETX   9600 Bd      meter   SOH P0 STX (operand) ETX       9600 Bd
//!                                             reader  SOH R5 STX P.01(;) ETX         9600 Bd
//!                                             meter   STX P.01(…)(…) … ETX           9600 Bd
//!                                             reader  SOH B0 ETX                     9600 Bd
//! ```
//!
//! - [`Readout`] asks for the data readout in modes A, B and C, and opens mode E up to where HDLC begins.
//! - [`Programming`] opens programming mode and reads single registers, load profile and logs. It cannot write: there is no
//!   command for it.
//!
//! Both find out what stands between them and the meter and cope with it: heads that echo, bridges that leave parity bits
//! in or keep their speed, block checks by sum. What they met stands in [`Facts`]. Bytes are handed on as the meter sent
//! them, echo and parity bits removed; what they mean is the business of [`acquire`](crate::acquire).
//!
//! # Every dialogue ends
//! Each wait has an end, each message a longest length, and the number of tries is fixed: [`Readout::LONGEST`] and
//! [`Programming::longest`] say how long it can take at worst. A meter that does not answer at all costs 12 s.

mod programming;
mod readout;
mod session;
mod sign_on;
mod talk;

#[cfg(test)]
mod tests;

pub use programming::{Programming, Reply};
pub use readout::{Outcome, Readout};

use crate::wire::Line;
use crate::wire::iec62056::{Identification, Mode, Request};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::time::Duration;

/// How to go about it. The default is what the standard says, and suits nearly every meter.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whom to ask.
    pub request: Request,
    /// The mode to go on in; `None` means the one the meter names. [`Mode::A`] sends no option select, so that a meter of
    /// mode C goes on by itself at the opening speed; [`Mode::C`] sends one whatever the identification says;
    /// [`Mode::E`] is HDLC, where the meter offers it, and otherwise what the meter names.
    pub mode: Option<Mode>,
    /// Who changes the speed.
    pub speed: Speed,
    /// The settings to open with. Where they have eight data bits, the parity bits of 7E1 are added and removed here.
    pub opening: Line,
    /// How to wake the meter up.
    pub wake_up: Option<WakeUp>,
    /// How long to wait for what.
    pub timing: Timing,
    /// How often to try, at least once.
    pub tries: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request: Request::default(),
            mode: None,
            speed: Speed::Offered,
            opening: Line::seven_even(300),
            wake_up: None,
            timing: Timing::default(),
            tries: 3,
        }
    }
}

/// Who changes the speed after the option select of modes C and E.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// Meter and reader, to what the meter offers. Over a link that keeps its speed, nobody.
    Offered,
    /// Nobody: the option select asks for the opening speed.
    Opening,
    /// The meter, and by itself whatever stands between (a head that has seen the option select).
    Between,
}

/// How a battery meter is woken up (IEC 62056-21, Annex B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeUp {
    /// NUL characters for 2.2 s at the opening speed, then 1.6 s of silence.
    Slow,
    /// Short bursts of NUL until the meter answers with ACK.
    Fast,
}

/// How long to wait for what (IEC 62056-21, 6.4.1.5 and 6.4.3.6; with some room for bridges).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the first byte of an answer; the standard gives the meter 1.5 s.
    pub first: Duration,
    /// For the first byte after a change of speed. A meter that has not changed begins at the opening speed between 1.5 and
    /// 2.2 s after its identification: waiting longer here means to miss that.
    pub changed: Duration,
    /// From one byte to the next; the standard says 1.5 s.
    pub between: Duration,
    /// For a whole message, beyond what its length takes at its speed.
    pub whole: Duration,
    /// From one try to the next.
    pub pause: Duration,
    /// Before each answer of ours; `None`: 200 ms, or 20 ms where the identification allows it.
    pub reaction: Option<Duration>,
    /// From the writing of the option select to the change of speed; `None`: as long as its six characters take, and a
    /// margin. A head that echoes shows the exact moment, and then this is the longest wait for it.
    pub switch: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(2500),
            changed: Duration::from_millis(1600),
            between: Duration::from_secs(2),
            whole: Duration::from_secs(30),
            pause: Duration::from_secs(2),
            reaction: None,
            switch: None,
        }
    }
}

impl Timing {
    /// The same, nothing longer than an hour.
    fn bounded(self) -> Self {
        let bounded = |wait: Duration| wait.min(Duration::from_secs(3600));
        Self {
            first: bounded(self.first),
            changed: bounded(self.changed),
            between: bounded(self.between),
            whole: bounded(self.whole),
            pause: bounded(self.pause),
            reaction: self.reaction.map(bounded),
            switch: self.switch.map(bounded),
        }
    }
}

/// Why a dialogue came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// Not a byte came.
    #[error("nothing answers")]
    Silent,
    /// What was sent came back, and nothing else.
    #[error("only the echo of the request came back")]
    EchoOnly,
    /// Bytes came, and no identification among them.
    #[error("what answers does not identify itself as a meter")]
    Noise,
    /// The meter identified itself, and then sent nothing of use.
    #[error("the meter identifies itself and then sends no data")]
    NoData,
    /// Data came, but its beginning is missing, so that its block check says nothing.
    #[error("the beginning of the data is missing: the speed was changed too late")]
    StartLost,
    /// The block check does not fit, the repetition's neither.
    #[error("the block check does not fit")]
    BlockCheck,
    /// The data breaks off.
    #[error("the data breaks off")]
    BrokenOff,
    /// More came than any meter sends.
    #[error("the data has no end")]
    TooLong,
    /// A meter of mode B changes its speed unasked, and the link cannot follow.
    #[error("the meter changes its speed, and the link cannot")]
    SpeedFixed,
    /// The meter does not go into programming mode.
    #[error("the meter does not open programming mode")]
    Refused,
    /// It did not take the password. It is not tried again: most meters lock themselves after a few.
    #[error("the meter does not take the password")]
    Password,
    /// The link is gone.
    #[error("the link is gone")]
    Lost,
    /// Somebody wished to stop.
    #[error("stopped")]
    Cancelled,
}

impl Trouble {
    /// Whether trying again may help.
    const fn is_passing(self) -> bool {
        !matches!(self, Self::TooLong | Self::SpeedFixed | Self::Password | Self::Lost | Self::Cancelled)
    }
}

/// What a dialogue met on its way, over all its tries: for `-v` and for the diagnosis.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How many tries there were.
    pub tries: u8,
    /// How many bytes came, echo included.
    pub received: u64,
    /// Something came before anything was asked: a meter that pushes, or the rest of another conversation.
    pub unasked: bool,
    /// What is sent comes back.
    pub echo: bool,
    /// Who answered.
    pub identification: Option<Identification>,
    /// The mode that was gone on in.
    pub mode: Option<Mode>,
    /// The settings at which bytes were waited for, in the order of their first use.
    pub lines: SmallVec<[Line; 4]>,
    /// The link keeps its settings.
    pub line_fixed: bool,
    /// After the change of speed nothing of use came.
    pub switch_failed: bool,
    /// The bytes came with parity bits in bit 7: a 7E1 line received as 8N1.
    pub parity_bits: bool,
    /// How many of them had a wrong one.
    pub parity_errors: u32,
    /// How many bytes belonged to nothing.
    pub noise: u64,
    /// The first of them, parity bits included.
    pub noise_head: SmallVec<[u8; 16]>,
    /// How often the meter said NAK.
    pub naks: u32,
    /// How many block checks did not fit.
    pub bad_checks: u32,
    /// The meter's block checks are 7-bit sums.
    pub sums: bool,
    /// The last error text the meter sent.
    pub error_text: Option<SmolStr>,
}
