//! What the fuzzer asks of each decoder: no panic, no hang, answers that move on and stay inside the input.
//!
//! Shared by `cargo fuzz` and, over the fixtures and mutations of them, by plain `cargo test` (`tests/fuzz.rs`).

use releve::acquire::explain::explain;
use releve::acquire::{Decoder, Outcome, Settings, map};
use releve::reading::{Code, Decimal, Instant, MeterId, Unit};
use releve::wire::dlms::Keys;
use releve::wire::{Cut, dlms, hdlc, mbus, sml, text};

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
