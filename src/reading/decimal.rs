//! Exact decimal numbers: an integer mantissa and a power of ten.
//!
//! A meter's `000441.879` is the mantissa 441879 and the exponent −3, and stays so from the wire to the JSON.
//! Nothing here rounds: what does not fit is an error.

use std::cmp::Ordering;
use std::fmt;

/// An exact decimal number, `mantissa × 10^exponent`.
///
/// Equality and order are by value (`1.50 == 1.5`); the digits as sent are kept and printed.
///
/// ```
/// use releve::reading::Decimal;
/// let counter: Decimal = "000441.879".parse().unwrap();
/// assert_eq!(counter.to_string(), "441.879");
/// assert_eq!(counter, Decimal::new(441_879_0, -4));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i64,
    exponent: i8,
}

/// Why a text or a sum is no exact decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text has other characters than a sign, digits and one point, or no digit at all.
    #[error("not a decimal number")]
    Syntax,
    /// More digits than an exact 64-bit mantissa holds.
    #[error("more than 18 significant digits")]
    Overflow,
}

impl Decimal {
    /// Zero, without decimals.
    pub const ZERO: Self = Self::new(0, 0);

    /// `mantissa × 10^exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The integer digits.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// The power of ten; −3 for three decimals.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// Reads digits with an optional sign and one decimal point, `[+-]ddd[.ddd]`; leading zeros do not count.
    ///
    /// # Errors
    /// [`DecimalError`] where the bytes are no such number or have too many digits. Nothing is rounded.
    #[inline]
    pub fn parse_bytes(text: &[u8]) -> Result<Self, DecimalError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mut mantissa: i64 = 0;
        let mut decimals: i8 = 0;
        let mut after_point = false;
        let mut seen = false;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                mantissa = mantissa
                    .checked_mul(10)
                    .and_then(|m| m.checked_add(i64::from(digit)))
                    .ok_or(DecimalError::Overflow)?;
                seen = true;
                if after_point {
                    decimals = decimals.checked_add(1).ok_or(DecimalError::Overflow)?;
                }
            } else if byte == b'.' && !after_point {
                after_point = true;
            } else {
                return Err(DecimalError::Syntax);
            }
        }
        if !seen {
            return Err(DecimalError::Syntax);
        }
        Ok(Self::new(if negative { -mantissa } else { mantissa }, -decimals))
    }

    /// The same digits with the decimal point moved by `places`; `2.345` kW shifted by 3 is `2345` W.
    ///
    /// A whole number stays a whole number: `2 × 10^1` prints as `20`.
    #[must_use]
    pub const fn shifted(self, places: i8) -> Option<Self> {
        match self.exponent.checked_add(places) {
            Some(exponent) => Some(Self::new(self.mantissa, exponent)),
            None => None,
        }
    }

    /// The exact sum, with as many decimals as the finer of the two.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let sum = self.at(exponent)?.checked_add(other.at(exponent)?)?;
        i64::try_from(sum).ok().map(|mantissa| Self::new(mantissa, exponent))
    }

    /// The exact difference.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.checked_neg()?)
    }

    /// The number with the opposite sign.
    #[must_use]
    pub fn checked_neg(self) -> Option<Self> {
        Some(Self::new(self.mantissa.checked_neg()?, self.exponent))
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self::new(self.mantissa.saturating_abs(), self.exponent)
    }

    /// Whether the number is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The nearest binary fraction: for charts, statistics and the old database's columns, never for what is kept.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // Both sides are exact doubles up to 2^53 and 10^22, so the division rounds once, to the closest.
        #[allow(clippy::cast_precision_loss)]
        if self.mantissa.unsigned_abs() < 1 << 53 && (-15..=0).contains(&self.exponent) {
            return self.mantissa as f64 / 10f64.powi(i32::from(self.exponent.unsigned_abs()));
        }
        // Parsing the printed digits gives the closest double; powi would be off by an ulp.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The shortest decimal that is this binary fraction; `None` for what is no number or has more than 18 digits.
    ///
    /// For values that other programs kept as binary fractions.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        // A whole number over an exact power of ten rounds once, as reading its digits does: the first that gives the
        // value back is the shortest.
        let mut power = 1.0;
        for exponent in 0..=9i8 {
            let scaled = (value * power).round();
            if scaled.abs() >= 9e15 {
                break;
            }
            if scaled / power == value {
                // Below 2^53, so nothing is cut off.
                #[allow(clippy::cast_possible_truncation)]
                return Some(Self::new(scaled as i64, -exponent));
            }
            power *= 10.0;
        }
        value.to_string().parse().ok()
    }

    fn at(self, exponent: i8) -> Option<i128> {
        let power = usize::try_from(i16::from(self.exponent) - i16::from(exponent)).ok()?;
        match POWERS.get(power) {
            // 2^63 * 10^18 is below 2^127.
            Some(&power) => Some(i128::from(power) * i128::from(self.mantissa)),
            None => 10i128.checked_pow(u32::try_from(power).ok()?)?.checked_mul(i128::from(self.mantissa)),
        }
    }

    /// Appends the digits to `out`: `441.879`, `-0.05`, `22721380`.
    ///
    /// Bytes, all of them ASCII: whole years are exported, and a text would be looked through once more.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        let decimals = usize::from(self.exponent.unsigned_abs());
        if self.exponent > 0 || decimals > MOST_DECIMALS {
            return self.write_far(out, decimals);
        }
        if decimals < 8
            && let Ok(mantissa) = u32::try_from(self.mantissa.unsigned_abs())
            && mantissa < 100_000_000
        {
            if self.mantissa < 0 {
                out.push(b'-');
            }
            return write_short(mantissa, decimals, out);
        }
        // From the last digit to the first: at most 18 decimals and the point, 20 digits, the sign.
        let mut buffer = [b'0'; 40];
        let end = buffer.len();
        let mut at = end;
        let mut rest = self.mantissa.unsigned_abs();
        for _ in 0..decimals {
            at -= 1;
            buffer[at] = digit(rest);
            rest /= 10;
        }
        if decimals > 0 {
            at -= 1;
            buffer[at] = b'.';
        }
        loop {
            at -= 1;
            buffer[at] = digit(rest);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if self.mantissa < 0 {
            at -= 1;
            buffer[at] = b'-';
        }
        out.extend_from_slice(&buffer[at..end]);
    }

    /// The same where the point stands far from the digits.
    #[cold]
    fn write_far(self, out: &mut Vec<u8>, places: usize) {
        if self.mantissa < 0 {
            out.push(b'-');
        }
        let digits = self.mantissa.unsigned_abs().to_string();
        if self.exponent < 0 {
            // There are more decimals than a mantissa has digits.
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', places.saturating_sub(digits.len())));
        }
        out.extend_from_slice(digits.as_bytes());
        if self.exponent > 0 && self.mantissa != 0 {
            out.extend(std::iter::repeat_n(b'0', places));
        }
    }
}

