//! Units of measurement: the complete DLMS/SML table, with the decimal prefixes that text protocols print.

use smol_str::SmolStr;

/// A unit: an entry of the DLMS table (Blue Book Table 4) with a power of ten in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit {
    code: u8,
    prefix: i8,
}

/// What kind of quantity a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Wh and its multiples.
    ActiveEnergy,
    /// varh.
    ReactiveEnergy,
    /// VAh.
    ApparentEnergy,
    /// W.
    ActivePower,
    /// var.
    ReactivePower,
    /// VA.
    ApparentPower,
    /// V.
    Voltage,
    /// A.
    Current,
    /// Hz.
    Frequency,
    /// Degrees of angle.
    Angle,
    /// m³, l.
    Volume,
    /// J.
    Heat,
    /// s, min, h, d and longer.
    Duration,
    /// Anything else of the table.
    Other,
}

impl Unit {
    /// Watt-hours.
    pub const WH: Self = Self { code: 30, prefix: 0 };
    /// Kilowatt-hours.
    pub const KWH: Self = Self { code: 30, prefix: 3 };
    /// Var-hours.
    pub const VARH: Self = Self { code: 32, prefix: 0 };
    /// Volt-ampere-hours.
    pub const VAH: Self = Self { code: 31, prefix: 0 };
    /// Watts.
    pub const W: Self = Self { code: 27, prefix: 0 };
    /// Kilowatts.
    pub const KW: Self = Self { code: 27, prefix: 3 };
    /// Vars.
    pub const VAR: Self = Self { code: 29, prefix: 0 };
    /// Volt-amperes.
    pub const VA: Self = Self { code: 28, prefix: 0 };
    /// Volts.
    pub const V: Self = Self { code: 35, prefix: 0 };
    /// Amperes.
    pub const A: Self = Self { code: 33, prefix: 0 };
    /// Hertz.
    pub const HZ: Self = Self { code: 44, prefix: 0 };
    /// Degrees of angle.
    pub const DEGREE: Self = Self { code: 8, prefix: 0 };
    /// Cubic metres.
    pub const M3: Self = Self { code: 13, prefix: 0 };
    /// Seconds.
    pub const S: Self = Self { code: 7, prefix: 0 };
    /// A unit the table does not know: how the meter prints it stands in the register's text
    /// ([`Register::unit_text`](super::Register::unit_text)).
    pub const OTHER: Self = Self { code: 254, prefix: 0 };

    /// The unit of a DLMS or SML unit number; `None` for 255 (no unit) and for numbers the table leaves free.
    #[must_use]
    #[inline]
    pub fn from_dlms(code: u8) -> Option<Self> {
        (code != 255 && !SYMBOLS[usize::from(code)].is_empty()).then_some(Self { code, prefix: 0 })
    }

    /// The unit of a DLMS unit number and the power of ten in front of it, as [`Unit::dlms_code`] and [`Unit::prefix`]
    /// give them; `None` for numbers the table leaves free.
    #[must_use]
    pub fn from_parts(code: u8, prefix: i8) -> Option<Self> {
        Self::from_dlms(code).map(|unit| Self { prefix, ..unit })
    }

    /// The number of the unit in the DLMS table.
    #[must_use]
    pub const fn dlms_code(self) -> u8 {
        self.code
    }

    /// The power of ten in front of the unit: 3 for kilo.
    #[must_use]
    pub const fn prefix(self) -> i8 {
        self.prefix
    }

    /// The unit of a text, whatever its case: `kWh`, `KWH`, `kVArh`, `m3`, `deg`.
    #[must_use]
    #[inline]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// [`Unit::parse`] for bytes off the wire.
    #[must_use]
    #[inline]
    pub fn parse_bytes(text: &[u8]) -> Option<Self> {
        // The handful that make up nearly every telegram.
        match text {
            [b'k', b'W', b'h'] => return Some(Self::KWH),
            [b'k', b'W'] => return Some(Self::KW),
            [b'V'] => return Some(Self::V),
            [b'A'] => return Some(Self::A),
            [b'W'] => return Some(Self::W),
            [b'W', b'h'] => return Some(Self::WH),
            [b'm', b'3'] => return Some(Self::M3),
            [b's'] => return Some(Self::S),
            [b'k', b'v' | b'V', b'a' | b'A', b'r', b'h'] => return Some(Self { code: 32, prefix: 3 }),
            [b'k', b'v' | b'V', b'a' | b'A', b'r'] => return Some(Self { code: 29, prefix: 3 }),
            [b'H', b'z'] => return Some(Self::HZ),
            _ => {}
        }
        Self::look_up(text)
    }

