//! Programming mode, to read.

use super::*;
use crate::wire::iec62056::{Password, Query, ReadCommand};
use zeroize::Zeroizing;

const IDENTIFIED: &str = r"
    meter /EMH5\\@\\201LZQJL0013F\r\n
    pause 200 ms
    reader \x06051\r\n
    pause 240 ms
    line 9600,7E1";
const PROMPT: &str = r"
    meter \x01P0\x02(00000001)\x03\x61";
const LEAVING: &str = r"
    reader \x01B0\x03\x71
    pause 25 ms
    line 300,7E1
    done";

fn queries(list: &[(ReadCommand, &str)]) -> Vec<Query> {
    list.iter().map(|(command, data)| Query::new(*command, data).unwrap()).collect()
}

fn password() -> Option<Password> {
    Some(Password::new(Zeroizing::new("00000000".into())).unwrap())
}

/// Asks at 9600 Bd behind the prompt, and plays the rest of the conversation.
fn ask(password: Option<Password>, list: &[(ReadCommand, &str)], rest: &str) -> Programming {
    let mut programming = Programming::new(once(), password, queries(list));
    play(&mut programming, &[OPENING, IDENTIFIED, PROMPT, rest].join("\n"));
    programming
}

/// A block with the right check behind it.
fn block(data: &str, end: &str) -> String {
    let bytes = unescape(&format!("{data}{end}"));
    format!("\\x02{data}{end}\\x{:02x}", BlockCheck::Xor.of(&bytes))
}

#[test]
fn registers_are_read_one_after_the_other_and_the_meter_is_left_with_a_break() {
    let done = ask(
        None,
        &[(ReadCommand::R1, "1.8.0()"), (ReadCommand::R5, "1.8.0")],
        &format!(
            r"
            pause 200 ms
            reader \x01R1\x021.8.0()\x03\x5a
            meter \x02(012345.678*kWh)\x03\x6a
            pause 200 ms
            reader \x01R5\x021.8.0()\x03\x5e
            meter \x021.8.0(012345
            meter .678*kWh)\x03\x53
            {LEAVING}"
        ),
    );
    assert_eq!(done.trouble(), None);
    let data = |text: &str| Reply::Data(text.as_bytes().to_vec());
    assert_eq!(done.replies(), [data("(012345.678*kWh)"), data("1.8.0(012345.678*kWh)")]);
}

#[test]
fn a_password_is_sent_once_the_meter_asks_for_it() {
    let done = ask(
        password(),
        &[(ReadCommand::R5, "1.8.0")],
        &format!(
            r"
            pause 200 ms
            reader \x01P1\x02(00000000)\x03\x61
            meter \x06
            pause 200 ms
            reader \x01R5\x021.8.0()\x03\x5e
            meter \x021.8.0(012345.678*kWh)\x03\x53
            {LEAVING}"
        ),
    );
    assert_eq!((done.trouble(), done.replies().len()), (None, 1));
}

#[test]
fn a_password_that_is_refused_or_not_answered_is_never_sent_again() {
    for answer in [
        r"meter \x02(ER01)\x03\x14",
        r"meter \x15",
        r"meter \x01B0\x03\x71",
        r"meter \x01P0\x02()\x03\x60",
        "silence 2516 ms",
    ] {
        let mut programming = Programming::new(Options::default(), password(), queries(&[(ReadCommand::R5, "1.8.0")]));
        let rest = format!(
            r"
            pause 200 ms
            reader \x01P1\x02(00000000)\x03\x61
            {answer}
            {LEAVING}"
        );
        play(&mut programming, &[OPENING, IDENTIFIED, PROMPT, &rest].join("\n"));
        assert_eq!(programming.trouble(), Some(Trouble::Password), "{answer}");
        assert_eq!(programming.facts().error_text.as_deref(), answer.contains("ER01").then_some("ER01"));
        let printed = format!("{programming:?}");
        assert!(!printed.contains("00000000") && !printed.contains("48, 48, 48"), "{printed}");
    }
}

