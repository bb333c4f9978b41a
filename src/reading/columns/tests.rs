use super::rules::feeds_in;
use super::*;
use crate::reading::{Code, Protocol, Value};

/// A telegram written as D0 data sets, `1-0:1.8.0(001234.567*kWh)`, separated by blanks.
fn telegram(data_sets: &str) -> Reading {
    let mut reading = Reading::new(Protocol::Iec62056);
    for data_set in data_sets.split_whitespace() {
        let (address, value) = data_set.trim_end_matches(')').split_once('(').unwrap();
        let (number, unit) = value.split_once('*').unwrap_or((value, ""));
        let code = Code::parse(address.as_bytes());
        reading.registers.push(Register::number(code, number.parse().unwrap(), Unit::parse(unit)));
    }
    reading
}

/// What the columns print, absent ones left out: `EnergyImport 154.320, PowerTotal 2345`.
fn shown(reading: &Reading, memory: &mut TariffMemory) -> String {
    let columns = Columns::of(reading, memory);
    let shown: Vec<_> = columns.iter().map(|(column, value)| format!("{column:?} {value}")).collect();
    shown.join(", ")
}

fn check(data_sets: &str, expected: &str) {
    assert_eq!(shown(&telegram(data_sets), &mut TariffMemory::default()), expected, "{data_sets}");
}

/// An SML telegram with 15.7.0, and the status word that came with 1.8.0.
fn absolute_power(status: Option<u64>) -> Reading {
    let mut reading = telegram("1.8.0(1234567.8*Wh) 15.7.0(1200.0*W)");
    reading.protocol = Protocol::Sml;
    reading.registers[0].detail_mut().status = status;
    reading
}

#[test]
fn worked_example_e450_push_with_energies_on_channel_1() {
    let mut reading = telegram("1-1:1.8.0(154320*Wh) 1-0:1.7.0(2345*W) 1-0:2.7.0(0*W)");
    let current = Decimal::from(1250).shifted(-2).unwrap();
    reading.registers.push(Register::number(Obis::electricity(31, 7, 0), current, Some(Unit::A)));
    assert_eq!(shown(&reading, &mut TariffMemory::default()), "EnergyImport 154.320, PowerTotal 2345, CurrentL1 12.50");
}

#[test]
fn worked_example_tariffs_only_and_feeding_in() {
    check(
        "1-0:1.8.1(001234.567*kWh) 1-0:1.8.2(000890.123*kWh) 1-0:1.7.0(00.512*kW) 1-0:2.7.0(01.204*kW)",
        "EnergyImport 2124.690, PowerTotal -692",
    );
}

#[test]
fn worked_example_power_from_the_phases() {
    check(
        "21.7.0(0.200*kW) 22.7.0(0*kW) 41.7.0(0*kW) 42.7.0(0.500*kW) 61.7.0(0.100*kW) 62.7.0(0*kW)",
        "PowerTotal -200",
    );
}

#[test]
fn worked_example_net_power_of_sml() {
    let mut reading = Reading::new(Protocol::Sml);
    reading.registers.push(Register::number(Obis::electricity(16, 7, 0), Decimal::new(-12_345, -1), Some(Unit::W)));
    assert_eq!(shown(&reading, &mut TariffMemory::default()), "PowerTotal -1234.5");
}

#[test]
fn worked_example_absolute_power_of_an_ed300l() {
    let exporting = absolute_power(Some(0x01B0));
    assert_eq!(shown(&exporting, &mut TariffMemory::default()), "EnergyImport 1234.5678, PowerTotal -1200.0");
    let importing = absolute_power(Some(0x0182));
    assert_eq!(shown(&importing, &mut TariffMemory::default()), "EnergyImport 1234.5678, PowerTotal 1200.0");
}

#[test]
fn worked_example_single_phase() {
    check("32.7.0(228.4*V) 11.7.0(3.2*A)", "VoltageL1 228.4, CurrentL1 3.2");
}

