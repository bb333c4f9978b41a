//! Finding registers by code or by name.

use super::grammar::{self, Composed};
use super::pattern::{Group, Pattern};
use super::table::{ROWS, Row};
use super::{Entry, Kind, Language};
use crate::reading::{Code, Column, Obis};
use smol_str::{SmolStr, ToSmolStr};
use std::borrow::Cow;

/// A register of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The canonical key, in which a letter stands for any number: `1-0:1.8.0`, `1-0:1.8.n`, `0-n:24.2.1`.
    pub code: SmolStr,
    /// The unit in normal form, where there is one usual one.
    pub unit: Option<&'static str>,
    /// How its value behaves.
    pub kind: Kind,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// The column it is.
    pub column: Option<Column>,
}

/// The registers that a text means, in code order.
///
/// A text of numbers is the beginning of a code (`1.8`, `1-0:1.8.0`, `C.1`, `0-2:24`); tariffs and channels take the
/// place of their letters. Any other text is words that all stand in the name, whatever their case and accents, or in
/// its place the unit. An empty text means the whole catalogue.
#[must_use]
pub fn search(text: &str, language: Language) -> Vec<Named> {
    let mut found = match Prefix::parse(text.trim()) {
        Some(prefix) => by_code(&prefix, text.trim()),
        None => by_words(text, language),
    };
    found.sort_by_key(|&(pattern, _)| in_order(pattern));
    found.dedup_by_key(|&mut (pattern, _)| pattern);
    found.into_iter().map(|(pattern, entry)| named(pattern, &entry, language)).collect()
}

/// Code order, in which a register goes before its stored values.
fn in_order(Pattern([a, b, c, d, e, f]): Pattern) -> ([Group; 5], Option<Group>) {
    ([a, b, c, d, e], (f != Group::Is(255)).then_some(f))
}

/// A line of the catalogue.
#[derive(Clone, Copy)]
enum Line {
    Row(&'static Row),
    Composed(Pattern),
}

impl Line {
    fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(Self::Row).chain(grammar::listed().map(Self::Composed))
    }

    fn pattern(self) -> Pattern {
        match self {
            Self::Row(row) => row.code,
            Self::Composed(pattern) => pattern,
        }
    }

    /// The line for this code, which is the line's pattern with some letters filled in.
    fn entry(self, code: Pattern) -> Option<Entry> {
        match self {
            Self::Row(row) => Some(Entry::of_row(row, code, None)),
            Self::Composed(_) => Composed::of(code).map(Entry::Composed),
        }
    }
}

fn by_code(prefix: &Prefix, text: &str) -> Vec<(Pattern, Entry)> {
    let mut found: Vec<_> = Line::all()
        .filter_map(|line| {
            let code = line.pattern().with(prefix.0)?;
            // What has a row of its own is not also an example of a pattern.
            let is_own = code == line.pattern() || !ROWS.iter().any(|row| row.code == code);
            is_own.then(|| Some((code, line.entry(code)?)))?
        })
        .collect();
    // A code that the catalogue composes but does not list, on the channel that was asked for.
    if (found.is_empty() || prefix.has_channel())
        && let Some(obis) = Code::parse(text.to_ascii_uppercase().as_bytes()).resolved()
        && !found.iter().any(|(code, _)| *code == Pattern::of(obis))
        && let Some(entry) = Entry::of(obis)
    {
        found.push((Pattern::of(obis), entry));
    }
    found
}

fn by_words(text: &str, language: Language) -> Vec<(Pattern, Entry)> {
    let text = folded(text);
    let words: Vec<_> = text.split_whitespace().collect();
    Line::all()
        .filter_map(|line| Some((line.pattern(), line.entry(line.pattern())?)))
        .filter(|(_, entry)| {
            let name = folded(&entry.name(language));
            let unit = entry.unit().map(folded);
            words.iter().all(|word| name.contains(word) || unit.as_deref() == Some(word))
        })
        .collect()
}

fn named(pattern: Pattern, entry: &Entry, language: Language) -> Named {
    let octets = pattern.0.map(|group| if let Group::Is(number) = group { Some(number) } else { None });
    let column = match octets {
        [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)] => Column::of_register(Obis::new(a, b, c, d, e, f)),
        _ => None,
    };
    let (unit, kind, name) = (entry.unit(), entry.kind(), entry.name(language));
    Named { code: pattern.to_smolstr(), unit, kind, name, column }
}

/// The beginning of a code: the groups it gives.
struct Prefix([Option<u8>; 6]);

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        // A lone letter is the beginning of a word.
        if !text.contains(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let mut groups = [None; 6];
        let (channel, rest) = match text.split_once(':') {
            Some((channel, rest)) => (Some(channel), rest),
            None if text.contains('-') => (Some(text), ""),
            None => (None, text),
        };
        if let Some((a, b)) = channel.and_then(|channel| channel.split_once('-')) {
            groups[0] = Some(a.parse().ok()?);
            groups[1] = if b.is_empty() { None } else { Some(b.parse().ok()?) };
        } else if channel.is_some() {
            return None;
        }
        let (rest, period) = rest.split_once(['*', '&']).map_or((rest, None), |(rest, period)| (rest, Some(period)));
        let rest = rest.strip_suffix('.').unwrap_or(rest);
        if !rest.is_empty() {
            for (at, group) in rest.split('.').enumerate() {
                *groups.get_mut(at + 2)? = Some(number(group)?);
            }
        }
        if let Some(period) = period.filter(|period| !period.is_empty()) {
            groups[5] = Some(period.parse().ok()?);
        }
        Some(Self(groups))
    }

    fn has_channel(&self) -> bool {
        self.0[0].is_some()
    }
}

fn number(group: &str) -> Option<u8> {
    match group {
        "C" | "c" => Some(96),
        "F" | "f" => Some(97),
        "L" | "l" => Some(98),
        "P" | "p" => Some(99),
        digits => digits.parse().ok(),
    }
}

/// Lower case without accents, so that `energie` finds `Énergie` and `uberhohung` `Überhöhung`.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'â' | 'ä' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'î' | 'ï' => folded.push('i'),
            'ô' | 'ö' => folded.push('o'),
            'ù' | 'û' | 'ü' => folded.push('u'),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            '-' => folded.push('-'),
            '’' => folded.push('\''),
            '\u{a0}' => folded.push(' '),
            other => folded.push(other),
        }
    }
    folded
}
