//! What the fuzzer asks of each decoder: no panic, no hang, answers that move on and stay inside the input.
//!
//! Shared by `cargo fuzz` and, over the fixtures and mutations of them, by plain `cargo test` (`tests/fuzz.rs`).

#[path = "targets_files.rs"]
pub mod files;
#[path = "targets_typed.rs"]
pub mod typed;

use releve::acquire::explain::explain;
use releve::acquire::{Decoder, Outcome, Settings, log, map, profile};
use releve::dialogue::dlms::{Access, Client, Config, Period, Plan, usual_stations};
use releve::dialogue::iec62056::{Options, Programming, Readout, Reply};
use releve::dialogue::{Dialogue, Event, Step};
use releve::reading::{
    CivilTime, Code, Decimal, Instant, MeterId, MeterTime, Obis, Protocol, Reading, Register, Unit, Zone,
};
use releve::simulate::dlms::{Config as MeterConfig, Event as MeterEvent, MeterImage, Server};
use releve::store::{is_sealed_form, through_blocks};
use releve::transport::capture;
use releve::transport::rfc2217::telnet;
use releve::wire::dlms::Keys;
use releve::wire::hdlc::{Address, Control};
use releve::wire::iec62056::{BlockCheck, Identification, Mode, Query, ReadCommand};
use releve::wire::{Cut, dlms, hdlc, iec62056, mbus, sml, text};
use std::time::Duration;

/// What a fuzzer calls.
pub type Target = fn(&[u8]);

/// Name and function of every target.
pub const TARGETS: &[(&str, Target)] = &[
    ("text", text_telegram),
    ("sml", sml_file),
    ("hdlc", hdlc_frame),
    ("mbus", mbus_frame),
    ("dlms", apdu),
    ("stream", stream),
    ("explain", dissection),
    ("words", words),
    ("telnet", telnet_stream),
    ("capture", capture_text),
    ("dialogue_text", dialogue_text),
    ("dlms_client", dlms_client),
    ("dlms_server", dlms_server),
    ("sealed", sealed),
    ("blocks", blocks),
    ("archive", files::archive),
    ("history", files::history),
    ("manifest", files::manifest),
    ("csv", files::table),
    ("old_database", files::old_database),
    ("asked", typed::times),
    ("query", typed::query),
    ("settings", typed::settings),
];

fn settings() -> Settings {
    let keys = Keys {
        encryption: "000102030405060708090a0b0c0d0e0f".parse().ok(),
        authentication: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf".parse().ok(),
        ..Keys::default()
    };
    Settings { keys, ..Settings::default() }
}

/// With the end in sight an answer is final, and it stays inside the input.
fn settled<T>(cut: Cut<T>, len: usize) -> Option<(usize, T)> {
    match cut {
        Cut::Nothing => None,
        Cut::More { .. } => panic!("waits for more at the end"),
        Cut::Whole { len: taken, value } => {
            assert!(taken >= 1 && taken <= len, "takes {taken} of {len} bytes");
            Some((taken, value))
        }
        Cut::Damaged { skip, .. } => {
            assert!(skip >= 1, "does not move on");
            None
        }
    }
}

/// Waiting is only an answer while the end is open, and it asks for more than there is.
fn waits<T>(cut: Cut<T>, len: usize) {
    if let Cut::More { need } = cut {
        assert!(need > len, "needs {need}, has {len}");
    }
}

pub fn text_telegram(data: &[u8]) {
    for at_start in [false, true] {
        waits(text::cut(data, false, at_start), data.len());
        if let Some((len, telegram)) = settled(text::cut(data, true, at_start), data.len()) {
            let _ = map::text::reading(&data[..len], &telegram);
        }
    }
}

pub fn sml_file(data: &[u8]) {
    waits(sml::cut(data, false), data.len());
    if let Some((len, file)) = settled(sml::cut(data, true), data.len()) {
        map::sml::readings(&data[..len], &file, &mut |_| {});
    }
}

pub fn hdlc_frame(data: &[u8]) {
    waits(hdlc::cut(data, false), data.len());
    settled(hdlc::cut(data, true), data.len());
}

pub fn mbus_frame(data: &[u8]) {
    waits(mbus::cut(data, false), data.len());
    settled(mbus::cut(data, true), data.len());
}

pub fn apdu(data: &[u8]) {
    waits(dlms::cut_bare(data, false), data.len());
    settled(dlms::cut_bare(data, true), data.len());
    let settings = settings();
    if let Ok(opened) = dlms::open(data, &settings.keys) {
        let _ = map::dlms::reading(&opened, None);
    }
}

pub fn stream(data: &[u8]) {
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut count = 0usize;
        let mut sink = |outcome: Outcome| count += usize::from(matches!(outcome, Outcome::Reading(_)));
        let mut decoder = Decoder::new(settings());
        for piece in pieces {
            decoder.push(piece, &mut sink);
        }
        decoder.finish(&mut sink);
        count
    };
    let whole = run(&mut std::iter::once(data));
    let pieces = run(&mut data.chunks(7));
    assert_eq!(whole, pieces, "chunking changes the answer");
}

