//! What goes wrong, what is done about it, and what is said of it afterwards.

use super::*;
use crate::wire::text::{Check, Unchecked};

const IDENTIFIED: &str = r"
    meter /LGZ5ZMD3101\r\n
    pause 200 ms
    reader \x06050\r\n
    pause 240 ms
    line 9600,7E1";
const LEAVING: &str = r"
    reader \x01B0\x03\x71
    pause 25 ms
    line 300,7E1";
const LEAVING_AT_300: &str = r"
    reader \x01B0\x03\x71
    pause 186 ms
    line 300,7E1";
const GOOD: &str = r"\x021.8.0(012345.678*kWh)\r\n!\r\n\x03\x72";
const BAD: &str = r"\x021.8.0(012345.679*kWh)\r\n!\r\n\x03\x72";

fn in_order(parts: &[&str]) -> String {
    parts.join("\n")
}

#[test]
fn the_block_check_of_the_example_here_is_right() {
    let bytes = unescape(GOOD);
    assert_eq!(BlockCheck::Xor.of(&bytes[1..bytes.len() - 1]), *bytes.last().unwrap());
}

#[test]
fn a_meter_that_never_answers_is_asked_three_times() {
    // The request takes 166 ms at 300 Bd.
    let asked = "silence 2666 ms\nline 300,7E1";
    let again = r"
        pause 2000 ms
        line 300,7E1
        reader /?!\r\n";
    let readout = readout(Options::default(), &in_order(&[asked, again, asked, again, asked, "done"]));
    let (trouble, facts) = trouble(readout);
    assert_eq!((trouble, facts.received, facts.tries), (Trouble::Silent, 0, 3));
}

#[test]
fn nothing_but_an_echo_is_told_apart_from_silence_and_from_noise() {
    let failed = |heard: &str| {
        let readout = readout(once(), &in_order(&[heard, "line 300,7E1", "done"]));
        trouble(readout)
    };
    let (reason, facts) = failed("meter /?!\\r\\n\nsilence 2566 ms");
    assert_eq!((reason, facts.echo, facts.noise), (Trouble::EchoOnly, true, 0));
    let (reason, facts) = failed("meter \\xff\\x00U\nsilence 2000 ms");
    assert_eq!((reason, facts.echo), (Trouble::Noise, false));
    assert_eq!((facts.noise, facts.noise_head.as_slice()), (2, &[0xFF, 0x55][..]));
    // No more than 256 bytes of it are waited for.
    assert_eq!(failed(&format!("meter {}", "U".repeat(257))).0, Trouble::Noise);
}

#[test]
fn noise_before_the_identification_is_counted_and_skipped() {
    let heard = format!("meter \\xfe/x~/ABC@x\\r\\n{GOOD}");
    let readout = readout(once(), &in_order(&[&heard, "line 300,7E1", "done"]));
    let (bytes, facts) = data(readout);
    assert!(bytes.starts_with("/ABC@x"));
    assert_eq!((facts.noise, facts.noise_head.as_slice()), (4, &b"\xFE/x~"[..]));
}

#[test]
fn a_port_that_is_not_idle_gets_a_break_first() {
    let mut readout = Readout::new(once());
    let script = r"
        line 300,7E1
        meter 1.8.0(1)\r\n
        silence 50 ms
        reader \x01B0\x03\x71
        pause 466 ms
        reader /?!\r\n
        silence 2666 ms
        line 300,7E1
        done";
    play(&mut readout, script);
    assert!(trouble(readout).1.unasked);
}

#[test]
fn a_wrong_block_check_is_answered_with_nak_and_the_repetition_counts() {
    let bad = format!("meter {BAD}");
    let again = format!("pause 200 ms\nreader \\x15\nmeter {GOOD}");
    let readout = readout(once(), &in_order(&[IDENTIFIED, &bad, &again, "line 300,7E1\ndone"]));
    let (bytes, facts) = data(readout);
    assert!(bytes.contains("012345.678"));
    assert_eq!(facts.bad_checks, 1);
}