    /// The unit of a rarer spelling.
    fn look_up(text: &[u8]) -> Option<Self> {
        if text.len() > 8 {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?.trim();
        let lower = text.to_lowercase();
        if let Some(&(_, code, prefix)) = SPELLINGS.iter().find(|(spelling, ..)| *spelling == lower) {
            return Some(Self { code, prefix });
        }
        // The other entries of the table as they are written there.
        let code = SYMBOLS.iter().position(|symbol| !symbol.is_empty() && symbol.to_lowercase() == lower)?;
        // The C of a text is a degree Celsius and no coulomb; as it is neither printed nor meant like one, it is unknown.
        if code == usize::from(COULOMB) {
            return None;
        }
        Some(Self { code: u8::try_from(code).ok()?, prefix: 0 })
    }

    /// The symbol as printed: `kWh`, `var`, `m3`, `deg`.
    #[must_use]
    pub fn symbol(self) -> SmolStr {
        let base = SYMBOLS[usize::from(self.code)];
        let prefix = match self.prefix {
            9 => "G",
            6 => "M",
            3 => "k",
            -3 => "m",
            _ => return SmolStr::new_static(base),
        };
        SmolStr::from_iter([prefix, base])
    }

    /// What it measures.
    #[must_use]
    pub const fn quantity(self) -> Quantity {
        match self.code {
            30 => Quantity::ActiveEnergy,
            32 => Quantity::ReactiveEnergy,
            31 => Quantity::ApparentEnergy,
            27 => Quantity::ActivePower,
            29 => Quantity::ReactivePower,
            28 => Quantity::ApparentPower,
            35 => Quantity::Voltage,
            33 => Quantity::Current,
            44 => Quantity::Frequency,
            8 => Quantity::Angle,
            13 | 14 | 19 => Quantity::Volume,
            25 => Quantity::Heat,
            1..=7 => Quantity::Duration,
            _ => Quantity::Other,
        }
    }

    /// The normal form of the quantity and by how many places the decimal point moves to get there.
    ///
    /// Energy in kWh, kvarh, kVAh; heat in GJ; volumes in m³; everything else without a prefix.
    #[must_use]
    pub const fn normal(self) -> (Self, i8) {
        let (code, prefix, places) = match self.code {
            30..=32 => (self.code, 3, self.prefix - 3),
            25 => (25, 9, self.prefix - 9),
            19 => (13, 0, self.prefix - 3),
            code => (code, 0, self.prefix),
        };
        (Self { code, prefix }, places)
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.symbol())
    }
}

/// The number of C in the DLMS table.
const COULOMB: u8 = 34;

/// Spellings met in the field, in lower case. `m` before A and V is milli, before W, Wh and J mega.
const SPELLINGS: &[(&str, u8, i8)] = &[
    ("wh", 30, 0),
    ("kwh", 30, 3),
    ("mwh", 30, 6),
    ("gwh", 30, 9),
    ("w", 27, 0),
    ("kw", 27, 3),
    ("mw", 27, 6),
    ("varh", 32, 0),
    ("kvarh", 32, 3),
    ("mvarh", 32, 6),
    ("var", 29, 0),
    ("kvar", 29, 3),
    ("mvar", 29, 6),
    ("va", 28, 0),
    ("kva", 28, 3),
    ("mva", 28, 6),
    ("vah", 31, 0),
    ("kvah", 31, 3),
    ("mvah", 31, 6),
    ("v", 35, 0),
    ("kv", 35, 3),
    ("mv", 35, -3),
    ("a", 33, 0),
    ("ka", 33, 3),
    ("ma", 33, -3),
    ("hz", 44, 0),
    ("deg", 8, 0),
    ("°", 8, 0),
    ("m3", 13, 0),
    ("m³", 13, 0),
    ("dm3", 19, 0),
    ("l", 19, 0),
    ("j", 25, 0),
    ("mj", 25, 6),
    ("gj", 25, 9),
    ("s", 7, 0),
    ("min", 6, 0),
    ("h", 5, 0),
    ("°c", 9, 0),
    ("m3/h", 15, 0),
    ("%", 56, 0),
];

/// Symbols by DLMS unit number; empty where the table leaves a number free.
const SYMBOLS: [&str; 256] = {
    let mut table = [""; 256];
    let mut at = 0;
    while at < DLMS.len() {
        table[DLMS[at].0 as usize] = DLMS[at].1;
        at += 1;
    }
    table
};

