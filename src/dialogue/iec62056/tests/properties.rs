//! Whatever comes: every dialogue ends, soon enough, in bounded memory, and leaves the line as it was.

use super::*;
use crate::wire::iec62056::{Query, ReadCommand};
use proptest::prelude::*;

/// What a hostile link does at a step.
#[derive(Debug, Clone)]
enum Fate {
    /// What a meter would say now.
    Right,
    Bytes(Vec<u8>),
    /// Bytes, and the whole wait before them.
    Late(Vec<u8>),
    Nothing,
    LineStays,
    Lost,
    Cancelled,
    /// An answer to another step than the one under way.
    Odd(u8),
}

fn fate() -> impl Strategy<Value = Fate> {
    let pieces = prop::sample::select(vec![
        &b"/?!\r\n"[..],
        b"/LGZ5\\2ZMF100AC\r\n",
        b"/ABC@x\r\n",
        b"/ABCCx\r\n",
        b"\x06252\r\n",
        b"\x06",
        b"\x15",
        b"\x01P0\x02()\x03\x60",
        b"\x01B0\x03\x71",
        b"\x021.8.0(012345.678*kWh)\x03\x53",
        b"\x021.8.0(012345.678*kWh)\r\n!\r\n\x03\x72",
        b"\x021.8.0(012345.679*kWh)\r\n!\r\n\x03\x72",
        b"\x02(1)\x04\x1E",
        b"\x02",
        b"!",
        b"\0\0\0",
        b"\xAF\x3F\x21\x8D\x0A",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 1..40);
    let bytes = prop_oneof![
        8 => pieces.prop_map(<[u8]>::to_vec),
        2 => noise,
        1 => (any::<u8>(), 1..5000usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    prop_oneof![
        30 => Just(Fate::Right),
        10 => bytes.clone().prop_map(Fate::Bytes),
        5 => bytes.prop_map(Fate::Late),
        8 => Just(Fate::Nothing),
        2 => Just(Fate::LineStays),
        1 => (0u8..6).prop_map(Fate::Odd),
        1 => prop_oneof![Just(Fate::Lost), Just(Fate::Cancelled)],
    ]
}

/// What a meter says to `sent`.
fn right(sent: Option<&Vec<u8>>) -> Vec<u8> {
    let sent: Vec<u8> = sent.into_iter().flatten().map(|byte| byte & 0x7F).collect();
    let answer: &[u8] = match sent.as_slice() {
        [b'/', ..] => b"/LGZ5\\2ZMF100AC\r\n",
        [0x06, b'2', ..] => return sent,
        [0x06, _, _, b'1', ..] => b"\x01P0\x02()\x03\x60",
        [0x06, _, ..] | [0x15] => b"\x021.8.0(012345.678*kWh)\r\n!\r\n\x03\x72",
        [0x01, b'R', ..] => b"\x021.8.0(1\x04\x24",
        [0x06] => b"\x02*kWh)\x03\x54",
        _ => b"\x06",
    };
    answer.to_vec()
}

/// What a dialogue did until it was done.
#[derive(Debug, Default)]
struct Course {
    steps: usize,
    waited: Duration,
    /// From the first wish to stop to the end.
    leaving: Duration,
    last_line: Option<Line>,
    sent: Vec<Vec<u8>>,
    cancelled: usize,
    lost: bool,
}

impl Course {
    /// There was no time to take leave: the link went, or somebody wished to stop twice.
    fn is_cut_short(&self) -> bool {
        self.lost || self.cancelled > 1
    }
}

/// Drives a dialogue through these fates, again and again from the first.
fn drive(dialogue: &mut dyn Dialogue, fates: &[Fate], most: usize) -> Course {
    let mut course = Course::default();
    let mut answer;
    let (mut now, mut next) = (Duration::ZERO, 0);
    loop {
        course.steps += 1;
        assert!(course.steps <= most, "more than {most} steps");
        let fate = fates.get(next % fates.len().max(1)).unwrap_or(&Fate::Nothing);
        next += 1;
        let step = dialogue.step();
        let took = match (step, fate) {
            (Step::Receive(_), Fate::Bytes(_) | Fate::Right) => Duration::ZERO,
            (Step::Receive(wait) | Step::Pause(wait), _) => wait,
            _ => Duration::ZERO,
        };
        let event = match (step, fate) {
            (Step::Done, _) => break,
            (_, Fate::Lost) => Event::Lost,
            (_, Fate::Cancelled) => Event::Cancelled,
            (_, Fate::Odd(which)) if next % 7 == 0 => [
                Event::Sent,
                Event::LineSet(false),
                Event::Received(b"\x06"),
                Event::Silence,
                Event::Paused,
                Event::Sent,
            ][usize::from(*which)],
            (Step::Send(_), _) => Event::Sent,
            (Step::SetLine(_), fate) => Event::LineSet(!matches!(fate, Fate::LineStays)),
            (Step::Receive(_), Fate::Bytes(bytes) | Fate::Late(bytes)) => Event::Received(bytes),
            (Step::Receive(_), Fate::Right) => {
                answer = right(course.sent.last());
                Event::Received(&answer)
            }
            (Step::Receive(_), _) => Event::Silence,
            (Step::Pause(_), _) => Event::Paused,
        };
        match (step, event) {
            (Step::Send(bytes), Event::Sent) => course.sent.push(bytes.to_vec()),
            (Step::SetLine(line), Event::LineSet(_)) => course.last_line = Some(line),
            _ => {}
        }
        now += took;
        course.waited += took;
        if course.cancelled > 0 {
            course.leaving += took;
        }
        course.cancelled += usize::from(event == Event::Cancelled);
        course.lost |= event == Event::Lost;
        dialogue.on(event, now);
    }
    course
}

fn options() -> impl Strategy<Value = Options> {
    let mode = prop::option::of(prop::sample::select(vec![Mode::A, Mode::B, Mode::C, Mode::E]));
    let speed = prop::sample::select(vec![Speed::Offered, Speed::Opening, Speed::Between]);
    let wake_up = prop::option::of(prop::sample::select(vec![WakeUp::Slow, WakeUp::Fast]));
    let opening = prop::sample::select(vec![Line::seven_even(300), Line::eight_none(300), Line::seven_even(9600)]);
    (mode, speed, wake_up, opening).prop_map(|(mode, speed, wake_up, opening)| Options {
        mode,
        speed,
        wake_up,
        opening,
        ..Options::default()
    })
}

/// No message writes or executes: whatever is sent with SOH is R, P1 or a break.
fn only_reads(course: &Course) -> bool {
    course.sent.iter().all(|bytes| {
        let masked: Vec<u8> = bytes.iter().map(|byte| byte & 0x7F).collect();
        !matches!(masked.as_slice(), [1, kind, ..] if !matches!(kind, b'R' | b'P' | b'B'))
    })
}

proptest! {
    #[test]
    fn a_readout_always_ends(options in options(), fates in prop::collection::vec(fate(), 0..60)) {
        let opening = options.opening;
        let mut readout = Readout::new(options);
        let course = drive(&mut readout, &fates, 1_000_000);
        prop_assert!(course.waited <= Readout::LONGEST, "{:?}", course.waited);
        prop_assert!(course.leaving <= Duration::from_millis(500), "{:?}", course.leaving);
        prop_assert!(only_reads(&course));
        prop_assert!(readout.outcome().is_some());
        let is_mode_e = matches!(readout.outcome(), Some(Outcome::ModeE { .. }));
        prop_assert!(is_mode_e || course.is_cut_short() || course.last_line == Some(opening), "{:?}", course.last_line);
        if let Outcome::Data { bytes, .. } | Outcome::Failed { bytes, .. } = readout.finish().0 {
            prop_assert!(bytes.len() <= crate::wire::MAX_TELEGRAM + 5000);
        }
    }

    #[test]
    fn programming_mode_always_ends_with_a_break(options in options(), fates in prop::collection::vec(fate(), 0..60)) {
        let queries = ["1.8.0", "P.01(;)", "P.98(;)"].map(|data| Query::new(ReadCommand::R6, data).unwrap());
        let opening = options.opening;
        let mut programming = Programming::new(options, None, queries.to_vec());
        let course = drive(&mut programming, &fates, 4_000_000);
        prop_assert!(course.waited <= Programming::longest(3), "{:?}", course.waited);
        prop_assert!(course.leaving <= Duration::from_millis(500), "{:?}", course.leaving);
        prop_assert!(only_reads(&course));
        prop_assert!(course.is_cut_short() || course.last_line == Some(opening));
        let last = |kind: u8| course.sent.iter().rposition(|bytes| matches!(bytes.as_slice(), [1 | 0x81, k, ..] if k & 0x7F == kind));
        prop_assert!(course.is_cut_short() || last(b'R') <= last(b'B'), "{:?}", course.sent);
    }
}

#[test]
fn a_flood_of_bytes_without_time_passing_is_cut_off() {
    for byte in [0u8, b'(', b'/', b'!', 0x03, 0x15, 0xFF] {
        let fates = [Fate::Bytes(b"/ABC@x\r\n\x02".to_vec()), Fate::Bytes(vec![byte; 900])];
        drive(&mut Readout::new(Options::default()), &fates, 10_000);
        let queries = vec![Query::new(ReadCommand::R5, "P.01(;)").unwrap()];
        drive(&mut Programming::new(Options::default(), None, queries), &fates, 100_000);
    }
}