#[test]
fn every_column_from_its_own_register() {
    check(
        "1.8.0(1*kWh) 2.8.0(2*kWh) 16.7(000345*W) 32.7.0(231.5*V) 52.7.0(232*V) 72.7.0(0.233*kV) \
         31.7.0(1.5*A) 51.7.0(-2*A) 71.7.0(300*mA) 14.7.0(50.01*Hz) 13.7.0(0)",
        "EnergyImport 1, EnergyExport 2, PowerTotal 345, VoltageL1 231.5, VoltageL2 232, VoltageL3 233, \
         CurrentL1 1.5, CurrentL2 -2, CurrentL3 0.300, Frequency 50.01, PowerFactor 0",
    );
}

#[test]
fn the_total_goes_before_tariffs_and_net_power_before_import_minus_export() {
    check("1.8.1(1*kWh) 1.8.2(2*kWh) 1.8.0(3.08*kWh)", "EnergyImport 3.08");
    check("1.7.0(0.345*kW) 2.7.0(0*kW) 16.7(000346*W)", "PowerTotal 346");
}

#[test]
fn a_hole_among_the_tariffs_makes_no_sum() {
    check("1.8.1(1*kWh) 1.8.3(3*kWh)", "");
    check("1.8.2(2*kWh)", "");
    check("1.8.1(1*kWh) 1.8.2(2)", "");
    check("1.8.1(1*kWh)", "EnergyImport 1");
    check("2.8.1(1*kWh) 2.8.2(0.5*kWh)", "EnergyExport 1.5");
}

#[test]
fn a_meter_that_ever_sent_the_total_gets_no_sum() {
    // An E450 at Regionalwerke Baden: the total every 5 seconds, tariffs once a minute and 0.08 kWh lower.
    let mut memory = TariffMemory::default();
    let total = telegram("1-1:1.8.0(4711.080*kWh) 1-0:1.7.0(100*W)");
    let tariffs = telegram("1-1:1.8.1(4000*kWh) 1-1:1.8.2(711*kWh) 1-1:2.8.1(5*kWh) 1-1:2.8.2(6*kWh)");
    assert_eq!(shown(&total, &mut memory), "EnergyImport 4711.080, PowerTotal 100");
    assert_eq!(shown(&tariffs, &mut memory), "EnergyExport 11", "2.8.0 was not seen yet");
    assert_eq!(shown(&telegram("1-1:2.8.0(11.08*kWh)"), &mut memory), "EnergyExport 11.08");
    assert_eq!(shown(&tariffs, &mut memory), "");
}

#[test]
fn a_listed_total_counts_as_sent_even_if_its_value_cannot_be_used() {
    let mut memory = TariffMemory::default();
    assert_eq!(shown(&telegram("1.8.0(4711) 1.8.1(1*kWh)"), &mut memory), "");
    assert!(memory.total_import_seen && !memory.total_export_seen);
}

#[test]
fn half_a_telegram_gives_no_half_sum() {
    let mut memory = TariffMemory::default();
    assert_eq!(shown(&telegram("1.8.1(10*kWh) 1.8.2(20*kWh)"), &mut memory), "EnergyImport 30");
    assert_eq!(shown(&telegram("1.8.1(11*kWh)"), &mut memory), "");
    assert_eq!(shown(&telegram("21.8.0(1*kWh) 41.8.0(1*kWh) 61.8.0(1*kWh)"), &mut memory), "");
    assert_eq!(shown(&telegram("21.7.0(100*W)"), &mut memory), "", "L2 and L3 are known to exist");
}

#[test]
fn phase_energies_need_all_three() {
    check("21.8.0(1*kWh) 41.8.0(2*kWh) 61.8.0(3.5*kWh)", "EnergyImport 6.5");
    check("22.8.0(1*kWh) 42.8.0(2*kWh) 62.8.0(3*kWh)", "EnergyExport 6");
    check("21.8.0(1*kWh) 41.8.0(2*kWh)", "");
}

