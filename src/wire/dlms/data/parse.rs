//! The one pass that lays the nodes down.

use super::{DESCRIPTOR, Fail, MAX_DEPTH, MAX_NODES, Node, SIZES, UNKNOWN, VARIABLE, tag};
use crate::wire::MAX_TELEGRAM;

pub(super) struct Parser<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) nodes: Vec<Node>,
}

impl Parser<'_> {
    // Telegrams are bounded far below 4 GiB: positions and counts fit.
    #[allow(clippy::cast_possible_truncation)]
    #[inline]
    pub(super) fn node(&mut self, tag: u8, at: usize, from: usize, extent: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { tag, at: at as u32, from: from as u32, extent: extent as u32, next });
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn close(&mut self, index: usize) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(index) {
            node.next = next;
        }
    }

    fn byte(&mut self) -> Result<u8, Fail> {
        let byte = *self.bytes.get(self.pos).ok_or(Fail::Short { need: self.pos + 1 })?;
        self.pos += 1;
        Ok(byte)
    }

    fn length(&mut self) -> Result<usize, Fail> {
        let at = self.pos;
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        if !(0x81..=0x84).contains(&first) {
            return Err(Fail::wrong(at, "no length"));
        }
        let mut length = 0;
        for _ in 0..first & 0x0F {
            length = length << 8 | usize::from(self.byte()?);
        }
        if length > MAX_TELEGRAM {
            return Err(Fail::wrong(at, "longer than any telegram"));
        }
        Ok(length)
    }

    /// Lays down one value with everything in it.
    pub(super) fn value(&mut self) -> Result<(), Fail> {
        // Open arrays and structures: their node and how many elements are to come.
        let mut open = [(0usize, 0usize); MAX_DEPTH];
        let mut depth = 0;
        // Elements to come at all levels: each takes at least one octet.
        let mut pending = 1;
        loop {
            let at = self.pos;
            if at + pending > self.bytes.len() {
                return Err(Fail::Short { need: at + pending });
            }
            let tag = self.bytes[at];
            self.pos = at + 1;
            pending -= 1;
            match SIZES[usize::from(tag)] {
                UNKNOWN => return Err(Fail::wrong(at, "no A-XDR type")),
                VARIABLE if tag == tag::STRUCTURE && self.descriptor(at) => {}
                VARIABLE if tag == tag::ARRAY || tag == tag::STRUCTURE => {
                    let count = self.length()?;
                    self.node(tag, at, self.pos, count);
                    if count > 0 {
                        pending += count;
                        if pending > MAX_TELEGRAM {
                            return Err(Fail::wrong(at, "more elements than fit a telegram"));
                        }
                        let Some(level) = open.get_mut(depth) else { return Err(Fail::wrong(at, "nested too deep")) };
                        *level = (self.nodes.len() - 1, count);
                        depth += 1;
                        continue;
                    }
                }
                VARIABLE if tag == tag::COMPACT_ARRAY => self.compact_array(at)?,
                VARIABLE => {
                    let mut size = self.length()?;
                    if tag == tag::BIT_STRING {
                        size = size.div_ceil(8);
                    }
                    self.content(tag, at, size, pending)?;
                }
                size => self.content(tag, at, usize::from(size), pending)?,
            }
            // The value may have been the last one of its structure, and that of the one around it.
            loop {
                let Some(level) = depth.checked_sub(1).and_then(|d| open.get_mut(d)) else { return Ok(()) };
                level.1 -= 1;
                if level.1 > 0 {
                    break;
                }
                let index = level.0;
                self.close(index);
                depth -= 1;
            }
            if self.nodes.len() > MAX_NODES {
                return Err(Fail::wrong(at, "more values than fit a telegram"));
            }
        }
    }

    /// Lays down an entry of a push object list as one node: these entries make up more than half of a push.
    #[inline]
    fn descriptor(&mut self, at: usize) -> bool {
        let Some(&[_, 4, tag::U16, _, _, tag::OCTETS, 6, _, _, _, _, _, _, tag::I8, _, tag::U16, _, _]) =
            self.bytes.get(at..at + 18)
        else {
            return false;
        };
        self.node(DESCRIPTOR, at, at + 2, 4);
        self.pos = at + 18;
        true
    }

    #[inline]
    fn content(&mut self, tag: u8, at: usize, size: usize, pending: usize) -> Result<(), Fail> {
        let from = self.pos;
        if from + size > self.bytes.len() {
            return Err(Fail::Short { need: from + size + pending });
        }
        self.node(tag, at, from, size);
        self.pos = from + size;
        Ok(())
    }

    /// `13 · type description · length · contents`: the contents repeat the type without tags.
    fn compact_array(&mut self, at: usize) -> Result<(), Fail> {
        let description = self.pos;
        self.skip_description(0)?;
        let length = self.length()?;
        let from = self.pos;
        let end = from + length;
        if end > self.bytes.len() {
            return Err(Fail::Short { need: end });
        }
        let array = self.nodes.len();
        self.node(tag::ARRAY, at, from, 0);
        let mut count = 0;
        while self.pos < end {
            let before = self.pos;
            self.untagged(&mut { description }, end, 0)?;
            if self.pos == before {
                return Err(Fail::wrong(at, "a compact array of nothing"));
            }
            count += 1;
        }
        if let Some(node) = self.nodes.get_mut(array) {
            node.extent = count;
        }
        self.close(array);
        Ok(())
    }

    /// Steps over a type description. The depth is bounded, so recursion is.
    fn skip_description(&mut self, depth: usize) -> Result<(), Fail> {
        let at = self.pos;
        if depth >= 4 {
            return Err(Fail::wrong(at, "nested too deep"));
        }
        match self.byte()? {
            tag::ARRAY => {
                self.byte()?;
                self.byte()?;
                self.skip_description(depth + 1)
            }
            tag::STRUCTURE => {
                for _ in 0..self.byte()? {
                    self.skip_description(depth + 1)?;
                }
                Ok(())
            }
            tag if tag != tag::COMPACT_ARRAY && SIZES[usize::from(tag)] != UNKNOWN => Ok(()),
            _ => Err(Fail::wrong(at, "no A-XDR type")),
        }
    }

    /// One value without tags, by the description at `*description`, which moves on behind it.
    fn untagged(&mut self, description: &mut usize, end: usize, depth: usize) -> Result<(), Fail> {
        let at = self.pos;
        if depth >= 4 || self.nodes.len() > MAX_NODES {
            return Err(Fail::wrong(at, "more values than fit a telegram"));
        }
        let octet = |at: usize| self.bytes.get(at).copied().ok_or(Fail::Short { need: at + 1 });
        let tag = octet(*description)?;
        *description += 1;
        match tag {
            tag::ARRAY => {
                let count = usize::from(octet(*description)?) << 8 | usize::from(octet(*description + 1)?);
                *description += 2;
                let index = self.nodes.len();
                self.node(tag, at, at, count);
                let element = *description;
                if count == 0 {
                    let here = self.pos;
                    self.pos = element;
                    self.skip_description(depth + 1)?;
                    *description = std::mem::replace(&mut self.pos, here);
                }
                for _ in 0..count {
                    *description = element;
                    self.untagged(description, end, depth + 1)?;
                }
                self.close(index);
            }
            tag::STRUCTURE => {
                let count = octet(*description)?;
                *description += 1;
                let index = self.nodes.len();
                self.node(tag, at, at, usize::from(count));
                for _ in 0..count {
                    self.untagged(description, end, depth + 1)?;
                }
                self.close(index);
            }
            _ => {
                let size = match SIZES[usize::from(tag)] {
                    VARIABLE if tag == tag::BIT_STRING => self.length()?.div_ceil(8),
                    VARIABLE => self.length()?,
                    size => usize::from(size),
                };
                if self.pos + size > end {
                    return Err(Fail::wrong(at, "the compact array ends inside a value"));
                }
                self.node(tag, at, self.pos, size);
                self.pos += size;
            }
        }
        Ok(())
    }
}
