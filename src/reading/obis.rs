//! OBIS codes: which quantity a register holds (IEC 62056-61).
//!
//! ```text
//! 1 - 0 : 1 . 8 . 0 * 255
//! │   │   │   │   │   └ F  billing period, 255 = current
//! │   │   │   │   └ E      tariff, 0 = total
//! │   │   │   └ D          processing: 7 instantaneous, 8 since the beginning
//! │   │   └ C              quantity: 1 active energy import, 32 voltage L1
//! │   └ B                  channel
//! └ A                      medium: 0 abstract, 1 electricity, 7 gas
//! ```

use smol_str::{SmolStr, SmolStrBuilder};
use std::fmt::{self, Write as _};

/// A numeric OBIS code, its six value groups.
///
/// Kept as one number, A in the highest place: readings hold dozens of codes, and a word is written and compared at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Obis(u64);

/// The text is no OBIS code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an OBIS code; write it like 1.8.0, 1-0:1.8.0 or 1-0:1.8.0*255")]
pub struct ObisError(SmolStr);

impl Obis {
    /// A code from its six value groups.
    #[must_use]
    pub const fn new(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) -> Self {
        Self::from_octets([a, b, c, d, e, f])
    }

    /// A current electricity register, `1-0:c.d.e*255`.
    #[must_use]
    pub const fn electricity(c: u8, d: u8, e: u8) -> Self {
        Self::new(1, 0, c, d, e, 255)
    }

    /// The code of six octets on the wire, in the order A to F.
    #[must_use]
    #[inline]
    pub const fn from_octets(octets: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = octets;
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The six octets in the order A to F.
    #[must_use]
    #[inline]
    pub const fn octets(self) -> [u8; 6] {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Medium.
    #[must_use]
    pub const fn a(self) -> u8 {
        self.octets()[0]
    }

    /// Channel.
    #[must_use]
    pub const fn b(self) -> u8 {
        self.octets()[1]
    }

    /// Quantity.
    #[must_use]
    pub const fn c(self) -> u8 {
        self.octets()[2]
    }

    /// Processing.
    #[must_use]
    pub const fn d(self) -> u8 {
        self.octets()[3]
    }

    /// Tariff.
    #[must_use]
    pub const fn e(self) -> u8 {
        self.octets()[4]
    }

    /// Billing period; 255 is the current value.
    #[must_use]
    pub const fn f(self) -> u8 {
        self.octets()[5]
    }

    /// The canonical key of archives, API and store: `1-0:1.8.0`, with `*F` only for a stored value.
    #[must_use]
    pub fn key(self) -> SmolStr {
        let mut key = SmolStrBuilder::new();
        let [a, b, c, d, e, f] = self.octets();
        // Writing to a string builder cannot fail.
        let _ = write!(key, "{a}-{b}:{c}.{d}.{e}");
        if f != 255 {
            let _ = write!(key, "*{f}");
        }
        key.finish()
    }
}

impl fmt::Debug for Obis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Obis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, period] = self.octets();
        write!(f, "{a}-{b}:{c}.{d}.{e}*{period}")
    }
}

impl std::str::FromStr for Obis {
    type Err = ObisError;

    /// Reads every written form: `1-0:1.8.0*255`, `1-0:1.8.0.255`, `1-0:1.8.0`, `1.8.0`, `1.8`, `C.1.0`.
    fn from_str(text: &str) -> Result<Self, ObisError> {
        match Code::parse(text.as_bytes()) {
            Code::Obis(obis) => Ok(obis),
            named @ Code::Named(_) => named.resolved().ok_or_else(|| ObisError(text.into())),
        }
    }
}

/// What a register stands under: a numeric OBIS code, or the text the meter printed in its place.
///
/// Letter groups keep their letter (`1-0:F.F*255`, `1-0:P.01*255`), a stored value of a reset by hand its ampersand
/// (`1-0:1.8.0&3`), and a name that is no code stays as it is (`FF`, `EMD01`): nothing is dropped for being unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// Six numbers.
    Obis(Obis),
    /// Text, completed by `1-0:` and `*255` where it has the form of a code.
    Named(SmolStr),
}

impl Code {
    /// The code of an address as text protocols print it. Never fails: what is no code is a name.
    #[must_use]
    #[inline]
    pub fn parse(address: &[u8]) -> Self {
        match parse_numeric(address) {
            Some(obis) => Self::Obis(obis),
            None => Self::Named(short_letters(address).unwrap_or_else(|| complete_letters(address))),
        }
    }

    /// The numeric code, where it was sent as numbers.
    #[must_use]
    pub const fn obis(&self) -> Option<Obis> {
        match self {
            Self::Obis(obis) => Some(*obis),
            Self::Named(_) => None,
        }
    }

