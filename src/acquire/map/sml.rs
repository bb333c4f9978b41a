//! SML files to readings: one for each list response whose checksum fits.

use crate::acquire::quirks::sml as quirks;
use crate::reading::{
    Anomaly, AnomalyCode, CivilTime, Code, Decimal, Detail, MeterId, MeterTime, Obis, Offset, Protocol, Reading,
    Register, Unit, Value,
};
use crate::wire::sml::parse::{self, Check, Entry, Message, Time};
use crate::wire::sml::tlv::{Element, Reader};
use crate::wire::sml::{Fault, File};
use smol_str::SmolStr;

/// Lists inside a value are followed so far; what is deeper is kept as octets.
const MAX_DEPTH: usize = 4;

/// Hands every reading of a file to `sink`, or what is wrong with a message. `bytes` are those `file` was cut from.
///
/// A message with a wrong checksum gives no values, and neither does what follows a message that cannot be read.
pub fn readings(bytes: &[u8], file: &File, sink: &mut dyn FnMut(Result<Reading, Anomaly>)) {
    let payload = file.payload(bytes);
    let place = |at| file.position(bytes, at) as u64;
    if let Err(Fault { at, what }) = messages(&payload, &place, sink) {
        sink(Err(Anomaly::new(AnomalyCode::Syntax, place(at), what)));
    }
}

/// Reads message after message; what is behind the last one and does not begin like one is fill of some kind.
fn messages(
    payload: &[u8],
    place: &dyn Fn(usize) -> u64,
    sink: &mut dyn FnMut(Result<Reading, Anomaly>),
) -> Result<(), Fault> {
    let mut reader = Reader::new(payload);
    let mut opened_by = None;
    let mut found = payload.is_empty();
    while let Some(message) = Message::open(&mut reader)? {
        found = true;
        let mut reading = None;
        let mut meter = None;
        match message.id {
            parse::GET_LIST => reading = list_response(&mut reader, opened_by)?,
            parse::OPEN => meter = parse::server_id(&mut reader)?,
            _ => reader.skip()?,
        }
        match message.close(&mut reader)? {
            Check::Good(_) => {
                opened_by = meter.or(opened_by);
                if let Some(reading) = reading {
                    sink(Ok(reading));
                }
            }
            Check::Bad { at, sent, computed } => {
                let detail = format!("message CRC {sent:04X} sent, {computed:04X} computed");
                sink(Err(Anomaly::new(AnomalyCode::Checksum, place(at), detail)));
            }
        }
    }
    if found { Ok(()) } else { Err(Fault { at: reader.position(), what: "not a message" }) }
}

/// Reads the body of a list response; `None` where it has no entries and so says nothing.
fn list_response<'a>(reader: &mut Reader<'a>, opened_by: Option<&'a [u8]>) -> Result<Option<Reading>, Fault> {
    let mut reading = Reading::new(Protocol::Sml);
    let (mut value_time, mut maker, mut server_entry) = (None, None, None);
    let list = parse::get_list(reader, |list, count, entry| {
        if reading.registers.is_empty() {
            // A hostile count must not decide how much memory is asked for.
            reading.registers.reserve_exact(count.min(32));
        }
        let time = entry.time.and_then(clock);
        if value_time.is_none() {
            value_time = time;
        }
        if let Element::Octets(octets) = entry.value {
            if MAKERS.iter().any(|name| name == entry.name) {
                maker = maker.or(printable(octets));
            } else if SERVER_IDS.iter().any(|name| name == entry.name) {
                server_entry = server_entry.or(Some(octets));
            }
        }
        let server_id = list.server_id.or(opened_by).unwrap_or_default();
        match (plain_number(entry, server_id), time, entry.status) {
            (Some((obis, number)), None, None) => {
                reading.add_number(obis, number, entry.unit.and_then(Unit::from_dlms), 0);
            }
            _ => reading.registers.push(register(entry, time, server_id)),
        }
    })?;
    if reading.registers.is_empty() {
        return Ok(None);
    }
    reading.clock = list.sensor_time.and_then(clock).or(list.gateway_time.and_then(clock)).or(value_time);
    reading.meter = list.server_id.or(opened_by).and_then(meter_id).or_else(|| server_entry.and_then(meter_id));
    reading.identification = maker.map(SmolStr::new);
    Ok(Some(reading))
}

