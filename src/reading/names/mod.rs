//! What registers are called, in English, French and German.
//!
//! `table` lists the codes with a name of their own, `grammar` composes the electricity registers from quantity, phase,
//! processing and tariff. Not here: what a value means for the ten columns (`columns`).
//!
//! ```
//! use releve::reading::{Code, Language, describe};
//! let code = Code::parse(b"1-0:1.8.0");
//! assert_eq!(describe(&code, Language::English).unwrap(), "Active energy import (+A) total");
//! assert_eq!(describe(&code, Language::French).unwrap(), "Énergie active importée (+A), total");
//! assert_eq!(describe(&code, Language::German).unwrap(), "Wirkenergie Bezug (+A) gesamt");
//! ```

mod grammar;
mod pattern;
mod search;
mod table;

pub use search::{Named, search};

use super::{Code, Obis, Register, Unit};
use grammar::Composed;
use pattern::{Group, Pattern};
use std::borrow::Cow;
use std::fmt;
use table::{ROWS, Row};

/// A language that registers have names in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
    /// German.
    German,
}

/// There are no names in this language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such language; there are en, fr and de")]
pub struct LanguageError;

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::English, Self::French, Self::German];

    /// The two letters of the language (ISO 639-1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
        }
    }

    /// The language of a locale, `fr_CH.UTF-8`, `de-AT` or `en`; `None` for `C` and for languages without names.
    #[must_use]
    pub fn from_locale(locale: &str) -> Option<Self> {
        let language = locale.split(['_', '-', '.', '@']).next()?;
        Self::ALL.into_iter().find(|l| l.as_str().eq_ignore_ascii_case(language))
    }
}

impl std::str::FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, LanguageError> {
        Self::ALL.into_iter().find(|language| language.as_str() == text).ok_or(LanguageError)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a register's value behaves over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Counts up; differences between two readings make sense.
    Counter,
    /// The value or state of this moment.
    Instant,
    /// An average, or the sum of one recording interval.
    Average,
    /// The highest or lowest of a period, with its time.
    Maximum,
    /// How often something happened.
    Count,
    /// Status bits.
    Bits,
    /// Text or an identifier.
    Text,
    /// A date, a time of day, or both.
    Date,
    /// A list of values: a profile, a log, a setup object.
    List,
}

/// What the register is called; `None` where nothing is known about the code.
///
/// Letters count as their numbers (`C.1.0`), the channel of an electricity register does not matter, and a stored value
/// is named after its register.
#[must_use]
pub fn describe(code: &Code, language: Language) -> Option<Cow<'static, str>> {
    Some(Entry::of(code.resolved()?)?.name(language))
}

/// What a register of a reading is called; `None` also where its unit says that it is something else.
///
/// Heat meters print `6.8(0012.250*MWh)6.26(00640.50*m3)`, and neither is a reactive energy.
#[must_use]
pub fn describe_register(register: &Register, language: Language) -> Option<Cow<'static, str>> {
    let entry = Entry::of(register.code.resolved()?)?;
    if let (Entry::Composed(_), Some(unit)) = (entry, register.unit) {
        let expected = entry.unit().and_then(Unit::parse)?;
        if expected.quantity() != unit.quantity() {
            return None;
        }
    }
    Some(entry.name(language))
}

/// How the register's value behaves; `None` where nothing is known about the code.
#[must_use]
pub fn kind_of(code: &Code) -> Option<Kind> {
    Some(Entry::of(code.resolved()?)?.kind())
}

/// What is known about a code.
#[derive(Clone, Copy)]
enum Entry {
    /// It stands in the table; with the value of the row's letter, and which stored value of the register it is.
    Listed {
        row: &'static Row,
        letter: Option<Group>,
        stored: Option<Group>,
    },
    Composed(Composed),
}

impl Entry {
    fn of(obis: Obis) -> Option<Self> {
        let [.., period] = obis.octets();
        let stored = (period != 255).then_some(Group::Is(period));
        Self::in_table(obis, None)
            .or_else(|| {
                let [a, b, c, d, e, _] = obis.octets();
                Self::in_table(Obis::new(a, b, c, d, e, 255), Some(stored?))
            })
            .or_else(|| is_electricity(obis).then(|| Composed::of(Pattern::of(obis)).map(Self::Composed))?)
    }

    fn in_table(obis: Obis, stored: Option<Group>) -> Option<Self> {
        homes(obis).into_iter().flatten().find_map(|home| {
            let row = ROWS.iter().find(|row| row.code.holds(home))?;
            Some(Self::of_row(row, Pattern::of(home), stored))
        })
    }

    fn of_row(row: &'static Row, code: Pattern, stored: Option<Group>) -> Self {
        Self::Listed { row, letter: row.code.letter().map(|at| code.0[at]), stored }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Listed { row, .. } => row.kind,
            Self::Composed(composed) => composed.kind(),
        }
    }

    fn unit(&self) -> Option<&'static str> {
        let unit = match self {
            Self::Listed { row, .. } => row.unit,
            Self::Composed(composed) => composed.unit(),
        };
        (!unit.is_empty()).then_some(unit)
    }

    fn name(&self, language: Language) -> Cow<'static, str> {
        match self {
            Self::Composed(composed) => composed.name(language).into(),
            Self::Listed { row, letter, stored } => {
                let mut name = match letter {
                    Some(letter) => filled(row.name.get(language), *letter),
                    None => row.name.get(language).into(),
                };
                if let Some(stored) = *stored {
                    let suffix = grammar::stored_suffix(stored, row.kind == Kind::Counter, language);
                    name.to_mut().push_str(&suffix);
                }
                name
            }
        }
    }
}

/// The code, and under which other A-B the same register is listed.
fn homes(obis: Obis) -> [Option<Obis>; 3] {
    let [a, b, c, d, e, f] = obis.octets();
    // Service, error and identity objects stand under 0-0 or 1-0, as the maker likes.
    let abstract_object = matches!(c, 0 | 96..=99);
    let other = match (a, b) {
        (0, 0) => Some(1),
        (1, _) => Some(0),
        _ => None,
    };
    [
        Some(obis),
        // Channels of a medium hold the same kinds of registers; those of medium 0 are the sub-meters.
        (a != 0).then(|| Obis::new(a, 0, c, d, e, f)),
        other.filter(|_| abstract_object).map(|a| Obis::new(a, 0, c, d, e, f)),
    ]
}

/// Luxembourg's P1 text prints the sags as `0-0:32.32.0`.
fn is_electricity(obis: Obis) -> bool {
    matches!(obis.octets(), [1, ..] | [0, 0, 32 | 52 | 72, 31..=38, ..])
}

fn filled(name: &'static str, letter: Group) -> Cow<'static, str> {
    if !name.contains('{') {
        return name.into();
    }
    let next = match letter {
        Group::Is(number) => (u16::from(number) + 1).to_string(),
        Group::Any(_) => format!("{letter}+1"),
    };
    name.replace("{+1}", &next).replace("{}", &letter.to_string()).into()
}

/// A text in every language: there is no way to leave one out.
#[derive(Debug, Clone, Copy)]
struct Text {
    english: &'static str,
    french: &'static str,
    german: &'static str,
}

const fn text(english: &'static str, french: &'static str, german: &'static str) -> Text {
    Text { english, french, german }
}

impl Text {
    const fn get(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::French => self.french,
            Language::German => self.german,
        }
    }
}

#[cfg(test)]
mod tests;
