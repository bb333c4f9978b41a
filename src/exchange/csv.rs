//! CSV (RFC 4180): times in RFC 3339, a point as decimal mark.
//!
//! Two forms: *long*, a row for each register (`timestamp,compteur,obis,valeur,unite,texte`), and *wide*, a row for each
//! reading with a column for each key of the contract. Both are written and read; a file with `;` between its fields may
//! have a comma as decimal mark.

use crate::document::{Values, column_key, protocol_of, register_of_key};
use crate::reading::{Code, Column, Decimal, Instant, Quality, Reading, Register, Unit, Value};
use csv::StringRecord;
use std::io::{self, Read, Write};

/// The header line of the long form.
pub const HEADER: [&str; 6] = ["timestamp", "compteur", "obis", "valeur", "unite", "texte"];

/// Writes the rows of a reading in the long form.
///
/// # Errors
/// What the writer says.
pub fn write_reading<W: Write>(out: &mut csv::Writer<W>, reading: &Reading, at: Instant) -> io::Result<()> {
    let time = at.to_string();
    let meter = reading.meter.as_ref().map_or("", crate::reading::MeterId::as_str);
    for register in &reading.registers {
        let number = register.as_number().map(|number| number.to_string()).unwrap_or_default();
        let unit = register.unit_text().unwrap_or_default();
        let text = match (&register.value, register.as_text()) {
            (_, Some(text)) => text.into(),
            (Value::Octets(octets), None) => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
            _ => register.sent_text().unwrap_or_default(),
        };
        out.write_record([&time, meter, &register.code.to_string(), &number, unit.as_str(), text.as_str()])?;
    }
    Ok(())
}

/// The columns of the wide form.
#[derive(Debug)]
pub struct Wide {
    fields: Vec<(String, Option<Column>)>,
}

impl Wide {
    /// A table with these keys of the contract, in this order.
    #[must_use]
    pub fn new(keys: &[String]) -> Self {
        let column = |key: &String| Column::ALL.into_iter().find(|&column| column_key(column) == key);
        Self { fields: keys.iter().map(|key| (key.clone(), column(key))).collect() }
    }

    /// Appends the header line.
    pub fn write_header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"timestamp");
        for (key, _) in &self.fields {
            out.push(b',');
            write_field(out, key);
        }
        out.extend_from_slice(b",qualite,source\n");
    }

    /// Appends the row of a reading; a key that it does not have stays empty.
    pub fn write(&self, out: &mut Vec<u8>, at: Instant, values: &Values, quality: Quality, source: &str) {
        at.write_to(out);
        // They mostly come in the order of the fields.
        let mut columns = values.columns.iter();
        for (key, column) in &self.fields {
            out.push(b',');
            if let Some(column) = column {
                let next = columns.as_slice().first().filter(|(next, _)| next == column);
                if let Some(&(_, value)) = next {
                    columns.next();
                    value.write_to(out);
                } else if let Some(value) = values.column(*column) {
                    value.write_to(out);
                }
            } else if let Some(extra) = values.extras.iter().find(|extra| extra.key == *key) {
                extra.value.write_to(out);
            } else if let Some((_, text)) = values.texts.iter().find(|(found, _)| found == key) {
                write_field(out, text);
            }
        }
        out.push(b',');
        out.extend_from_slice(quality.as_str().as_bytes());
        out.push(b',');
        write_field(out, source);
        out.push(b'\n');
    }
}

/// A field, in quotes where it needs them.
fn write_field(out: &mut Vec<u8>, text: &str) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Why a file is no CSV of readings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// There is no column of times.
    #[error("its first line has no column 'timestamp'")]
    Header,
    /// Not CSV, not UTF-8, or not to be read.
    #[error("{0}")]
    Csv(#[from] csv::Error),
}

