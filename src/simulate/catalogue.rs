//! The meters there are to choose from.

use super::fault::{Faults, Kind};
use super::meter::cosem::Cosem;
use super::meter::e450::{E450, PushKeys};
use super::meter::p1::P1;
use super::meter::sml::Sml;
use super::meter::stranger::{Gps, Modem};
use super::meter::text::{Mode, ModeD, Refusal, TextMeter};
use super::meter::{Direct, Meter, Pair, Push, Telegram, Tempo};
use super::works::{Setup, Works};

/// A meter of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is described in the table")]
pub enum Profile {
    E450,
    E450Ciphered,
    E450Blocks,
    E450BlocksCiphered,
    E450Optical,
    Dlms,
    ModeA,
    ModeB,
    ModeC,
    ModeD,
    P1,
    P1TenSeconds,
    P1Version2,
    Sml,
    Gps,
    Modem,
}

/// What is to be known of a meter of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Which.
    pub profile: Profile,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, how it speaks.
    pub what: &'static str,
    /// Whether it speaks without being asked.
    pub pushes: bool,
}

const fn row(profile: Profile, name: &'static str, pushes: bool, what: &'static str) -> Description {
    Description { profile, name, what, pushes }
}

/// Every meter.
pub const TABLE: &[Description] = &[
    row(Profile::E450, "e450", true, "Landis+Gyr E450, customer interface: DLMS push every 5 s, 2400 8E1"),
    row(Profile::E450Ciphered, "e450-ciphered", true, "the same, enciphered and authenticated (security control 30)"),
    row(Profile::E450Blocks, "e450-blocks", true, "the same as e450, by general block transfer"),
    row(Profile::E450BlocksCiphered, "e450-blocks-ciphered", true, "both: enciphered, then in blocks"),
    row(
        Profile::E450Optical,
        "e450-optical",
        false,
        "the same by its optical port: mode E, 300 7E1, then DLMS at 9600 8N1",
    ),
    row(Profile::Dlms, "dlms", false, "the same without a sign-on before: DLMS at 9600 8N1"),
    row(Profile::ModeA, "mode-a", false, "IEC 62056-21 mode A: asked at 300 7E1, answers at 300 Bd"),
    row(Profile::ModeB, "mode-b", false, "IEC 62056-21 mode B: asked at 300 7E1, answers at 9600 Bd"),
    row(Profile::ModeC, "mode-c", false, "IEC 62056-21 mode C: 300 to 9600 7E1; programming mode, load profile, log"),
    row(Profile::ModeD, "mode-d", true, "IEC 62056-21 mode D: pushed every 5 s, 2400 7E1"),
    row(Profile::P1, "p1", true, "DSMR 5.0 P1: every second, 115200 8N1"),
    row(Profile::P1TenSeconds, "p1-10s", true, "DSMR 4.2 P1: every 10 s, 115200 8N1"),
    row(Profile::P1Version2, "p1-v2", true, "DSMR 2.2 P1: every 10 s, 9600 7E1, no checksum"),
    row(Profile::Sml, "sml", true, "German basic meter: SML every second, 9600 8N1"),
    row(Profile::Gps, "gps", true, "no meter: NMEA sentences, 4800 8N1"),
    row(Profile::Modem, "modem", false, "no meter: a modem that answers AT, at any speed"),
];

impl Profile {
    /// The profile of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.profile)
    }

    /// What is to be known of it.
    #[must_use]
    pub fn describe(self) -> &'static Description {
        TABLE.iter().find(|row| row.profile == self).unwrap_or(&TABLE[0])
    }

    /// Whether its telegrams are enciphered.
    #[must_use]
    pub const fn is_ciphered(self) -> bool {
        matches!(self, Self::E450Ciphered | Self::E450BlocksCiphered)
    }

    /// Whether there are keys to it.
    #[must_use]
    pub const fn has_keys(self) -> bool {
        self.is_ciphered() || matches!(self, Self::E450Optical | Self::Dlms)
    }

    /// Whether a fault means anything for it.
    #[must_use]
    pub fn knows(self, fault: Kind) -> bool {
        match fault {
            Kind::NoPin => self == Self::Sml,
            Kind::NoPush => {
                matches!(self, Self::E450 | Self::E450Ciphered | Self::E450Blocks | Self::E450BlocksCiphered)
            }
            Kind::ModeEOnly => self == Self::E450Optical,
            Kind::IdentOnly => matches!(self, Self::ModeA | Self::ModeB | Self::ModeC),
            Kind::Checksum => !matches!(self, Self::ModeD | Self::P1Version2 | Self::Gps | Self::Modem),
            Kind::TwoMeters => self.describe().pushes,
            _ => true,
        }
    }

    /// The meter. What is asked lives by the `tempo`, what pushes by the time it is driven with.
    #[must_use]
    pub fn build(self, setup: &Setup, faults: &Faults, tempo: Tempo) -> Box<dyn Meter> {
        let works = Works::new(setup);
        let text = |mode| {
            let refusal = Refusal { after_identification: faults.has(Kind::IdentOnly), of_text: false };
            Box::new(TextMeter::new(works.clone(), mode, tempo).refusing(refusal))
        };
        let keys = self.is_ciphered().then_some(PushKeys::EXAMPLE);
        match self {
            Self::E450 | Self::E450Ciphered | Self::E450Blocks | Self::E450BlocksCiphered => {
                let in_blocks = matches!(self, Self::E450Blocks | Self::E450BlocksCiphered);
                let e450 = E450::new(keys, in_blocks);
                let e450 = if faults.has(Kind::NoPush) { e450.disabled() } else { e450 };
                pushing(setup, faults, works, e450)
            }
            Self::E450Optical => {
                let station = Cosem::new(&works, faults.has(Kind::ModeEOnly));
                let refusal = Refusal { of_text: true, ..Refusal::default() };
                let meter = TextMeter::new(works, Mode::C, tempo);
                Box::new(meter.with_station(Box::new(station)).refusing(refusal))
            }
            Self::Dlms => {
                let station = Cosem::new(&works, false);
                Box::new(Direct::new(works, tempo, Box::new(station)))
            }
            Self::ModeA => text(Mode::A),
            Self::ModeB => text(Mode::B),
            Self::ModeC => text(Mode::C),
            Self::ModeD => pushing(setup, faults, works, ModeD),
            Self::P1 => pushing(setup, faults, works, P1::V5),
            Self::P1TenSeconds => pushing(setup, faults, works, P1::V4),
            Self::P1Version2 => pushing(setup, faults, works, P1::V2),
            Self::Sml => pushing(setup, faults, works, Sml::new(!faults.has(Kind::NoPin))),
            Self::Gps => pushing(setup, faults, works, Gps),
            Self::Modem => Box::new(Modem::new(works)),
        }
    }
}

/// One meter that pushes this, or two of neighbouring households.
fn pushing<T: Telegram + Clone + 'static>(setup: &Setup, faults: &Faults, works: Works, telegram: T) -> Box<dyn Meter> {
    let first = Box::new(Push::new(works, telegram.clone()));
    if !faults.has(Kind::TwoMeters) {
        return first;
    }
    let neighbour = Works::new(&Setup { seed: setup.seed.wrapping_add(1), ..setup.clone() });
    Box::new(Pair::new(first, Box::new(Push::new(neighbour, telegram))))
}