#[test]
fn a_password_is_not_printed_while_it_is_on_its_way() {
    let mut programming = Programming::new(once(), password(), queries(&[(ReadCommand::R5, "1.8.0")]));
    let mut now = Duration::ZERO;
    let heard = [&b"/?!\r\n/LGZ0x\r\n"[..], b"\x06001\r\n\x01P0\x02()\x03\x60"];
    let mut heard = heard.iter();
    loop {
        assert!(!format!("{programming:?}").contains("48, 48, 48"), "{programming:?}");
        let event = match programming.step() {
            Step::Send(bytes) if bytes.starts_with(b"\x01P1") => break,
            Step::Send(_) => Event::Sent,
            Step::SetLine(_) => Event::LineSet(true),
            Step::Receive(wait) if wait < Duration::from_secs(1) => Event::Silence,
            Step::Receive(_) => heard.next().map_or(Event::Silence, |bytes| Event::Received(bytes)),
            Step::Pause(_) => Event::Paused,
            Step::Done => panic!("{:?}", programming.trouble()),
        };
        now += Duration::from_millis(200);
        programming.on(event, now);
    }
}

#[test]
fn a_load_profile_comes_in_blocks_that_are_acknowledged() {
    let (first, last) = (r"P.01(1220823161500)(00)(15)(1)(1.5)(kW)\r\n(0.1)\r\n", r"(0.2)\r\n");
    let done = ask(
        None,
        &[(ReadCommand::R6, "P.01(0251107000000;0251107010000)")],
        &format!(
            r"
            pause 200 ms
            reader \x01R6\x02P.01(0251107000000;0251107010000)\x03\x21
            meter {}
            pause 200 ms
            reader \x06
            meter {}
            {LEAVING}",
            block(first, r"\x04"),
            block(last, r"\x03")
        ),
    );
    assert_eq!(done.replies(), [Reply::Data(unescape(&format!("{first}{last}")))]);
}

