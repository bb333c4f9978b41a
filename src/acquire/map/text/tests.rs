//! What data sets become, line by line.

use super::*;
use crate::acquire::log::entries;
use crate::reading::{CivilTime, Offset, Quality};
use crate::wire::{Cut, text};

fn read(telegram: &str) -> Reading {
    match text::cut(telegram.as_bytes(), true, true) {
        Cut::Whole { len, value } => reading(&telegram.as_bytes()[..len], &value),
        other => panic!("{other:?} for {telegram}"),
    }
}

/// The reading of one or more lines in a mode D telegram, whose form has no checksum.
fn lines(data: &str) -> Reading {
    read(&format!("/ABC3meter\r\n\r\n{data}\r\n!\r\n"))
}

fn check(line: &str, expected: &str) {
    let reading = lines(line);
    let register = &reading.registers[0];
    let value = match &register.value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => format!("{} texts", values.len()),
        other => format!("{other:?}"),
    };
    let mut found = format!("{} {value}", register.code);
    if let Some(unit) = register.unit_text() {
        found += &format!(" {unit}");
    }
    if let Some(text) = register.sent_text().or_else(|| register.detail.as_ref().and_then(|d| d.text.clone())) {
        found += &format!(" from {text:?}");
    }
    if let Some(time) = register.time() {
        found += &format!(" at {}", time.civil);
    }
    assert_eq!(found, expected, "{line}");
}

#[test]
fn a_text_broken_into_lines_is_one() {
    check("0-0:96.13.0(30313233343536373839\r\n3A3B)", "0-0:96.13.0*255 \"303132333435363738393A3B\"");
}

#[test]
fn numbers_with_units() {
    check("1-0:1.8.0*255(005087.48789958*kWh)", "1-0:1.8.0*255 5087.48789958 kWh");
    check("1-0:16.7.0(-002.345*kW)", "1-0:16.7.0*255 -2.345 kW");
    check("3.8.0(0000.284*kVArh)", "1-0:3.8.0*255 0.284 kvarh");
    check("1-0:1.8.1*255(024562 kWh)", "1-0:1.8.1*255 24562 kWh from \"024562 kWh\"");
    check("1.8.0(01936.631kWh)", "1-0:1.8.0*255 1936.631 kWh from \"01936.631kWh\"");
    check("1.7.0( 0.20*kW)", "1-0:1.7.0*255 0.20 kW from \" 0.20*kW\"");
    check("1.7.0(.5*kW)", "1-0:1.7.0*255 0.5 kW");
    check("1.7.0(*kW)", "1-0:1.7.0*255 \"*kW\"");
    check("1.7.0(1.2.3*kW)", "1-0:1.7.0*255 \"1.2.3*kW\"");
}

#[test]
fn units_that_no_table_knows_are_kept_as_printed() {
    check("6.33(001.250*m3ph)", "1-0:6.33.0*255 1.250 m3ph from \"001.250*m3ph\"");
    check("0.3.0(05000*imp/kWh)", "1-0:0.3.0*255 5000 imp/kWh from \"05000*imp/kWh\"");
    check("9.4(071.5*C)", "1-0:9.4.0*255 71.5 C from \"071.5*C\"");
    check("9.4(071*C&052*C)", "1-0:9.4.0*255 \"071*C&052*C\"");
    check("9.4(071*52)", "1-0:9.4.0*255 \"071*52\"");
    check("9.4(071*a unit of its own)", "1-0:9.4.0*255 \"071*a unit of its own\"");
}

#[test]
fn a_timed_value_without_unit_keeps_its_groups() {
    let groups = |line: &str| lines(line).registers[0].detail.as_ref().map(|detail| detail.groups.join("|"));
    check("0-2:24.2.1(632525252525S)(00007.500)", "0-2:24.2.1*255 7.500 from \"00007.500\"");
    assert_eq!(groups("0-2:24.2.1(632525252525S)(00007.500)").unwrap(), "632525252525S|00007.500");
    assert_eq!(groups("1.6.1*07(3.25)(2503141530)").unwrap(), "3.25|2503141530");
    assert_eq!(groups("1.6.1(3.25*kW)(2503141530)").unwrap(), "");
}

