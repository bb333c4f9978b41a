use super::*;
use crate::reading::{CivilTime, Decimal, MeterTime, Unit};
use crate::wire::Cut;
use crate::wire::dlms::examples::bytes;
use crate::wire::hdlc::{self, Address, Control};

fn image() -> MeterImage {
    let now = MeterTime::local(CivilTime::new(2025, 11, 7, 14, 30, 0).unwrap());
    MeterImage {
        device_name: "LGZ1030653520967".into(),
        serial: "53520967".into(),
        now,
        registers: vec![Gauge { obis: Obis::electricity(1, 8, 0), value: Decimal::new(12_937, 0), unit: Unit::WH }],
        profiles: Vec::new(),
        logs: Vec::new(),
        events: Vec::new(),
        failures: Vec::new(),
        selects: (true, true),
    }
}

fn server() -> Server<MeterImage> {
    Server::new(Config { lower: None, ..Config::default() }, image())
}

fn ask(server: &mut Server<MeterImage>, hex: &str) -> Vec<u8> {
    server.receive(&bytes(hex), Duration::from_secs(1))
}

const SNRM: &str = "7E A0 07 03 21 93 0F 01 7E";
const DISC: &str = "7E A0 07 03 21 53 03 C7 7E";
const AARQ: &str = "7E A0 2B 03 21 10 FB AF E6 E6 00 60 1D A1 09 06 07 60 85 74 05 08 01 01 BE 10 04 0E 01 00 00 00 06 5F 1F 04 00 40 1E 5D FF FF 91 23 7E";
const CLOCK: &str = "7E A0 19 03 21 32 6F D8 E6 E6 00 C0 01 C1 00 08 00 00 01 00 00 FF 02 00 60 1A 7E";
const IMPORT: &str = "7E A0 19 03 21 54 5F DE E6 E6 00 C0 01 C1 00 03 01 00 01 08 00 FF 02 00 32 68 7E";

/// The control field of the first frame, and its information behind the LLC header.
fn frame(bytes: &[u8]) -> (Control, Vec<u8>) {
    let Cut::Whole { value, .. } = hdlc::cut(bytes, true) else { panic!("no frame: {bytes:02x?}") };
    let information = &bytes[value.information];
    (Control::parse(value.control).0, information.get(3..).unwrap_or_default().to_vec())
}

#[test]
fn the_session_of_the_specification() {
    let mut server = server();
    let granted = "7E A0 1E 21 03 73 C3 7A 81 80 12 05 01 80 06 01 80 07 04 00 00 00 01 08 04 00 00 00 01 53 3B 7E";
    assert_eq!(ask(&mut server, SNRM), bytes(granted));
    let (_, accepted) = frame(&ask(&mut server, AARQ));
    assert_eq!(accepted[..18], bytes("61 29 A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 00"));
    let (_, clock) = frame(&ask(&mut server, CLOCK));
    assert_eq!(clock, bytes("C4 01 C1 00 09 0C 07E90B07050E1E0000800000"));
    let answer = "7E A0 15 21 03 74 6B A9 E6 E7 00 C4 01 C1 00 06 00 00 32 89 A6 84 7E";
    assert_eq!(ask(&mut server, IMPORT)[8..], bytes(answer)[8..]);
    assert_eq!(frame(&ask(&mut server, DISC)).0, Control::Acknowledge);
    assert!(!server.is_connected());
}

#[test]
fn without_a_connection_there_is_none() {
    let mut server = server();
    assert_eq!(frame(&ask(&mut server, CLOCK)).0, Control::DisconnectedMode);
    assert_eq!(frame(&ask(&mut server, DISC)).0, Control::DisconnectedMode);
    // Without an association there are no values either.
    ask(&mut server, SNRM);
    let first = "7E A0 19 03 21 10 7D DB E6 E6 00 C0 01 C1 00 08 00 00 01 00 00 FF 02 00 60 1A 7E";
    let get = hdlc::encode(
        Address::server(1, None),
        Address::client(16),
        Control::Information { sent: 0, expected: 0 },
        true,
        false,
        &bytes(first)[8..24],
    );
    assert_eq!(frame(&server.receive(&get, Duration::from_secs(1))).1, [0xD8, 1, 1]);
}

