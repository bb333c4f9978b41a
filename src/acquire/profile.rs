//! Load profiles, out of the registers that hold them: each row a reading of its own, at its own time.
//!
//! ```text
//! P.01(1250823161500)(00000080)(15)(2)(1.5)(kW)(2.5)(kW)
//! (0.18374)(0.00078)        2025-08-23 16:15, summer time, suspect: 1.5 = 0.18374 kW, 2.5 = 0.00078 kW
//! (0.16832)(0.00000)        2025-08-23 16:30
//! ```

use super::map::text::{Table, table_of, unit_or_other};
use crate::reading::{Anomaly, AnomalyCode, Code, Decimal, Quality, Reading, Register, Unit, Value};
use crate::wire::iec62056::profile::Header;
use crate::wire::text::plain_digits;
use smol_str::{SmolStr, format_smolstr};

/// What the bits of a row's status word mean, where they cast doubt on its values (VDEW; only bits 0 to 7 belong to rows).
const DOUBTS: [(u32, AnomalyCode, &str); 6] = [
    (0x01, AnomalyCode::Status, "fatal error of the device"),
    (0x02, AnomalyCode::Clock, "the clock's reserve was exhausted: the time is invalid"),
    (0x04, AnomalyCode::Status, "a value was disturbed, or the period is incomplete"),
    (0x20, AnomalyCode::Clock, "the clock was set: the period has another length"),
    (0x40, AnomalyCode::Status, "power returned: the period is incomplete"),
    (0x80, AnomalyCode::Status, "power failed: the period is incomplete"),
];
/// The bit that makes a row worthless.
const FATAL: u32 = 0x01;
/// The bit that makes its time doubtful.
const TIME_INVALID: u32 = 0x02;

