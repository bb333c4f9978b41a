//! Naming the octets of an APDU.

mod session;

use super::apdu::notification_head;
use super::cipher::{Envelope, is_ciphered};
use super::{Apdu, Item, Keys, LLC, Piece, SystemTitle, Tree, access_result, length, name, open, tag};
use crate::reading::{MeterTime, Obis, Offset, Unit};
use crate::wire::dissect::{Dissection, hex};
use std::ops::Range;

/// Names the LLC header and the block header at the start of a frame's information, and calls the rest an APDU.
///
/// In a frame that goes on with a segment those octets may be something else; [`weave`] puts that right.
pub fn dissect_heads(information: &[u8], at: usize, depth: usize, out: &mut Dissection) {
    let mut from = 0;
    if LLC.iter().any(|llc| information.starts_with(llc)) {
        let what = if information[1] == 0xE7 { "answer or push" } else { "request" };
        out.field(at..at + 3, depth, format!("LLC header: {what}"));
        from = 3;
    }
    from = match information.get(from..from + 2) {
        Some([0xE0, _]) => dissect_block_head(information, from, at, depth, out),
        Some([0xC4, 2]) => dissect_data_block_head(information, from, at, depth, out),
        _ => from,
    };
    if from < information.len() {
        let rest = information.get(from..).unwrap_or_default();
        out.field(at + from..at + information.len(), depth, format!("{} octets of an APDU: {}", rest.len(), hex(rest)));
    }
}

fn dissect_block_head(information: &[u8], from: usize, at: usize, depth: usize, out: &mut Dissection) -> usize {
    let (Some(&[_, control, n1, n2, a1, a2]), Ok((length, data))) =
        (information.get(from..from + 6), length(information, from + 6))
    else {
        return from;
    };
    let mut field = |range: Range<usize>, meaning: String| out.field(at + range.start..at + range.end, depth, meaning);
    let last = if control & 0x80 != 0 { "last block" } else { "more blocks follow" };
    field(from..from + 1, "general block transfer".into());
    field(from + 1..from + 2, format!("block control {control:02x}: {last}, window {}", control & 0x3F));
    field(from + 2..from + 4, format!("block number {}", u16::from_be_bytes([n1, n2])));
    field(from + 4..from + 6, format!("acknowledged block {}", u16::from_be_bytes([a1, a2])));
    field(from + 6..data, format!("{length} octets of the APDU"));
    data
}

fn dissect_data_block_head(information: &[u8], from: usize, at: usize, depth: usize, out: &mut Dissection) -> usize {
    let apdu = information.get(from..).unwrap_or_default();
    let Ok((Apdu::Block { last, number, data: Ok(data) }, end)) = Apdu::parse(apdu) else { return from };
    let (at, head) = (at + from, end - data.len());
    let last = if last { "last block" } else { "more blocks follow" };
    out.field(at..at + 2, depth, "GET response in data blocks");
    out.field(at + 2..at + 3, depth, "invoke id and priority");
    out.field(at + 3..at + 4, depth, last);
    out.field(at + 4..at + 8, depth, format!("block number {number}"));
    out.field(at + 8..at + head, depth, format!("{} octets of the value", data.len()));
    from + head
}

/// Names the octets of a whole APDU. `pieces` say where in the input they came from: a field whose octets lie in two
/// frames is split. A ciphered APDU is one field for its ciphertext, and what it says follows as remarks.
pub fn dissect(apdu: &[u8], pieces: &[Piece], keys: &Keys, depth: usize, out: &mut Dissection) {
    let mut writer = Writer { pieces, remarks_only: false, out };
    writer.apdu(apdu, keys, depth);
}

/// Puts the fields of an APDU in the place of the octets that the frames' own fields only call a part of one.
#[must_use]
pub fn weave(frames: Dissection, apdu: Dissection) -> Dissection {
    // Each field with the remarks behind it, by where it starts.
    let mut groups: Vec<Vec<crate::wire::dissect::Field>> = Vec::new();
    for field in apdu.fields {
        match groups.last_mut() {
            Some(group) if field.bytes.is_empty() && field.bytes.start == 0 => group.push(field),
            _ => groups.push(vec![field]),
        }
    }
    let mut groups = groups.into_iter().peekable();
    let mut woven = Dissection::default();
    let mut done = 0;
    for frame in frames.fields {
        if frame.bytes.is_empty() {
            woven.fields.push(frame);
            continue;
        }
        let mut at = frame.bytes.start.max(done);
        while let Some(group) = groups.next_if(|group| group.first().is_some_and(|f| f.bytes.start < frame.bytes.end)) {
            let Range { start, end } = group.first().map_or(0..0, |field| field.bytes.clone());
            if at < start {
                woven.fields.push(crate::wire::dissect::Field { bytes: at..start, ..frame.clone() });
            }
            at = at.max(end);
            woven.fields.extend(group);
        }
        if at < frame.bytes.end {
            woven.fields.push(crate::wire::dissect::Field { bytes: at..frame.bytes.end, ..frame.clone() });
        }
        done = done.max(at);
    }
    woven.fields.extend(groups.flatten());
    woven
}

