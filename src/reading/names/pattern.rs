//! Codes in which a letter stands for any number of a group: `0-n:24.2.1`, `1-0:1.8.n`, `1-0:1.8.0*F`.

use crate::reading::Obis;
use std::fmt;

/// One value group of a pattern. Numbers sort before letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// This number.
    Is(u8),
    /// Any number that the letter stands for.
    Any(u8),
}

impl Group {
    pub(super) fn holds(self, number: u8) -> bool {
        match self {
            Self::Is(expected) => number == expected,
            // Channels are 1 to 64, tariffs 1 to 63, identification numbers 0 to 9; 255 is "not used" elsewhere.
            Self::Any(b'n') => matches!(number, 1..=64),
            Self::Any(b'i') => number <= 9,
            Self::Any(_) => number != 255,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(number) => write!(f, "{number}"),
            Self::Any(letter) => write!(f, "{}", char::from(*letter)),
        }
    }
}

/// The six value groups of a code, some of them open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern(pub(super) [Group; 6]);

impl Pattern {
    /// A pattern as written, `A-B:C.D.E` or `A-B:C.D.E*F`. For constants: a slip in one does not compile.
    pub(super) const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut groups = [Group::Is(255); 6];
        let separators = *b"-:..*";
        let (mut group, mut at) = (0, 0);
        let mut number = 0;
        while at < bytes.len() {
            match bytes[at] {
                digit @ b'0'..=b'9' => {
                    number = number * 10 + (digit - b'0');
                    groups[group] = Group::Is(number);
                }
                letter @ (b'a'..=b'z' | b'F') => groups[group] = Group::Any(letter),
                separator => {
                    assert!(separator == separators[group], "a code is written A-B:C.D.E*F");
                    group += 1;
                    number = 0;
                }
            }
            at += 1;
        }
        assert!(group >= 4, "C, D and E are written out");
        Self(groups)
    }

    pub(super) fn of(obis: Obis) -> Self {
        Self(obis.octets().map(Group::Is))
    }

    pub(super) fn holds(&self, obis: Obis) -> bool {
        self.0.iter().zip(obis.octets()).all(|(group, number)| group.holds(number))
    }

    /// The pattern with the numbers of a code in the place of its letters.
    pub(super) fn with(self, numbers: [Option<u8>; 6]) -> Option<Self> {
        let mut groups = self.0;
        for (group, number) in groups.iter_mut().zip(numbers) {
            if let Some(number) = number {
                if !group.holds(number) {
                    return None;
                }
                *group = Group::Is(number);
            }
        }
        Some(Self(groups))
    }

    /// The group that is a letter.
    pub(super) fn letter(&self) -> Option<usize> {
        self.0.iter().position(|group| matches!(group, Group::Any(_)))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, period] = self.0;
        write!(f, "{a}-{b}:{c}.{d}.{e}")?;
        if period == Group::Is(255) { Ok(()) } else { write!(f, "*{period}") }
    }
}