#[test]
fn numbers_without_units() {
    check("1.8.1*00(071354.27)", "1-0:1.8.1*0 71354.27 kWh from \"071354.27\"");
    check("23.8.0(1.5)", "1-0:23.8.0*255 1.5 kvarh from \"1.5\"");
    check("10.8.0(1.5)", "1-0:10.8.0*255 1.5 kVAh from \"1.5\"");
    check("1.8.0(013925.5*)", "1-0:1.8.0*255 13925.5 kWh from \"013925.5*\"");
    check("1.8.0(71354)", "1-0:1.8.0*255 71354 from \"71354\"");
    check("82.8.1(0000)", "1-0:82.8.1*255 0 from \"0000\"");
    check("1-0:13.7.0(0.98)", "1-0:13.7.0*255 0.98 from \"0.98\"");
    check("1-0:32.32.0(00002)", "1-0:32.32.0*255 2 from \"00002\"");
    check("0-0:96.7.21(00009)", "0-0:96.7.21*255 9 from \"00009\"");
    check("C.7.0(0005)", "1-0:C.7.0*255 5 from \"0005\"");
    check("0-1:24.1.0(003)", "0-1:24.1.0*255 3 from \"003\"");
    check("0-0:96.3.10(1)", "0-0:96.3.10*255 1 from \"1\"");
    check("0-0:17.0.0(77.376)", "0-0:17.0.0*255 77.376 from \"77.376\"");
    check("0-0:17.0.0(999.9kW)", "0-0:17.0.0*255 999.9 kW from \"999.9kW\"");
}

#[test]
fn names_made_of_digits_stay_texts() {
    check("0.0.0( 20000)", "1-0:0.0.0*255 \" 20000\"");
    check("C.1.0(12314330)", "1-0:C.1.0*255 \"12314330\"");
    check("FF(00000000)", "FF \"00000000\"");
    check("0-0:96.14.0(0002)", "0-0:96.14.0*255 \"0002\"");
    check("1-0:96.5.5*255(80)", "1-0:96.5.5*255 \"80\"");
    check("C.5.0(5A)", "1-0:C.5.0*255 \"5A\"");
    check("0-0:96.13.0()", "0-0:96.13.0*255 \"\"");
    check("0-0:96.7.10(251107143000W)", "0-0:96.7.10*255 \"251107143000W\"");
    check("1.8.0(99999999999999999999999)", "1-0:1.8.0*255 \"99999999999999999999999\"");
}

#[test]
fn values_with_times() {
    check("1.6.1(0.50262*kW)(2211120730)", "1-0:1.6.1*255 0.50262 kW at 2022-11-12T07:30:00");
    check("1.6.0(000.060*kW)(18-12-13,17:15)", "1-0:1.6.0*255 0.060 kW at 2018-12-13T17:15:00");
    check("1.6.4(000.00*kW)(00-00-00 00:00)", "1-0:1.6.4*255 0.00 kW");
    check("0-1:24.2.1(190320181003W)(00304.089*m3)", "0-1:24.2.1*255 304.089 m3 at 2019-03-20T18:10:03");
    check("0-0:1.0.0(251107143000W)", "0-0:1.0.0*255 \"251107143000W\" at 2025-11-07T14:30:00");
    // Under this code and with this form a ZMD310 means something else than a voltage.
    check("32.7.0(0002)(00-01-01 00:00)", "1-0:32.7.0*255 2 texts");
    check("96.77.0*1(19-05-10,10:03,19-05-10,10:14)", "1-0:96.77.0*1 \"19-05-10,10:03,19-05-10,10:14\"");
}

#[test]
fn the_gas_of_dsmr_2_stands_on_the_next_line() {
    let gas = "0-1:24.3.0(160315210000)(2C)(60)(1)(0-1:24.2.1)(m3)\r\n(04083.631)";
    check(gas, "0-1:24.3.0*255 4083.631 m3 at 2016-03-15T21:00:00");
    let reading = lines(gas);
    let detail = reading.registers[0].detail.as_ref().unwrap();
    assert_eq!((detail.status, detail.rows.len(), reading.protocol), (Some(0x2C), 1, Protocol::Dsmr));
    check(&gas.replace("\r\n", ""), "0-1:24.3.0*255 4083.631 m3 at 2016-03-15T21:00:00");
}

#[test]
fn the_clock_of_p1_and_of_a_readout() {
    let offset = |line: &str| lines(line).clock.map(|c| c.offset);
    assert_eq!(offset("0-0:1.0.0(251107143000W)"), Some(Offset::Minutes(60)));
    assert_eq!(offset("0-0:1.0.0(250707143000S)"), Some(Offset::Minutes(120)));
    assert_eq!(offset("0-0:1.0.0(20240111 09:35:00)"), Some(Offset::Unknown));
    assert_eq!(offset("0.9.1(105644)\r\n0.9.2(1220727)"), Some(Offset::Summer));
    assert_eq!(offset("0.9.1(105644)"), None);
    assert_eq!(offset("0-0:1.0.0(000000000000W)"), None);
}