    /// The numeric code, letters resolved: `C` = 96, `F` = 97, `L` = 98, `P` = 99 (IEC 62056-61, Table A.1).
    ///
    /// Service and error codes are abstract objects, so `C.1.0` and `F.F` resolve to `0-0:`.
    #[must_use]
    pub fn resolved(&self) -> Option<Obis> {
        let name = match self {
            Self::Obis(obis) => return Some(*obis),
            Self::Named(name) => name.as_str(),
        };
        // The form of nearly all: `1-0:C.1.0*255`.
        if let [b'1', b'-', b'0', b':', letter, b'.', d @ b'0'..=b'9', b'.', e @ b'0'..=b'9', b'*', b'2', b'5', b'5'] =
            name.as_bytes()
        {
            let (a, c) = match letter {
                b'C' => (0, 96),
                b'F' => (0, 97),
                b'L' => (1, 98),
                b'P' => (1, 99),
                _ => return None,
            };
            return Some(Obis::new(a, 0, c, d & 0x0F, e & 0x0F, 255));
        }
        let (prefix, rest) = name.split_once(':')?;
        let (a, b) = prefix.split_once('-')?;
        let (groups, period) = rest.split_once(['*', '&']).unwrap_or((rest, "255"));
        let mut groups = groups.split('.');
        let c = group_number(groups.next()?)?;
        let d = group_number(groups.next()?)?;
        let e = groups.next().map_or(Some(0), group_number)?;
        if groups.next().is_some() {
            return None;
        }
        let abstract_object = matches!(c, 96 | 97);
        let a = if abstract_object { 0 } else { a.parse().ok()? };
        Some(Obis::new(a, b.parse().ok()?, c, d, e, period.parse().ok()?))
    }

    /// Whether it holds the serial number of the meter or its server id, so that another text there is another meter: `C.1.0`,
    /// `0.0.0`, `42.0.0`, `96.1.0`, SML's `0.0.9`, DSMR's `0-0:96.1.1`. Not those of other channels, which are meters of other things.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        let Some([_, 0, c, d, e, _]) = self.resolved().map(Obis::octets) else { return false };
        matches!((c, d, e), (0, 0, 0 | 9) | (42, 0, 0) | (96, 1, 0 | 1 | 255))
    }

    /// The canonical key of archives, API and store; see [`Obis::key`].
    #[must_use]
    pub fn key(&self) -> SmolStr {
        match self {
            Self::Obis(obis) => obis.key(),
            Self::Named(name) => name.strip_suffix("*255").map_or_else(|| name.clone(), SmolStr::new),
        }
    }
}

