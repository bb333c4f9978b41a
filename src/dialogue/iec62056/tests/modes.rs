//! One conversation for each mode, byte by byte.

use super::*;

/// The complete readout of the specification we work from, block check 4C.
const MESSAGE: &str = r"\x021-0:1.8.0*255(012345.678*kWh)\r\n1-0:16.7.0*255(002.345*kW)\r\n!\r\n\x03\x4c";
const DATA: &str = r"\x021-0:1.8.0*255(012345.678*kWh)\r\n1-0:16.7.0*255(002.345*kW)\r\n!\r\n\x03L";

#[test]
fn mode_a_goes_on_at_300_baud_without_a_word() {
    let readout = readout(
        Options::default(),
        &format!(
            r"
            meter /ACE@3k260V01.18\r\n
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/ACE@3k260V01.18\r\n{DATA}"));
    assert_eq!((facts.mode, facts.tries, facts.echo, facts.parity_bits), (Some(Mode::A), 1, false, false));
}

#[test]
fn mode_a_without_a_block_check_ends_with_silence() {
    let script = r"
        meter /ACE@3k260V01.18\r\n
        meter 1.8.0(00012.5*kWh)\r\n!\r\n
        silence 2000 ms
        line 300,7E1
        done";
    let readout = readout(Options::default(), script);
    assert_eq!(data(readout).0, r"/ACE@3k260V01.18\r\n1.8.0(00012.5*kWh)\r\n!");
}

#[test]
fn mode_b_changes_the_speed_as_soon_as_the_identification_has_ended() {
    let readout = readout(
        Options::default(),
        &format!(
            r"
            meter /ABCCmeter\r
            meter \n
            line 2400,7E1
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/ABCCmeter\r\n{DATA}"));
    assert_eq!(facts.mode, Some(Mode::B));
    assert_eq!(facts.lines.as_slice(), [Line::seven_even(300), Line::seven_even(2400)]);
}

#[test]
fn mode_c_waits_for_the_last_bit_of_the_option_select() {
    let readout = readout(
        Options::default(),
        &format!(
            r"
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06050\r\n
            pause 240 ms
            line 9600,7E1
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/LGZ5ZMD3101\r\n{DATA}"));
    assert_eq!(facts.mode, Some(Mode::C));
}

#[test]
fn a_lower_case_letter_means_a_meter_that_is_quick() {
    let readout = readout(
        Options::default(),
        &format!(
            r"
            meter /ISk5MT174-0001\r\n
            pause 20 ms
            reader \x06050\r\n
            pause 215 ms
            line 9600,7E1
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    assert_eq!(readout.facts().identification.as_ref().unwrap().name(), "MT174-0001");
}

#[test]
fn an_echo_shows_when_the_option_select_has_left() {
    let readout = readout(
        Options::default(),
        &format!(
            r"
            meter /?
            meter !\r\n
            meter /LGZ4ZMD3101\r\n
            pause 200 ms
            reader \x06040\r\n
            meter \x0604
            meter 0\r
            meter \n
            line 4800,7E1
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/LGZ4ZMD3101\r\n{DATA}"));
    assert!(facts.echo);
    assert_eq!(facts.noise, 0);
}

#[test]
fn an_echo_that_is_lost_does_not_hold_up_the_change_of_speed() {
    let script = r"
        meter /?!\r\n/LGZ4ZMD3101\r\n
        pause 200 ms
        reader \x06040\r\n
        silence 240 ms
        line 4800,7E1
        lost
        done";
    let readout = readout(once(), script);
    assert_eq!(trouble(readout).0, Trouble::Lost);
}

#[test]
fn the_opening_speed_can_be_kept() {
    let readout = readout(
        Options { speed: Speed::Opening, ..Options::default() },
        &format!(
            r"
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06000\r\n
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    assert_eq!(data(readout).1.lines.as_slice(), [Line::seven_even(300)]);
}

#[test]
fn a_link_that_keeps_its_speed_makes_the_meter_keep_it_too() {
    let readout = whole_readout(
        Options::default(),
        &format!(
            r"
            line 300,7E1 stays
            silence 50 ms
            reader /?!\r\n
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06000\r\n
            meter {MESSAGE}
            line 300,7E1 stays
            done"
        ),
    );
    assert!(data(readout).1.line_fixed);
}

#[test]
fn a_head_that_changes_its_speed_by_itself_is_left_alone() {
    let readout = readout(
        Options { speed: Speed::Between, ..Options::default() },
        &format!(
            r"
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06050\r\n
            pause 240 ms
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    data(readout);
}

#[test]
fn mode_c_as_mode_a_lets_the_meter_go_on_by_itself() {
    let readout = readout(
        Options { mode: Some(Mode::A), ..Options::default() },
        &format!(
            r"
            meter /LGZ5ZMD3101\r\n
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    data(readout);
}

#[test]
fn mode_e_is_confirmed_at_the_new_speed_still_with_parity() {
    let script = r"
        meter /LGZ5\\2ZMF100AC\r\n
        pause 200 ms
        reader \x06252\r\n
        pause 240 ms
        line 9600,8N1
        meter \x06\xb2\x35\xb2
        meter \x8d\x0a
        done";
    let readout = readout(Options { mode: Some(Mode::E), ..Options::default() }, script);
    let (outcome, facts) = readout.finish();
    assert_eq!(outcome, Outcome::ModeE { line: Line::eight_none(9600) });
    assert_eq!((facts.mode, facts.parity_errors), (Some(Mode::E), 0));
}

#[test]
fn a_meter_that_refuses_mode_e_goes_on_as_in_mode_c() {
    let readout = readout(
        Options { mode: Some(Mode::E), ..Options::default() },
        &format!(
            r"
            meter /LGZ5\\2ZMF100AC\r\n
            pause 200 ms
            reader \x06252\r\n
            pause 240 ms
            line 9600,8N1
            meter {}
            line 300,7E1
            done",
            parity_image(MESSAGE)
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/LGZ5\\2ZMF100AC\r\n{DATA}"));
    assert_eq!(facts.mode, Some(Mode::C));
}

#[test]
fn mode_e_is_not_asked_of_a_meter_that_does_not_offer_it() {
    let readout = readout(
        Options { mode: Some(Mode::E), ..Options::default() },
        &format!(
            r"
            meter /LGZ5ZMD3101\r\n
            pause 200 ms
            reader \x06050\r\n
            pause 240 ms
            line 9600,7E1
            meter {MESSAGE}
            line 300,7E1
            done"
        ),
    );
    assert_eq!(data(readout).1.mode, Some(Mode::C));
}

#[test]
fn a_battery_meter_is_woken_up_with_nuls() {
    // 66 characters last 2.2 s at 300 Bd.
    let nuls = r"\x00".repeat(66);
    let (nuls_last, silence) = (2200, 1600);
    let readout = whole_readout(
        Options { wake_up: Some(WakeUp::Slow), ..Options::default() },
        &format!(
            r"
            line 300,7E1
            silence 50 ms
            reader {nuls}
            pause {} ms
            reader /?!\r\n
            meter /ABC@x\r\n{MESSAGE}
            line 300,7E1
            done",
            nuls_last + silence
        ),
    );
    data(readout);
}

#[test]
fn the_fast_wake_up_stops_at_the_acknowledgement_and_ends_with_its_own_break() {
    let burst = r"\x00".repeat(16);
    let readout = whole_readout(
        Options { wake_up: Some(WakeUp::Fast), ..Options::default() },
        &format!(
            r"
            line 300,7E1
            silence 50 ms
            reader {burst}
            meter \x00\x00
            silence 519 ms
            reader {burst}
            meter \x06
            pause 300 ms
            reader /?!\r\n
            meter /ABC@x\r\n{MESSAGE}
            reader \x01B1\x03\x70
            pause 186 ms
            line 300,7E1
            done"
        ),
    );
    data(readout);
}

#[test]
fn a_meter_on_a_bus_is_asked_by_its_address() {
    let request = Request::new("12345678").unwrap();
    let readout = whole_readout(
        Options { request, ..Options::default() },
        &format!(
            r"
            line 300,7E1
            silence 50 ms
            reader /?12345678!\r\n
            meter /ABC@x\r\n{MESSAGE}
            line 300,7E1
            done"
        ),
    );
    data(readout);
}

#[test]
fn parity_bits_that_a_bridge_leaves_in_are_taken_out_and_put_in() {
    let readout = whole_readout(
        Options::default(),
        &format!(
            r"
            line 300,7E1 stays
            silence 50 ms
            reader /?!\r\n
            meter {}
            pause 200 ms
            reader {}
            meter {}
            line 300,7E1 stays
            done",
            parity_image(r"/LGZ5ZMD3101\r\n"),
            parity_image(r"\x06000\r\n"),
            parity_image(MESSAGE)
        ),
    );
    let (bytes, facts) = data(readout);
    assert_eq!(bytes, format!(r"/LGZ5ZMD3101\r\n{DATA}"));
    assert!(facts.parity_bits);
    assert_eq!(facts.parity_errors, 0);
}

#[test]
fn on_a_line_of_eight_bits_parity_is_made_here() {
    let readout = whole_readout(
        Options { opening: Line::eight_none(300), ..Options::default() },
        &format!(
            r"
            line 300,8N1
            silence 50 ms
            reader \xaf\x3f\x21\x8d\x0a
            meter {}
            line 300,8N1
            done",
            parity_image(&format!(r"/ABC@x\r\n{MESSAGE}"))
        ),
    );
    data(readout);
}