/// Appends a number below 10^8 with less than eight decimals.
///
/// Its eight digits are worked out side by side, the first in the lowest byte: fours, twos, ones. Eight bytes are appended
/// whatever the length is, and cut: that takes a fraction of the time of a copy of a length that is not known beforehand.
fn write_short(number: u32, decimals: usize, out: &mut Vec<u8>) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    // Multiplying and shifting divides exactly in these ranges: by 100 below 10^4, by 10 below 100.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    let ones = tens | (twos - tens * 10) << 8;
    // The highest digit that counts: the first that is not zero, or the one before the point.
    let leading = (ones.trailing_zeros() as usize / 8).min(7 - decimals);
    let digits = (ones | ZEROS) >> (8 * leading);
    let whole = 8 - leading - decimals;
    let point = out.len() + whole;
    out.extend_from_slice(&digits.to_le_bytes());
    out.truncate(point);
    if decimals > 0 {
        let behind = u64::from(b'.') | digits >> (8 * whole) << 8;
        out.extend_from_slice(&behind.to_le_bytes());
        out.truncate(point + 1 + decimals);
    }
}

/// The powers of ten that fit.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// Numbers with more decimals are rare.
const MOST_DECIMALS: usize = 18;
/// Nearly all numbers are no longer than this.
const USUAL: usize = 24;

/// The last digit of a number.
// Below ten, so the cast cannot lose anything.
#[allow(clippy::cast_possible_truncation)]
const fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::new(value, 0)
    }
}

