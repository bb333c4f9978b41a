//! Gzip whose first part is written last.
//!
//! A file says at its beginning how many readings follow. So the body is deflated as it comes, the head at the end, on a
//! byte boundary (a sync flush), and both are put together behind the ten octets of a header without time and name: the
//! same text gives the same bytes (RFC 1951, RFC 1952).

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::io;

/// How hard deflate tries. Of a year at one minute, in bytes a reading and seconds of a processor for the whole run: level 1
/// 65 in 1.5, 3 40 in 1.9, 4 35 in 2.2, 5 31 in 2.4, 6 30 in 3.4, 9 27 in 4.7.
pub(super) const LEVEL: u32 = 4;

/// Text is deflated in pieces of this size, so that how it was handed over does not show in the bytes.
const PIECE: usize = 32 * 1024;

/// A text that is being packed.
#[derive(Debug)]
pub(super) struct Packer {
    deflate: Compress,
    crc: Crc,
    packed: Vec<u8>,
    waiting: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            deflate: Compress::new(Compression::new(LEVEL), false),
            crc: Crc::new(),
            packed: Vec::new(),
            waiting: Vec::with_capacity(PIECE + 4096),
        }
    }
}

impl Packer {
    /// Where the next text goes; [`Packer::flow`] is to be called after each piece.
    pub(super) const fn text(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Deflates what waits, once it is enough.
    pub(super) fn flow(&mut self) {
        let mut done = 0;
        for piece in self.waiting.chunks_exact(PIECE) {
            self.crc.update(piece);
            deflate(&mut self.deflate, piece, &mut self.packed, FlushCompress::None);
            done += piece.len();
        }
        self.waiting.drain(..done);
    }

    /// The whole file, with `head` before what was handed over.
    #[must_use]
    pub(super) fn finish(mut self, head: &str) -> Vec<u8> {
        self.flow();
        self.crc.update(&self.waiting);
        deflate(&mut self.deflate, &self.waiting, &mut self.packed, FlushCompress::Finish);
        // Deflate, no flags, no time, no extra flags, system unknown.
        let mut file = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
        let mut crc = Crc::new();
        crc.update(head.as_bytes());
        let mut first = Compress::new(Compression::new(LEVEL), false);
        deflate(&mut first, head.as_bytes(), &mut file, FlushCompress::Sync);
        crc.combine(&self.crc);
        file.append(&mut self.packed);
        file.extend(crc.sum().to_le_bytes());
        file.extend(crc.amount().to_le_bytes());
        file
    }
}

impl io::Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        self.flow();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn deflate(state: &mut Compress, mut input: &[u8], out: &mut Vec<u8>, flush: FlushCompress) {
    loop {
        out.reserve(16 * 1024);
        let before = state.total_in();
        // Deflating in memory cannot fail; what it has not taken it is given again.
        let status = state.compress_vec(input, out, flush).unwrap_or(Status::StreamEnd);
        let taken = usize::try_from(state.total_in() - before).unwrap_or(input.len());
        input = input.get(taken..).unwrap_or_default();
        let has_room = out.len() < out.capacity();
        let is_done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            // With room left everything that was to come out has come out.
            _ => input.is_empty() && has_room,
        };
        if is_done {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read as _;

    fn pack(head: &str, parts: &[&str]) -> Vec<u8> {
        let mut packer = Packer::default();
        for part in parts {
            packer.text().extend_from_slice(part.as_bytes());
            packer.flow();
        }
        packer.finish(head)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_unpacks_to_head_and_body_however_they_came(
            head in "\\PC{0,40}",
            parts in proptest::collection::vec(("\\PC{0,9}", 0usize..9000), 0..8),
        ) {
            let parts: Vec<String> = parts.iter().map(|(text, times)| text.repeat(*times)).collect();
            let body = parts.concat();
            let packed = pack(&head, &parts.iter().map(String::as_str).collect::<Vec<_>>());
            let mut text = String::new();
            GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
            prop_assert!(text == [head.as_str(), &body].concat());
            prop_assert!(packed == pack(&head, &[&body]));
        }
    }
}