#[test]
fn a_meter_that_ignores_nak_is_asked_from_the_beginning() {
    let mut readout = Readout::new(Options { tries: 2, ..Options::default() });
    let bad = format!("meter {BAD}\npause 200 ms\nreader \\x15\nsilence 1600 ms");
    let again = "pause 2000 ms\nline 300,7E1\nreader /?!\\r\\n";
    // Nothing after the change of speed may also mean that it failed.
    let fallback = "line 300,7E1\nsilence 2200 ms";
    let good = format!("meter {GOOD}");
    let script = in_order(&[
        OPENING,
        IDENTIFIED,
        &bad,
        fallback,
        LEAVING_AT_300,
        again,
        r"meter /LGZ5ZMD3101\r\n
        pause 200 ms
        reader \x06000\r\n",
        &good,
        "line 300,7E1\ndone",
    ]);
    play(&mut readout, &script);
    assert_eq!(data(readout).1.tries, 2);
}

#[test]
fn a_block_check_that_stays_wrong_is_reported_with_what_came() {
    let mut readout = Readout::new(once());
    let bad = format!("meter {BAD}");
    let script = in_order(&[OPENING, IDENTIFIED, &bad, "pause 200 ms\nreader \\x15", &bad, LEAVING, "done"]);
    play(&mut readout, &script);
    match readout.finish() {
        (Outcome::Failed { trouble: Trouble::BlockCheck, bytes }, facts) => {
            assert!(bytes.starts_with(b"/LGZ5ZMD3101\r\n\x021.8.0(012345.679"));
            assert_eq!(facts.bad_checks, 2);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_change_of_speed_that_failed_the_readout_comes_at_300_baud() {
    let script = format!("silence 1600 ms\nline 300,7E1\nmeter {GOOD}\nline 300,7E1\ndone");
    let readout = readout(once(), &in_order(&[IDENTIFIED, &script]));
    let (_, facts) = data(readout);
    assert!(facts.switch_failed);
}

#[test]
fn garble_after_the_change_of_speed_means_that_it_failed() {
    let script = format!("meter {}\nline 300,7E1\nmeter {GOOD}\nline 300,7E1\ndone", r"\xf8\x00\xe0\x80".repeat(4));
    let readout = readout(once(), &in_order(&[IDENTIFIED, &script]));
    let (_, facts) = data(readout);
    assert!(facts.switch_failed);
}

#[test]
fn a_meter_that_does_not_confirm_mode_e_is_listened_to_at_300_baud() {
    let script = format!(
        r"
        meter /LGZ5\\2ZMF100AC\r\n
        pause 200 ms
        reader \x06252\r\n
        pause 240 ms
        line 9600,8N1
        silence 1600 ms
        line 300,7E1
        meter {GOOD}
        line 300,7E1
        done"
    );
    let readout = readout(Options { mode: Some(Mode::E), ..once() }, &in_order(&[&script]));
    assert_eq!(data(readout).1.parity_errors, 0);
}

#[test]
fn the_last_try_does_not_risk_a_change_of_speed_that_failed_before() {
    let failed = "silence 1600 ms\nline 300,7E1\nsilence 2200 ms";
    let last = format!(
        r"
        pause 2000 ms
        line 300,7E1
        reader /?!\r\n
        meter /LGZ5ZMD3101\r\n
        pause 200 ms
        reader \x06000\r\n
        meter {GOOD}
        line 300,7E1
        done"
    );
    let readout =
        readout(Options { tries: 2, ..Options::default() }, &in_order(&[IDENTIFIED, failed, LEAVING_AT_300, &last]));
    data(readout);
}

#[test]
fn a_beginning_lost_in_the_change_of_speed_is_no_wrong_block_check() {
    let script = r"
        meter .8.0(012345.678*kWh)\r\n2.8.0(1*kWh)\r\n!\r\n\x03\x72";
    let readout = readout(once(), &in_order(&[IDENTIFIED, script, LEAVING, "done"]));
    match readout.finish() {
        // Better than nothing, and marked.
        (Outcome::Data { check, .. }, facts) => {
            assert_eq!((check, facts.bad_checks), (Check::Unchecked(Unchecked::NoStx), 0));
            assert!(facts.switch_failed);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_meter_that_identifies_itself_and_falls_silent_is_told_from_one_that_breaks_off() {
    let failed = |script: &str| {
        let select = r"
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06000\r\n";
        let readout =
            readout(Options { speed: Speed::Opening, ..once() }, &in_order(&[select, script, LEAVING_AT_300, "done"]));
        trouble(readout).0
    };
    assert_eq!(failed("silence 2500 ms"), Trouble::NoData);
    assert_eq!(failed("meter \\x15\nsilence 2000 ms"), Trouble::NoData);
    assert_eq!(failed("meter \\x021.8.0(0123\nsilence 2000 ms"), Trouble::BrokenOff);
}

#[test]
fn mode_b_over_a_link_that_keeps_its_speed_is_left_to_what_stands_between() {
    let script = r"
        line 300,7E1 stays
        silence 50 ms
        reader /?!\r\n
        meter /ABCCmeter\r\n";
    let leaving = r"
        reader \x01B0\x03\x71
        pause 186 ms
        line 300,7E1 stays
        done";
    let mut readout = Readout::new(once());
    play(&mut readout, &in_order(&[script, "silence 2500 ms", leaving]));
    assert_eq!(trouble(readout).0, Trouble::SpeedFixed);

    let mut readout = Readout::new(once());
    play(
        &mut readout,
        &in_order(&[script, "meter \\x021.8.0(012345.678*kWh)\\r\\n!\\r\\n\\x03\\x72", "line 300,7E1 stays\ndone"]),
    );
    assert!(matches!(readout.outcome(), Some(Outcome::Data { .. })), "{:?}", readout.outcome());
}

#[test]
fn over_a_link_of_unknown_settings_the_second_try_makes_the_parity_itself() {
    let mut readout = Readout::new(Options { tries: 2, ..Options::default() });
    let script = r"
        line 300,7E1 stays
        silence 50 ms
        reader /?!\r\n
        silence 2666 ms
        line 300,7E1 stays
        pause 2000 ms
        line 300,7E1 stays
        reader \xaf\x3f\x21\x8d\x0a
        silence 2666 ms
        line 300,7E1 stays
        done";
    play(&mut readout, script);
    trouble(readout);
}

#[test]
fn the_sum_counts_for_its_makers() {
    let message = unescape(r"\x021.8.0(1*kWh)\r\n!\r\n\x03");
    let sum = BlockCheck::Sum.of(&message[1..]);
    let heard = format!("meter /TPW@x\\r\\n{}\\x{sum:02x}", message.escape_ascii());
    let readout = readout(once(), &in_order(&[&heard, "line 300,7E1", "done"]));
    assert!(data(readout).1.sums);
}

#[test]
fn parity_errors_are_counted() {
    let image = parity_image(&format!(r"/ABC@x\r\n{GOOD}"));
    // One bit of a digit is flipped: its parity is wrong, and so is the block check.
    let damaged = image.replacen(r"\xb8", r"\xb9", 1);
    let heard = format!("meter {damaged}\npause 200 ms\nreader \\x95\nmeter {}", parity_image(GOOD));
    let readout = readout(once(), &in_order(&[&heard, "line 300,7E1", "done"]));
    assert_eq!(data(readout).1.parity_errors, 1);
}

#[test]
fn whoever_stops_a_readout_leaves_the_meter_and_the_line_as_they_were() {
    let stopped = |parts: &[&str]| {
        let mut readout = Readout::new(Options::default());
        play(&mut readout, &in_order(parts));
        assert_eq!(trouble(readout).0, Trouble::Cancelled);
    };
    stopped(&["line 300,7E1\ncancel\nline 300,7E1\ndone"]);
    stopped(&[OPENING, "cancel", LEAVING_AT_300, "done"]);
    stopped(&[OPENING, IDENTIFIED, "meter \\x021.8.0(01\ncancel", LEAVING, "done"]);
    stopped(&[OPENING, IDENTIFIED, "cancel", LEAVING, "cancel\ndone"]);
    stopped(&[OPENING, "silence 2666 ms\nline 300,7E1\ncancel\ndone"]);
}

#[test]
fn what_was_read_before_somebody_stopped_is_read() {
    let script = format!("meter {GOOD}\ncancel\nline 300,7E1\ndone");
    let readout = readout(Options::default(), &in_order(&[IDENTIFIED, &script]));
    data(readout);
}

#[test]
fn a_link_that_is_gone_ends_everything_at_once() {
    let readout = readout(Options::default(), &in_order(&["lost\ndone"]));
    assert_eq!(trouble(readout).0, Trouble::Lost);
}