pub fn dissection(data: &[u8]) {
    let mut end = 0;
    for field in explain(data, &settings()).fields {
        assert_eq!(field.bytes.start, end, "a gap or an overlap");
        end = field.bytes.end;
    }
    assert_eq!(end, data.len());
}

/// Any chunking of a telnet stream says the same.
pub fn telnet_stream(data: &[u8]) {
    let said = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut bytes, mut words) = (Vec::new(), Vec::new());
        let mut parser = telnet::Parser::default();
        for piece in pieces {
            parser.push(piece, &mut |item| match item {
                telnet::Item::Data(data) => bytes.extend_from_slice(data),
                telnet::Item::Option(verb, option) => words.push((bytes.len(), Some(verb), vec![option])),
                telnet::Item::Sub(sub) => {
                    assert!(sub.len() <= telnet::MAX_SUB);
                    words.push((bytes.len(), None, sub.to_vec()));
                }
            });
        }
        (bytes, words)
    };
    assert_eq!(said(&mut std::iter::once(data)), said(&mut data.chunks(3)), "chunking changes the answer");
}

/// A capture is read to its end or to its first damaged line, and what was read is written the same.
pub fn capture_text(data: &[u8]) {
    for text in [data, &[capture::MARK, b"2026-11-21T14:30:00Z x\n", data].concat()] {
        let (mut reader, mut source) = (capture::Reader::default(), text);
        while let Ok(Some(entry)) = reader.next(&mut source) {
            let line = entry.to_string();
            let again = capture::Entry::parse(&line).ok().flatten();
            assert_eq!(again.map(|entry| entry.to_string()), Some(line));
        }
    }
}

/// The blobs of the store: the first two bytes say how many rows there are to be.
pub fn sealed(data: &[u8]) {
    if let Some((rows, body)) = data.split_first_chunk::<2>() {
        let _ = is_sealed_form(body, usize::from(u16::from_le_bytes(*rows)) % 5000);
    }
}

/// Readings into the blocks of the store and out again: those in the input as a stream, and rows of any whole numbers. What
/// comes back is what went in, to the digit.
pub fn blocks(data: &[u8]) {
    let Some(meter) = MeterId::new("M1") else { return };
    let mut readings: Vec<Reading> = Vec::new();
    let mut decoder = Decoder::new(settings());
    let mut sink = |outcome: Outcome| {
        if let Outcome::Reading(reading) = outcome {
            readings.push(reading);
        }
    };
    decoder.push(data, &mut sink);
    decoder.finish(&mut sink);
    for row in data.chunks(25).take(200) {
        let Some((exponent, mantissas)) = row.split_first() else { continue };
        let mut reading = Reading::new(Protocol::Dlms);
        for (octets, code) in mantissas.chunks(8).zip(["1.8.0", "2.8.0", "1.8.0"]) {
            let mut whole = [0; 8];
            whole[..octets.len()].copy_from_slice(octets);
            let number = Decimal::new(i64::from_le_bytes(whole), exponent.cast_signed());
            reading.registers.push(Register::number(Code::parse(code.as_bytes()), number, Some(Unit::KWH)));
        }
        readings.push(reading);
    }
    let mut at = 1_700_000_000_000_000;
    let mut all = Vec::new();
    for (reading, step) in readings.into_iter().zip(data.iter().cycle()) {
        at += i64::from(*step) * 250_000;
        all.push((Instant::from_unix_micros(at), Reading { meter: Some(meter.clone()), position: 0, ..reading }));
    }
    let back = through_blocks(&meter, &all).expect("a span holds it");
    // Numbers are equal whose digits are not.
    assert_eq!(format!("{all:?}"), format!("{back:?}"));
}

/// The small parsers that see text from a meter or from a person.
pub fn words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(number) = Decimal::parse_bytes(data) {
        let printed = number.to_string();
        assert_eq!(printed.parse::<Decimal>().map(|again| again.to_string()), Ok(printed));
    }
    let code = Code::parse(data);
    let _ = (code.resolved(), code.key(), Unit::parse_bytes(data), Instant::parse_utc(&text));
    if let Some(id) = MeterId::new(&text) {
        assert!(!id.as_str().contains(['/', '\0']) && !id.as_str().starts_with('.'), "{id}");
    }
}

/// The dialogues of IEC 62056-21 against a meter that sends the input: each piece of it that a FF ends is what comes next,
/// and an empty one is silence.
pub fn dialogue_text(data: &[u8]) {
    for check in [BlockCheck::Xor, BlockCheck::Sum] {
        waits(iec62056::cut(data, check).map(|_| ()), data.len());
    }
    if let Some((range, meter)) = Identification::find(data, true) {
        assert!(range.end <= data.len() && meter.line().len() <= range.len());
    }
    let table = map::text::answer(data);
    let _ = (profile::rows(&table), log::entries(&table));

    for mode in [None, Some(Mode::A), Some(Mode::C), Some(Mode::E)] {
        let mut readout = Readout::new(Options { mode, ..Options::default() });
        assert!(converse(&mut readout, data) <= Readout::LONGEST);
        assert!(readout.outcome().is_some());
    }
    let queries = ["1.8.0", "P.01(;)"].map(|table| Query::new(ReadCommand::R6, table));
    let queries: Vec<_> = queries.into_iter().flatten().collect();
    let longest = Programming::longest(queries.len());
    let mut programming = Programming::new(Options::default(), None, queries);
    assert!(converse(&mut programming, data) <= longest);
    for reply in programming.replies() {
        if let Reply::Data(data) = reply {
            let _ = profile::rows(&map::text::answer(data));
        }
    }
}

