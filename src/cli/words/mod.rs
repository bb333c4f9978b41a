//! What people read, in their language: the English text stands where it is said, [`tr!`] puts the French or the German in its
//! place (`fr.toml`, `de.toml`: one line a text). What machines read never passes here.

pub(super) mod count;
pub(super) mod errors;
#[cfg(test)]
mod tests;

use crate::reading::Language;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// A text in the language of the reader: `tr!("no port {name}", name = port)`, or `tr!("no port {name}", name)`.
///
/// The English text is the key of the other languages, so it is a literal, and plain ASCII; its gaps are names, each given once.
macro_rules! tr {
    ($text:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        // Never run: a gap without a value, or a value without a gap, does not compile. (What is concatenated captures nothing.)
        if false {
            let _ = format!(concat!($text) $(, $name = tr!(@value $name $(= $value)?))*);
        }
        $crate::cli::words::text($text, &[$((stringify!($name), &tr!(@value $name $(= $value)?))),*])
    }};
    (@value $name:ident = $value:expr) => { $value };
    (@value $name:ident) => { $name };
}
pub(in crate::cli) use tr;

/// The place of the language in [`Language::ALL`].
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Every text from now on is in this language.
pub(super) fn choose(language: Language) {
    let place = Language::ALL.iter().position(|one| *one == language).and_then(|place| u8::try_from(place).ok());
    CHOSEN.store(place.unwrap_or(0), Ordering::Relaxed);
}

/// The language of every text.
pub(super) fn chosen() -> Language {
    Language::ALL.get(usize::from(CHOSEN.load(Ordering::Relaxed))).copied().unwrap_or_default()
}

/// The text with its gaps filled. Called by [`tr!`].
pub(in crate::cli) fn text(english: &'static str, values: &[(&str, &dyn Display)]) -> String {
    fill(catalogue(chosen()).and_then(|texts| texts.get(english)).map_or(english, String::as_str), values)
}

type Catalogue = HashMap<String, String>;

/// The texts of a language; English has none, it stands in the sources.
fn catalogue(language: Language) -> Option<&'static Catalogue> {
    static FRENCH: OnceLock<Catalogue> = OnceLock::new();
    static GERMAN: OnceLock<Catalogue> = OnceLock::new();
    // Both files are checked by a test; were one broken, English is better than nothing.
    match language {
        Language::English => None,
        Language::French => Some(FRENCH.get_or_init(|| toml::from_str(include_str!("fr.toml")).unwrap_or_default())),
        Language::German => Some(GERMAN.get_or_init(|| toml::from_str(include_str!("de.toml")).unwrap_or_default())),
    }
}

/// Puts values into `{gaps}`; doubled braces stand for themselves.
fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let doubled =
            from.strip_prefix("{{").map(|rest| ('{', rest)).or(from.strip_prefix("}}").map(|rest| ('}', rest)));
        rest = if let Some((brace, rest)) = doubled {
            filled.push(brace);
            rest
        } else {
            let (name, rest) = from[1..].split_once('}').unwrap_or((&from[1..], ""));
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                filled.push_str(&value.to_string());
            }
            rest
        };
    }
    filled.push_str(rest);
    filled
}