struct Writer<'a> {
    pieces: &'a [Piece],
    /// Inside what was deciphered there are no octets of the input to point at.
    remarks_only: bool,
    out: &'a mut Dissection,
}

impl Writer<'_> {
    fn field(&mut self, range: Range<usize>, depth: usize, meaning: impl Into<String>, wrong: bool) {
        let meaning = meaning.into();
        let mut first = true;
        if !self.remarks_only {
            for piece in self.pieces {
                let start = piece.apdu.max(range.start);
                let end = (piece.apdu + piece.len).min(range.end);
                if start < end {
                    let at = usize::try_from(piece.stream).unwrap_or(usize::MAX).saturating_add(start - piece.apdu);
                    let meaning = if first { meaning.clone() } else { format!("{meaning} (continued)") };
                    self.push(at..at.saturating_add(end - start), depth, meaning, wrong);
                    first = false;
                }
            }
        }
        if first {
            // The head that a joined answer got stands where its data begin.
            let data = self.pieces.first().filter(|piece| !self.remarks_only && range.end <= piece.apdu);
            let at = data.map_or(0, |piece| usize::try_from(piece.stream).unwrap_or(usize::MAX));
            self.push(at..at, depth, meaning, wrong);
        }
    }

    fn push(&mut self, bytes: Range<usize>, depth: usize, meaning: String, wrong: bool) {
        if wrong {
            self.out.wrong(bytes, depth, meaning);
        } else {
            self.out.field(bytes, depth, meaning);
        }
    }

    fn apdu(&mut self, apdu: &[u8], keys: &Keys, depth: usize) {
        let Some(&first) = apdu.first() else { return };
        if is_ciphered(first) {
            return self.ciphered(apdu, keys, depth);
        }
        match first {
            0x0F => self.notification(apdu, depth),
            0xC4 => self.answer(apdu, depth),
            b'/' => self.field(0..apdu.len(), depth, format!("P1 telegram of {} octets", apdu.len()), false),
            _ => {
                self.field(0..1, depth, name(first), false);
                let mut at = 1;
                for (range, meaning) in session::fields(apdu) {
                    at = range.end;
                    self.field(range, depth + 1, meaning, false);
                }
                self.rest(apdu, at, depth + 1);
            }
        }
    }

    fn rest(&mut self, apdu: &[u8], from: usize, depth: usize) {
        if from < apdu.len() {
            let octets = hex(apdu.get(from..).unwrap_or_default());
            self.field(from..apdu.len(), depth, octets, false);
        }
    }

    fn ciphered(&mut self, apdu: &[u8], keys: &Keys, depth: usize) {
        self.field(0..1, depth, apdu.first().map_or("", |&tag| name(tag)), false);
        let (envelope, end) = match Envelope::parse(apdu) {
            Ok(parts) => parts,
            Err(fail) => {
                self.field(1..apdu.len(), depth + 1, crate::reading::Anomaly::from(fail).detail, true);
                return;
            }
        };
        let depth = depth + 1;
        let mut at = 1;
        if let Some(range) = &envelope.title {
            if range.start > at {
                self.field(at..range.start, depth, "length of the system title", false);
            }
            let octets =
                apdu.get(range.clone()).and_then(|octets| <[u8; 8]>::try_from(octets).ok()).unwrap_or_default();
            self.field(range.clone(), depth, format!("system title {}", SystemTitle(octets)), false);
            at = range.end;
        }
        if envelope.control > at {
            let what = if envelope.associated.is_empty() {
                "length of what follows"
            } else {
                "other fields, length of what follows"
            };
            self.field(at..envelope.control, depth, what, false);
        }
        let control = apdu.get(envelope.control).copied().unwrap_or_default();
        let is = |bit: u8, yes: &'static str| if control & bit != 0 { yes } else { "" };
        let meaning = format!(
            "security control {control:02x}: suite {}{}{}{}{}",
            control & 0x0F,
            is(0x10, ", authenticated"),
            is(0x20, ", encrypted"),
            is(0x40, ", broadcast key"),
            is(0x80, ", compressed"),
        );
        self.field(envelope.control..envelope.control + 1, depth, meaning, false);
        let counter = apdu.get(envelope.counter.clone()).unwrap_or_default();
        let counter = counter.iter().fold(0u32, |sum, &octet| sum << 8 | u32::from(octet));
        self.field(envelope.counter.clone(), depth, format!("invocation counter {counter}"), false);
        let what = if control & 0x20 != 0 { "ciphertext" } else { "plaintext" };
        if !envelope.text.is_empty() {
            self.field(envelope.text.clone(), depth, format!("{what}, {} octets", envelope.text.len()), false);
        }
        let opened = open(apdu, keys);
        if !envelope.tag.is_empty() {
            let fits = match &opened {
                Ok(opened) if opened.verified == super::Verified::Tag => ", fits",
                Ok(_) => ", not checked",
                Err(_) => "",
            };
            self.field(envelope.tag.clone(), depth, format!("authentication tag{fits}"), false);
        }
        if end < apdu.len() {
            self.field(end..apdu.len(), depth, "more octets than the APDU has", true);
        }
        match opened {
            Ok(opened) => {
                let outside = std::mem::replace(&mut self.remarks_only, true);
                // What `open` leaves is not ciphered any more.
                self.apdu(&opened.plain, keys, depth);
                self.remarks_only = outside;
            }
            Err(fault) => self.push(0..0, depth, fault.detail.to_string(), true),
        }
    }

    fn notification(&mut self, apdu: &[u8], depth: usize) {
        self.field(0..1, depth, "data notification", false);
        let depth = depth + 1;
        let (push, end) = match Apdu::parse(apdu) {
            Ok((Apdu::Notification(push), end)) => (push, end),
            Ok(_) => return self.rest(apdu, 1, depth),
            Err(fail) => {
                let detail = crate::reading::Anomaly::from(fail).detail;
                if apdu.len() > 1 {
                    self.field(1..apdu.len(), depth, detail, true);
                }
                return;
            }
        };
        self.field(1..5, depth, format!("invoke id {}", push.invoke_id), false);
        match notification_head(apdu) {
            Ok((Some(range), _)) => {
                self.field(5..range.start, depth, "a date-time of 12 octets follows", false);
                self.field(
                    range,
                    depth,
                    push.time.as_ref().map_or_else(|| "date-time, not specified".into(), time_text),
                    false,
                );
            }
            _ => self.field(5..push.body_at, depth, "no date-time", false),
        }
        self.tree(&push.body, push.body_at, end, depth);
        self.behind(apdu, end, depth);
    }

    fn behind(&mut self, apdu: &[u8], end: usize, depth: usize) {
        if end < apdu.len() {
            self.field(end..apdu.len(), depth, "more octets than the APDU has", true);
        }
    }

    fn answer(&mut self, apdu: &[u8], depth: usize) {
        self.field(0..1, depth, "GET response", false);
        let depth = depth + 1;
        match Apdu::parse(apdu) {
            Ok((Apdu::Answer(values), end)) => {
                let mut at = 1;
                for value in &values {
                    match value {
                        Ok(tree) => {
                            let start = tree.root().at();
                            self.field(at..start, depth, "header: data follow", false);
                            at = tree_end(tree);
                            self.tree(tree, start, at, depth);
                        }
                        Err(result) => {
                            // The result is one octet behind the choice.
                            let to = apdu
                                .get(at..)
                                .and_then(|rest| rest.iter().position(|b| b == result))
                                .map_or(end, |n| at + n + 1);
                            self.field(at..to.min(end), depth, format!("refused: {}", access_result(*result)), false);
                            at = to.min(end);
                        }
                    }
                }
                if at < end {
                    self.field(at..end, depth, "rest of the header", false);
                }
                self.behind(apdu, end, depth);
            }
            Ok((Apdu::Block { last, number, data }, end)) => {
                let last = if last { ", last" } else { "" };
                let header = end - data.map_or(0, <[u8]>::len);
                self.field(1..header, depth, format!("data block {number}{last}"), false);
                if header < end {
                    self.field(header..end, depth, format!("{} octets of the value", end - header), false);
                }
                self.behind(apdu, end, depth);
            }
            Ok(_) => self.rest(apdu, 1, depth),
            Err(fail) => {
                let detail = crate::reading::Anomaly::from(fail).detail;
                if apdu.len() > 1 {
                    self.field(1..apdu.len(), depth, detail, true);
                }
            }
        }
    }

    /// The values of a tree, each from its tag to where the next one starts.
    fn tree(&mut self, tree: &Tree<'_>, from: usize, end: usize, depth: usize) {
        let mut items = tree.all().peekable();
        let mut at = from;
        while let Some((item, level)) = items.next() {
            let next = items.peek().map_or(end, |(next, _)| next.at());
            self.field(at..next.max(at), depth + level, describe(item), false);
            at = next.max(at);
        }
    }
}