#[test]
fn a_damaged_block_is_asked_for_again() {
    let done = ask(
        None,
        &[(ReadCommand::R6, "P.98(;)")],
        &format!(
            r"
            pause 200 ms
            reader \x01R6\x02P.98(;)\x03\x20
            meter \x02P.98(9\x04\x00
            pause 200 ms
            reader \x15
            meter {}
            {LEAVING}",
            block("P.98(1)", r"\x03")
        ),
    );
    assert_eq!((done.replies(), done.facts().bad_checks), (&[Reply::Data(b"P.98(1)".to_vec())][..], 1));
}

#[test]
fn every_way_of_having_nothing_to_say_has_its_own_reply() {
    let asked = |answer: &str| {
        let rest = format!("pause 200 ms\nreader \\x01R5\\x021.8.0()\\x03\\x5e\n{answer}\n{LEAVING}");
        let mut replies = ask(None, &[(ReadCommand::R5, "1.8.0()")], &rest).finish().0;
        replies.pop().unwrap()
    };
    assert_eq!(asked(r"meter \x02(ER01)\x03\x14"), Reply::Error("ER01".into()));
    assert_eq!(asked(&format!("meter {}", block("P.01(ERROR)", r"\x03"))), Reply::Empty);
    assert_eq!(asked(r"meter \x06"), Reply::Acknowledged);
    let again = "pause 200 ms\nreader \\x01R5\\x021.8.0()\\x03\\x5e";
    assert_eq!(asked(&format!("meter \\x15\n{again}\nmeter \\x15\n{again}\nmeter \\x15")), Reply::NotUnderstood);
    // No answer is asked again too.
    assert_eq!(asked(&format!("silence 2513 ms\n{again}\nmeter \\x06")), Reply::Acknowledged);
}

#[test]
fn a_session_that_breaks_off_is_resumed_at_the_question_it_failed_at() {
    let list = [(ReadCommand::R5, "1.8.0"), (ReadCommand::R5, "2.8.0")];
    let mut programming = Programming::new(Options { tries: 2, ..Options::default() }, None, queries(&list));
    let rest = format!(
        r"
        pause 200 ms
        reader \x01R5\x021.8.0()\x03\x5e
        meter \x021.8.0(012345.678*kWh)\x03\x53
        pause 200 ms
        reader \x01R5\x022.8.0()\x03\x5d
        meter \x01B0\x03\x71
        reader \x01B0\x03\x71
        pause 25 ms
        line 300,7E1
        pause 2000 ms
        line 300,7E1
        reader /?!\r\n
        {IDENTIFIED}
        {PROMPT}
        pause 200 ms
        reader \x01R5\x022.8.0()\x03\x5d
        meter {}
        {LEAVING}",
        block("2.8.0(1*kWh)", r"\x03")
    );
    play(&mut programming, &[OPENING, IDENTIFIED, PROMPT, &rest].join("\n"));
    let (replies, trouble, facts) = programming.finish();
    assert_eq!((replies.len(), trouble, facts.tries), (2, None, 2));
}

#[test]
fn an_echo_of_commands_is_no_answer() {
    let mut programming = Programming::new(once(), None, queries(&[(ReadCommand::R5, "1.8.0")]));
    let script = r"
        meter /?!\r\n/LGZ0x\r\n
        pause 200 ms
        reader \x06001\r\n
        meter \x06001\r\n\x01P0\x02()\x03\x60
        pause 200 ms
        reader \x01R5\x021.8.0()\x03\x5e
        meter \x01R5\x021.8.0()\x03
        meter \x5e\x021.8.0(012345.678*kWh)\x03\x53
        reader \x01B0\x03\x71
        pause 186 ms
        line 300,7E1
        done";
    play(&mut programming, &format!("{OPENING}\n{script}"));
    assert_eq!(programming.replies(), [Reply::Data(b"1.8.0(012345.678*kWh)".to_vec())]);
}

#[test]
fn a_meter_whose_prompt_has_a_sum_is_asked_with_sums() {
    let mut programming = Programming::new(once(), None, queries(&[(ReadCommand::R1, "1.8.0()")]));
    let sum = |data: &str| format!("{data}\\x{:02x}", BlockCheck::Sum.of(&unescape(data)));
    let script = format!(
        r"
        meter \x01{}
        pause 200 ms
        reader \x01R1\x021.8.0()\x03\x4e
        meter \x02{}
        reader \x01{}
        pause 25 ms
        line 300,7E1
        done",
        sum(r"P0\x02()\x03"),
        sum(r"(1*kWh)\x03"),
        sum(r"B0\x03")
    );
    play(&mut programming, &[OPENING, IDENTIFIED, &script].join("\n"));
    assert_eq!(programming.replies(), [Reply::Data(b"(1*kWh)".to_vec())]);
    assert!(programming.facts().sums);
}

#[test]
fn a_meter_that_sends_its_readout_instead_does_not_open_programming_mode() {
    let mut programming = Programming::new(once(), None, queries(&[(ReadCommand::R1, "1.8.0()")]));
    let script = format!("meter {}\n{LEAVING}", block(r"1.8.0(1*kWh)\r\n!\r\n", r"\x03"));
    play(&mut programming, &[OPENING, IDENTIFIED, &script].join("\n"));
    assert_eq!(programming.trouble(), Some(Trouble::Refused));
}

#[test]
fn whoever_stops_it_gets_the_replies_so_far_and_the_meter_its_break() {
    let done = ask(
        None,
        &[(ReadCommand::R1, "1.8.0()"), (ReadCommand::R5, "1.8.0")],
        &format!(
            r"
            pause 200 ms
            reader \x01R1\x021.8.0()\x03\x5a
            meter \x02(012345.678*kWh)\x03\x6a
            cancel
            {LEAVING}"
        ),
    );
    assert_eq!((done.trouble(), done.replies().len()), (Some(Trouble::Cancelled), 1));
}
