//! Naming every byte: what `releve explain` shows.
//!
//! A [`Dissection`] is a list of [`Field`]s. Fields with bytes lie one behind the other and together are the input, so
//! that nothing can be left out silently; fields without bytes say something about what came before (a check that fails,
//! the text that deciphering gave).

use std::ops::Range;

/// A run of bytes and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Which bytes of the input; empty for a remark.
    pub bytes: Range<usize>,
    /// How deep inside other structures it stands.
    pub depth: usize,
    /// What it is, with its value decoded.
    pub meaning: String,
    /// Whether something is wrong here.
    pub wrong: bool,
}

/// The fields of an input, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dissection {
    /// The fields so far.
    pub fields: Vec<Field>,
}

impl Dissection {
    /// Adds a field. An empty range is a remark.
    pub fn field(&mut self, bytes: Range<usize>, depth: usize, meaning: impl Into<String>) {
        self.fields.push(Field { bytes, depth, meaning: meaning.into(), wrong: false });
    }

    /// Adds a field that is wrong.
    pub fn wrong(&mut self, bytes: Range<usize>, depth: usize, meaning: impl Into<String>) {
        self.fields.push(Field { bytes, depth, meaning: meaning.into(), wrong: true });
    }

    /// Adds a remark: something about what came before, without bytes of its own.
    pub fn remark(&mut self, depth: usize, meaning: impl Into<String>) {
        self.fields.push(Field { bytes: 0..0, depth, meaning: meaning.into(), wrong: false });
    }

    /// The end of the last field that has bytes: where the next one has to start.
    #[must_use]
    pub fn end(&self) -> usize {
        self.fields.iter().rev().find(|f| !f.bytes.is_empty()).map_or(0, |f| f.bytes.end)
    }
}

/// Up to sixteen bytes as hexadecimal digits, with an ellipsis where there are more.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes.iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > 16 {
        text.push('…');
    }
    text
}