#[test]
fn only_its_own_address_and_the_clients_it_knows_are_answered() {
    let mut server = Server::new(Config::default(), image());
    let open = |client: u8, to: Address| {
        hdlc::encode(to, Address::client(client), Control::SetNormalResponseMode, true, false, &[])
    };
    for (to, answered) in [
        (Address::server(1, None), true),
        (Address::server(1, Some(17)), true),
        (Address { octets: 4, ..Address::server(1, Some(17)) }, true),
        (Address::server(1, Some(0x7F)), true),
        (Address::server(1, Some(18)), false),
        (Address::server(2, Some(17)), false),
    ] {
        let reply = server.receive(&open(16, to), Duration::ZERO);
        assert_eq!(!reply.is_empty(), answered, "{to}");
        if let (true, Cut::Whole { value, .. }) = (to.lower.is_some(), hdlc::cut(&reply, true)) {
            assert_eq!((value.source.upper, value.source.lower), (1, Some(17)), "{to}");
        }
        assert!(server.receive(&open(32, to), Duration::ZERO).is_empty());
    }
}

#[test]
fn a_repeated_request_gets_the_same_answer_and_is_not_carried_out_again() {
    let mut server = server();
    ask(&mut server, SNRM);
    ask(&mut server, AARQ);
    let first = ask(&mut server, CLOCK);
    server.objects().now = MeterTime::local(CivilTime::new(2026, 1, 1, 0, 0, 0).unwrap());
    assert_eq!(ask(&mut server, CLOCK), first);
}

#[test]
fn silence_ends_a_connection() {
    let mut server = server();
    ask(&mut server, SNRM);
    ask(&mut server, AARQ);
    let later = Duration::from_secs(1) + Config::default().inactivity;
    assert_eq!(frame(&server.receive(&bytes(CLOCK), later)).0, Control::DisconnectedMode);
}

#[test]
fn what_is_not_supported_is_an_exception_and_what_makes_no_sense_a_rejected_frame() {
    let mut server = server();
    ask(&mut server, SNRM);
    ask(&mut server, AARQ);
    let mut send = |sent: u8, information: &[u8]| {
        let control = Control::Information { sent, expected: sent };
        let frame = hdlc::encode(Address::server(1, None), Address::client(16), control, true, false, information);
        server.receive(&frame, Duration::from_secs(1))
    };
    // SET; a GET of a kind there is not.
    assert_eq!(frame(&send(1, &bytes("E6E600 C1 01 C1 0008 0000010000FF 02 00 00"))).1, [0xD8, 2, 2]);
    assert_eq!(frame(&send(2, &bytes("E6E600 C0 09 C1"))).1, [0xD8, 2, 3]);
    assert_eq!(frame(&send(3, &bytes("E6E600 C0 02 C1 00000001"))).1, bytes("C4 02 C1 01 00000001 01 10"));
    assert_eq!(frame(&send(4, &bytes("C0 01"))).0, Control::FrameReject);
}

#[test]
fn an_object_that_is_not_there_or_of_another_class_is_refused() {
    let mut image = image();
    for (class, obis, index, result) in [
        (3, Obis::electricity(9, 9, 9), 2, access::OBJECT_UNDEFINED),
        (1, Obis::electricity(1, 8, 0), 2, access::OBJECT_CLASS_INCONSISTENT),
        (3, Obis::electricity(1, 8, 0), 9, access::OBJECT_UNAVAILABLE),
    ] {
        let attribute = Attribute::new(class, obis, index);
        assert_eq!(image.get(attribute, None, Duration::ZERO), Err(result), "{attribute}");
    }
}
