//! Which meter a reading comes from.

use smol_str::SmolStr;
use std::fmt;

/// The identifier of a meter, as printed on it where the telegram allows: `E450001234`, `LGZ1030653520967`.
///
/// Never empty, at most 64 characters, no control characters and no path separators: it names archive files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeterId(SmolStr);

impl MeterId {
    /// Cleans a text from the wire into an identifier; `None` where nothing printable is left.
    ///
    /// ```
    /// use releve::reading::MeterId;
    /// assert_eq!(MeterId::new(" 00188123   ").unwrap().as_str(), "00188123");
    /// assert_eq!(MeterId::new("../x/y").unwrap().as_str(), "_x_y");
    /// assert!(MeterId::new("  \0\0").is_none());
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if text.is_empty() {
            return None;
        }
        if text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Some(Self(SmolStr::new(text)));
        }
        let mut clean = String::with_capacity(text.len());
        for c in text.chars().take(64) {
            match c {
                c if c.is_alphanumeric() || matches!(c, '-' | '_' | '+') => clean.push(c),
                '.' if !clean.is_empty() && !clean.ends_with('.') => clean.push(c),
                '.' => {}
                _ => clean.push('_'),
            }
        }
        let clean = clean.trim_end_matches('.');
        (!clean.is_empty()).then(|| Self(SmolStr::new(clean)))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_never_leaves_its_folder() {
        for hostile in ["../../etc/passwd", "/abs", "..", ".", "a/../b", "\u{1b}[31m", "a\nb"] {
            if let Some(id) = MeterId::new(hostile) {
                assert!(!id.as_str().contains('/'), "{hostile:?} gave {id}");
                assert!(!id.as_str().starts_with('.'), "{hostile:?} gave {id}");
                assert!(!id.as_str().contains(".."), "{hostile:?} gave {id}");
                assert!(!id.as_str().chars().any(char::is_control));
            }
        }
    }
}