/// A reading in a CSV file.
#[derive(Debug, Clone)]
pub struct CsvReading {
    /// Its time.
    pub at: Instant,
    /// The meter, where the file names it.
    pub meter: Option<String>,
    /// Where it came from, where the file says so.
    pub source: Option<String>,
    /// What it says.
    pub reading: Reading,
}

/// The readings of a file, in its order, into `sink`: `Err` with its number and the reason for a row that cannot be one.
///
/// # Errors
/// [`CsvError`], or what `sink` returns.
pub fn read<E: From<CsvError>>(
    mut input: impl Read,
    mut sink: impl FnMut(Result<CsvReading, String>) -> Result<(), E>,
) -> Result<(), E> {
    let mut start = Vec::new();
    let looked = (&mut input).take(64 * 1024).read_to_end(&mut start);
    looked.map_err(|error| CsvError::Csv(error.into()))?;
    let bytes = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&start);
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| first.iter().filter(|&&byte| byte == mark).count();
    let semicolons = count(b';') > count(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(if semicolons { b';' } else { b',' }).from_reader(bytes.chain(input));
    let header = reader.headers().map_err(CsvError::from)?.clone();
    let table = Table::of(&header, semicolons).ok_or(CsvError::Header)?;
    let mut record = StringRecord::new();
    let mut open: Option<CsvReading> = None;
    let mut row = 1u64;
    while reader.read_record(&mut record).map_err(CsvError::from)? {
        row += 1;
        match table.row(&record) {
            Ok(next) => match &mut open {
                Some(before) if table.long.is_some() && before.at == next.at && before.meter == next.meter => {
                    before.reading.registers.extend(next.reading.registers);
                }
                _ => {
                    if let Some(done) = open.replace(next) {
                        sink(Ok(done))?;
                    }
                }
            },
            Err(reason) => sink(Err(format!("row {row}: {reason}")))?,
        }
    }
    open.map_or(Ok(()), |last| sink(Ok(last)))
}

/// Which column is what.
struct Table {
    time: usize,
    meter: Option<usize>,
    quality: Option<usize>,
    source: Option<usize>,
    /// Of the long form: code, number, unit, text.
    long: Option<[Option<usize>; 4]>,
    /// Of the wide form.
    keys: Vec<(usize, String)>,
    comma: bool,
}

impl Table {
    fn of(header: &StringRecord, comma: bool) -> Option<Self> {
        let find = |name: &str| header.iter().position(|field| field.trim() == name);
        let (time, meter, quality, source) = (find("timestamp")?, find("compteur"), find("qualite"), find("source"));
        let long = find("obis").map(|code| [Some(code), find("valeur"), find("unite"), find("texte")]);
        let taken = [Some(time), meter, quality, source, find("id")];
        let keys = header.iter().enumerate().filter(|(index, _)| !taken.contains(&Some(*index)));
        let keys = keys.map(|(index, key)| (index, key.trim().to_owned())).collect();
        Some(Self { time, meter, quality, source, long, keys, comma })
    }

    fn row(&self, record: &StringRecord) -> Result<CsvReading, String> {
        let field = |index: Option<usize>| {
            index.and_then(|index| record.get(index)).map(str::trim).filter(|text| !text.is_empty())
        };
        let time = field(Some(self.time)).ok_or("no time")?;
        let at = Instant::parse_utc(time).map_err(|error| error.to_string())?;
        let source = field(self.source);
        let mut reading = Reading::new(protocol_of(source.unwrap_or_default()));
        if let Some(word) = field(self.quality) {
            reading.quality = Quality::parse(word).unwrap_or(Quality::Suspect);
        }
        match self.long {
            Some([code, number, unit, text]) => {
                let code = Code::parse(field(code).ok_or("no code")?.as_bytes());
                let unit = field(unit).and_then(Unit::parse);
                let register = match (field(number), field(text)) {
                    (Some(number), _) => Register::number(code, self.number(number)?, unit),
                    (None, Some(text)) => Register::text(code, text),
                    (None, None) => Register::new(code, Value::Nothing, unit),
                };
                reading.registers.push(register);
            }
            None => {
                for (index, key) in &self.keys {
                    let Some(text) = field(Some(*index)) else { continue };
                    let (code, unit) = register_of_key(key, None);
                    reading.registers.push(match self.number(text) {
                        // `0002` is no number that anybody would have written so: it is a text of digits.
                        Ok(number) if unit.is_none() && number.to_string() != text => Register::text(code, text),
                        Ok(number) => Register::number(code, number, unit),
                        Err(reason) if unit.is_some() => return Err(reason),
                        Err(_) => Register::text(code, text),
                    });
                }
            }
        }
        let own = |text: Option<&str>| text.map(ToOwned::to_owned);
        Ok(CsvReading { at, meter: own(field(self.meter)), source: own(source), reading })
    }

