use super::message::BLOCK;
use super::*;
use crate::simulate::works::Setup;
use crate::wire::{Cut, text};
use std::sync::LazyLock;

const START: Instant = Instant::from_unix(1_762_525_800);

fn meter(mode: Mode) -> TextMeter {
    // Ten days of history take a while.
    static WORKS: LazyLock<Works> = LazyLock::new(|| Works::new(&Setup::new(1, START)));
    TextMeter::new(WORKS.clone(), mode, Tempo::new(START, 1))
}

/// A reader that has all the time in the world.
struct Reader {
    meter: TextMeter,
    now: Instant,
}

impl Reader {
    fn of(meter: TextMeter) -> Self {
        Self { meter, now: START }
    }

    /// Says something and gives what the meter sends in the next so many ms.
    fn say(&mut self, bytes: &[u8], wait: i64) -> Vec<Emission> {
        self.now = plus_millis(self.now, 10);
        for &byte in bytes {
            self.meter.receive(&[byte], self.now);
            self.now = plus_millis(self.now, 1);
        }
        self.wait(wait)
    }

    fn wait(&mut self, millis: i64) -> Vec<Emission> {
        let until = plus_millis(self.now, millis);
        let mut sent: Vec<Emission> = Vec::new();
        while let Some(due) = self.meter.due().filter(|&due| due <= until) {
            sent.extend(self.meter.act(due));
        }
        self.now = sent.last().map_or(until, |last| over(last.at, last.line, last.bytes.len()).max(until));
        sent
    }

    /// The same, as text of the only answer.
    fn ask(&mut self, bytes: &[u8]) -> String {
        let sent = self.say(bytes, 1_500);
        assert_eq!(sent.len(), 1, "{sent:?}");
        String::from_utf8(sent[0].bytes.clone()).unwrap()
    }

    fn command(&mut self, command: &str, set: &str) -> String {
        self.ask(&framed(command, set))
    }

    /// In programming mode at 9600.
    fn programming() -> Self {
        let mut reader = Self::of(meter(Mode::C));
        assert_eq!(reader.ask(b"/?!\r\n"), "/LGZ5ZMF110AC.S01\r\n");
        assert_eq!(reader.ask(b"\x06051\r\n"), "\x01P0\x02(00000000)\x03\x60");
        reader
    }
}

fn framed(command: &str, set: &str) -> Vec<u8> {
    let mut bytes = format!("\x01{command}").into_bytes();
    if !set.is_empty() {
        bytes.extend([&[2], set.as_bytes()].concat());
    }
    bytes.push(3);
    let check = bytes[1..].iter().fold(0, |check, byte| check ^ byte);
    bytes.push(check);
    bytes
}

fn is_readout(emission: &Emission) -> bool {
    let bytes = [b"/LGZ5X\r\n", emission.bytes.as_slice()].concat();
    matches!(text::cut(&bytes, false, true), Cut::Whole { value, len } if value.check == text::Check::Bcc && len == bytes.len())
}

/// The data between STX and the block check, which has to fit.
fn data(message: &str) -> &str {
    let inner = message.strip_prefix('\x02').unwrap_or_else(|| panic!("{message:?}"));
    let (data, check) = inner.split_at(inner.len() - 2);
    assert_eq!(inner.as_bytes()[..inner.len() - 1].iter().fold(0, |check, byte| check ^ byte), check.as_bytes()[1]);
    data
}

#[test]
fn mode_a_answers_at_the_opening_speed() {
    let sent = Reader::of(meter(Mode::A)).say(b"/?!\r\n", 3_000);
    let [identification, readout] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(identification.bytes, b"/ISk@MT171-0001\r\n");
    assert_eq!((identification.line, readout.line), (OPENING, OPENING));
    assert!(is_readout(readout));
}

#[test]
fn mode_b_changes_the_speed_without_being_told_and_gives_time_for_it() {
    let mut reader = Reader::of(meter(Mode::B));
    let sent = reader.say(b"/?!\r\n", 3_000);
    let [identification, readout] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(identification.bytes[4], b'E');
    assert_eq!((identification.line, readout.line), (OPENING, OFFERED));
    let gap = readout.at.unix_micros() - over(identification.at, OPENING, identification.bytes.len()).unix_micros();
    assert!((200_000..=1_500_000).contains(&gap), "{gap} µs");
    assert!(is_readout(readout));
    reader.wait(3_000);
    assert_eq!(reader.meter.line(), OPENING);
}