#[test]
fn phase_powers_need_all_phases_the_meter_has() {
    check("36.7.0(-1*W) 56.7.0(2*W) 76.7.0(3*W)", "PowerTotal 4");
    check("36.7.0(-1*W) 56.7.0(2*W)", "");
    check("36.7.0(-150*W) 32.7.0(230*V)", "PowerTotal -150, VoltageL1 230");
    check("36.7.0(-150*W) 72.32.0(0)", "");
    check("21.7.0(1*W) 41.7.0(2*W) 61.7.0(3*W)", "PowerTotal 6");
    check("21.7.0(1*W) 41.7.0(2*W) 61.7.0(3*W) 22.7.0(9*W)", "");
}

#[test]
fn import_and_export_power_at_once_are_subtracted_anyway() {
    check("1.7.0(200*W) 2.7.0(500*W)", "PowerTotal -300");
    check("1.7.0(-200*W)", "PowerTotal -200");
    check("2.7.0(500*W)", "");
    check("1.7.0(0*W) 2.7.0(500)", "");
}

#[test]
fn absolute_power_without_a_known_sign_is_no_power() {
    let power = |reading: &Reading| Columns::of(reading, &mut TariffMemory::default()).get(Column::PowerTotal);
    assert_eq!(power(&absolute_power(None)), None);
    let mut dlms = absolute_power(Some(0x0182));
    dlms.protocol = Protocol::Dlms;
    assert_eq!(power(&dlms), None, "there the field is class and attribute");
    let mut own = absolute_power(Some(0x0182));
    own.registers[1].detail_mut().status = Some(0x1C_6904);
    assert_eq!(power(&own), Some(Decimal::from(-1200)), "its own word goes first");
}

#[test]
fn the_direction_bit_depends_on_the_generation_of_the_status_word() {
    for (status, exports) in [
        (0x0182, Some(false)),
        (0x01B0, Some(true)),
        (0x01_01A2, Some(true)),
        (0x80, Some(false)),
        (0x01_0180, Some(false)),
        (0x1C_0104, Some(false)),
        (0x1C_0004, Some(false)),
        (0x1C_6904, Some(true)),
        (0x1C_7904, Some(true)),
        (0x1C_8104, Some(false)),
        (0x10_0104, Some(false)),
        (0, None),
        (0x0100_0000, None),
    ] {
        assert_eq!(feeds_in(status), exports, "{status:06X}");
    }
}

#[test]
fn any_phase_is_l1_only_on_a_single_phase_meter() {
    check("12.7.0(230*V) 11.7.0(1*A) 33.7.0(0.98)", "VoltageL1 230, CurrentL1 1, PowerFactor 0.98");
    check("12.7.0(230*V) 11.7.0(1*A) 33.7.0(0.98) 52.7.0(231*V)", "VoltageL2 231");
    check("12.7.0(230*V) 32.7.0(231*V)", "VoltageL1 231");
}

#[test]
fn a_phase_frequency_stands_in_for_the_frequency() {
    check("54.7.0(50.0*Hz)", "Frequency 50.0");
    check("34.7.0(49.9*Hz) 14.7.0(50.0*Hz)", "Frequency 50.0");
}

#[test]
fn channels_go_by_number_and_255_means_no_tariff() {
    check("1-2:1.8.0(2*kWh) 1-0:1.8.0(1*kWh) 1-1:1.8.0(3*kWh)", "EnergyImport 1");
    check("1-2:1.8.1(2*kWh) 1-1:1.8.1(1*kWh)", "EnergyImport 1");
    check("1-0:1.8.0(1) 1-1:1.8.0(3*kWh)", "EnergyImport 3");
    check("1-0:1.7.255*255(180*W)", "PowerTotal 180");
    check("1.8.255(1*kWh)", "");
    check("7-0:1.8.0(1*kWh) 6-0:1.8.0(1*kWh) 0-1:24.2.1(5*m3)", "");
}