/// The rows of the load profiles (`P.01`, `P.02`) in a reading, oldest first as sent; most readings have none.
///
/// A row's clock is its time, the end of its period; its quality follows from its status word. Columns may change from one
/// header to the next. A value that the meter left empty is [`Value::Nothing`].
#[must_use]
pub fn rows(reading: &Reading) -> Vec<Reading> {
    let mut rows = Vec::new();
    for register in &reading.registers {
        let Value::List(list) = &register.value else { continue };
        if table_of(&register.code) != Some(Table::Profile) {
            continue;
        }
        let groups: Vec<&[u8]> = list
            .iter()
            .map(|value| match value {
                Value::Text(text) => text.as_bytes(),
                _ => &[],
            })
            .collect();
        let Some(header) = Header::parse(&groups) else { continue };
        let units: Vec<&[u8]> = groups.iter().skip(5).step_by(2).copied().take(header.channels.len()).collect();
        let lines = register.detail.iter().flat_map(|detail| &detail.rows);
        let lines = lines.map(|line| line.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        let width = header.channels.len().max(1);
        let mut count = 0;
        for line in std::iter::once(header.values.to_vec()).chain(lines) {
            for values in line.chunks(width) {
                rows.push(row(reading, &header, &units, count, values));
                count += 1;
            }
        }
    }
    rows
}

fn row(source: &Reading, header: &Header<'_>, units: &[&[u8]], count: usize, values: &[&[u8]]) -> Reading {
    let mut row = Reading::new(source.protocol);
    row.meter.clone_from(&source.meter);
    row.identification.clone_from(&source.identification);
    row.position = source.position;
    row.quality = source.quality;
    row.clock = header.time_of_row(count);
    judge(&mut row, &header.status);
    let values = values.iter().copied().map(Some).chain(std::iter::repeat(None));
    for (((code, _), unit), value) in header.channels.iter().zip(units).zip(values) {
        row.registers.push(register(code, unit, value.unwrap_or_default()));
    }
    row
}

/// What a row's status word says of its values.
fn judge(row: &mut Reading, status: &SmolStr) {
    let position = row.position;
    let Ok(word) = u32::from_str_radix(status.trim(), 16) else {
        let detail = format_smolstr!("the status {status:?} is no hexadecimal number");
        return row.suspect(Anomaly::new(AnomalyCode::Status, position, detail));
    };
    for (mask, code, meaning) in DOUBTS {
        if word & mask != 0 {
            row.suspect(Anomaly::new(code, position, format_smolstr!("status {status}: {meaning}")));
        }
    }
    if word & FATAL != 0 {
        row.quality = Quality::Bad;
    }
    if let Some(clock) = &mut row.clock {
        clock.doubtful |= word & TIME_INVALID != 0;
    }
}

fn register(code: &Code, unit: &[u8], value: &[u8]) -> Register {
    let value = value.trim_ascii();
    let Ok(number) = Decimal::parse_bytes(value) else {
        let text = SmolStr::from(String::from_utf8_lossy(value));
        let value = if text.is_empty() { Value::Nothing } else { Value::Text(text) };
        return Register::new(code.clone(), value, None);
    };
    let mut register = Register::number(code.clone(), number, unit_or_other(unit));
    register.width = plain_digits(value).unwrap_or(0);
    if register.unit == Some(Unit::OTHER) {
        let printed = format_smolstr!("{}*{}", String::from_utf8_lossy(value), String::from_utf8_lossy(unit));
        register.detail_mut().text = Some(printed);
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquire::map::text::answer;
    use crate::reading::Offset;

    /// Each row in a line: its time, its quality, its values.
    fn check(data: &str, expected: &[&str]) {
        let found: Vec<String> = rows(&answer(data.as_bytes()))
            .iter()
            .map(|row| {
                let time = row.clock.map_or("no time".into(), |clock| clock.civil.to_string());
                let value = |register: &Register| match &register.value {
                    Value::Number(number) => {
                        format!(" {}={number}{}", register.code, register.unit_text().unwrap_or_default())
                    }
                    other => format!(" {}={other:?}", register.code),
                };
                let values: String = row.registers.iter().map(value).collect();
                format!("{time} {}{values}", row.quality.as_str())
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_row_has_its_own_time_and_exact_values() {
        check(
            "P.01(1250823161500)(00000000)(15)(2)(1.5)(kW)(2.5)(kvar)\r\n(0.18374)(0.00078)\r\n(0.16832)(0.00000)\r\n\
             P.01(1250823170000)(00)(15)(2)(1.5)(kW)(2.5)(kvar)(0.5)(0.6)\r\n",
            &[
                "2025-08-23T16:15:00 good 1-0:1.5.0*255=0.18374kW 1-0:2.5.0*255=0.00078kvar",
                "2025-08-23T16:30:00 good 1-0:1.5.0*255=0.16832kW 1-0:2.5.0*255=0.00000kvar",
                "2025-08-23T17:00:00 good 1-0:1.5.0*255=0.5kW 1-0:2.5.0*255=0.6kvar",
            ],
        );
    }

    #[test]
    fn the_season_of_the_header_holds_for_its_rows() {
        let rows = rows(&answer(b"P.01(0251026020000)(08)(60)(1)(1.29)(kWh)\r\n(1.5)\r\n(2)\r\n"));
        assert!(rows.iter().all(|row| row.clock.unwrap().offset == Offset::Winter && row.quality == Quality::Good));
    }

    #[test]
    fn columns_may_change_from_one_header_to_the_next() {
        check(
            "P.01(1250823161500)(00)(15)(1)(1.5)(kW)\r\n(1)\r\nP.01(1250823163000)(00)(60)(1)(2.29)(kWh)\r\n(2)\r\n(3)\r\n",
            &[
                "2025-08-23T16:15:00 good 1-0:1.5.0*255=1kW",
                "2025-08-23T16:30:00 good 1-0:2.29.0*255=2kWh",
                "2025-08-23T17:30:00 good 1-0:2.29.0*255=3kWh",
            ],
        );
    }

    #[test]
    fn the_status_word_says_how_far_a_row_can_be_trusted() {
        let judged = |status: &str| {
            let data = format!("P.01(1250823161500)({status})(15)(1)(1.5)(kW)\r\n(1)\r\n");
            let rows = rows(&answer(data.as_bytes()));
            let row = &rows[0];
            (row.quality, row.anomalies.iter().map(|a| a.code).collect::<Vec<_>>(), row.clock.unwrap().doubtful)
        };
        use AnomalyCode::{Clock, Status};
        for (status, expected) in [
            ("00", (Quality::Good, vec![], false)),
            ("08", (Quality::Good, vec![], false)),
            ("0010", (Quality::Good, vec![], false)),
            ("00000080", (Quality::Suspect, vec![Status], false)),
            ("02", (Quality::Suspect, vec![Clock], true)),
            ("24", (Quality::Suspect, vec![Status, Clock], false)),
            ("C1", (Quality::Bad, vec![Status, Status, Status], false)),
            // The upper bits are the maker's own.
            ("FFFF0000", (Quality::Good, vec![], false)),
            ("xx", (Quality::Suspect, vec![Status], false)),
        ] {
            assert_eq!(judged(status), expected, "{status}");
        }
    }

    #[test]
    fn what_is_missing_is_not_invented() {
        check(
            "P.01(1250823161500)(00)()(3)(1.5)(kW)(2.5)(kW)(C.7.0)(blinks)\r\n()(E1)(3)\r\n(1)\r\n",
            &[
                "2025-08-23T16:15:00 good 1-0:1.5.0*255=Nothing 1-0:2.5.0*255=Text(\"E1\") 1-0:C.7.0*255=3blinks",
                "no time good 1-0:1.5.0*255=1kW 1-0:2.5.0*255=Nothing 1-0:C.7.0*255=Nothing",
            ],
        );
        check("P.01(ERROR)", &[]);
        check("1.8.0(1*kWh)", &[]);
        check("P.01(1250823161500)(00)(15)(0)", &[]);
    }

    #[test]
    fn an_answer_longer_than_any_telegram_is_read_to_its_end() {
        let mut data = String::from("P.01(1250101001500)(00)(15)(1)(1.5)(kW)\r\n");
        for row in 0..20_000 {
            data += &format!("({row}.5)\r\n");
        }
        let rows = rows(&answer(data.as_bytes()));
        assert_eq!(rows.len(), 20_000);
        assert_eq!(rows[19_999].registers[0].as_number().unwrap().to_string(), "19999.5");
    }
}