/// Plays a dialogue to its end, and says how long that took. Before it asks, nothing comes.
fn converse(dialogue: &mut dyn Dialogue, data: &[u8]) -> Duration {
    let mut pieces = std::iter::once(&[][..]).chain(data.split(|&byte| byte == 0xFF));
    let mut now = Duration::ZERO;
    for _ in 0..data.len() + 1000 {
        let event = match dialogue.step() {
            Step::Done => return now,
            Step::Send(_) => Event::Sent,
            Step::SetLine(_) => Event::LineSet(data.first() != Some(&0)),
            Step::Pause(wait) => {
                now += wait;
                Event::Paused
            }
            Step::Receive(wait) => match pieces.next() {
                Some(piece @ [_, ..]) => Event::Received(piece),
                _ => {
                    now += wait;
                    Event::Silence
                }
            },
        };
        dialogue.on(event, now);
    }
    panic!("no end");
}

/// Cuts the input into pieces by its own octets: what a line would deliver, one after the other.
fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (&length, more) = rest.split_first()?;
        let (piece, behind) = more.split_at(usize::from(length).min(more.len()));
        rest = behind;
        Some(piece)
    })
}

/// A piece as it is, or as the information of a frame, so that what lies behind the checksums is reached too.
fn framed(piece: &[u8], to_client: bool) -> Vec<u8> {
    let (server, client) = (Address::server(1, Some(17)), Address::client(16));
    let (to, from) = if to_client { (client, server) } else { (server, client) };
    match piece {
        [0, control, information @ ..] => {
            let (control, poll) = Control::parse(*control);
            hdlc::encode(to, from, control, poll, false, information)
        }
        [1, control, information @ ..] => {
            let (control, poll) = Control::parse(*control);
            hdlc::encode(to, from, control, poll, information.len() & 1 == 1, &[&[0xE6, 0xE7, 0], information].concat())
        }
        other => other.to_vec(),
    }
}

/// A client that is told the input, over and over, ends.
pub fn dlms_client(data: &[u8]) {
    let period = Period { since: None, until: None, zone: Zone::UTC };
    let plan = match data.first() {
        Some(0..=99) => Plan::Registers { only: Vec::new() },
        Some(100..=199) => Plan::Profile { obis: Obis::new(1, 0, 99, 1, 0, 255), period },
        _ => Plan::Log { only: None, period },
    };
    let mut client = Client::new(Config::new(usual_stations(16), Access::Public, plan));
    let all: Vec<&[u8]> = pieces(data).collect();
    let mut now = Duration::ZERO;
    for count in 0.. {
        assert!(count < 100_000, "the dialogue does not end");
        let piece = all.get(count % all.len().max(1)).copied().unwrap_or_default();
        match client.step() {
            Step::Done => break,
            Step::Send(_) => client.on(Event::Sent, now),
            Step::SetLine(_) => client.on(Event::LineSet(true), now),
            Step::Receive(wait) if piece.is_empty() => {
                now += wait;
                client.on(Event::Silence, now);
            }
            Step::Receive(_) => client.on(Event::Received(&framed(piece, true)), now),
            Step::Pause(wait) => {
                now += wait;
                client.on(Event::Paused, now);
            }
        }
        now += Duration::from_millis(2);
    }
    let _ = map::dlms::objects(&client.outcome().values);
    for obis in map::dlms::profiles(&client.outcome().values) {
        let _ = map::dlms::rows(&client.outcome().values, obis);
        let _ = map::dlms::entries(&client.outcome().values, obis);
    }
}

/// A server that gets the input answers in bounded time and memory.
pub fn dlms_server(data: &[u8]) {
    let Some(civil) = CivilTime::new(2025, 11, 7, 14, 30, 0) else { return };
    let now = MeterTime::local(civil);
    let log = Obis::new(0, 0, 99, 98, 0, 255);
    let image = MeterImage {
        device_name: "LGZ1030653520967".into(),
        serial: "53520967".into(),
        now,
        registers: Vec::new(),
        profiles: Vec::new(),
        logs: vec![log],
        events: vec![MeterEvent { log, time: now, code: 1 }],
        failures: Vec::new(),
        selects: (true, true),
    };
    let mut server = Server::new(MeterConfig::default(), image);
    for (count, piece) in pieces(data).enumerate() {
        let now = Duration::from_millis(count as u64);
        let reply = server.receive(&framed(piece, false), now);
        assert!(reply.len() < 4096, "{} octets for {}", reply.len(), piece.len());
    }
}