impl std::str::FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::parse_bytes(text.as_bytes())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(USUAL);
        self.write_to(&mut text);
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.mantissa.signum().cmp(&other.mantissa.signum());
        if signs != Ordering::Equal || self.mantissa == 0 {
            return signs;
        }
        if self.exponent == other.exponent {
            return self.mantissa.cmp(&other.mantissa);
        }
        let exponent = self.exponent.min(other.exponent);
        // Where aligning overflows 128 bits, the one with the far larger power of ten is the larger in size.
        match (self.at(exponent), other.at(exponent)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, _) => self.mantissa.signum().cmp(&0),
            (_, None) => 0.cmp(&other.mantissa.signum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(input.parse::<Decimal>().unwrap().to_string(), expected, "{input}");
    }

    #[test]
    fn prints_the_digits_as_sent_without_leading_zeros() {
        check("000441.879", "441.879");
        check("0000.000", "0.000");
        check("-002.345", "-2.345");
        check("+1.00", "1.00");
        check(".5", "0.5");
        check("5.", "5");
        check("00032549.5061662", "32549.5061662");
        assert_eq!(Decimal::new(2_272_138, 1).to_string(), "22721380");
        assert_eq!(Decimal::new(0, 1).to_string(), "0");
        assert_eq!(Decimal::new(-5, -2).to_string(), "-0.05");
        assert_eq!(Decimal::new(i64::MIN, -18).to_string(), "-9.223372036854775808");
    }

    /// Short numbers are written another way than long ones.
    #[test]
    fn short_numbers_are_written_like_any_other() {
        let edges = (0..9).flat_map(|power| [-1, 0, 1, 5].map(|more| 10i64.pow(power) + more));
        let some = (0..1_000_000).step_by(97).chain([99_999_999, 12_345_678, 10_203_040]);
        for mantissa in edges.chain(some).flat_map(|mantissa| [mantissa, -mantissa]) {
            for decimals in 0..=9 {
                let width = decimals + 1;
                let digits = format!("{:0width$}", mantissa.unsigned_abs());
                let (whole, rest) = digits.split_at(digits.len() - decimals);
                let point = if decimals > 0 { "." } else { "" };
                let sign = if mantissa < 0 { "-" } else { "" };
                let exponent = -i8::try_from(decimals).unwrap();
                assert_eq!(Decimal::new(mantissa, exponent).to_string(), format!("{sign}{whole}{point}{rest}"));
            }
        }
    }

    #[test]
    fn refuses_what_is_no_exact_number() {
        for text in ["", "-", ".", "1.2.3", "1e5", "0x10", " 1", "1,5", "NaN", "12a"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Syntax), "{text:?}");
        }
        assert_eq!("99999999999999999999".parse::<Decimal>(), Err(DecimalError::Overflow));
    }

    #[test]
    fn arithmetic_is_exact() {
        let a: Decimal = "1234.567".parse().unwrap();
        let b: Decimal = "890.123".parse().unwrap();
        assert_eq!(a.checked_add(b).unwrap().to_string(), "2124.690");
        assert_eq!(b.checked_sub(a).unwrap().to_string(), "-344.444");
        assert_eq!("2.345".parse::<Decimal>().unwrap().shifted(3).unwrap().to_string(), "2345");
        assert_eq!(Decimal::new(i64::MAX, 0).checked_add(Decimal::new(1, 0)), None);
        assert_eq!(Decimal::new(1, 100).checked_add(Decimal::new(1, -100)), None);
    }

    #[test]
    fn what_is_no_number_is_no_decimal() {
        for value in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Decimal::from_f64(value), None);
        }
        assert_eq!(Decimal::from_f64(231.5).unwrap().to_string(), "231.5");
        assert_eq!(Decimal::from_f64(0.1 + 0.2).unwrap().to_string(), "0.30000000000000004");
    }

    #[test]
    fn order_is_by_value() {
        assert_eq!(Decimal::new(150, -2), Decimal::new(15, -1));
        assert!(Decimal::new(-1, 0) < Decimal::new(1, -9));
        assert!(Decimal::new(1, 127) > Decimal::new(i64::MAX, 0));
        assert!(Decimal::new(-1, 127) < Decimal::new(i64::MIN, 0));
        assert!(Decimal::new(i64::MAX, -128) < Decimal::new(1, 127));
    }

    proptest! {
        #[test]
        fn binary_fractions_are_the_shortest_decimals(value: f64, mantissa in -100_000_000i64..100_000_000, decimals in 0i8..7) {
            if let Some(number) = Decimal::from_f64(value) {
                prop_assert_eq!(number.to_f64().to_bits(), (value + 0.0).to_bits());
            }
            let short = Decimal::new(mantissa, -decimals);
            let exact: f64 = short.to_string().parse().unwrap();
            prop_assert_eq!(short.to_f64().to_bits(), (exact + 0.0).to_bits());
            prop_assert_eq!(Decimal::from_f64(exact), Some(short));
            prop_assert!(Decimal::from_f64(exact).unwrap().exponent() >= -decimals);
        }

        #[test]
        fn print_then_parse_is_the_identity(mantissa: i64, exponent in -18i8..=0) {
            let number = Decimal::new(mantissa, exponent);
            let text = number.to_string();
            // i64::MIN has no positive counterpart to parse through.
            prop_assume!(mantissa != i64::MIN);
            let back: Decimal = text.parse().unwrap();
            prop_assert_eq!(back.mantissa(), mantissa);
            prop_assert_eq!(back.exponent(), exponent);
        }

        #[test]
        fn every_number_prints_its_digits_around_the_point(mantissa: i64, few in -100_000i64..100_000, exponent: i8) {
            for mantissa in [mantissa, few, 0] {
                let mut digits = mantissa.unsigned_abs().to_string();
                if exponent >= 0 && mantissa != 0 {
                    digits.push_str(&"0".repeat(usize::from(exponent.unsigned_abs())));
                } else if exponent < 0 {
                    let decimals = usize::from(exponent.unsigned_abs());
                    digits.insert_str(0, &"0".repeat((decimals + 1).saturating_sub(digits.len())));
                    digits.insert(digits.len() - decimals, '.');
                }
                let sign = if mantissa < 0 { "-" } else { "" };
                prop_assert_eq!(Decimal::new(mantissa, exponent).to_string(), format!("{sign}{digits}"));
            }
        }

        #[test]
        fn parsing_never_panics(bytes: Vec<u8>) {
            let _ = Decimal::parse_bytes(&bytes);
        }
    }
}
