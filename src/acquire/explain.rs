//! A capture taken apart: every byte named once, in order.

use super::Settings;
use super::scan::{Piece, Place, is_idle, next_piece};
use crate::wire::dissect::{Dissection, Field, hex};
use crate::wire::{dlms, hdlc, mbus, sml, text};

/// Names every byte of a capture.
///
/// The fields that have bytes follow each other without gap or overlap and together are the capture.
#[must_use]
pub fn explain(bytes: &[u8], settings: &Settings) -> Dissection {
    let mut found = Dissection::default();
    // An APDU is only known after the last of its frames; its fields then take the place of the frames' own.
    let mut apdus = Dissection::default();
    let mut joiner = dlms::Joiner::default();
    let mut place = Place { end: true, at_start: true, bare: true };
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let piece = next_piece(rest, place, settings.protocol);
        let len = piece.len().clamp(1, rest.len());
        let taken = &rest[..len];
        let mut joined = None;
        let is_echo = matches!(piece, Piece::Echo(_));
        place.bare = false;
        match piece {
            Piece::Text(_, telegram) => text::dissect(taken, &telegram, at, &mut found),
            Piece::Sml(_, file) => sml::dissect(taken, &file, at, &mut found),
            Piece::Hdlc(_, frame) => {
                hdlc::dissect(&frame, taken, at, &mut found);
                joined = Some(joiner.hdlc(&frame, taken, at as u64));
            }
            Piece::Mbus(_, frame) => {
                mbus::dissect(&frame, taken, at, &mut found);
                joined = Some(joiner.mbus(&frame, taken, at as u64));
            }
            Piece::Bare(_, bare) => {
                place.bare = true;
                found.field(at..at + len, 0, "an APDU without a frame");
                let apdu = taken.get(bare.apdu.clone()).unwrap_or_default();
                joined = Some(joiner.apdu(apdu, (at + bare.apdu.start) as u64));
            }
            Piece::Damaged(_, fault) => {
                found.wrong(
                    at..at + len,
                    0,
                    format!("damaged: {} (byte {})", fault.detail, fault.position + at as u64),
                );
            }
            Piece::Echo(_) => found.field(at..at + len, 0, "request message: the echo of a sign-on"),
            Piece::Noise(_) | Piece::Need(_) => {
                place.bare = place.at_start && is_blank(taken);
                noise(at, taken, &mut found);
            }
        }
        if let Some(joined) = joined {
            if let Some(fault) = &joined.fault {
                found.fields.push(Field {
                    bytes: at..at,
                    depth: 1,
                    meaning: format!("{} (byte {})", fault.detail, fault.position),
                    wrong: true,
                });
            }
            if let Some(apdu) = &joined.apdu {
                dlms::dissect(apdu.bytes, apdu.pieces, &settings.keys, 1, &mut apdus);
            }
        }
        place.at_start &= is_echo || is_blank(taken);
        at += len;
    }
    complete(dlms::weave(found, apdus), bytes)
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| is_idle(byte))
}

/// Noise on end is one field, however many pieces it came in.
fn noise(at: usize, bytes: &[u8], found: &mut Dissection) {
    let meaning = match bytes {
        [0x7E, rest @ ..] if rest.iter().all(|&byte| byte == 0x7E) => "flag",
        _ if is_blank(bytes) => "blank",
        _ => "belongs to no telegram",
    };
    match found.fields.last_mut() {
        Some(last) if last.bytes.end == at && last.depth == 0 && last.meaning == meaning => {
            last.bytes.end += bytes.len();
        }
        _ => found.field(at..at + bytes.len(), 0, meaning),
    }
}

/// Brings the fields into the order of their bytes (an APDU is only known after the last of its frames), keeps remarks
/// behind what they are about, and names what nothing claimed.
fn complete(found: Dissection, bytes: &[u8]) -> Dissection {
    let mut anchored = Vec::with_capacity(found.fields.len());
    let mut anchor = 0;
    for field in found.fields {
        // A remark without a place of its own belongs to the field before it.
        if !field.bytes.is_empty() || field.bytes.start > 0 {
            anchor = field.bytes.start;
        }
        anchored.push((anchor, field));
    }
    anchored.sort_by_key(|(anchor, _)| *anchor);
    let mut complete = Dissection::default();
    let mut end = 0;
    for (_, mut field) in anchored {
        if field.bytes.is_empty() {
            field.bytes = end..end;
        } else {
            if field.bytes.start > end {
                unclaimed(end..field.bytes.start, bytes, &mut complete);
            }
            field.bytes.start = field.bytes.start.max(end);
            field.bytes.end = field.bytes.end.clamp(field.bytes.start, bytes.len());
            end = field.bytes.end;
            if field.bytes.is_empty() {
                continue;
            }
        }
        complete.fields.push(field);
    }
    if end < bytes.len() {
        unclaimed(end..bytes.len(), bytes, &mut complete);
    }
    complete
}

fn unclaimed(range: std::ops::Range<usize>, bytes: &[u8], complete: &mut Dissection) {
    let shown = bytes.get(range.clone()).map(hex).unwrap_or_default();
    complete.wrong(range, 1, format!("part of an APDU that was never completed: {shown}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_fields_are_the_capture(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut end = 0;
            for field in explain(&bytes, &Settings::default()).fields {
                proptest::prop_assert_eq!(field.bytes.start, end);
                end = field.bytes.end;
            }
            proptest::prop_assert_eq!(end, bytes.len());
        }
    }
}