/// The maker's letters: FNN basic meters, EDL21.
const MAKERS: [[u8; 6]; 2] = [[1, 0, 96, 50, 1, 1], [129, 129, 199, 130, 3, 255]];
/// Where the server id stands among the values: FNN basic meters, EDL21, old EMH.
const SERVER_IDS: [[u8; 6]; 3] = [[1, 0, 96, 1, 0, 255], [1, 0, 0, 0, 9, 255], [0, 0, 96, 1, 255, 255]];

fn printable(octets: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(octets).ok()?.trim_matches([' ', '\0']);
    (!text.is_empty() && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))).then_some(text)
}

/// The code and number of an entry that needs no correction.
#[inline]
fn plain_number(entry: &Entry<'_>, server_id: &[u8]) -> Option<(Obis, Decimal)> {
    let name: [u8; 6] = entry.name.try_into().ok()?;
    if let Element::Integer(octets) = entry.value
        && quirks::unsigned_power(server_id, entry.name, octets)
    {
        return None;
    }
    Some((Obis::from_octets(name), Decimal::new(entry.value.number()?, entry.scaler)))
}

fn register(entry: &Entry<'_>, time: Option<MeterTime>, server_id: &[u8]) -> Register {
    let code = match entry.name.try_into() {
        Ok(octets) => Code::Obis(Obis::from_octets(octets)),
        Err(_) => {
            let mut name = String::new();
            push_hex(&mut name, entry.name);
            Code::Named(name.into())
        }
    };
    let value = match entry.value {
        Element::Integer(octets) if quirks::unsigned_power(server_id, entry.name, octets) => Element::Unsigned(octets),
        value => value,
    };
    let detail = (entry.status.is_some() || time.is_some())
        .then(|| Box::new(Detail { time, status: entry.status, ..Detail::default() }));
    let value = self::value(value, entry.scaler, &mut Reader::new(entry.elements), MAX_DEPTH);
    Register { detail, ..Register::new(code, value, entry.unit.and_then(Unit::from_dlms)) }
}

/// A value, exact; `elements` are those of a list.
#[inline]
fn value(value: Element<'_>, scaler: i8, elements: &mut Reader<'_>, depth: usize) -> Value {
    if let Some(number) = value.number() {
        return Value::Number(Decimal::new(number, scaler));
    }
    match value {
        Element::Octets([]) | Element::End => Value::Nothing,
        // An integer comes here only where 64 bits with a sign do not hold it.
        Element::Octets(octets) | Element::Integer(octets) | Element::Unsigned(octets) => Value::Octets(octets.into()),
        Element::Bool(flag) => Value::Bool(*flag != 0),
        Element::List(count) => Value::List(list(count, scaler, elements, depth).into()),
    }
}

/// The elements of a list. They have been passed over once, so that none is cut off.
fn list(count: usize, scaler: i8, elements: &mut Reader<'_>, depth: usize) -> Vec<Value> {
    let mut values = Vec::new();
    for _ in 0..count {
        let start = elements.position();
        let Ok(element) = elements.read() else { break };
        values.push(match (element, depth.checked_sub(1)) {
            (Element::List(count), None) => {
                let _ = elements.skip_many(count);
                Value::Octets(elements.since(start).into())
            }
            (element, depth) => value(element, scaler, elements, depth.unwrap_or(0)),
        });
    }
    values
}

/// The meter's time, where it is one: seconds of operation are not.
fn clock(time: Time) -> Option<MeterTime> {
    let (unix, minutes) = match time {
        Time::SecIndex(_) => return None,
        Time::Unix(unix) => (unix, 0),
        Time::Local { unix, zone, season } => (unix, zone.checked_add(season)?),
    };
    // A clock that was never set.
    if matches!(unix, 0 | u32::MAX) {
        return None;
    }
    let local = (i64::from(unix) + i64::from(minutes) * 60) * 1000;
    let civil = CivilTime::new(1970, 1, 1, 0, 0, 0)?.plus_millis(local);
    Some(MeterTime { civil, offset: Offset::Minutes(minutes), doubtful: false })
}