fn tree_end(tree: &Tree<'_>) -> usize {
    tree.all().last().map_or(0, |(item, _)| item.content_at() + item.content().len())
}

fn describe(item: Item<'_, '_>) -> String {
    let content = item.content();
    match item.tag() {
        tag::NULL => "null".into(),
        tag::ARRAY => format!("array of {}", item.count()),
        tag::STRUCTURE => match item.scaler_unit() {
            Some((scaler, unit)) => {
                let unit = Unit::from_dlms(unit).map_or_else(|| "no unit".into(), |unit| unit.symbol().to_string());
                format!("scaler and unit: 10^{scaler} {unit}")
            }
            None => format!("structure of {}", item.count()),
        },
        tag::BOOLEAN => format!("boolean {}", content.first().is_some_and(|&octet| octet != 0)),
        tag::BIT_STRING => format!("bit string {}", hex(content)),
        tag::OCTETS => {
            let obis = item.obis().filter(|_| content.last() == Some(&0xFF)).map(Obis::from_octets);
            match (obis, item.time(), item.text()) {
                (Some(obis), ..) => format!("OBIS code {obis}"),
                (_, Some(time), _) => time_text(&time),
                (_, _, Some(text)) => format!("octet string \"{text}\""),
                _ => format!("octet string {}", hex(content)),
            }
        }
        tag::TEXT | tag::UTF8 => match item.text() {
            Some(text) => format!("text \"{}\"", text.escape_default()),
            None => format!("text {}", hex(content)),
        },
        tag::ENUM => format!("enumeration {}", item.integer().unwrap_or_default()),
        tag::DATE_TIME => item.time().as_ref().map_or_else(|| format!("date-time {}", hex(content)), time_text),
        tag::DATE => format!("date {}", hex(content)),
        tag::TIME => format!("time {}", hex(content)),
        tag::DONT_CARE => "don't care".into(),
        _ => match item.integer() {
            Some(number) => format!("number {number}"),
            None => item.float_text().map_or_else(|| hex(content), |text| format!("number {text}")),
        },
    }
}

