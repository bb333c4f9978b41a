use super::*;
use crate::wire::dlms::examples::{E450_TWO_BLOCKS, MBUS, PLAIN, bytes};
use crate::wire::{Cut, crc};
use proptest::prelude::*;

/// What a stream of HDLC and M-Bus frames comes to: APDUs and faults, in order.
fn join(input: &[u8]) -> (Vec<Vec<u8>>, Vec<Anomaly>) {
    let (mut apdus, mut faults) = (Vec::new(), Vec::new());
    let mut joiner = Joiner::new();
    let mut at = 0;
    while at < input.len() {
        let rest = &input[at..];
        let (joined, len) = match hdlc::cut(rest, true) {
            Cut::Whole { len, value } => (joiner.hdlc(&value, rest, at as u64), len),
            _ => match mbus::cut(rest, true) {
                Cut::Whole { len, value } => (joiner.mbus(&value, rest, at as u64), len),
                _ => (Joined::default(), 1),
            },
        };
        faults.extend(joined.fault);
        if let Some(apdu) = joined.apdu {
            // The head of an answer that came in blocks came from nowhere.
            let mut next = apdu.pieces.first().map_or(apdu.bytes.len(), |piece| piece.apdu);
            assert!(next == 0 || (next == 4 && apdu.bytes.starts_with(&[0xC4, 1])));
            for piece in apdu.pieces {
                assert_eq!(piece.apdu, next);
                next += piece.len;
                let start = usize::try_from(piece.stream).unwrap();
                assert_eq!(apdu.bytes[piece.apdu..next], input[start..start + piece.len]);
            }
            assert_eq!(next, apdu.bytes.len());
            apdus.push(apdu.bytes.to_vec());
        }
        at += len;
    }
    faults.extend(joiner.finish());
    (apdus, faults)
}

/// A UI frame around `information`.
fn frame(segmented: bool, control: u8, information: &[u8]) -> Vec<u8> {
    let length = u16::try_from(2 + 2 + 1 + 1 + 2 + information.len() + 2).unwrap();
    let format = 0xA000 | if segmented { 0x0800 } else { 0 } | length;
    let mut out = format.to_be_bytes().to_vec();
    out.extend([0xCE, 0xFF, 0x03, control]);
    let hcs = crc::x25(&out);
    out.extend(hcs.to_le_bytes());
    out.extend(information);
    let fcs = crc::x25(&out);
    out.extend(fcs.to_le_bytes());
    out.insert(0, hdlc::FLAG);
    out.push(hdlc::FLAG);
    out
}

fn llc(apdu: &[u8]) -> Vec<u8> {
    [&LLC[0][..], apdu].concat()
}

fn block(number: u8, last: bool, data: &[u8]) -> Vec<u8> {
    let head = [0xE0, if last { 0xC0 } else { 0x40 }, 0, number, 0, 0, u8::try_from(data.len()).unwrap()];
    let unit = [&head[..], data].concat();
    frame(false, 0x13, &if number == 1 { llc(&unit) } else { unit })
}

fn mbus(information: u8, data: &[u8]) -> Vec<u8> {
    let body = [&[0x53, 0xFF, information, 0x01, 0x67], data].concat();
    let length = u8::try_from(body.len()).unwrap();
    let sum = body.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    [&[0x68, length, length, 0x68], &body[..], &[sum, 0x16]].concat()
}

#[test]
fn two_blocks_of_the_specification() {
    let (apdus, faults) = join(&bytes(E450_TWO_BLOCKS));
    assert_eq!((apdus.len(), faults), (1, vec![]));
    assert_eq!(apdus[0].len(), 0x70 + 0x17);
    assert!(apdus[0].starts_with(&bytes("0F 00 00 00 2A 0C")));
}

#[test]
fn segments_of_hdlc() {
    let apdu = bytes(PLAIN);
    let unit = llc(&apdu);
    let input =
        [frame(true, 0x13, &unit[..7]), frame(true, 0x13, &unit[7..12]), frame(false, 0x13, &unit[12..])].concat();
    assert_eq!(join(&input), (vec![apdu.clone()], vec![]));
    // Twice in a row, and with a flag shared.
    assert_eq!(join(&[&input[..], &input[1..]].concat()).0.len(), 2);
    // Numbered frames of type I: one missing, then a whole set.
    let numbered = [frame(true, 0x10, &unit[..7]), frame(true, 0x14, &unit[7..12]), frame(false, 0x12, &unit[12..])];
    let (apdus, faults) = join(&[&numbered.concat()[..], &input].concat());
    assert_eq!(apdus, std::slice::from_ref(&apdu));
    assert_eq!(faults[0].code, AnomalyCode::Block);
    // All of one number: a meter that does not count. The same octets under the same number are a repeat.
    let [one, two, three] =
        [frame(true, 0x00, &unit[..7]), frame(true, 0x00, &unit[7..12]), frame(false, 0x00, &unit[12..])];
    assert_eq!(join(&[&one[..], &two, &two, &three].concat()), (vec![apdu.clone()], vec![]));
    // The last segment is missing, and the next push starts.
    let (apdus, faults) = join(&[frame(true, 0x13, &unit[..7]), input].concat());
    assert_eq!(apdus, [apdu]);
    assert_eq!(faults[0].detail, "a segment is missing after 1 segments with 7 octets; they are discarded");
}

