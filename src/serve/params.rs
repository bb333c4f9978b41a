//! Parameters of requests: what a route lists is what is checked, and what the document of the API says.

use super::failure::Failure;
use crate::document::Exact;
use crate::reading::{Decimal, Instant, MeterId};

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A whole number between two others.
    Whole(i64, i64),
    /// Hours, above zero and up to twenty years.
    Hours,
    /// A moment, RFC 3339.
    Time,
    /// Any text; an empty one counts as none.
    Text,
    /// One of some words; an empty one counts as none.
    Word(&'static [&'static str]),
    /// The identifier of a meter.
    Meter,
    /// A step of a history: `auto`, `15m`, `jour` …
    Step,
    /// Where the page before ended.
    Cursor,
}

/// A parameter of a route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// What counts where it is not given, for people.
    pub(super) default: Option<&'static str>,
    pub(super) about: &'static str,
}

/// Twenty years.
pub(super) const MAX_HOURS: i64 = 175_320;
const HOUR: i64 = 3_600_000_000;

/// What a parameter says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Whole(i64),
    /// Microseconds, and the hours as they were written.
    Hours(i64, String),
    Time(Instant),
    Text(String),
    /// `None` where no meter can be called so.
    Meter(Option<MeterId>),
    Cursor(Vec<i64>),
}

/// The parameters of one request, checked.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(&'static str, Value)>);

impl Params {
    /// Reads a query. Of a name that comes twice the first counts; names that no route knows are passed over, as the old
    /// application did.
    pub(super) fn parse(known: &[Param], query: &str) -> Result<Self, Failure> {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else { continue };
            let Some(param) = known.iter().find(|param| param.name == name) else { continue };
            if params.get(param.name).is_some() {
                continue;
            }
            let text = decode(value).ok_or_else(|| Failure::parameter(param.name, "n'est pas de l'UTF-8"))?;
            if let Some(value) = param.form.read(&text).map_err(|why| Failure::parameter(param.name, why))? {
                params.0.push((param.name, value));
            }
        }
        Ok(params)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        if let Some(Value::Whole(number)) = self.get(name) { Some(*number) } else { None }
    }

    pub(super) fn time(&self, name: &str) -> Option<Instant> {
        if let Some(Value::Time(at)) = self.get(name) { Some(*at) } else { None }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    /// The meter that is named; the inner `None` where there is none of such a name.
    pub(super) fn meter(&self) -> Option<Option<&MeterId>> {
        if let Some(Value::Meter(meter)) = self.get("meter") { Some(meter.as_ref()) } else { None }
    }

    /// The number of a cursor at a place.
    pub(super) fn cursor(&self, place: usize) -> Option<i64> {
        if let Some(Value::Cursor(numbers)) = self.get("apres") { numbers.get(place).copied() } else { None }
    }

    /// The hours in microseconds and as written.
    pub(super) fn hours(&self) -> Option<(i64, &str)> {
        if let Some(Value::Hours(micros, text)) = self.get("hours") { Some((*micros, text)) } else { None }
    }

    /// The words of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|w| !w.is_empty()).collect()
    }
}

impl Form {
    /// What a text says; `None` where it counts as not given.
    fn read(self, text: &str) -> Result<Option<Value>, String> {
        match self {
            Self::Whole(low, high) => {
                let number = number(text).and_then(whole).filter(|number| (low..=high).contains(number));
                let value = number.ok_or_else(|| format!("doit être un entier de {low} à {high}"))?;
                Ok(Some(Value::Whole(value)))
            }
            Self::Hours => hours(text)
                .map(Some)
                .ok_or_else(|| format!("doit être un nombre d'heures au-dessus de 0, jusqu'à {MAX_HOURS}")),
            Self::Time => time(text)
                .map(|at| Some(Value::Time(at)))
                .ok_or_else(|| "doit être une date RFC 3339, comme 2025-11-07T14:30:00Z".to_owned()),
            Self::Text if text.trim().is_empty() => Ok(None),
            Self::Text if text.chars().count() > 250 => Err("est trop long (250 caractères au plus)".to_owned()),
            Self::Text | Self::Step if text.contains('\0') => Err("contient un caractère nul".to_owned()),
            Self::Text => Ok(Some(Value::Text(text.to_owned()))),
            Self::Word(_) if text.is_empty() => Ok(None),
            Self::Word(words) if words.contains(&text) => Ok(Some(Value::Text(text.to_owned()))),
            Self::Word(words) => Err(format!("doit être l'un de : {}", words.join(", "))),
            Self::Meter if text.is_empty() => Ok(None),
            Self::Meter if text.chars().count() > 64 => Err("est trop long (64 caractères au plus)".to_owned()),
            // An identifier is what it is: nothing is cleaned here, and no meter is called otherwise.
            Self::Meter => Ok(Some(Value::Meter(MeterId::new(text).filter(|meter| meter.as_str() == text)))),
            Self::Step if super::step::Pace::parse(text).is_some() => Ok(Some(Value::Text(text.to_owned()))),
            Self::Step => Err("doit être auto, jour, semaine, mois, ou une durée de 1s à 24h comme 15m".to_owned()),
            Self::Cursor => {
                let parts = text.split('_').map(|part| part.parse::<i64>().ok().filter(|_| part.len() <= 19));
                let numbers: Option<Vec<i64>> = parts.collect();
                numbers
                    .filter(|numbers| numbers.len() <= 2)
                    .map(|numbers| Some(Value::Cursor(numbers)))
                    .ok_or_else(|| "n'est pas un curseur rendu sous suivant".to_owned())
            }
        }
    }
}