#[test]
fn averages_intervals_stored_values_and_other_integrals_are_no_columns() {
    check("1.4.0(1*kW) 1.5.0(1*kW) 1.6.0(1*kW) 1.24.0(1*kW) 12.25.0(230*V) 31.4.0(2*A) 32.24.0(230*V)", "");
    check("1.8.0*1(1*kWh) 1.8.0*96(1*kWh) 1.8.0&01(1*kWh) 1.8.1*00(1*kWh) 1.9.0(1*kWh) 1.29.0(1*kWh)", "");
    check("15.8.0(1*kWh) 16.8.0(1*kWh) 3.8.0(1*kvarh) 9.8.0(1*kVAh)", "");
}

#[test]
fn a_value_that_cannot_be_what_its_code_says_is_not_used() {
    check("1.8.0(4711) 2.8.0(1*kvarh) 16.7.0(1*VA) 14.7.0(50*V)", "");
    check("32.7.0(0002) 52.7.0(0005) 31.7.0(1250)", "");
    check("13.7.0(4.556)", "");
    check("13.7.0(-0.97)", "PowerFactor -0.97");

    let mut reading = Reading::new(Protocol::Iec62056);
    let energy = Obis::electricity(1, 8, 0);
    reading.registers.push(Register::text(energy, "4711"));
    reading.registers.push(Register::octets(energy, &[1, 2]));
    reading.registers.push(Register { value: Value::Nothing, ..Register::text(energy, "") });
    assert!(Columns::of(&reading, &mut TariffMemory::default()).is_empty());
}

#[test]
fn numbers_too_large_to_add_up_exactly_are_no_sum() {
    check("1.8.1(9223372036854775807*kWh) 1.8.2(1*kWh)", "");
    check("1.7.0(9223372036854775807*W) 2.7.0(0.001*W)", "");
}

#[test]
fn only_the_registers_that_are_a_column_are_used() {
    let used = |data_sets: &str| {
        let reading = telegram(data_sets);
        let columns = Columns::of(&reading, &mut TariffMemory::default());
        let used = reading.registers.iter().enumerate().filter(|(index, _)| columns.is_used(*index));
        used.map(|(_, register)| register.code.key().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(used("1-1:1.8.0(1*kWh) 1.7.0(1*W) 16.7.0(1*W) 32.7.0(1*V)"), "1-1:1.8.0 1-0:16.7.0 1-0:32.7.0");
    assert_eq!(used("1-1:1.8.0(1*kWh) 1-0:1.8.0(1*kWh)"), "1-0:1.8.0");
    assert_eq!(used("1.8.1(1*kWh) 1.7.0(1*W) 12.7.0(230*V) 34.7.0(50*Hz)"), "", "stand-ins stay listed");
    assert_eq!(used("1.8.0(1) 2.8.0*5(1*kWh)"), "");
}

#[test]
fn a_column_knows_its_register_and_unit() {
    for column in Column::ALL {
        assert_eq!(Column::of_register(column.register()), Some(column));
        assert_eq!(Column::ALL[column as usize], column);
    }
    assert_eq!(Column::of_register(Obis::new(1, 1, 1, 8, 0, 255)), Some(Column::EnergyImport));
    assert_eq!(Column::of_register(Obis::new(1, 0, 1, 8, 0, 1)), None);
    assert_eq!(Column::of_register(Obis::new(1, 0, 1, 8, 1, 255)), None);
}

proptest::proptest! {
    #[test]
    fn no_telegram_panics(registers: Vec<([u8; 6], i64, i8, u8, u64)>) {
        let mut reading = Reading::new(Protocol::Sml);
        for (octets, mantissa, exponent, unit, status) in registers {
            let near = [1, octets[1], octets[2], octets[3] % 9, octets[4], 255];
            let number = Decimal::new(mantissa, exponent);
            let mut register = Register::number(Obis::from_octets(near), number, Unit::from_dlms(unit));
            register.detail_mut().status = Some(status);
            reading.registers.push(register);
        }
        let _ = Columns::of(&reading, &mut TariffMemory::default());
    }
}
