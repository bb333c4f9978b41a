//! Moving the rows of the first store (0001) into the tables of the second (0002).

use super::known::Known;
use super::names::Names;
use super::write::insert_hot;
use super::{Entry, Trouble};
use crate::reading::{Code, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, Unit, Value};
use rusqlite::{Connection, Row};

/// Every reading of the old tables becomes a hot row; the old tables go.
pub(super) fn rows_of_the_first_store(connection: &Connection, names: &mut Names) -> Result<(), Trouble> {
    let mut known = Known::default();
    {
        let mut statement = connection.prepare(
            "SELECT r.id, r.at, r.protocol, r.source, r.quality, m.identifier,
                    g.code, g.unit, v.mantissa, v.exponent, v.text, v.octets, v.status
             FROM old_reading r
             JOIN old_meter m ON m.id = r.meter
             LEFT JOIN old_value v ON v.reading = r.id
             LEFT JOIN old_register g ON g.id = v.register
             ORDER BY r.id, v.position",
        )?;
        let mut rows = statement.query([])?;
        let mut open: Option<(i64, Entry)> = None;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if open.as_ref().is_none_or(|(other, _)| *other != id)
                && let Some((_, done)) = open.replace((id, entry(row)?))
            {
                insert_hot(connection, names, &mut known, &done)?;
            }
            if let Some((_, entry)) = &mut open {
                entry.reading.registers.extend(register(row)?);
            }
        }
        if let Some((_, last)) = open {
            insert_hot(connection, names, &mut known, &last)?;
        }
    }
    connection.execute_batch(
        "DROP TABLE old_value; DROP TABLE old_reading; DROP TABLE old_register; DROP TABLE old_meter;",
    )?;
    Ok(())
}

fn entry(row: &Row<'_>) -> Result<Entry, Trouble> {
    let damaged = super::block::Damage("a row of the old schema is damaged");
    let protocol: String = row.get(2)?;
    let meter = MeterId::new(&row.get::<_, String>(5)?).ok_or(damaged)?;
    let mut reading = Reading::new(Protocol::parse(&protocol).ok_or(damaged)?);
    reading.meter = Some(meter.clone());
    reading.quality = Quality::parse(&row.get::<_, String>(4)?).unwrap_or(Quality::Suspect);
    Ok(Entry { meter, at: Instant::from_unix_micros(row.get(1)?), source: row.get(3)?, reading, derived: false })
}

/// The register of a row; `None` for a reading without any.
fn register(row: &Row<'_>) -> rusqlite::Result<Option<Register>> {
    let Some(code) = row.get::<_, Option<String>>(6)? else { return Ok(None) };
    let code = Code::parse(code.as_bytes());
    let unit: String = row.get(7)?;
    let unit = Unit::parse(&unit).or((!unit.is_empty()).then_some(Unit::OTHER));
    let text: Option<String> = row.get(10)?;
    let mut register = match (row.get(8)?, row.get(9)?, row.get::<_, Option<Vec<u8>>>(11)?) {
        (Some(mantissa), Some(exponent), _) => {
            let mut register = Register::number(code, Decimal::new(mantissa, exponent), unit);
            if let Some(text) = text {
                // Bare digits are kept by their width alone.
                register.width = u8::try_from(text.len()).unwrap_or(0);
                if register.sent_text().as_deref() != Some(text.as_str()) {
                    register.width = 0;
                    register.detail_mut().text = Some(text.into());
                }
            }
            register
        }
        (_, _, Some(octets)) => Register::octets(code, &octets),
        _ => match text {
            Some(text) => Register::text(code, text),
            None => Register::new(code, Value::Nothing, None),
        },
    };
    if let Some(status) = row.get::<_, Option<i64>>(12)? {
        register.detail_mut().status = Some(status.cast_unsigned());
    }
    Ok(Some(register))
}
