//! Reading the store.

use super::{Store, StoreError};
use crate::reading::{
    Code, Columns, Decimal, Instant, MeterId, Protocol, Quality, Reading, Register, TariffMemory, Unit, Value,
};
use rusqlite::{Row, params};
use std::ops::Range;

/// A reading out of the store.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The time it counts under.
    pub at: Instant,
    /// Where it came from.
    pub source: String,
    /// What it says, its registers as sent.
    pub reading: Reading,
}

impl Store {
    /// The meters there are readings of, by name.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn meters(&self) -> Result<Vec<MeterId>, StoreError> {
        let all = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare("SELECT identifier FROM meter ORDER BY identifier")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let names = all().map_err(|source| self.classify(source))?;
        Ok(names.iter().filter_map(|name| MeterId::new(name)).collect())
    }

    /// What has to be known of a meter before its tariffs may be added up: whether it ever sent a total.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn tariff_memory(&self, meter: &MeterId) -> Result<TariffMemory, StoreError> {
        let codes = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self
                .connection
                .prepare("SELECT code FROM register JOIN meter ON meter.id = register.meter WHERE identifier = ?1")?;
            statement.query_map([meter.as_str()], |row| row.get(0))?.collect()
        };
        let codes = codes().map_err(|source| self.classify(source))?;
        // A telegram that lists every code the meter ever sent teaches all there is to know.
        let mut all = Reading::new(Protocol::Iec62056);
        all.registers =
            codes.iter().map(|code| Register::new(Code::parse(code.as_bytes()), Value::Nothing, None)).collect();
        let mut memory = TariffMemory::default();
        let _ = Columns::of(&all, &mut memory);
        Ok(memory)
    }

    /// The readings of a meter in `period`, oldest first, one after the other into `sink`.
    ///
    /// # Errors
    /// [`StoreError`] naming the file, or what `sink` returns.
    pub fn readings<E: From<StoreError>>(
        &self,
        meter: &MeterId,
        period: Range<Instant>,
        mut sink: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = |source| E::from(self.classify(source));
        let mut statement = self
            .connection
            .prepare(
                "SELECT r.id, r.at, r.protocol, r.source, r.quality,
                        g.code, g.unit, v.mantissa, v.exponent, v.text, v.octets, v.status
                 FROM reading r
                 JOIN meter m ON m.id = r.meter
                 LEFT JOIN value v ON v.reading = r.id
                 LEFT JOIN register g ON g.id = v.register
                 WHERE m.identifier = ?1 AND r.at >= ?2 AND r.at < ?3
                 ORDER BY r.at, r.id, v.position",
            )
            .map_err(fail)?;
        let bounds = params![meter.as_str(), period.start.unix_micros(), period.end.unix_micros()];
        let mut rows = statement.query(bounds).map_err(fail)?;
        let mut current: Option<(i64, Kept)> = None;
        while let Some(row) = rows.next().map_err(fail)? {
            let id: i64 = row.get(0).map_err(fail)?;
            if current.as_ref().is_none_or(|(open, _)| *open != id) {
                let next = self.kept(row, meter)?;
                if let Some((_, done)) = current.replace((id, next)) {
                    sink(done)?;
                }
            }
            if let Some((_, kept)) = &mut current {
                kept.reading.registers.extend(register(row).map_err(fail)?);
            }
        }
        current.map_or(Ok(()), |(_, last)| sink(last))
    }

    fn kept(&self, row: &Row<'_>, meter: &MeterId) -> Result<Kept, StoreError> {
        let fail = |source| self.classify(source);
        let text = |column: usize| row.get::<_, String>(column).map_err(fail);
        let protocol = text(2)?;
        let mut reading = Reading::new(parse_protocol(&protocol).ok_or_else(|| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("unknown protocol '{protocol}'"),
        })?);
        reading.meter = Some(meter.clone());
        reading.quality = Quality::parse(&text(4)?).unwrap_or(Quality::Suspect);
        let at = Instant::from_unix_micros(row.get(1).map_err(fail)?);
        Ok(Kept { at, source: text(3)?, reading })
    }
}

fn parse_protocol(name: &str) -> Option<Protocol> {
    [Protocol::Iec62056, Protocol::Dlms, Protocol::Dsmr, Protocol::Sml].into_iter().find(|p| p.as_str() == name)
}

/// The register of a row; `None` for a reading without any.
fn register(row: &Row<'_>) -> rusqlite::Result<Option<Register>> {
    let Some(code) = row.get::<_, Option<String>>(5)? else { return Ok(None) };
    let code = Code::parse(code.as_bytes());
    let unit: String = row.get(6)?;
    let unit = Unit::parse(&unit).or((!unit.is_empty()).then_some(Unit::OTHER));
    let text: Option<String> = row.get(9)?;
    let mut register = match (row.get(7)?, row.get(8)?, row.get::<_, Option<Vec<u8>>>(10)?) {
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
    if let Some(status) = row.get::<_, Option<i64>>(11)? {
        register.detail_mut().status = Some(status.cast_unsigned());
    }
    Ok(Some(register))
}