/// DLMS UA 1000-1 (Blue Book), Table 4.
const DLMS: &[(u8, &str)] = &[
    (1, "a"),
    (2, "mo"),
    (3, "wk"),
    (4, "d"),
    (5, "h"),
    (6, "min"),
    (7, "s"),
    (8, "deg"),
    (9, "°C"),
    (10, "currency"),
    (11, "m"),
    (12, "m/s"),
    (13, "m3"),
    (14, "m3 corr"),
    (15, "m3/h"),
    (16, "m3/h corr"),
    (17, "m3/d"),
    (18, "m3/d corr"),
    (19, "l"),
    (20, "kg"),
    (21, "N"),
    (22, "Nm"),
    (23, "Pa"),
    (24, "bar"),
    (25, "J"),
    (26, "J/h"),
    (27, "W"),
    (28, "VA"),
    (29, "var"),
    (30, "Wh"),
    (31, "VAh"),
    (32, "varh"),
    (33, "A"),
    (34, "C"),
    (35, "V"),
    (36, "V/m"),
    (37, "F"),
    (38, "Ω"),
    (39, "Ωm2/m"),
    (40, "Wb"),
    (41, "T"),
    (42, "A/m"),
    (43, "H"),
    (44, "Hz"),
    (45, "1/Wh"),
    (46, "1/varh"),
    (47, "1/VAh"),
    (48, "V2h"),
    (49, "A2h"),
    (50, "kg/s"),
    (51, "S"),
    (52, "K"),
    (53, "1/V2h"),
    (54, "1/A2h"),
    (55, "1/m3"),
    (56, "%"),
    (57, "Ah"),
    (60, "Wh/m3"),
    (61, "J/m3"),
    (62, "mol %"),
    (63, "g/m3"),
    (64, "Pa s"),
    (65, "J/kg"),
    (66, "g/cm2"),
    (67, "atm"),
    (70, "dBm"),
    (71, "dBµV"),
    (72, "dB"),
    (128, "in"),
    (129, "ft"),
    (130, "lb"),
    (131, "°F"),
    (132, "°R"),
    (133, "in2"),
    (134, "ft2"),
    (135, "acre"),
    (136, "in3"),
    (137, "ft3"),
    (138, "acre-ft"),
    (139, "gal imp"),
    (140, "gal US"),
    (141, "lbf"),
    (142, "psi"),
    (143, "lb/ft3"),
    (144, "lb/(ft s)"),
    (145, "ft2/s"),
    (146, "Btu"),
    (147, "therm EU"),
    (148, "therm US"),
    (149, "Btu/lb"),
    (150, "Btu/ft3"),
    (151, "ft3 vol"),
    (152, "ft/s"),
    (153, "ft3/s"),
    (154, "ft3/min"),
    (155, "ft3/h"),
    (156, "ft3/d"),
    (157, "acre-ft/s"),
    (158, "acre-ft/min"),
    (159, "acre-ft/h"),
    (160, "acre-ft/d"),
    (161, "gal imp vol"),
    (162, "gal imp/s"),
    (163, "gal imp/min"),
    (164, "gal imp/h"),
    (165, "gal imp/d"),
    (166, "gal US vol"),
    (167, "gal US/s"),
    (168, "gal US/min"),
    (169, "gal US/h"),
    (170, "gal US/d"),
    (171, "Btu/s"),
    (172, "Btu/min"),
    (173, "Btu/h"),
    (174, "Btu/d"),
    (253, "extended"),
    (254, "other"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_field_are_one_unit() {
        for (spelling, symbol) in [
            ("kWh", "kWh"),
            ("KWH", "kWh"),
            ("kwh", "kWh"),
            ("kVArh", "kvarh"),
            ("kVarh", "kvarh"),
            ("kVAr", "kvar"),
            ("kVA", "kVA"),
            ("VA", "VA"),
            ("mA", "mA"),
            ("MWh", "MWh"),
            ("v", "V"),
            ("deg", "deg"),
            ("m³", "m3"),
            ("GJ", "GJ"),
            ("Hz", "Hz"),
            ("bar", "bar"),
            ("Mvar", "Mvar"),
            ("MVA", "MVA"),
            ("GWh", "GWh"),
        ] {
            assert_eq!(Unit::parse(spelling).map(|u| u.symbol().to_string()), Some(symbol.into()), "{spelling}");
        }
        for no_unit in ["", "xyz", "kilowatts", "S]", "C", "l/h"] {
            assert_eq!(Unit::parse(no_unit), None, "{no_unit}");
        }
    }

    #[test]
    fn var_is_not_volt_ampere() {
        assert_ne!(Unit::parse("kvar"), Unit::parse("kVA"));
        assert_eq!(Unit::VAR.quantity(), Quantity::ReactivePower);
    }

    #[test]
    fn the_table_is_complete_and_its_free_numbers_are_no_unit() {
        let named = (0..=255u8).filter(|&code| Unit::from_dlms(code).is_some()).count();
        assert_eq!(named, DLMS.len());
        for free in [0, 58, 59, 68, 69, 73, 127, 175, 252, 255] {
            assert_eq!(Unit::from_dlms(free), None, "{free}");
        }
        assert_eq!(Unit::from_dlms(44), Some(Unit::HZ));
        assert_eq!(Unit::from_dlms(67).unwrap().symbol(), "atm");
    }

    #[test]
    fn normal_forms() {
        assert_eq!(Unit::WH.normal(), (Unit::KWH, -3));
        assert_eq!(Unit::parse("kW").unwrap().normal(), (Unit::W, 3));
        assert_eq!(Unit::parse("MJ").unwrap().normal().1, -3);
        assert_eq!(Unit::parse("dm3").unwrap().normal(), (Unit::M3, -3));
        assert_eq!(Unit::V.normal(), (Unit::V, 0));
    }
}