/// The identifier as printed on the meter: `1LGZ0000001234`.
///
/// DIN 43863-5 puts ten octets for medium, maker, block and number behind `0A` or `09`; older meters have `06`, the
/// maker and six octets of their own, which is printed as `EMH` and hexadecimal digits.
fn meter_id(server_id: &[u8]) -> Option<MeterId> {
    // Anonymised or not set.
    if server_id.iter().all(|&octet| octet == 0) || server_id.iter().all(|&octet| octet == 0xFF) {
        return None;
    }
    let mut text = String::new();
    match *server_id {
        [0x09 | 0x0A, medium @ 0..=9, m1, m2, m3, block, n1, n2, n3, n4]
            if is_maker([m1, m2, m3]) && u32::from_be_bytes([n1, n2, n3, n4]) <= 99_999_999 =>
        {
            return printed_id(medium, [m1, m2, m3], block, u32::from_be_bytes([n1, n2, n3, n4]));
        }
        [0x06, m1, m2, m3, ref rest @ ..] if rest.len() == 6 && is_maker([m1, m2, m3]) => {
            text.extend([m1, m2, m3].map(char::from));
            push_hex(&mut text, rest);
        }
        _ => match printable(server_id) {
            Some(printed) => text.push_str(printed),
            None => push_hex(&mut text, server_id),
        },
    }
    MeterId::new(&text)
}

/// Medium, maker, two digits of block, eight of number: written out without the formatter, because every reading of
/// nearly every meter comes by here.
fn printed_id(medium: u8, maker: [u8; 3], block: u8, number: u32) -> Option<MeterId> {
    let [m1, m2, m3] = maker;
    let mut text = [b'0' + medium, m1, m2, m3, hex_digit(block >> 4), hex_digit(block), 0, 0, 0, 0, 0, 0, 0, 0];
    let mut rest = number;
    for digit in text.iter_mut().skip(6).rev() {
        *digit = hex_digit((rest % 10).to_le_bytes()[0]);
        rest /= 10;
    }
    MeterId::new(std::str::from_utf8(&text).ok()?)
}

fn is_maker(letters: [u8; 3]) -> bool {
    letters.iter().all(u8::is_ascii_uppercase)
}

/// The digit of the four low bits.
fn hex_digit(number: u8) -> u8 {
    match number & 0x0F {
        low @ 0..=9 => b'0' + low,
        low => b'A' - 10 + low,
    }
}