#[test]
fn the_best_identifier_wins() {
    let meter = |data: &str| lines(data).meter.map(|m| m.to_string());
    let p1 = "0-1:96.1.0(31)\r\n0-0:96.1.1(4B413655303031363630323937393132)\r\n0-0:96.1.0(77)";
    assert_eq!(meter(p1).as_deref(), Some("KA6U001660297912"));
    assert_eq!(meter("0.0.0(95316176)\r\nC.1.0(123)").as_deref(), Some("123"));
    assert_eq!(meter("C.1.0(   )\r\n0.0(00188123        )").as_deref(), Some("00188123"));
    assert_eq!(meter("0-0:96.1.255*255(1ESY1336001560)").as_deref(), Some("1ESY1336001560"));
    assert_eq!(meter("1.8.0(1*kWh)"), None);
}

#[test]
fn p1_is_known_by_its_codes() {
    let protocol = |data: &str| lines(data).protocol;
    for data in
        ["1-3:0.2.8(50)", "0-0:96.14.0(0001)", "0-0:17.0.0(999.0*kW)", "0-0:96.1.1(00)", "0-0:1.0.0(251107143000W)"]
    {
        assert_eq!(protocol(data), Protocol::Dsmr, "{data}");
    }
    for data in ["1-0:1.8.0*255(1*kWh)", "0-0:96.1.1*255(00)", "C.1.1(00)", "0-0:1.0.0(2021-07-12 22:20:17)"] {
        assert_eq!(protocol(data), Protocol::Iec62056, "{data}");
    }
}

#[test]
fn profile_rows_count_on_from_their_header() {
    let reading = read(
        "P.01(1220823161500)(08)(15)(2)(1.5)(kW)(5.5)(kvar)\r\n(0.1)(0.2)\r\n(0.3)()\r\n\
         P.01(1220823170000)(00)(15)(2)(1.5)(kW)(5.5)(kvar)\r\n(0.5)(0.6)\r\n",
    );
    assert_eq!((reading.quality, reading.registers.len()), (Quality::Good, 2));
    let profile = reading.profile.unwrap();
    assert_eq!((profile.channels.len(), profile.period_s), (2, Some(900)));
    let rows: Vec<_> = profile.rows.iter().map(|r| format!("{} {}", r.time.unwrap().civil, r.status)).collect();
    assert_eq!(rows, ["2022-08-23T16:15:00 08", "2022-08-23T16:30:00 08", "2022-08-23T17:00:00 00"]);
    assert_eq!(profile.rows[1].values, [Some("0.3".parse().unwrap()), None]);
    assert_eq!(reading.registers[0].detail.as_ref().unwrap().rows.len(), 2);
}

#[test]
fn an_empty_profile_is_no_fault() {
    let reading = read("P.01(ERROR)\r\n");
    assert_eq!((reading.quality, reading.profile, reading.anomalies.len()), (Quality::Good, None, 0));
    assert_eq!(reading.registers[0].as_text(), Some("ERROR"));
}

#[test]
fn logs_have_entries() {
    let reading = read(
        "P.98(1220826235646)(00008020)()(2)(0.9.1)()(0.9.2)()(1235703)(1220826)\r\nP.98(1220901000000)(10)()(0)\r\n",
    );
    let log = entries(&reading);
    let [set, reset] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!((set.log.to_string().as_str(), set.status.as_str(), set.values.len()), ("1-0:P.98*255", "00008020", 2));
    assert_eq!((reset.status.as_str(), reset.values.len()), ("10", 0));

    let reading = lines("1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(000000000000W)(0000000301*s)");
    let log = entries(&reading);
    let [known, unknown] = log.as_slice() else { panic!("{log:?}") };
    let civil = CivilTime::new(2010, 12, 8, 15, 24, 15).unwrap();
    assert_eq!((known.time.unwrap().civil, known.values[0].1.as_str()), (civil, "0000000240*s"));
    assert_eq!(unknown.time, None);
    assert!(entries(&lines("1-0:99.97.0(0)()")).is_empty());
}

#[test]
fn noise_without_a_checksum_is_suspect() {
    assert_eq!(lines("1.8.0(1*kWh)").quality, Quality::Good);
    assert_eq!(lines("1.8.0(1*kWh)\r\n***NO CARRIER***").quality, Quality::Suspect);
    assert_eq!(lines("0.0.0(12\u{1}4)").quality, Quality::Suspect);
}

#[test]
fn an_answer_to_one_request_may_have_no_address() {
    let reading = read("\u{2}(012345.678*kWh)\u{3}\u{6A}");
    assert_eq!(reading.registers[0].as_number(), Some("12345.678".parse().unwrap()));
    let reading = read("\u{2}(ER01)\u{3}\u{14}");
    assert_eq!(reading.registers[0].as_text(), Some("ER01"));
}