    fn number(&self, text: &str) -> Result<Decimal, String> {
        let point = if self.comma { text.replace(',', ".") } else { text.to_owned() };
        point.parse().map_err(|error| format!("'{text}': {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::TariffMemory;

    fn all(text: &str) -> Vec<Result<CsvReading, String>> {
        let mut found = Vec::new();
        read::<CsvError>(text.as_bytes(), |row| {
            found.push(row);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_wide_row_comes_back() {
        let mut reading = Reading::new(crate::reading::Protocol::Dsmr);
        reading.registers = vec![
            Register::number(Code::parse(b"1.8.0"), "154.320".parse().unwrap(), Some(Unit::KWH)),
            Register::number(Code::parse(b"16.7.0"), "-5".parse().unwrap(), Some(Unit::W)),
            Register::text(Code::parse(b"F.F"), "a,\"b\""),
        ];
        let values = Values::of(&reading, &mut TariffMemory::default());
        let keys = ["energie_active_import", "puissance_active_totale", "tension_l1", "1-0:F.F"].map(String::from);
        let mut text = Vec::new();
        let wide = Wide::new(&keys);
        wide.write_header(&mut text);
        let at = Instant::parse_utc("2025-11-07T14:30:00Z").unwrap();
        wide.write(&mut text, at, &values, Quality::Suspect, "p1");
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "timestamp,energie_active_import,puissance_active_totale,tension_l1,1-0:F.F,qualite,source\n\
             2025-11-07T14:30:00Z,154.320,-5,,\"a,\"\"b\"\"\",suspect,p1\n"
        );
        let found = all(&text).remove(0).unwrap();
        assert_eq!((found.at, found.source.as_deref()), (at, Some("p1")));
        assert_eq!(found.reading.quality, Quality::Suspect);
        assert_eq!(found.reading.registers, reading.registers);
    }

    #[test]
    fn long_rows_of_one_time_are_one_reading() {
        let found = all("\u{feff}timestamp;compteur;obis;valeur;unite;texte\r\n\
             2025-11-07T14:30:00Z;M1;1-0:1.8.0*255;154,320;kWh;\r\n\
             2025-11-07T14:30:00Z;M1;1-0:F.F*255;;;00\r\n\
             2025-11-07T14:31:00Z;M1;1-0:1.8.0*255;x;kWh;\r\n\
             2025-11-07T14:32:00Z;M1;1-0:1.8.0*255;155;kWh;\r\n");
        assert_eq!(found.len(), 3);
        let refused = found[0].as_ref().unwrap_err();
        assert!(refused.starts_with("row 4: 'x'"), "{refused}");
        assert_eq!(found[1].as_ref().unwrap().reading.registers.len(), 2);
        assert_eq!(found[1].as_ref().unwrap().meter.as_deref(), Some("M1"));
    }

    #[test]
    fn a_table_without_times_is_none() {
        let error = read::<CsvError>("a,b\n1,2\n".as_bytes(), |_| Ok(())).unwrap_err();
        assert!(matches!(error, CsvError::Header));
        assert!(read::<CsvError>(&b"timestamp,x\n\xff\xfe,1\n"[..], |_| Ok(())).is_err());
    }
}