#[test]
fn mode_c_lets_the_reader_choose_the_speed() {
    for (select, line) in [(b"\x06050\r\n", OFFERED), (b"\x06000\r\n", OPENING)] {
        let mut reader = Reader::of(meter(Mode::C));
        reader.ask(b"/?!\r\n");
        let sent = reader.say(select, 1_500);
        assert_eq!((sent.len(), sent[0].line), (1, line));
        assert!(is_readout(&sent[0]));
        assert_eq!(reader.meter.line(), line, "it may be asked to repeat");
        reader.wait(3_000);
        assert_eq!(reader.meter.line(), OPENING);
    }
}

#[test]
fn without_a_sensible_choice_the_readout_comes_at_the_opening_speed() {
    for select in [&b""[..], b"\x06040\r\n", b"\x06", b"\x06252\r\n", b"\x06059\r\n"] {
        let mut reader = Reader::of(meter(Mode::C));
        let identification = &reader.say(b"/?!\r\n", 1_000)[0];
        let over = over(identification.at, OPENING, identification.bytes.len());
        let sent = reader.say(select, 3_000);
        assert_eq!((sent.len(), sent[0].line), (1, OPENING), "{select:?}");
        let waited = (sent[0].at.unix_micros() - over.unix_micros()) / 1_000;
        assert!((1_500..=2_200).contains(&waited), "{waited} ms");
        assert!(is_readout(&sent[0]));
    }
}

#[test]
fn a_readout_is_repeated_on_demand_and_not_for_ever() {
    let mut reader = Reader::of(meter(Mode::C));
    reader.ask(b"/?!\r\n");
    let first = reader.say(b"\x06050\r\n", 1_000);
    let again = reader.say(b"\x15", 1_000);
    assert_eq!((&again[0].bytes, again[0].line), (&first[0].bytes, OFFERED));
    reader.wait(3_000);
    assert_eq!(reader.say(b"\x15", 3_000), []);
}

#[test]
fn only_the_meter_that_is_meant_answers() {
    let serial = meter(Mode::C).works.serial();
    for (address, answers) in [
        (String::new(), true),
        (serial.to_string(), true),
        (format!("000{serial}"), true),
        ("12345678".to_owned(), false),
    ] {
        let sent = Reader::of(meter(Mode::C)).say(format!("/?{address}!\r\n").as_bytes(), 1_000);
        assert_eq!(sent.len(), usize::from(answers), "{address}");
    }
}

#[test]
fn noise_and_a_wake_up_before_the_request_do_no_harm() {
    let mut reader = Reader::of(meter(Mode::C));
    assert_eq!(reader.say(&[0; 65], 1_600), []);
    assert_eq!(reader.say(b"\xff\x80/?", 1_600), [], "half a request, and a pause");
    assert_eq!(reader.ask(b"/?!\r\n"), "/LGZ5ZMF110AC.S01\r\n");
}

#[test]
fn a_readout_has_the_registers_of_a_household_with_solar_panels() {
    let mut reader = Reader::of(meter(Mode::C));
    reader.ask(b"/?!\r\n");
    let readout = reader.ask(b"\x06050\r\n");
    for line in ["F.F(00000000)", "0.9.2(0251107)", "C.7.0(0002)"] {
        assert!(data(&readout).contains(&format!("{line}\r\n")), "{line}: {readout}");
    }
    let time: u32 = readout.split("0.9.1(").nth(1).unwrap()[..6].parse().unwrap();
    assert!((153_000..153_010).contains(&time), "{time}");
    for code in ["1.8.0", "1.8.2", "2.8.1", "3.8.0", "1.6.0", "2.7.0", "52.7.0", "71.7.0", "13.7.0", "14.7.0"] {
        assert!(readout.contains(&format!("\r\n{code}(")), "{code}");
    }
}

#[test]
fn programming_mode_reads_registers() {
    let mut reader = Reader::programming();
    assert_eq!(reader.command("P1", "(00000000)"), "\x06");
    let whole = reader.command("R5", "1.8.0()");
    let value = reader.command("R1", "1-0:1.8.0*255()");
    assert!(data(&whole).starts_with("1.8.0(0") && data(&whole).ends_with("*kWh)"), "{whole:?}");
    assert_eq!(format!("1.8.0{}", data(&value)), data(&whole));
    assert_eq!(data(&reader.command("R5", "9.9.9()")), "(ER03)");
    // What came last can be had again.
    let again = reader.ask(b"\x15");
    assert_eq!(data(&again), "(ER03)");
    // A damaged command is refused, and does no harm.
    assert_eq!(reader.ask(b"\x01R5\x021.8.0()\x03X"), "\x15");
    assert_eq!(reader.say(b"\x01B0\x03\x71", 3_000), []);
    assert_eq!(reader.meter.line(), OPENING);
    assert_eq!(reader.ask(b"/?!\r\n"), "/LGZ5ZMF110AC.S01\r\n");
}

