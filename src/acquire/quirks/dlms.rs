//! Lists of numbers that lack something: the scaler, the unit, or even the code.

use crate::reading::{Obis, Unit};

/// What a number without scaler and unit means, by its OBIS code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convention {
    /// Whole W, var, V, Wh and varh; currents in 0.01 A, power factors in 0.001, frequencies in 0.01 Hz.
    ///
    /// Which: Landis+Gyr E450 and E570, and Iskra AM550 with the Swiss list of 2026.
    /// Evidence: published Swiss captures; U·I against P in E450 frames of three utilities; power factors near 1000.
    /// Wrong when: the AM550 sends tenths of a volt. Its values stay as they are, [`doubt`] makes them suspect.
    Push,
    /// Energies in 10 Wh, currents in 0.01 A, power factors in 0.01; the rest as [`Convention::Push`].
    ///
    /// Which: Kamstrup OMNIPOWER in Scandinavia, known by a first element `Kamstrup_V0001`.
    /// Evidence: Kamstrup's HAN-NVE description; amshan and amsreader-firmware do the same; power equals U·I in
    /// captures of direct meters.
    /// Wrong when: the meter is a CT meter. In a captured one U·I only fits with currents in 0.001 A.
    Kamstrup,
    /// Currents in 0.001 A, voltages in 0.1 V; the rest as [`Convention::Push`].
    ///
    /// Which: Kaifa MA304 and MA105 in Norway and Sweden, known by the list version `KFM_001`.
    /// Evidence: Kaifa's HAN-NVE description; amshan does the same; 2385 is 238.5 V, 3241 at 948 W is 3.241 A.
    /// Wrong when: a CT meter (MA304T) counts on its secondary side; no capture with a current is known.
    Kaifa,
}

impl Convention {
    /// The convention that a list version announces.
    pub(crate) fn announced_by(version: &str) -> Option<Self> {
        if version.starts_with("Kamstrup_") {
            Some(Self::Kamstrup)
        } else if version.starts_with("KFM_") {
            Some(Self::Kaifa)
        } else {
            None
        }
    }

    /// The power of ten and the unit of a number under this code.
    #[inline]
    pub(crate) fn of(self, obis: [u8; 6]) -> (i8, Option<Unit>) {
        let [1, _, c, d, e, _] = obis else { return (0, None) };
        let (power, unit) = match d {
            // Instantaneous values, averages and maxima of electricity.
            4..=7 | 14 | 24 | 27 => instantaneous(c, e),
            // Time integrals: since the beginning, over a period.
            8..=10 | 29 | 30 => (0, energy(c)),
            _ => (0, None),
        };
        let power = match (self, unit) {
            (Self::Kamstrup, Some(Unit::WH | Unit::VARH | Unit::VAH)) => 1,
            (Self::Kamstrup, None) if d == 7 && matches!(c, 13 | 33 | 53 | 73) => -2,
            (Self::Kaifa, Some(Unit::A)) => -3,
            (Self::Kaifa, Some(Unit::V)) => -1,
            _ => power,
        };
        (power, unit)
    }
}

fn instantaneous(c: u8, e: u8) -> (i8, Option<Unit>) {
    match c {
        1 | 2 | 15..=20 | 21 | 22 | 35..=40 | 41 | 42 | 55..=60 | 61 | 62 | 75..=80 => (0, Some(Unit::W)),
        3..=8 | 23..=28 | 43..=48 | 63..=68 => (0, Some(Unit::VAR)),
        9 | 10 | 29 | 30 | 49 | 50 | 69 | 70 => (0, Some(Unit::VA)),
        11 | 31 | 51 | 71 | 91 => (-2, Some(Unit::A)),
        12 | 32 | 52 | 72 | 92 => (0, Some(Unit::V)),
        13 | 33 | 53 | 73 => (-3, None),
        14 | 34 | 54 | 74 => (-2, Some(Unit::HZ)),
        81 if e != 0 => (0, Some(Unit::DEGREE)),
        _ => (0, None),
    }
}

