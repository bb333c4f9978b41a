//! Naming the octets of an M-Bus frame.

use super::Frame;
use crate::wire::dissect::{Dissection, hex};
use crate::wire::dlms;

/// Names the octets of one sound frame: `bytes` starts with it, and it stands at `at` of the input.
///
/// The APDU piece is one field; [`dlms::weave`] puts the APDU's fields in its place.
pub fn dissect(frame: &Frame, bytes: &[u8], at: usize, out: &mut Dissection) {
    let range = |from: usize, to: usize| at + from..at + to;
    match frame {
        Frame::Short { control, address } => {
            let what = if *control == 0x40 { " (reset of the link)" } else { "" };
            out.field(range(0, 1), 0, "start: M-Bus short frame");
            out.field(range(1, 2), 1, format!("control {control:02x}{what}"));
            out.field(range(2, 3), 1, format!("address {address}"));
            out.field(range(3, 4), 1, "checksum, fits");
            out.field(range(4, 5), 0, "end");
        }
        Frame::Long { control, address, information, data } => {
            out.field(range(0, 1), 0, "start: M-Bus long frame");
            out.field(range(1, 3), 1, format!("length {}, twice", data.end - 4));
            out.field(range(3, 4), 1, "start again");
            out.field(range(4, 5), 1, format!("control {control:02x}"));
            out.field(range(5, 6), 1, format!("address {address}"));
            let mut from = data.start;
            if *information < 0x20 {
                let last = if information & 0x10 != 0 { ", last" } else { "" };
                out.field(range(6, 7), 1, format!("CI {information:02x}: DLMS, segment {}{last}", information & 0x0F));
                if data.len() >= 2 {
                    out.field(range(7, 8), 1, format!("STSAP {:02x}", bytes.get(7).unwrap_or(&0)));
                    out.field(range(8, 9), 1, format!("DTSAP {:02x}", bytes.get(8).unwrap_or(&0)));
                    from += 2;
                }
            } else {
                out.field(range(6, 7), 1, format!("CI {information:02x}: not DLMS"));
            }
            let rest = bytes.get(from..data.end).unwrap_or_default();
            if *information < 0x20 {
                dlms::dissect_heads(rest, at + from, 1, out);
            } else if !rest.is_empty() {
                out.field(range(from, data.end), 1, format!("data {}", hex(rest)));
            }
            out.field(range(data.end, data.end + 1), 1, "checksum, fits");
            out.field(range(data.end + 1, data.end + 2), 0, "end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cut;
    use crate::wire::dlms::examples::{MBUS, bytes};

    #[test]
    fn every_octet_of_a_frame_has_a_name() {
        for hex in [MBUS, "10 40 01 41 16", "68 04 04 68 08 01 5B 00 64 16"] {
            let input = bytes(hex);
            let Cut::Whole { value, len } = super::super::cut(&input, true) else { panic!("{hex}") };
            let mut out = Dissection::default();
            dissect(&value, &input, 0, &mut out);
            let mut at = 0;
            for field in &out.fields {
                assert_eq!(field.bytes.start, at, "{}", field.meaning);
                at = field.bytes.end;
            }
            assert_eq!(at, len);
        }
    }
}