/// A decimal number as people and programs write it.
fn number(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| serde_json::from_str::<Exact>(text).ok().map(|Exact(number)| number))
}

/// A number without a fraction; `5.0` is one.
pub(super) fn whole(number: Decimal) -> Option<i64> {
    let power = 10i64.checked_pow(u32::from(number.exponent().unsigned_abs()))?;
    if number.exponent() >= 0 {
        return number.mantissa().checked_mul(power);
    }
    (number.mantissa() % power == 0).then_some(number.mantissa() / power)
}

/// Hours that are within bounds.
fn hours(text: &str) -> Option<Value> {
    let micros = match number(text) {
        Some(number) if number > Decimal::ZERO && number <= Decimal::from(MAX_HOURS) => {
            let exponent = number.exponent();
            let scaled = i128::from(number.mantissa()) * i128::from(HOUR);
            let power = 10i128.checked_pow(u32::from(exponent.unsigned_abs()));
            match power {
                Some(power) if exponent < 0 => scaled / power,
                Some(power) => scaled.checked_mul(power)?,
                None => 0,
            }
        }
        Some(_) => return None,
        // Smaller than a decimal of ours holds: above zero all the same.
        None => text.parse::<f64>().ok().filter(|hours| *hours > 0.0 && *hours < 1e-6).map(|_| 0)?,
    };
    let written = if serde_json::from_str::<serde_json::Number>(text).is_ok() {
        text.to_owned()
    } else {
        number(text)?.to_string()
    };
    Some(Value::Hours(i64::try_from(micros).ok()?.max(1), written))
}

/// A moment. A `+` that was not written as `%2B` has become a blank.
fn time(text: &str) -> Option<Instant> {
    let at = Instant::parse_utc(text).ok().or_else(|| {
        let (head, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
        let zone = zone.strip_prefix(' ').filter(|zone| zone.contains(':'))?;
        Instant::parse_utc(&format!("{head}+{zone}")).ok()
    })?;
    // Years one to 9999: what an answer can write.
    (-62_135_596_800..253_402_300_800).contains(&at.unix_seconds()).then_some(at)
}

/// Percent-decoding of a form; `None` where it is no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, hex(after.first()), hex(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Param] = &[
        Param { name: "limit", form: Form::Whole(1, 100), default: None, about: "" },
        Param { name: "hours", form: Form::Hours, default: None, about: "" },
        Param { name: "debut", form: Form::Time, default: None, about: "" },
        Param { name: "severity", form: Form::Word(&["info", "error"]), default: None, about: "" },
        Param { name: "q", form: Form::Text, default: None, about: "" },
        Param { name: "meter", form: Form::Meter, default: None, about: "" },
        Param { name: "apres", form: Form::Cursor, default: None, about: "" },
    ];

    #[test]
    fn what_is_written_in_any_of_the_usual_ways_is_understood() {
        let params = Params::parse(KNOWN, "limit=5.0&hours=1e-3&debut=2025-11-07T15:30:00+01:00&q=a%20b+c&x=1&limit=7");
        let params = params.unwrap();
        assert_eq!(params.whole("limit"), Some(5));
        assert_eq!(params.hours(), Some((3_600_000, "1e-3")));
        assert_eq!(params.time("debut").unwrap().to_string(), "2025-11-07T14:30:00Z");
        assert_eq!(params.text("q"), Some("a b c"));
        assert_eq!(Params::parse(KNOWN, "severity=&q=&meter=").unwrap().0, []);
        assert_eq!(Params::parse(KNOWN, "hours=5e-324").unwrap().hours(), Some((1, "5e-324")));
        assert_eq!(Params::parse(KNOWN, "apres=17_3").unwrap().cursor(1), Some(3));
    }

    #[test]
    fn what_is_wrong_is_refused_by_name() {
        for wrong in [
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=",
            "limit=5.5",
            "limit=1e999",
            "hours=0",
            "hours=-1",
            "hours=nan",
            "hours=inf",
            "hours=175321",
            "hours=1e300",
            "debut=hier",
            "debut=2025-13-01T00:00:00Z",
            "severity=fatal",
            "q=%ff",
            "q=%00",
            "apres=1_2_3",
            "apres=x",
        ] {
            let failure = Params::parse(KNOWN, wrong).unwrap_err();
            let name = wrong.split_once('=').unwrap().0;
            assert_eq!((failure.status.as_u16(), failure.parameter.as_deref()), (400, Some(name)), "{wrong}");
            assert!(failure.message.starts_with(name), "{}", failure.message);
        }
    }
}