fn energy(c: u8) -> Option<Unit> {
    match c {
        1 | 2 | 15..=20 | 21 | 22 | 35..=40 | 41 | 42 | 55..=60 | 61 | 62 | 75..=80 => Some(Unit::WH),
        3..=8 | 23..=28 | 43..=48 | 63..=68 => Some(Unit::VARH),
        9 | 10 | 29 | 30 | 49 | 50 | 69 | 70 => Some(Unit::VAH),
        _ => None,
    }
}

/// Why a number that was scaled by convention is not believed, as a sentence with the power of ten that would fit.
///
/// Phase voltages lie within 150 and 300 V or are 0, currents up to 125 A, powers up to 100 kW, frequencies within 45
/// and 55 Hz: what a connection of a household can have. CT meters go beyond, and are suspect until a scaler says more.
#[inline]
pub(crate) fn doubt(obis: [u8; 6], raw: i64, power: i8, unit: Option<Unit>) -> Option<String> {
    let (low, high) = match unit? {
        Unit::V => (150, 300),
        Unit::A => (0, 125),
        Unit::W | Unit::VAR | Unit::VA if matches!(obis[3], 4..=7) => (0, 100_000),
        Unit::HZ => (45, 55),
        _ => return None,
    };
    if fits(raw, power, low, high) { None } else { Some(doubt_text(obis, raw, power, unit, low, high)) }
}

#[inline]
fn fits(raw: i64, power: i8, low: i64, high: i64) -> bool {
    let one = match power {
        0 => 1,
        -1 => 10,
        -2 => 100,
        -3 => 1000,
        _ => 10_000,
    };
    // Powers of ten above one only occur with energies, and in the search for a better one.
    let raw = if power > 0 { raw.saturating_mul(10) } else { raw };
    raw == 0 || (low * one..=high * one).contains(&raw.saturating_abs())
}

#[cold]
fn doubt_text(obis: [u8; 6], raw: i64, power: i8, unit: Option<Unit>, low: i64, high: i64) -> String {
    let value = crate::reading::Decimal::new(raw, power);
    let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
    let better = [(-1, "0.1"), (-2, "0.01"), (1, "10")]
        .into_iter()
        .find(|(more, _)| power + more >= -4 && fits(raw, power + more, low, high))
        .map_or_else(|| "no power of ten fits".into(), |(_, factor)| format!("a factor of {factor} would fit"));
    let code = Obis::from_octets(obis).key();
    format!("{code} is {value}{unit}, outside {low} to {high}{unit}; sent without scaler, {better}")
}

/// A list whose numbers have no codes and whose meaning is known for one utility. Never applied unless chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PushList {
    /// Wiener Netze: nine elements, a date-time and eight counters and powers.
    ///
    /// Which: Landis+Gyr E450 and Iskra AM550 in Vienna, optical port. Evidence: the library
    /// wiener-netze-smartmeter-serial and a published frame. Wrong when: the utility adds an element; then it no longer
    /// fits and says so.
    WienerNetze,
    /// Netz Burgenland: eleven or fourteen elements, voltages first, the meter's number last.
    ///
    /// Which: Landis+Gyr E450 in Burgenland. Evidence: published captures; U·I·cos φ of the three angles gives the power
    /// within 3 %. Wrong when: 400 in the last three is an angle after all; taken for "no current".
    NetzBurgenland,
    /// Slovenia: two lists in turn, of nine and of fourteen elements, the meter's number first.
    ///
    /// Which: Landis+Gyr E450 ("IDIS 2DLM") in Slovenia. Evidence: one reporter's log. Wrong when: the meter is an AM550,
    /// whose Slovenian lists have other lengths and therefore do not fit.
    Slovenia,
}

/// The text names no built-in list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a push list; there are {names}", names = PushList::ALL.map(PushList::as_str).join(", "))]
pub struct PushListError(String);

/// What stands at one position of a list without codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The meter's time.
    Clock,
    /// The meter's number.
    Meter,
    /// A number of four octets.
    Long(Obis),
    /// A number of two octets.
    Short(Obis),
    /// An angle of two octets; 400 stands for none.
    Angle(Obis),
}

