//! Gzip whose first part is written last.
//!
//! A file says at its beginning how many readings follow. So the body is deflated as it comes, the head at the end, on a
//! byte boundary (a sync flush), and both are put together behind the ten octets of a header without time and name: the
//! same text gives the same bytes (RFC 1951, RFC 1952).

use super::deflate::Deflate;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::io;

/// A text that is being packed.
#[derive(Debug, Default)]
pub(super) struct Packer {
    body: Deflate,
    crc: Crc,
}

impl Packer {
    /// Where the next text goes; [`Packer::flow`] is to be called after each piece.
    pub(super) const fn text(&mut self) -> &mut Vec<u8> {
        self.body.text()
    }

    /// Deflates what waits, once it is enough.
    pub(super) fn flow(&mut self) {
        self.body.flow(|piece| self.crc.update(piece));
    }

    /// The whole file, with `head` before what was handed over. Afterwards the next can come.
    #[must_use]
    pub(super) fn finish(&mut self, head: &str) -> Vec<u8> {
        let mut of_body = std::mem::take(&mut self.crc);
        let mut body = self.body.finish(|piece| of_body.update(piece));
        // Deflate, no flags, no time, no extra flags, system unknown.
        let mut file = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
        flushed(head.as_bytes(), &mut file);
        let mut crc = Crc::new();
        crc.update(head.as_bytes());
        crc.combine(&of_body);
        file.append(&mut body);
        file.extend(crc.sum().to_le_bytes());
        file.extend(crc.amount().to_le_bytes());
        file
    }
}

impl io::Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text().extend_from_slice(bytes);
        self.flow();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deflates a text up to a byte boundary that more can follow.
fn flushed(mut text: &[u8], out: &mut Vec<u8>) {
    let mut state = Compress::new(Compression::default(), false);
    loop {
        out.reserve(16 * 1024);
        let before = state.total_in();
        // Deflating in memory cannot fail; what it has not taken it is given again.
        let status = state.compress_vec(text, out, FlushCompress::Sync).unwrap_or(Status::StreamEnd);
        let taken = usize::try_from(state.total_in() - before).unwrap_or(text.len());
        text = text.get(taken..).unwrap_or_default();
        // With room left everything that was to come out has come out.
        if status == Status::StreamEnd || (text.is_empty() && out.len() < out.capacity()) {
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