impl From<Obis> for Code {
    fn from(obis: Obis) -> Self {
        Self::Obis(obis)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obis(obis) => write!(f, "{obis}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// `[A-][B:]C.D[.E][*F | .F]`, numbers only; one pass, because every data set of every telegram comes by here.
#[inline]
fn parse_numeric(address: &[u8]) -> Option<Obis> {
    let (mut a, mut b) = (1, 0);
    let mut groups = [0u8; 4];
    let mut count = 0usize;
    let mut period = None;
    let mut number: Option<u8> = None;
    let mut in_period = false;
    let (mut dash, mut colon) = (false, false);
    for &byte in address {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        match byte {
            b'-' if count == 0 && !dash && !colon => {
                a = number.take()?;
                dash = true;
            }
            b':' if count == 0 && !colon => {
                b = number.take()?;
                colon = true;
            }
            b'.' if !in_period => {
                *groups.get_mut(count)? = number.take()?;
                count += 1;
            }
            b'*' if !in_period => {
                *groups.get_mut(count)? = number.take()?;
                count += 1;
                in_period = true;
            }
            _ => return None,
        }
    }
    let last = number?;
    if in_period {
        period = Some(last);
    } else {
        *groups.get_mut(count)? = last;
        count += 1;
    }
    let [c, d, e, f] = groups;
    match (count, period) {
        (2 | 3, _) => Some(Obis::new(a, b, c, d, e, period.unwrap_or(255))),
        // Old EDIS meters write the stored-value number as a fourth dotted group.
        (4, None) => Some(Obis::new(a, b, c, d, e, f)),
        _ => None,
    }
}

/// The commonest letter codes, `C.1.0` and `F.F`, completed without taking them apart.
fn short_letters(address: &[u8]) -> Option<SmolStr> {
    match address {
        [b'C' | b'F', b'.', b'F'] | [b'C' | b'F' | b'L' | b'P', b'.', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            let text = std::str::from_utf8(address).ok()?;
            Some(SmolStr::from_iter(["1-0:", text, "*255"]))
        }
        _ => None,
    }
}

/// Completes a code with letter groups or an ampersand to `A-B:…*F`; any other text is returned as it is.
fn complete_letters(address: &[u8]) -> SmolStr {
    let text = String::from_utf8_lossy(address);
    let text = text.trim();
    let (prefix, rest) = match text.split_once(':') {
        Some((prefix, rest)) => (Some(prefix), rest),
        None => (None, text),
    };
    let (groups, period) = match rest.find(['*', '&']) {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let count = groups.split('.').count();
    let is_code = (2..=3).contains(&count)
        && groups.split('.').all(|g| group_number(g).is_some())
        && prefix.is_none_or(|p| p.split_once('-').is_some_and(|(a, b)| is_number(a) && is_number(b)))
        && period.is_none_or(|p| is_number(&p[1..]));
    if !is_code {
        return SmolStr::new(text);
    }
    let mut full = SmolStrBuilder::new();
    full.push_str(prefix.unwrap_or("1-0"));
    full.push(':');
    full.push_str(groups);
    full.push_str(period.unwrap_or("*255"));
    full.finish()
}

fn is_number(text: &str) -> bool {
    text.parse::<u8>().is_ok() && text.bytes().all(|b| b.is_ascii_digit())
}

fn group_number(group: &str) -> Option<u8> {
    match group {
        "C" => Some(96),
        "F" => Some(97),
        "L" => Some(98),
        "P" => Some(99),
        digits if is_number(digits) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, full: &str, key: &str) {
        let code = Code::parse(address.as_bytes());
        assert_eq!((code.to_string().as_str(), code.key().as_str()), (full, key), "{address}");
    }

    #[test]
    fn every_written_form_of_a_register_is_the_same_code() {
        for form in ["1-0:1.8.0*255", "1-0:1.8.0.255", "1-0:1.8.0", "1.8.0", "1.8"] {
            check(form, "1-0:1.8.0*255", "1-0:1.8.0");
        }
        check("0-2:24.2.1", "0-2:24.2.1*255", "0-2:24.2.1");
        check("32.7", "1-0:32.7.0*255", "1-0:32.7.0");
        check("1.8.0*01", "1-0:1.8.0*1", "1-0:1.8.0*1");
        check("1.8.1*00", "1-0:1.8.1*0", "1-0:1.8.1*0");
        check("1-0:1.8.0*100", "1-0:1.8.0*100", "1-0:1.8.0*100");
        check("1.6.1.05", "1-0:1.6.1*5", "1-0:1.6.1*5");
    }

    #[test]
    fn letters_ampersands_and_names_are_kept() {
        check("F.F", "1-0:F.F*255", "1-0:F.F");
        check("C.1.0", "1-0:C.1.0*255", "1-0:C.1.0");
        check("C.1.0*255", "1-0:C.1.0*255", "1-0:C.1.0");
        check("0-0:C.1.0", "0-0:C.1.0*255", "0-0:C.1.0");
        check("P.01", "1-0:P.01*255", "1-0:P.01");
        check("1.8.0&03", "1-0:1.8.0&03", "1-0:1.8.0&03");
        check("FF", "FF", "FF");
        check("EMD01", "EMD01", "EMD01");
        check("1-0:99:97.0", "1-0:99:97.0", "1-0:99:97.0");
        check("256.8.0", "256.8.0", "256.8.0");
        check("", "", "");
    }

    #[test]
    fn letters_resolve_to_their_numbers() {
        let resolved = |text: &str| Code::parse(text.as_bytes()).resolved().map(|o| o.to_string());
        assert_eq!(resolved("F.F").unwrap(), "0-0:97.97.0*255");
        assert_eq!(resolved("C.1.0").unwrap(), "0-0:96.1.0*255");
        assert_eq!(resolved("P.01").unwrap(), "1-0:99.1.0*255");
        assert_eq!(resolved("FF"), None);
        assert!("hello".parse::<Obis>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics_and_printing_is_stable(bytes: Vec<u8>) {
            let code = Code::parse(&bytes);
            let printed = code.to_string();
            proptest::prop_assert_eq!(Code::parse(printed.as_bytes()).to_string(), printed.trim());
            let _ = code.resolved();
        }

        #[test]
        fn a_numeric_code_survives_print_and_parse(groups: [u8; 6]) {
            let obis = Obis::from_octets(groups);
            proptest::prop_assert_eq!(obis.to_string().parse::<Obis>().unwrap(), obis);
            proptest::prop_assert_eq!(obis.key().parse::<Obis>().unwrap(), obis);
        }
    }
}