#[test]
fn it_never_writes() {
    let mut reader = Reader::programming();
    let before = *reader.meter.works.counters();
    for command in ["W1", "W5", "E2"] {
        assert_eq!(data(&reader.command(command, "1.8.0(000000.000*kWh)")), "(ER02)");
    }
    assert!(reader.meter.works.counters().import_wh() >= before.import_wh());
}

#[test]
fn wrong_passwords_end_the_session() {
    let mut reader = Reader::programming();
    assert_eq!(data(&reader.command("P1", "(12345678)")), "(ER01)");
    assert_eq!(data(&reader.command("P1", "()")), "(ER01)");
    assert_eq!(reader.command("P1", "(11111111)"), "\x01B0\x03\x71");
    assert_eq!(reader.meter.line(), OPENING);
}

#[test]
fn programming_mode_is_left_after_a_minute_of_silence() {
    let mut reader = Reader::programming();
    reader.wait(58_000);
    assert_eq!(reader.meter.line(), OFFERED);
    reader.wait(2_000);
    assert_eq!(reader.meter.line(), OPENING);
}

#[test]
fn the_load_profile_comes_by_range() {
    let mut reader = Reader::programming();
    let answer = reader.command("R5", "P.01(0251107120000;0251107130000)");
    let lines: Vec<_> = data(&answer).lines().collect();
    assert_eq!(lines[0], "P.01(0251107120000)(00000000)(15)(2)(1.29.0)(kWh)(2.29.0)(kWh)");
    assert_eq!(lines.len(), 6, "both ends included: {lines:?}");
    let whole = reader.command("R5", "P.01(;)");
    let rows = data(&whole).lines().filter(|line| line.starts_with('(')).count();
    assert_eq!(rows, reader.meter.works.rows().len());
    let headers: Vec<_> = data(&whole).lines().filter(|line| line.starts_with("P.01(")).collect();
    assert!(headers.iter().any(|line| line.contains("(00000080)")), "a power failure: {headers:?}");
    assert_eq!(data(&reader.command("R5", "P.01(0200101000000;0200102000000)")), "P.01(ERROR)");
    assert_eq!(data(&reader.command("R5", "P.01(yesterday)")), "(ER03)");
    // Minutes will do, and UTC.
    for range in ["(02511071200;02511071300)", "(22511071100;22511071200)"] {
        assert_eq!(data(&reader.command("R5", &format!("P.01{range}"))), data(&answer), "{range}");
    }
}

#[test]
fn partial_blocks_come_one_by_one_and_again_if_need_be() {
    let mut reader = Reader::programming();
    let whole = reader.command("R5", "P.01(0251107000000;0251107120000)");
    let mut block = reader.command("R6", "P.01(0251107000000;0251107120000)");
    let mut joined = String::new();
    let mut count = 0;
    loop {
        count += 1;
        assert_eq!(reader.ask(b"\x15"), block, "NAK brings the same block");
        joined.push_str(data(&block));
        if block.as_bytes()[block.len() - 2] == 3 {
            break;
        }
        assert!(block.len() <= BLOCK + 20 && block.as_bytes()[block.len() - 2] == 4);
        block = reader.ask(b"\x06");
    }
    assert_eq!(joined, data(&whole));
    assert!(count > 2);
    assert_eq!(reader.say(b"\x06", 2_000), [], "there is no more");
}

#[test]
fn the_event_log_tells_of_the_past() {
    let mut reader = Reader::programming();
    let answer = reader.command("R5", "P.98(;)");
    let lines: Vec<_> = data(&answer).lines().collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[0].ends_with("(00002000)()(0)") && lines[1].ends_with("()(1)(0-0:C.11.1)()(40)"), "{lines:?}");
    assert!(lines[3].ends_with("(00000080)()(0)") && lines[4].ends_with("(00000040)()(0)"), "{lines:?}");
}

