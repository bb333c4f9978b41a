use super::reading;
use crate::acquire::quirks::dlms::PushList;
use crate::reading::{Anomaly, AnomalyCode, Code, Offset, Quality, Reading, Value};
use crate::wire::dlms::examples::{BURGENLAND, CIPHERED, E450_TWO_BLOCKS, VIENNA, bytes, keys};
use crate::wire::dlms::{Joiner, Keys, Opened, open};
use crate::wire::{Cut, hdlc};
use proptest::prelude::*;

/// The reading of a stream of HDLC frames.
fn read_frames(hex: &str, keys: &Keys, list: Option<PushList>) -> Result<Reading, Anomaly> {
    first_reading(&bytes(hex), keys, list).expect("an APDU")
}

/// The same, if there is an APDU at all.
fn first_reading(input: &[u8], keys: &Keys, list: Option<PushList>) -> Option<Result<Reading, Anomaly>> {
    let mut joiner = Joiner::new();
    let mut at = 0;
    while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
        let Cut::Whole { len, value } = hdlc::cut(rest, true) else {
            at += 1;
            continue;
        };
        at += len;
        if let Some(apdu) = joiner.hdlc(&value, rest, 0).apdu {
            return Some(open(apdu.bytes, keys).and_then(|opened| reading(&opened, list)));
        }
    }
    None
}

fn read(hex: &str) -> Result<Reading, Anomaly> {
    reading(&Opened::plain(&bytes(hex)), None)
}

/// A push without a time around `body`.
fn push(body: &str) -> Reading {
    read(&format!("0F 00000001 00 {body}")).unwrap()
}