const fn long(c: u8, d: u8) -> Place {
    Place::Long(Obis::electricity(c, d, 0))
}

const fn short(c: u8) -> Place {
    Place::Short(Obis::electricity(c, 7, 0))
}

const fn angle(e: u8) -> Place {
    Place::Angle(Obis::electricity(81, 7, e))
}

const WIENER_NETZE: &[Place] =
    &[Place::Clock, long(1, 8), long(2, 8), long(3, 8), long(4, 8), long(1, 7), long(2, 7), long(3, 7), long(4, 7)];

const NETZ_BURGENLAND: &[Place] = &[
    short(32),
    short(52),
    short(72),
    short(31),
    short(51),
    short(71),
    long(1, 7),
    long(2, 7),
    long(1, 8),
    long(2, 8),
    angle(40),
    angle(51),
    angle(62),
    Place::Meter,
];

const NETZ_BURGENLAND_SHORT: &[Place] = &[
    short(32),
    short(52),
    short(72),
    short(31),
    short(51),
    short(71),
    long(1, 7),
    long(2, 7),
    long(1, 8),
    long(2, 8),
    Place::Meter,
];

const SLOVENIA_ENERGIES: &[Place] =
    &[Place::Meter, long(1, 7), long(2, 7), long(3, 7), long(4, 7), long(1, 8), long(2, 8), long(3, 8), long(4, 8)];

const SLOVENIA_PHASES: &[Place] = &[
    Place::Meter,
    short(14),
    short(31),
    short(51),
    short(71),
    short(32),
    short(52),
    short(72),
    long(21, 7),
    long(41, 7),
    long(61, 7),
    long(22, 7),
    long(42, 7),
    long(62, 7),
];

impl PushList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WienerNetze, Self::NetzBurgenland, Self::Slovenia];

    /// The name to choose it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WienerNetze => "wiener-netze",
            Self::NetzBurgenland => "netz-burgenland",
            Self::Slovenia => "slovenia",
        }
    }

    /// The lists it stands for; which one it is is told by the number of elements.
    pub(crate) const fn places(self) -> &'static [&'static [Place]] {
        match self {
            Self::WienerNetze => &[WIENER_NETZE],
            Self::NetzBurgenland => &[NETZ_BURGENLAND, NETZ_BURGENLAND_SHORT],
            Self::Slovenia => &[SLOVENIA_ENERGIES, SLOVENIA_PHASES],
        }
    }
}

impl std::fmt::Display for PushList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for PushList {
    type Err = PushListError;

    fn from_str(text: &str) -> Result<Self, PushListError> {
        Self::ALL.into_iter().find(|list| list.as_str() == text).ok_or_else(|| PushListError(text.into()))
    }
}

