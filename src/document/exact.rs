//! A decimal number as JSON, digit for digit.

use crate::reading::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A [`Decimal`] that JSON writes and reads without a detour through binary fractions.
///
/// ```
/// use releve::{document::Exact, reading::Decimal};
/// let number = Exact(Decimal::new(154_320, -3));
/// assert_eq!(serde_json::to_string(&number).unwrap(), "154.320");
/// assert_eq!(serde_json::from_str::<Exact>("154.320").unwrap().0.to_string(), "154.320");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(pub Decimal);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        parse_json_number(raw.get())
            .map(Self)
            .ok_or_else(|| D::Error::custom(format_args!("'{}' is no exact number", raw.get())))
    }
}

/// A JSON number, exponent included (`1.5e-05` is how Python writes small numbers).
fn parse_json_number(text: &str) -> Option<Decimal> {
    let (digits, power) = match text.split_once(['e', 'E']) {
        Some((digits, power)) => (digits, power.parse().ok()?),
        None => (text, 0),
    };
    digits.parse::<Decimal>().ok()?.shifted(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_wrote() {
        assert_eq!(parse_json_number("1.5e-05"), Some(Decimal::new(15, -6)));
        assert_eq!(parse_json_number("230"), Some(Decimal::from(230)));
        for no_number in ["NaN", "\"1\"", "1e999", "null", "99999999999999999999999"] {
            assert_eq!(parse_json_number(no_number), None, "{no_number}");
        }
    }
}