#[test]
fn a_clock_that_was_set_is_one_entry_with_the_new_time() {
    let mut setup = Setup::new(1, START);
    let at = START.unix_seconds() + 5;
    setup.clock = vec![crate::simulate::works::ClockChange::Step { at, seconds: -60 }];
    let mut works = Works::new(&setup);
    works.advance(START.plus_seconds(60));
    let lines = log(&works, &Range::default());
    let last = "P.98(0251107153005)(00000020)()(2)(0.9.1)()(0.9.2)()(152905)(0251107)";
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (8, last));
}

#[test]
fn a_meter_without_mains_is_deaf_and_dumb() {
    let mut setup = Setup::new(1, START);
    setup.outages.push(START.unix_seconds()..START.unix_seconds() + 100);
    let mut reader = Reader::of(TextMeter::new(Works::new(&setup), Mode::C, Tempo::new(START, 1)));
    reader.wait(1_000);
    assert_eq!(reader.say(b"/?!\r\n", 3_000), []);
    reader.wait(100_000);
    assert_eq!(reader.ask(b"/?!\r\n"), "/LGZ5ZMF110AC.S01\r\n");
}

#[test]
fn the_household_may_live_faster_than_the_line() {
    let works = meter(Mode::C).works;
    let mut reader = Reader::of(TextMeter::new(works, Mode::C, Tempo::new(START, 3_600)));
    reader.wait(10_000);
    let identification = &reader.say(b"/?!\r\n", 1_000)[0];
    assert_eq!((identification.at.unix_micros() - START.unix_micros()) / 1_000, 10_000 + 10 + 4 + 250);
    let readout = reader.ask(b"\x06050\r\n");
    // Eleven seconds and a bit at the line, eleven hours and a bit in the house.
    assert!(readout.contains("\r\n0.9.1(02") && readout.contains("\r\n0.9.2(0251108)"), "{readout}");
}

#[test]
fn a_meter_may_refuse() {
    let silent = Refusal { after_identification: true, ..Refusal::default() };
    let mut reader = Reader::of(meter(Mode::C).refusing(silent));
    reader.ask(b"/?!\r\n");
    assert_eq!(reader.say(b"\x06050\r\n", 5_000), []);
    let binary = Refusal { of_text: true, ..Refusal::default() };
    let mut reader = Reader::of(meter(Mode::C).with_station(Box::new(Echo)).refusing(binary));
    assert_eq!(reader.ask(b"/?!\r\n"), "/LGZ5\\2ZMF100AC.M27\r\n");
    assert_eq!(reader.say(b"\x06050\r\n", 5_000), []);
}

#[derive(Debug)]
struct Echo;

impl Station for Echo {
    fn receive(&mut self, octets: &[u8], _: &Works, _: Instant) -> Vec<u8> {
        octets.to_vec()
    }

    fn is_over(&self) -> bool {
        false
    }

    fn reset(&mut self) {}
}

#[test]
fn mode_e_confirms_at_the_new_speed_and_hands_the_line_over() {
    let mut reader = Reader::of(meter(Mode::C).with_station(Box::new(Echo)));
    reader.ask(b"/?!\r\n");
    let confirmation = &reader.say(b"\x06252\r\n", 1_000)[0];
    assert_eq!((confirmation.bytes.as_slice(), confirmation.line), (&b"\x06252\r\n"[..], OFFERED));
    assert_eq!(reader.meter.line(), Line::eight_none(9_600));
    let answer = &reader.say(&[0x7E, 0xA0], 1_000)[0];
    assert_eq!(answer.line, Line::eight_none(9_600));
    reader.wait(61_000);
    assert_eq!(reader.meter.line(), OPENING, "an abandoned session frees the port");
    // A reader that wants no HDLC gets its readout.
    reader.ask(b"/?!\r\n");
    assert!(is_readout(&reader.say(b"\x06050\r\n", 1_000)[0]));
}

proptest::proptest! {
    #[test]
    fn whatever_comes_it_answers_in_the_end(
        said in proptest::collection::vec(
            (proptest::collection::vec(proptest::num::u8::ANY, 0..30), 0i64..3_000), 0..20
        ),
        mode in proptest::sample::select(&[Mode::A, Mode::B, Mode::C])
    ) {
        let mut reader = Reader::of(meter(mode));
        for (bytes, wait) in said {
            reader.say(&bytes, wait);
            proptest::prop_assert!(reader.meter.pending.len() <= 2);
        }
        reader.wait(200_000);
        let sent = reader.say(b"/?!\r\n", 1_000);
        proptest::prop_assert!(sent[0].bytes.starts_with(b"/"));
    }
}
