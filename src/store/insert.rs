//! Writing readings: one transaction, and nothing twice.

use super::{Store, StoreError};
use crate::reading::{Instant, MeterId, Reading, Register, Value};
use rusqlite::{Statement, Transaction, TransactionBehavior, params};

/// A reading to be kept.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The meter it is of.
    pub meter: MeterId,
    /// The time it counts under.
    pub at: Instant,
    /// Where it came from.
    pub source: String,
    /// What it says.
    pub reading: Reading,
}

/// What an insertion did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Readings that were not there before.
    pub added: usize,
    /// Readings that were there already.
    pub known: usize,
}

impl Store {
    /// Keeps readings: all of them or, on an error, none. A reading that is already there is not added again.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn insert(&mut self, entries: &[Entry]) -> Result<Inserted, StoreError> {
        let path = self.path.clone();
        insert_all(&mut self.connection, entries).map_err(|source| super::classify(&path, source))
    }
}

fn insert_all(connection: &mut rusqlite::Connection, entries: &[Entry]) -> rusqlite::Result<Inserted> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Inserted::default();
    {
        let mut writer = Writer::new(&transaction)?;
        for entry in entries {
            if writer.insert(&transaction, entry)? {
                done.added += 1;
            } else {
                done.known += 1;
            }
        }
    }
    transaction.commit()?;
    Ok(done)
}

struct Writer<'t> {
    meter: Statement<'t>,
    reading: Statement<'t>,
    register: Statement<'t>,
    value: Statement<'t>,
}

impl<'t> Writer<'t> {
    fn new(transaction: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        // The update that changes nothing makes RETURNING give the row that was there.
        Ok(Self {
            meter: transaction.prepare(
                "INSERT INTO meter (identifier) VALUES (?1)
                 ON CONFLICT DO UPDATE SET identifier = identifier RETURNING id",
            )?,
            reading: transaction.prepare(
                "INSERT INTO reading (meter, at, protocol, source, quality, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )?,
            register: transaction.prepare(
                "INSERT INTO register (meter, code, unit) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET code = code RETURNING id",
            )?,
            value: transaction.prepare(
                "INSERT INTO value (reading, position, register, mantissa, exponent, text, octets, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
        })
    }

    fn insert(&mut self, transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<bool> {
        let meter: i64 = self.meter.query_row([entry.meter.as_str()], |row| row.get(0))?;
        let reading = &entry.reading;
        let added = self.reading.execute(params![
            meter,
            entry.at.unix_micros(),
            reading.protocol.as_str(),
            entry.source,
            reading.quality.as_str(),
            digest(&reading.registers),
        ])?;
        if added == 0 {
            return Ok(false);
        }
        let id = transaction.last_insert_rowid();
        for (position, register) in reading.registers.iter().enumerate() {
            self.insert_register(meter, id, position, register)?;
        }
        Ok(true)
    }

    fn insert_register(
        &mut self,
        meter: i64,
        reading: i64,
        position: usize,
        register: &Register,
    ) -> rusqlite::Result<()> {
        let unit = register.unit_text().unwrap_or_default();
        let code = register.code.to_string();
        let id: i64 = self.register.query_row(params![meter, code, unit.as_str()], |row| row.get(0))?;
        let number = register.as_number();
        let octets = match &register.value {
            Value::Octets(octets) => Some(octets.as_ref()),
            _ => None,
        };
        let detail = register.detail.as_deref();
        let text = match &register.value {
            Value::Text(text) => Some(text.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::List(values) => Some(list_text(values)),
            _ => register.sent_text().map(String::from),
        };
        // A status word uses all 64 bits; SQLite's integers have the same bits with a sign.
        let status = detail.and_then(|detail| detail.status).map(u64::cast_signed);
        self.value.execute(params![
            reading,
            i64::try_from(position).unwrap_or(i64::MAX),
            id,
            number.map(crate::reading::Decimal::mantissa),
            number.map(crate::reading::Decimal::exponent),
            text,
            octets,
            status,
        ])?;
        Ok(())
    }
}

/// A fingerprint of what a reading says: CRC-64/XZ over its registers as printed.
fn digest(registers: &[Register]) -> i64 {
    const CRC: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    let mut digest = CRC.digest();
    for register in registers {
        digest.update(register.code.to_string().as_bytes());
        match &register.value {
            Value::Number(number) => digest.update(number.to_string().as_bytes()),
            Value::Text(text) => digest.update(text.as_bytes()),
            Value::Octets(octets) => digest.update(octets),
            Value::Bool(yes) => digest.update(&[u8::from(*yes)]),
            Value::List(values) => digest.update(list_text(values).as_bytes()),
            Value::Nothing => {}
        }
        digest.update(&[0]);
    }
    digest.finalize().cast_signed()
}

/// A list in the brackets that text meters print it in: `(3)(1-0:1.6.0)`.
fn list_text(values: &[Value]) -> String {
    let mut text = String::new();
    for value in values {
        text.push('(');
        match value {
            Value::Number(number) => number.write_to(&mut text),
            Value::Text(inner) => text.push_str(inner),
            Value::Octets(octets) => text.extend(octets.iter().map(|octet| format!("{octet:02x}"))),
            Value::Bool(yes) => text.push_str(if *yes { "true" } else { "false" }),
            Value::List(inner) => text.push_str(&list_text(inner)),
            Value::Nothing => {}
        }
        text.push(')');
    }
    text
}