#[test]
fn segments_of_mbus() {
    let apdu = bytes(PLAIN);
    let pieces = [mbus(0x00, &apdu[..4]), mbus(0x01, &apdu[4..9]), mbus(0x12, &apdu[9..])];
    assert_eq!(join(&pieces.concat()), (vec![apdu.clone()], vec![]));
    assert_eq!(join(&bytes(MBUS)).0[0][0], 0xDB);
    let (apdus, faults) = join(&[&pieces[0][..], &pieces[2], &pieces.concat()].concat());
    assert_eq!((apdus, faults.len()), (vec![apdu.clone()], 1));
    let (apdus, faults) = join(&[&pieces[1][..], &pieces[2], &pieces.concat()].concat());
    assert_eq!((apdus, faults.len()), (vec![apdu], 1));
    assert_eq!(faults[0].detail, "M-Bus segment 1 without those before it");
    let (apdus, faults) = join(&pieces[0]);
    assert_eq!((apdus.len(), faults[0].code), (0, AnomalyCode::Cut));
}

#[test]
fn blocks_are_strictly_in_order() {
    let apdu = bytes(PLAIN);
    let [one, two, three] = [block(1, false, &apdu[..9]), block(2, false, &apdu[9..12]), block(3, true, &apdu[12..])];
    let whole = [&one[..], &two, &three].concat();
    assert_eq!(join(&whole), (vec![apdu.clone()], vec![]));
    for (what, broken, code) in [
        ("repeated", vec![&one, &two, &two, &three], AnomalyCode::Block),
        ("missing", vec![&one, &three], AnomalyCode::Block),
        ("swapped", vec![&one, &three, &two], AnomalyCode::Block),
        ("no first", vec![&two, &three], AnomalyCode::Block),
        ("begun anew", vec![&one, &two], AnomalyCode::Block),
    ] {
        let mut input = broken.into_iter().flatten().copied().collect::<Vec<u8>>();
        input.extend(&whole);
        let (apdus, faults) = join(&input);
        assert_eq!((&apdus[..], faults.len(), faults[0].code), (&[apdu.clone()][..], 1, code), "{what}");
    }
    let (apdus, faults) = join(&[&one[..], &two].concat());
    assert_eq!((apdus.len(), faults[0].code), (0, AnomalyCode::Cut));
    assert_eq!(faults[0].detail, "the input ends after block 2 of an unfinished push; it is discarded");
}

#[test]
fn an_answer_in_data_blocks_is_joined_before_it_is_read() {
    use crate::wire::dlms::{INVOKE, Request, answer};
    let value = crate::wire::dlms::Data::Text("a value that is split anywhere".into()).to_octets();
    let blocks = |split: usize| {
        let (one, two) = value.split_at(split);
        let one = frame(false, 0x13, &llc(&answer::block(INVOKE, false, 1, Ok(one))));
        let two = frame(false, 0x13, &llc(&answer::block(INVOKE, true, 2, Ok(two))));
        // What the client asks in between does not matter.
        let next = frame(false, 0x13, &llc(&Request::Next { invoke: INVOKE, block: 1 }.encode()));
        (one, next, two)
    };
    let whole = [&[0xC4, 1, INVOKE, 0], &value[..]].concat();
    for split in 0..value.len() {
        let (one, next, two) = blocks(split);
        let (apdus, faults) = join(&[&one[..], &next, &two].concat());
        assert_eq!((apdus.last(), &faults[..]), (Some(&whole), &[][..]));
        // A block that came twice is one.
        assert_eq!(join(&[&one[..], &one, &two].concat()).0, std::slice::from_ref(&whole));
    }
    let (one, _, two) = blocks(5);
    let (apdus, faults) = join(&[&two[..], &one].concat());
    assert!(apdus.is_empty());
    assert_eq!(faults[0].detail, "block 2 without those before it");
    assert_eq!(faults[1].detail, "the input ends after block 1 of an unfinished answer; it is discarded");
    let refused = frame(false, 0x13, &llc(&answer::block(INVOKE, true, 2, Err(14))));
    let (apdus, faults) = join(&[&one[..], &refused].concat());
    assert_eq!((apdus.len(), faults.len()), (1, 1));
}

#[test]
fn memory_is_bounded() {
    let mut joiner = Joiner::new();
    let mut faults = 0;
    for number in 1..=1000u16 {
        let mut unit = vec![0xE0, 0x40, (number >> 8) as u8, number as u8, 0, 0, 0x7F];
        unit.extend([0; 0x7F]);
        faults += usize::from(joiner.apdu(&unit, 0).fault.is_some());
        assert!(joiner.blocks.bytes.len() <= MAX_TELEGRAM);
    }
    assert_eq!(faults, 1);
}

#[test]
fn frames_of_a_session_that_carry_nothing_are_left_out() {
    let input = bytes("7E A0 07 03 21 93 0F 01 7E 7E A0 07 03 21 31 17 87 7E 10 40 01 41 16");
    assert_eq!(join(&input), (vec![], vec![]));
    let (_, faults) = join(&mbus(0x72, &[0, 0]));
    assert_eq!(faults[0].detail, "M-Bus data of kind 72 is not DLMS");
    let (_, faults) = join(&frame(false, 0x13, &llc(&[0x99])));
    assert_eq!(faults[0].detail, "the frame starts no APDU: 99 where its tag has to stand");
}

proptest! {
    #[test]
    fn any_frames(units in proptest::collection::vec((any::<bool>(), 0u8..40, proptest::collection::vec(any::<u8>(), 0..20)), 0..30)) {
        let mut input = Vec::new();
        for (hdlc, kind, data) in units {
            let data = match kind % 4 { 0 => llc(&data), 1 => [&[0xE0, kind << 3, 0, kind % 3, 0, 0, u8::try_from(data.len()).unwrap()], &data[..]].concat(), _ => data };
            input.extend(if hdlc { frame(kind > 20, kind & 0x1E, &data) } else { mbus(kind, &data) });
        }
        let _ = join(&input);
    }
}