fn time_text(time: &MeterTime) -> String {
    let zone = match time.offset {
        Offset::Minutes(minutes) => format!(" at UTC{:+03}:{:02}", minutes / 60, minutes.abs() % 60),
        Offset::Summer => " local time, summer".into(),
        Offset::Winter => " local time, winter".into(),
        Offset::Unknown => " local time".into(),
    };
    format!("date-time {}{zone}{}", time.civil, if time.doubtful { ", doubtful" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::super::examples::{CIPHERED, E450_TWO_BLOCKS, MBUS, bytes, keys};
    use super::super::{Joiner, cut_bare};
    use super::*;
    use crate::wire::{Cut, hdlc, mbus};
    use proptest::prelude::*;

    /// Frames and APDUs of an input, woven.
    fn explain(input: &[u8]) -> Dissection {
        let mut out = Dissection::default();
        let mut inner = Dissection::default();
        let mut joiner = Joiner::new();
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            if let Cut::Whole { len, value } = hdlc::cut(rest, true) {
                hdlc::dissect(&value, &rest[..len], at, &mut out);
                if let Some(apdu) = joiner.hdlc(&value, rest, at as u64).apdu {
                    dissect(apdu.bytes, apdu.pieces, &keys(), 1, &mut inner);
                }
                at += len;
            } else if let Cut::Whole { len, value } = mbus::cut(rest, true) {
                mbus::dissect(&value, &rest[..len], at, &mut out);
                if let Some(apdu) = joiner.mbus(&value, rest, at as u64).apdu {
                    dissect(apdu.bytes, apdu.pieces, &keys(), 1, &mut inner);
                }
                at += len;
            } else {
                out.field(at..at + 1, 0, "flag");
                at += 1;
            }
        }
        weave(out, inner)
    }

    fn gapless(dissection: &Dissection, len: usize) {
        let mut at = 0;
        for field in dissection.fields.iter().filter(|field| !field.bytes.is_empty()) {
            assert_eq!(field.bytes.start, at, "{}", field.meaning);
            at = field.bytes.end;
        }
        assert_eq!(at, len);
    }

    #[test]
    fn a_push_in_two_blocks() {
        let input = bytes(E450_TWO_BLOCKS);
        let woven = explain(&input);
        gapless(&woven, input.len());
        let meanings: Vec<&str> = woven.fields.iter().map(|field| field.meaning.as_str()).collect();
        for expected in [
            "LLC header: answer or push",
            "block number 1",
            "112 octets of the APDU",
            "data notification",
            "date-time 2025-11-07T14:30:00 local time",
            "OBIS code 1-0:31.7.0*255",
            "octet string \"12345678\"",
            "number 154320",
        ] {
            assert!(meanings.contains(&expected), "{expected}: {meanings:#?}");
        }
        assert!(woven.fields.iter().all(|field| !field.wrong));
    }

    #[test]
    fn a_ciphered_push_says_what_it_hides() {
        for hex in [CIPHERED, MBUS] {
            let input = bytes(hex);
            let woven = explain(&input);
            gapless(&woven, input.len());
            let remarks: Vec<&str> =
                woven.fields.iter().filter(|f| f.bytes.is_empty()).map(|f| f.meaning.as_str()).collect();
            assert_eq!(
                remarks,
                [
                    "data notification",
                    "invoke id 42",
                    "no date-time",
                    "structure of 3",
                    "number 231",
                    "number 1250",
                    "number 2345"
                ]
            );
        }
    }

    #[test]
    fn answers_are_named_too() {
        for hex in [
            "C4 03 C1 02 00 12 00 E7 01 0B",
            "C4 01 C1 01 01",
            "C4 02 C1 01 00 00 00 01 00 02 06 00",
            "C4",
            "C7 01 C1 00 01 00 09 01 10",
            "D8 01 06 00 00 00 07",
            "0E 01 06 03",
        ] {
            let input = bytes(hex);
            let mut out = Dissection::default();
            dissect(&input, &[Piece { apdu: 0, stream: 0, len: input.len() }], &keys(), 0, &mut out);
            gapless(&out, input.len());
        }
    }

    #[test]
    fn a_session_is_named_field_by_field() {
        let meanings = |hex: &str| {
            let input = bytes(hex);
            let mut out = Dissection::default();
            dissect(&input, &[Piece { apdu: 0, stream: 0, len: input.len() }], &keys(), 0, &mut out);
            gapless(&out, input.len());
            out.fields.into_iter().map(|field| field.meaning).collect::<Vec<_>>()
        };
        assert_eq!(
            meanings(
                "60 36 A1 09 06 07 60 85 74 05 08 01 01 8A 02 07 80 8B 07 60 85 74 05 08 02 01 AC 0A 80 08 30 30 30 30 30
                 30 30 30 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 40 1E 5D FF FF"
            ),
            [
                "association request",
                "length of what follows",
                "application context: logical names",
                "authentication is used",
                "mechanism: password",
                "password",
                "services asked for: 401e5d; APDUs of up to 65535 octets",
            ]
        );
        let refused =
            "61 1F A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 01 A3 05 A1 03 02 01 0D BE 06 04 04 0E 01 06 03";
        assert_eq!(
            meanings(refused)[3..],
            [
                "result: refused",
                "diagnostic: the authentication failed",
                "confirmed service error: the APDU size is too short",
            ]
        );
        assert_eq!(
            meanings("C0 01 C1 00 07 01 00 63 01 00 FF 02 01 02 02 04 06 00 00 00 01 06 00 00 00 0A 12 00 01 12 00 00"),
            [
                "GET request",
                "kind, invoke id and priority",
                "1-0:99.1.0*255 attribute 2 (class 7)",
                "rows number 1 to 10",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes(mut input in proptest::collection::vec(any::<u8>(), 1..100), start in 0usize..13, split in 0usize..100) {
            input[0] = [0x0F, 0xC4, 0xDB, 0xDD, 0xE0, input[0], 0x60, 0x61, 0xC0, 0xC3, 0xC7, 0xD8, 0x0E][start];
            let split = split.min(input.len());
            let pieces = [Piece { apdu: 0, stream: 0, len: split }, Piece { apdu: split, stream: split as u64, len: input.len() - split }];
            let mut out = Dissection::default();
            dissect(&input, &pieces, &keys(), 0, &mut out);
            gapless(&out, input.len());
            let _ = cut_bare(&input, true);
            let mut heads = Dissection::default();
            dissect_heads(&input, 0, 0, &mut heads);
            gapless(&heads, input.len());
        }
    }
}