fn push_hex(text: &mut String, octets: &[u8]) {
    text.extend(octets.iter().flat_map(|octet| [hex_digit(octet >> 4), hex_digit(*octet)]).map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Zone;
    use crate::wire::sml::encode::{self, hex};
    use crate::wire::{Cut, sml};
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Result<Reading, Anomaly>> {
        let Cut::Whole { value, .. } = sml::cut(bytes, true) else { return Vec::new() };
        let mut said = Vec::new();
        readings(bytes, &value, &mut |reading| said.push(reading));
        said
    }

    fn one(bytes: &[u8]) -> Reading {
        let mut said = all(bytes);
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0).unwrap()
    }

    /// The only register of a list with this entry, as `code value unit`.
    fn check(entry: &str, expected: &str) {
        let reading = one(&encode::list_of(&[entry]));
        let register = &reading.registers[0];
        let value = match &register.value {
            Value::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        let unit = register.unit.map_or("-".into(), |unit| unit.to_string());
        assert_eq!(format!("{} {value} {unit}", register.code), expected, "{entry}");
    }

    #[test]
    fn the_example_of_our_notes() {
        let reading = one(&encode::example());
        let energy = reading.register(Obis::electricity(1, 8, 0)).unwrap();
        assert_eq!(energy.as_number().unwrap().to_string(), "1234567.8");
        assert_eq!((energy.unit, energy.detail.as_ref().unwrap().status), (Some(Unit::WH), Some(0x82)));
        let power = reading.register(Obis::electricity(16, 7, 0)).unwrap();
        assert_eq!((power.as_number(), power.unit), (Some(Decimal::from(-200)), Some(Unit::W)));
        assert_eq!(reading.registers.len(), 2);
        assert_eq!(reading.meter.unwrap().as_str(), "1LGZ0000001234");
        // Seconds of operation are no clock.
        assert_eq!(reading.clock, None);
    }

    #[test]
    fn numbers_keep_their_digits() {
        check("77 07 0100010800FF 01 01 62 1E 52 FF 63 AA D2 01", "1-0:1.8.0*255 4373.0 Wh");
        check("77 07 0100010800FF 01 01 62 1E 52 03 63 09 14 01", "1-0:1.8.0*255 2324000 Wh");
        check("77 07 0100010800FF 01 01 01 01 62 07 01", "1-0:1.8.0*255 7 -");
        check("77 07 0100100700FF 01 01 62 1B 52 FE 54 FF 38 01 01", "1-0:16.7.0*255 -511.99 W");
        let too_large = "1-0:1.8.0*255 Octets([255, 255, 255, 255, 255, 255, 255, 255]) Wh";
        check("77 07 0100010800FF 01 01 62 1E 52 00 69 FF FF FF FF FF FF FF FF 01", too_large);
    }

    #[test]
    fn values_are_not_only_numbers() {
        check("77 07 8181C78203FF 01 01 01 01 04 45 4D 48 01", "129-129:199.130.3*255 Octets([69, 77, 72]) -");
        check("77 07 010060320101 01 01 01 01 42 01 01", "1-0:96.50.1*1 Bool(true) -");
        check("77 07 010060320101 01 01 01 01 01 01", "1-0:96.50.1*1 Nothing -");
        let list = "1-0:0.9.1*255 List([Number(Decimal { mantissa: 1, exponent: 0 }), Bool(false)]) -";
        check("77 07 0100000901FF 01 01 01 01 72 62 01 42 00 01", list);
        let deep = format!("77 07 0100000901FF 01 01 01 01 {} 01 01", "71".repeat(300));
        assert!(matches!(one(&encode::list_of(&[&deep])).registers[0].value, Value::List(_)));
    }

    #[test]
    fn an_absent_entry_and_an_empty_list_are_no_registers() {
        assert_eq!(all(&encode::list_of(&[])), []);
        assert_eq!(all(&encode::list_of(&["01"])), []);
        assert_eq!(all(&encode::file(&encode::message_of("63 07 01", "01"))), []);
    }

    #[test]
    fn attentions_and_empty_files_give_no_reading() {
        let attention = encode::message_of("63 FF 01", "74 01 07 8181C7C7FE0F 01 01");
        assert_eq!(all(&encode::file(&attention)), []);
        assert_eq!(all(&encode::file(&[])), []);
    }

    #[test]
    fn a_wrong_message_checksum_gives_no_values() {
        let mut payload =
            encode::message_of("63 07 01", "77 01 01 01 01 71 77 07 0100010800FF 01 01 01 01 62 07 01 01 01");
        let value = payload.len() - 8;
        assert_eq!(payload[value], 7);
        payload[value] = 8;
        let said = all(&encode::file(&payload));
        let [Err(anomaly)] = &said[..] else { panic!("{said:?}") };
        assert_eq!(anomaly.code, AnomalyCode::Checksum);
        assert_eq!(anomaly.position, 8 + payload.len() as u64 - 4);
        assert!(anomaly.detail.starts_with("message CRC "), "{anomaly}");
    }

    #[test]
    fn a_flipped_bit_never_changes_a_value() {
        let example = encode::example();
        let expected = one(&example).registers;
        for bit in 0..147 * 8 {
            // The file's checksum is made to fit again, so that only those of the messages are left.
            let mut payload = example[8..example.len() - 8].to_vec();
            payload[bit / 8] ^= 1 << (bit % 8);
            for reading in all(&encode::file_without_fill(&payload)).into_iter().flatten() {
                assert_eq!(reading.registers, expected, "bit {bit}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_a_fault_and_bytes_behind_messages_are_fill() {
        let said = all(&encode::file(&[0x05, 1, 2, 3, 4]));
        assert!(matches!(&said[..], [Err(Anomaly { code: AnomalyCode::Syntax, position: 8, .. })]), "{said:?}");
        let said = all(&encode::file(&[0, 0, 0x05, 1, 2, 3, 4]));
        assert!(matches!(&said[..], [Err(Anomaly { code: AnomalyCode::Syntax, position: 10, .. })]), "{said:?}");
        let list = encode::message_of("63 07 01", "77 01 01 01 01 71 77 07 0100010800FF 01 01 01 01 62 07 01 01 01");
        assert_eq!(one(&encode::file(&[&list[..], &[0x55; 7]].concat())).registers.len(), 1);
        // The end of the last message counted among the fill octets.
        let mut short = list.clone();
        short.pop();
        assert_eq!(one(&encode::file_without_fill(&short)).registers.len(), 1);
        let said = all(&encode::file(&[&list[..], &[0x76, 0x01]].concat()));
        assert!(matches!(&said[..], [Ok(_), Err(Anomaly { code: AnomalyCode::Syntax, .. })]), "{said:?}");
    }

    #[test]
    fn four_escapes_inside_a_value_are_part_of_it() {
        check("77 07 0100010800FF 01 01 62 1E 52 00 65 1B 1B 1B 1B 01", "1-0:1.8.0*255 454761243 Wh");
    }

    #[test]
    fn real_clocks_are_taken_over_with_their_offset() {
        let text = |time: &str| {
            let body = format!("77 01 01 01 {time} 71 77 07 0100010800FF 01 01 01 01 62 07 01 01 01");
            one(&encode::file(&encode::message_of("63 07 01", &body)))
                .clock
                .map(|clock| clock.rfc3339(Zone::CENTRAL_EUROPE))
        };
        assert_eq!(text("72 62 02 65 5F 5E 10 00").unwrap(), "2020-09-13T12:26:40+00:00");
        assert_eq!(text("72 62 03 73 65 5F 5E 10 00 53 00 3C 53 00 3C").unwrap(), "2020-09-13T14:26:40+02:00");
        assert_eq!(text("72 62 02 65 00 00 00 00"), None);
        assert_eq!(text("72 62 01 65 5F 5E 10 00"), None);
        assert_eq!(text("65 5F 5E 10 00"), None);
        let entry = "77 07 0100010800FF 01 72 62 02 65 5F 5E 10 00 01 01 62 07 01";
        let reading = one(&encode::list_of(&[entry]));
        assert_eq!(reading.registers[0].time(), reading.clock.as_ref());
        assert!(reading.clock.is_some());
    }

    #[test]
    fn server_ids_as_printed_on_the_meter() {
        let id = |octets: &str| meter_id(&hex(octets)).map(|id| id.to_string());
        assert_eq!(id("0A 01 4C 47 5A 00 00 00 04 D2").unwrap(), "1LGZ0000001234");
        assert_eq!(id("09 01 45 42 5A 01 00 02 EC 3B").unwrap(), "1EBZ0100191547");
        assert_eq!(id("09 01 45 53 59 11 03 B5 99 A5").unwrap(), "1ESY1162232997");
        assert_eq!(id("06 45 4D 48 01 02 71 56 CD 45").unwrap(), "EMH01027156CD45");
        assert_eq!(id("30 32 32 38 30 38 31 36").unwrap(), "02280816");
        assert_eq!(id("01 A8 15 98 64 80 02 01 02").unwrap(), "01A815986480020102");
        // More than eight digits cannot stand on the meter.
        assert_eq!(id("0A 01 4C 47 5A 00 05 F5 E1 00").unwrap(), "0A014C475A0005F5E100");
        assert_eq!(id("00 00 00 00"), None);
        assert_eq!(id("FF FF"), None);
        assert_eq!(id(""), None);
    }

    #[test]
    fn the_meter_is_also_known_from_the_opening_message_or_a_register() {
        let open = encode::message_of("63 01 01", "76 01 01 01 0B 0A 01 4C 47 5A 00 00 00 04 D2 01 01");
        let list = encode::message_of("63 07 01", "77 01 01 01 01 71 77 07 0100010800FF 01 01 01 01 62 07 01 01 01");
        let reading = one(&encode::file(&[open, list].concat()));
        assert_eq!(reading.meter.unwrap().as_str(), "1LGZ0000001234");
        let register = "77 07 0100600100FF 01 01 01 01 0B 0A 01 4C 47 5A 00 00 00 04 D2 01";
        let reading = one(&encode::list_from("01", &[register]));
        assert_eq!(reading.meter.unwrap().as_str(), "1LGZ0000001234");
    }

    #[test]
    fn the_maker_is_the_identification() {
        let maker = "77 07 010060320101 01 01 01 01 04 4C 47 5A 01";
        assert_eq!(one(&encode::list_of(&[maker])).identification.unwrap(), "LGZ");
    }

    #[test]
    fn a_dvs74_means_its_power_without_a_sign_and_its_sisters_mean_it() {
        let power = |server: &str| {
            let entry = "77 07 0100100700FF 01 01 62 1B 52 FE 53 8B 28 01";
            one(&encode::list_from(server, &[entry])).registers[0].as_number().unwrap().to_string()
        };
        assert_eq!(power("0B 0A 01 44 5A 47 00 02 82 22 5E"), "356.24");
        assert_eq!(power("0B 0A 01 44 5A 47 00 03 9E 20 53"), "-299.12");
    }

    proptest! {
        #[test]
        fn mapping_never_panics(payload: Vec<u8>, list in any::<bool>()) {
            let payload = if list { [&hex("76 01 01 01 72 63 0701 77 01 01 01 01")[..], &payload].concat() } else { payload };
            all(&encode::file(&payload));
        }

        #[test]
        fn a_file_that_is_not_of_these_bytes_does_no_harm(bytes: Vec<u8>, start in 0usize..50, len in 0usize..50, stuffed: bool) {
            let file = File { payload: start..start + len, fill: 0, stuffed, checksum: sml::Checksum::X25 };
            readings(&bytes, &file, &mut |_| {});
        }
    }
}