/// The codes of Kaifa's positional lists in Norway and Sweden (HAN-NVE, list version `KFM_001`), by length.
///
/// Lists of 1, 9, 13, 14 and 18 elements; those of 14 and 18 repeat the ones of 9 and 13 and add clock and counters each
/// hour. Evidence: Kaifa's description, amshan's field list, captures of MA304H3E and MA304T4.
pub(crate) fn kaifa_codes(count: usize) -> Option<&'static [[u8; 6]]> {
    const fn electricity(c: u8, d: u8) -> [u8; 6] {
        [1, 0, c, d, 0, 255]
    }
    const VERSION: [u8; 6] = [1, 1, 0, 2, 129, 255];
    const METER: [u8; 6] = [0, 0, 96, 1, 0, 255];
    const KIND: [u8; 6] = [0, 0, 96, 1, 7, 255];
    const CLOCK: [u8; 6] = [0, 0, 1, 0, 0, 255];
    const ONE: &[[u8; 6]] = &[electricity(1, 7)];
    const HOURLY_THREE: &[[u8; 6]] = &[
        VERSION,
        METER,
        KIND,
        electricity(1, 7),
        electricity(2, 7),
        electricity(3, 7),
        electricity(4, 7),
        electricity(31, 7),
        electricity(51, 7),
        electricity(71, 7),
        electricity(32, 7),
        electricity(52, 7),
        electricity(72, 7),
        CLOCK,
        electricity(1, 8),
        electricity(2, 8),
        electricity(3, 8),
        electricity(4, 8),
    ];
    const HOURLY_ONE: &[[u8; 6]] = &[
        VERSION,
        METER,
        KIND,
        electricity(1, 7),
        electricity(2, 7),
        electricity(3, 7),
        electricity(4, 7),
        electricity(31, 7),
        electricity(32, 7),
        CLOCK,
        electricity(1, 8),
        electricity(2, 8),
        electricity(3, 8),
        electricity(4, 8),
    ];
    match count {
        1 => Some(ONE),
        9 => HOURLY_ONE.get(..9),
        13 => HOURLY_THREE.get(..13),
        14 => Some(HOURLY_ONE),
        18 => Some(HOURLY_THREE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(convention: Convention, c: u8, d: u8, expected: (i8, Option<Unit>)) {
        assert_eq!(convention.of([1, 1, c, d, 0, 255]), expected, "{convention:?} {c}.{d}");
    }

    #[test]
    fn units_by_code() {
        check(Convention::Push, 1, 8, (0, Some(Unit::WH)));
        check(Convention::Push, 5, 8, (0, Some(Unit::VARH)));
        check(Convention::Push, 1, 7, (0, Some(Unit::W)));
        check(Convention::Push, 4, 7, (0, Some(Unit::VAR)));
        check(Convention::Push, 32, 7, (0, Some(Unit::V)));
        check(Convention::Push, 31, 7, (-2, Some(Unit::A)));
        check(Convention::Push, 13, 7, (-3, None));
        check(Convention::Push, 14, 7, (-2, Some(Unit::HZ)));
        check(Convention::Push, 0, 0, (0, None));
        check(Convention::Kamstrup, 1, 8, (1, Some(Unit::WH)));
        check(Convention::Kamstrup, 31, 7, (-2, Some(Unit::A)));
        check(Convention::Kamstrup, 33, 7, (-2, None));
        check(Convention::Kamstrup, 32, 7, (0, Some(Unit::V)));
        check(Convention::Kaifa, 31, 7, (-3, Some(Unit::A)));
        check(Convention::Kaifa, 52, 7, (-1, Some(Unit::V)));
        check(Convention::Kaifa, 1, 8, (0, Some(Unit::WH)));
        assert_eq!(Convention::Push.of([0, 1, 24, 2, 1, 255]), (0, None));
    }

    #[test]
    fn what_no_household_has_is_doubted() {
        let doubt = |c, raw| {
            let obis = [1, 0, c, 7, 0, 255];
            let (power, unit) = Convention::Push.of(obis);
            doubt(obis, raw, power, unit)
        };
        for (c, raw) in [(32, 230), (32, 0), (31, 0), (31, 12_500), (1, 100_000), (14, 5_000), (13, 941)] {
            assert_eq!(doubt(c, raw), None, "{c} {raw}");
        }
        assert_eq!(
            doubt(32, 2347).unwrap(),
            "1-0:32.7.0 is 2347 V, outside 150 to 300 V; sent without scaler, a factor of 0.1 would fit"
        );
        assert!(doubt(14, 500).unwrap().ends_with("a factor of 10 would fit"));
        assert!(doubt(14, 300).unwrap().ends_with("no power of ten fits"));
        assert!(doubt(31, 90_999).unwrap().contains("909.99 A"));
        assert!(doubt(1, i64::MIN).is_some());
    }

    #[test]
    fn lists_are_chosen_by_name() {
        for list in PushList::ALL {
            assert_eq!(list.to_string().parse(), Ok(list));
        }
        let error = "wien".parse::<PushList>().unwrap_err().to_string();
        assert_eq!(error, "'wien' is not a push list; there are wiener-netze, netz-burgenland, slovenia");
    }
}