/// The registers as `code value unit`.
fn lines(reading: &Reading) -> Vec<String> {
    let value = |register: &crate::reading::Register| match &register.value {
        Value::Number(number) => number.to_string(),
        Value::Nothing => "-".into(),
        Value::Bool(yes) => yes.to_string(),
        Value::List(values) => format!("{} values", values.len()),
        Value::Text(_) | Value::Octets(_) => format!("\"{}\"", register.as_text().unwrap_or("?")),
    };
    reading
        .registers
        .iter()
        .map(|r| format!("{} {} {}", r.code.key(), value(r), r.unit.map_or_else(String::new, |u| u.to_string())))
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[test]
fn an_e450_describes_its_push_itself() {
    let reading = read_frames(E450_TWO_BLOCKS, &Keys::default(), None).unwrap();
    let expected =
        ["0-8:25.9.0 -", "0-0:96.1.0 \"12345678\"", "1-0:1.7.0 2345 W", "1-1:1.8.0 154320 Wh", "1-0:31.7.0 12.50 A"];
    assert_eq!(lines(&reading), expected);
    assert_eq!(reading.meter.unwrap().as_str(), "12345678");
    let clock = reading.clock.unwrap();
    assert_eq!((clock.civil.to_string().as_str(), clock.offset), ("2025-11-07T14:30:00", Offset::Unknown));
    assert_eq!((reading.quality, reading.anomalies), (Quality::Good, vec![]));
}

#[test]
fn a_flipped_bit_never_becomes_another_number() {
    for (hex, list) in [(E450_TWO_BLOCKS, None), (BURGENLAND, Some(PushList::NetzBurgenland))] {
        let sound = read_frames(hex, &keys(), list).unwrap();
        for bit in 0..bytes(hex).len() * 8 {
            let mut damaged = bytes(hex);
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Some(Ok(reading)) = first_reading(&damaged, &keys(), list) {
                assert_eq!(reading, sound, "bit {bit}");
            }
        }
    }
}

#[test]
fn scalers_in_the_list_belong_to_their_object() {
    let reading = push(
        "02 04 01 04
           02 04 12 0028 09 06 0000190900FF 0F 02 12 0000
           02 04 12 0003 09 06 0001180201FF 0F 02 12 0000
           02 04 12 0003 09 06 0001180201FF 0F 03 12 0000
           02 04 12 0048 09 06 0001180100FF 0F 09 12 0000
         05 0000 3039  02 02 0F FD 16 0D  11 07",
    );
    assert_eq!(lines(&reading), ["0-0:25.9.0 -", "0-1:24.2.1 12.345 m3", "0-1:24.1.0 7"]);
    assert_eq!(reading.registers[2].detail.as_ref().unwrap().status, Some(0x4809));
}

#[test]
fn clocks_and_capture_times_keep_their_place() {
    let reading = push(
        "02 04 01 04
           02 06 12 0028 09 06 0000190900FF 0F 02 12 0000 02 02 16 00 00 01 00
           02 06 12 0008 09 06 0000010000FF 0F 02 12 0000 02 02 16 00 00 01 00
           02 06 12 0004 09 06 0100010600FF 0F 02 12 0000 02 02 16 00 00 01 00
           02 06 12 0004 09 06 0100010600FF 0F 05 12 0000 02 02 16 00 00 01 00
         09 0C 07E90707050E1E00FF800081  06 00000FA0  09 0C 07E90701020C0F00FF800080",
    );
    assert_eq!(lines(&reading), ["0-0:25.9.0 -", "0-0:1.0.0 \"?\"", "1-0:1.6.0 4000 W"]);
    let clock = reading.clock.unwrap();
    assert_eq!((clock.offset, clock.doubtful), (Offset::Summer, true));
    assert_eq!(reading.registers[1].time(), Some(&clock));
    assert_eq!(reading.registers[2].time().unwrap().civil.to_string(), "2025-07-01T12:15:00");
}

#[test]
fn a_list_that_does_not_match_its_values_is_refused() {
    let fault = read(
        "0F 00000001 00 02 01 01 02 02 04 12 0028 09 06 0000190900FF 0F 02 12 0000
        02 04 12 0003 09 06 0100010700FF 0F 02 12 0000",
    )
    .unwrap_err();
    assert_eq!(fault.detail, "2 objects are listed, 1 values are sent");
}

#[test]
fn tenths_of_a_volt_stay_and_are_doubted() {
    let reading = push(
        "02 04 01 04
           02 04 12 0028 09 06 0006190900FF 0F 02 12 0000
           02 04 12 0003 09 06 0100200700FF 0F 02 12 0000
           02 04 12 0003 09 06 0100340700FF 0F 02 12 0000
           02 04 12 0003 09 06 0100010700FF 0F 02 12 0000
         12 092B 12 092B 06 0000001B",
    );
    assert_eq!(lines(&reading)[1..], ["1-0:32.7.0 2347 V", "1-0:52.7.0 2347 V", "1-0:1.7.0 27 W"]);
    assert_eq!(reading.quality, Quality::Suspect);
    // Once is enough.
    assert_eq!(reading.anomalies.len(), 1);
    assert!(reading.anomalies[0].detail.ends_with("a factor of 0.1 would fit"));
}

#[test]
fn pairs_of_code_and_value() {
    let reading = push(
        "02 05 09 0C 07E602150111251EFF800000
           09 06 0100010800FF 06 004345A0 09 06 0100030700FF 06 000006C7",
    );
    assert_eq!(lines(&reading), ["1-0:1.8.0 4408736 Wh", "1-0:3.7.0 1735 var"]);
    assert_eq!(reading.clock.unwrap().civil.to_string(), "2022-02-21T17:37:30");
}

#[test]
fn triples_flat_and_nested() {
    let expected = ["1-0:1.8.0 12937 Wh", "1-0:32.7.0 233.7 V", "1-0:13.7.0 1.000"];
    let flat = push(
        "02 0B 09 0C 07E5091B01092F0F00FF8880
           09 06 0100010800FF 06 00003289 02 02 0F 00 16 1E
           09 06 0100200700FF 12 0921 02 02 0F FF 16 23
           09 06 01000D0700FF 12 03E8 02 02 0F FD 16 FF
           09 0C 313831323230303030303039",
    );
    assert_eq!(lines(&flat), expected);
    assert_eq!(flat.meter.as_ref().unwrap().as_str(), "181220000009");
    assert_eq!(flat.clock.unwrap().offset, Offset::Minutes(120));
    assert_eq!(flat.quality, Quality::Good);
    let nested = push(
        "01 04 02 02 09 06 0101000281FF 0A 0B 4149444F4E5F5630303031
           02 03 09 06 0100010800FF 06 00003289 02 02 0F 00 16 1E
           02 03 09 06 0100200700FF 12 0921 02 02 0F FF 16 23
           02 03 09 06 01000D0700FF 12 03E8 02 02 0F FD 16 FF",
    );
    assert_eq!(lines(&nested)[1..], expected);
    assert_eq!(nested.identification.unwrap(), "AIDON_V0001");
}

#[test]
fn kamstrup_counts_in_tens_of_watt_hours() {
    let reading = push(
        "02 0B 0A 0E 4B616D73747275705F5630303031
           09 06 0101000005FF 0A 10 35373036353637303030303030303030
           09 06 0101600101FF 0A 12 363834313133384E32343531303130393041
           09 06 0101010800FF 06 0000007B 09 06 01011F0700FF 06 000000ED 09 06 0101200700FF 12 00E8",
    );
    assert_eq!(lines(&reading)[2..], ["1-1:1.8.0 1230 Wh", "1-1:31.7.0 2.37 A", "1-1:32.7.0 232 V"]);
    // 96.1.1 is the type there.
    assert_eq!(reading.meter.unwrap().as_str(), "5706567000000000");
    assert_eq!(reading.identification.unwrap(), "Kamstrup_V0001");
}

#[test]
fn kaifa_in_norway_counts_on_positions() {
    let reading = read(
        "0F 40000000 09 0C 07E1090F05052128FF800000
         02 09 09 07 4B464D5F303031 09 08 3132333435363738 09 07 4D413130354832
           06 000003B4 06 00000000 06 00000000 06 00000040 06 00000588 06 00000951",
    )
    .unwrap();
    assert_eq!(
        lines(&reading),
        [
            "1-1:0.2.129 \"KFM_001\"",
            "0-0:96.1.0 \"12345678\"",
            "0-0:96.1.7 \"MA105H2\"",
            "1-0:1.7.0 948 W",
            "1-0:2.7.0 0 W",
            "1-0:3.7.0 0 var",
            "1-0:4.7.0 64 var",
            "1-0:31.7.0 1.416 A",
            "1-0:32.7.0 238.5 V",
        ]
    );
    let one = read("0F 40000000 09 0C 07E1090F05052128FF800000 02 01 06 000003B4").unwrap();
    assert_eq!(lines(&one), ["1-0:1.7.0 948 W"]);
    // Without Kaifa's header nothing says what it is.
    assert_eq!(push("02 01 06 000003B4").anomalies[0].code, AnomalyCode::NoObis);
}

#[test]
fn untagged_descriptors_of_the_xt211() {
    let reading = push(
        "02 02 16 01 01 03 02 02 0001 0000600101FF 02 09 0A 35313030303035313439
           02 02 0046 000060030AFF 03 16 01 02 02 0003 0100010700FF 02 06 000007A4",
    );
    assert_eq!(lines(&reading), ["0-0:96.1.1 \"5100005149\"", "0-0:96.3.10 1", "1-0:1.7.0 1956 W"]);
    assert_eq!(reading.quality, Quality::Good);
}

#[test]
fn lists_without_codes_need_to_be_chosen() {
    let vienna = read_frames(VIENNA, &keys(), None).unwrap();
    assert!(vienna.registers.is_empty());
    assert_eq!(vienna.anomalies[0].detail, "9 values without OBIS codes");
    assert_eq!((vienna.quality, vienna.meter.unwrap().as_str()), (Quality::Suspect, "LGZ67730000d4"));
    assert_eq!(vienna.clock.unwrap().civil.to_string(), "2025-07-11T14:30:00");

    let vienna = read_frames(VIENNA, &keys(), Some(PushList::WienerNetze)).unwrap();
    let expected = [
        "1-0:1.8.0 12345678 Wh",
        "1-0:2.8.0 904321 Wh",
        "1-0:3.8.0 210005 varh",
        "1-0:4.8.0 3300120 varh",
        "1-0:1.7.0 2345 W",
        "1-0:2.7.0 0 W",
        "1-0:3.7.0 310 var",
        "1-0:4.7.0 0 var",
    ];
    assert_eq!((lines(&vienna), vienna.quality), (expected.map(String::from).to_vec(), Quality::Good));
    assert_eq!(vienna.clock.unwrap().offset, Offset::Summer);

    let burgenland = read_frames(BURGENLAND, &keys(), Some(PushList::NetzBurgenland)).unwrap();
    let expected = [
        "1-0:32.7.0 231 V",
        "1-0:52.7.0 232 V",
        "1-0:72.7.0 230 V",
        "1-0:31.7.0 0.00 A",
        "1-0:51.7.0 10.12 A",
        "1-0:71.7.0 0.26 A",
        "1-0:1.7.0 2345 W",
        "1-0:2.7.0 0 W",
        "1-0:1.8.0 12345678 Wh",
        "1-0:2.8.0 904321 Wh",
        "1-0:81.7.40 - deg",
        "1-0:81.7.51 7 deg",
        "1-0:81.7.62 295 deg",
    ];
    assert_eq!(lines(&burgenland), expected);
    assert_eq!(burgenland.meter.unwrap().as_str(), "12345678");

    let wrong = read_frames(BURGENLAND, &keys(), Some(PushList::WienerNetze)).unwrap();
    assert!(wrong.registers.is_empty());
    assert_eq!(wrong.anomalies[0].detail, "14 values without OBIS codes; the list wiener-netze does not fit");
}

#[test]
fn a_tag_that_was_not_checked_leaves_a_doubt() {
    let unchecked = Keys { authentication: None, ..keys() };
    let reading = read_frames(BURGENLAND, &unchecked, Some(PushList::NetzBurgenland)).unwrap();
    assert_eq!(reading.quality, Quality::Suspect);
    assert_eq!(reading.anomalies[0].code, AnomalyCode::TagUnverified);
    assert_eq!(read_frames(CIPHERED, &unchecked, None).unwrap().anomalies.len(), 2);
}

#[test]
fn answers_to_a_get() {
    let reading =
        read("C4 03 C1 02 00 09 10 49534B31303330373737373634333636 00 09 0C 07E50603040E091700FFC400").unwrap();
    assert_eq!(reading.meter.unwrap().as_str(), "ISK1030777764366");
    assert_eq!(reading.clock.unwrap().offset, Offset::Minutes(60));
    assert_eq!(reading.anomalies[0].detail, "2 values without OBIS codes");
    let detail = |hex: &str| read(hex).unwrap_err().detail.to_string();
    assert_eq!(detail("C4 01 C1 01 01"), "the meter refuses: hardware fault (data-access-result 1)");
    assert_eq!(detail("C4 02 C1 01 00000013 01 01"), "the meter refuses: hardware fault (data-access-result 1)");
    assert_eq!(
        detail("C4 02 C1 00 00000001 00 01 06"),
        "data block 1 of a longer answer: its values cannot be read alone"
    );
    assert_eq!(detail("D8 01 02"), "the meter answers with an exception, state 1, service 2");
    assert_eq!(detail("60 1D A1"), "octet 0: association request");
    assert_eq!(detail("C4 01 C1 00 16 00 00"), "1 octets more than the APDU has");
}

#[test]
fn values_of_every_kind_are_kept() {
    let reading = push(
        "02 10 09 06 0100010700FF 17 43698000 09 06 0100020700FF 00 09 06 0000600A00FF 04 0A FFC0
           09 06 0000600300FF 03 01 09 06 0000600E00FF 0A 02 5432 09 06 0000616200FF 01 02 11 01 11 02
           09 06 0100010800FF 15 FFFFFFFFFFFFFFFF 09 06 0100020800FF 17 7FC00000",
    );
    assert_eq!(
        lines(&reading),
        [
            "1-0:1.7.0 233.5 W",
            "1-0:2.7.0 -",
            "0-0:96.10.0 \"?\"",
            "0-0:96.3.0 true",
            "0-0:96.14.0 \"T2\"",
            "0-0:97.98.0 2 values",
            "1-0:1.8.0 \"18446744073709551615\"",
            "1-0:2.8.0 \"NaN\"",
        ]
    );
    assert!(matches!(reading.registers[0].code, Code::Obis(_)));
}

proptest! {
    #[test]
    fn any_bytes(mut input in proptest::collection::vec(prop_oneof![0u8..0x1C, Just(2), Just(9), Just(6), any::<u8>()], 8..120), list in 0usize..4) {
        (input[0], input[5], input[6]) = (0x0F, 0, 2);
        let _ = reading(&Opened::plain(&input), PushList::ALL.get(list).copied());
        (input[0], input[1], input[3]) = (0xC4, input[1] % 4, 0);
        let _ = reading(&Opened::plain(&input), None);
    }
}
