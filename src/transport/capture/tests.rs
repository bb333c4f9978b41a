use super::*;
use crate::wire::Parity;
use proptest::prelude::*;
use std::io::Cursor;

fn entries(text: &[u8]) -> (Vec<Entry>, Option<String>, Option<u64>) {
    let (mut reader, mut source, mut found) = (Reader::default(), Cursor::new(text), Vec::new());
    loop {
        match reader.next(&mut source) {
            Ok(Some(entry)) => found.push(entry),
            Ok(None) => return (found, None, reader.cut()),
            Err(error) => return (found, Some(error.to_string()), reader.cut()),
        }
    }
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let text = "releve capture 1 2026-11-21T14:30:00Z /dev/ttyUSB0\r\n\
                +0.000112 = 300,7E1\n+0.021340 > 2F3F210D0A\n\n# by hand\n+1.502113 < 2F4c\n+9.1 # the head was moved here\n";
    let (found, error, cut) = entries(text.as_bytes());
    assert_eq!((error, cut), (None, None));
    let passed = |micros, what| Entry::Passed { after: Duration::from_micros(micros), what };
    let at = Instant::parse_utc("2026-11-21T14:30:00Z").unwrap();
    assert_eq!(
        found,
        [
            Entry::Start { at, name: "/dev/ttyUSB0".into() },
            passed(112, What::Line(Line::seven_even(300))),
            passed(21_340, What::Sent(b"/?!\r\n".to_vec())),
            passed(1_502_113, What::Received(b"/L".to_vec())),
            passed(9_100_000, What::Note("the head was moved here".into())),
        ]
    );
}

#[test]
fn a_damaged_line_is_named_with_what_is_wrong() {
    for (line, why) in [
        ("1.0 < 00", "begins with +"),
        ("+1,0 < 00", "no number of seconds"),
        ("+1.1234567 < 00", "no number of seconds"),
        ("+99999999999 < 00", "no number of seconds"),
        ("+1.0 ! 00", "one of < > = #"),
        ("+1.0", "one of < > = #"),
        ("+1.0 <", "no octets"),
        ("+1.0 < 0", "half an octet"),
        ("+1.0 < 0g", "two hexadecimal digits"),
        ("+1.0 < é", "two hexadecimal digits"),
        ("+1.0 = 9600,9N1", "9600,8N1"),
        ("releve capture 2 2026-11-21T14:30:00Z x", "version"),
        ("releve capture 1 yesterday x", "RFC 3339"),
    ] {
        let (found, error, _) = entries(format!("+0 # \n{line}\n+2 < 00\n").as_bytes());
        let error = error.unwrap_or_default();
        assert!(found.len() == 1 && error.starts_with("line 2 ") && error.contains(why), "{line}: {error}");
    }
    assert!(entries(b"+0 # \xff\n").1.unwrap().contains("no text"));
    assert!(entries(&[b'#'; MAX_LINE + 1]).1.unwrap().contains("too long"));
}

/// However long the source, no more than a line of it is held.
#[test]
fn a_line_without_end_is_given_up() {
    let mut reader = Reader::default();
    let mut endless = std::io::BufReader::new(std::io::repeat(b'+'));
    assert!(matches!(reader.next(&mut endless), Err(CaptureError::Damaged { line: 1, .. })));
}

fn line() -> impl Strategy<Value = Line> {
    let parity = prop::sample::select(vec![Parity::None, Parity::Even, Parity::Odd]);
    (50u32..=4_000_000, 7u8..=8, parity, 1u8..=2).prop_map(|(baud, data, parity, stop)| Line {
        baud,
        data,
        parity,
        stop,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let name = "[^\\p{Cc}]{0,20}";
    let octets = || prop::collection::vec(any::<u8>(), 1..40);
    let what = prop_oneof![
        octets().prop_map(What::Received),
        octets().prop_map(What::Sent),
        line().prop_map(What::Line),
        name.prop_map(What::Note),
    ];
    let micros = 0..MAX_SECONDS * 1_000_000;
    let passed = (micros, what).prop_map(|(micros, what)| Entry::Passed { after: Duration::from_micros(micros), what });
    let start = (-4_000_000_000_000_000i64..4_000_000_000_000_000, name)
        .prop_map(|(micros, name)| Entry::Start { at: Instant::from_unix_micros(micros), name });
    prop_oneof![1 => start, 6 => passed]
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in prop::collection::vec(entry(), 0..20)) {
        let text: String = written.iter().map(|entry| format!("{entry}\n")).collect();
        prop_assert_eq!(entries(text.as_bytes()), (written, None, None));
    }

    /// Cut anywhere, and appended to after the cut: what was whole is there, and nothing is invented.
    #[test]
    fn a_cut_costs_at_most_the_line_it_hits(written in prop::collection::vec(entry(), 1..8), at in any::<prop::sample::Index>()) {
        let text: String = written.iter().map(|entry| format!("{entry}\n")).collect();
        let there = &text.as_bytes()[..at.index(text.len())];
        let whole = there.iter().filter(|byte| **byte == b'\n').count();
        for end in ["", "\u{18}\n+7 # after\n"] {
            let (found, error, _) = entries(&[there, end.as_bytes()].concat());
            prop_assert_eq!(error, None);
            prop_assert_eq!(&found[..whole], &written[..whole]);
            let after = |what: &Entry| matches!(what, Entry::Passed { what: What::Note(text), .. } if text == "after");
            let part = found[whole..].iter().filter(|entry| !after(entry));
            for (part, all) in part.zip(&written[whole..]) {
                let octets = |entry: &Entry| match entry {
                    Entry::Passed { after, what: What::Received(octets) } => Some((*after, octets.clone())),
                    _ => None,
                };
                let ((when, part), (then, all)) = (octets(part).unwrap(), octets(all).unwrap());
                prop_assert!(when == then && all.starts_with(&part));
            }
        }
    }

    #[test]
    fn any_text_ends_in_bounded_memory(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (found, ..) = entries(&bytes);
        prop_assert!(found.len() <= bytes.len());
    }
}
