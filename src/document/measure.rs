//! One reading of a file, read whatever its age and written fast.

use super::{Exact, Extra, Numbers, Values, column_key};
use crate::reading::{Code, Column, Instant, Protocol, Quality, Reading, Register, Unit};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A reading in a file of this or of the old application: of a day file, an hour file of one bare object (`donnees`), or an
/// export file, which has its values beside the time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filed {
    /// The time as written.
    pub timestamp: String,
    /// The meter, where the object itself names it.
    pub meter: Option<String>,
    /// The numbers under their keys.
    pub numbers: Numbers,
    /// Registers that are text.
    pub texts: BTreeMap<String, String>,
    /// `good`, `suspect`, `bad`, or whatever else stands there.
    pub quality: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
}

impl Filed {
    /// The time; `None` where what stands there is none.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        Instant::parse_utc(&self.timestamp).ok()
    }

    /// Its quality; a word that is none of the contract's counts as doubtful, none at all as good.
    #[must_use]
    pub fn grade(&self) -> Quality {
        match self.quality.as_deref() {
            None => Quality::Good,
            Some(word) => Quality::parse(word).unwrap_or(Quality::Suspect),
        }
    }

    /// The same in the contract's terms, its further keys in the order of the file.
    #[must_use]
    pub fn values(&self, units: &BTreeMap<String, String>) -> Values {
        let mut values = Values::default();
        for (key, Exact(value)) in &self.numbers.0 {
            match column_of_key(key) {
                Some(column) if values.column(column).is_none() => values.columns.push((column, *value)),
                Some(_) => {}
                None => {
                    let unit = units.get(key).and_then(|unit| Unit::parse(unit));
                    values.extras.push(Extra { key: key.as_str().into(), value: *value, unit });
                }
            }
        }
        values.columns.sort_by_key(|&(column, _)| column);
        values.texts = self.texts.iter().map(|(key, text)| (key.as_str().into(), text.as_str().into())).collect();
        values
    }

    /// The reading that it is of, in the contract's terms: a register for each key. `units` holds those of the keys that
    /// are no columns.
    #[must_use]
    pub fn reading(&self, units: &BTreeMap<String, String>) -> Reading {
        let mut reading = Reading::new(protocol_of(self.source.as_deref().unwrap_or_default()));
        reading.quality = self.grade();
        for (key, Exact(value)) in &self.numbers.0 {
            let unit = units.get(key).map(String::as_str);
            let (code, unit) = register_of_key(key, unit);
            reading.registers.push(Register::number(code, *value, unit));
        }
        for (key, text) in &self.texts {
            reading.registers.push(Register::text(register_of_key(key, None).0, text.as_str()));
        }
        reading
    }
}

/// The reading that some values are of: a register for each key.
#[must_use]
pub fn reading_of(values: &Values, quality: Quality, source: &str) -> Reading {
    let mut reading = Reading::new(protocol_of(source));
    reading.quality = quality;
    for &(column, value) in &values.columns {
        reading.registers.push(Register::number(column.register(), value, column.unit()));
    }
    for extra in &values.extras {
        let (code, _) = register_of_key(&extra.key, None);
        reading.registers.push(Register::number(code, extra.value, extra.unit));
    }
    for (key, text) in &values.texts {
        reading.registers.push(Register::text(register_of_key(key, None).0, text.clone()));
    }
    reading
}

/// The protocol that a source usually stands for. Files do not say it; an optical head speaks IEC 62056-21, and the old
/// application spoke DLMS.
#[must_use]
pub fn protocol_of(source: &str) -> Protocol {
    let all = [Protocol::Iec62056, Protocol::Dlms, Protocol::Dsmr, Protocol::Sml];
    all.into_iter().find(|protocol| protocol.default_source() == source).unwrap_or(Protocol::Dlms)
}

/// The register under a key of the contract: a column's own, or the code that the key is. The `#2` of a code that came twice
/// falls away.
#[must_use]
pub fn register_of_key(key: &str, unit: Option<&str>) -> (Code, Option<Unit>) {
    if let Some(column) = column_of_key(key) {
        return (column.register().into(), column.unit());
    }
    let code = key.split_once('#').map_or(key, |(code, _)| code);
    (Code::parse(code.as_bytes()), unit.and_then(Unit::parse))
}

/// The column of a key, by either of its names.
fn column_of_key(key: &str) -> Option<Column> {
    if matches!(key, "puissance" | "puissance_active") {
        return Some(Column::PowerTotal);
    }
    Column::ALL.into_iter().find(|&column| column_key(column) == key)
}

impl<'de> Deserialize<'de> for Filed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Filed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reading")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filed, A::Error> {
                #[derive(Deserialize)]
                struct About {
                    source: Option<String>,
                }
                let mut filed = Filed::default();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match key.as_ref() {
                        "timestamp" => filed.timestamp = map.next_value()?,
                        "compteur" => filed.meter = map.next_value()?,
                        "valeurs" | "donnees" => filed.numbers.0.extend(map.next_value::<Numbers>()?.0),
                        "textes" => filed.texts = map.next_value()?,
                        "qualite" => filed.quality = map.next_value()?,
                        "source" => filed.source = map.next_value()?,
                        "metadata" => {
                            let about: About = map.next_value()?;
                            filed.source = filed.source.or(about.source);
                        }
                        key if column_of_key(key).is_some() => {
                            let value: Option<Exact> = map.next_value()?;
                            filed.numbers.0.extend(value.map(|value| (key.to_owned(), value)));
                        }
                        _ => {
                            map.next_value::<&RawValue>()?;
                        }
                    }
                }
                if filed.timestamp.is_empty() {
                    return Err(A::Error::missing_field("timestamp"));
                }
                Ok(filed)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Appends a reading in the form of [`Measure`](super::Measure), on one line and without its end.
///
/// The same bytes as serialising a `Measure` gives; written by hand because whole years are exported.
pub fn write_measure(out: &mut Vec<u8>, at: Instant, values: &Values, quality: Quality, source: &str) {
    write_entry(out, Form::Compact, at, values, quality, source);
}

/// How a file is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Indented by two spaces.
    #[default]
    Indented,
    /// Without any blank.
    Compact,
}

/// What stands around the parts of an entry of a list `mesures`.
struct Marks {
    time: &'static str,
    values: &'static str,
    texts: &'static str,
    quality: &'static str,
    source: &'static str,
    close: &'static str,
    /// Behind a key.
    colon: &'static str,
    /// Before a key of an object in the entry, and behind the last of its values.
    inner: &'static str,
    inner_close: &'static str,
    /// The keys of the columns, in their order, there and in the entry itself.
    columns: [Label; Column::ALL.len()],
    short: [Label; Column::ALL.len()],
}

const COMPACT: Marks = Marks {
    time: "{\"timestamp\":\"",
    values: "\",\"valeurs\":{",
    texts: ",\"textes\":{",
    quality: ",\"qualite\":\"",
    source: "\",\"source\":",
    close: "}",
    colon: ":",
    inner: "",
    inner_close: "}",
    columns: labels(",\"", false, "\":"),
    short: labels(",\"", true, "\":"),
};

const INDENTED: Marks = Marks {
    time: "\n    {\n      \"timestamp\": \"",
    values: "\",\n      \"valeurs\": {",
    texts: ",\n      \"textes\": {",
    quality: ",\n      \"qualite\": \"",
    source: "\",\n      \"source\": ",
    close: "\n    }",
    colon: ": ",
    inner: "\n        ",
    inner_close: "\n      }",
    columns: labels(",\n        \"", false, "\": "),
    short: labels(",\n      \"", true, "\": "),
};

static FORMS: [Marks; 2] = [INDENTED, COMPACT];

/// The key of a column with all that stands around it, the comma before it included.
struct Label {
    /// Filled up, so that a copy is always as long.
    text: [u8; 40],
    length: usize,
}

/// The labels of all columns, under their keys in a reading or in a short one.
const fn labels(before: &str, short: bool, behind: &str) -> [Label; Column::ALL.len()] {
    let mut labels = [const { Label { text: [0; 40], length: 0 } }; Column::ALL.len()];
    let mut index = 0;
    while index < labels.len() {
        let column = Column::ALL[index];
        assert!(column as usize == index);
        let key = if short { short_key(column) } else { column_key(column) };
        let label = &mut labels[index];
        let mut part = 0;
        while part < 3 {
            let text = [before, key, behind][part].as_bytes();
            let mut at = 0;
            while at < text.len() {
                label.text[label.length] = text[at];
                label.length += 1;
                at += 1;
            }
            part += 1;
        }
        index += 1;
    }
    labels
}

/// The key of a column beside the time of an export file.
const fn short_key(column: Column) -> &'static str {
    match column {
        Column::PowerTotal => "puissance",
        column => column_key(column),
    }
}

impl Label {
    /// Appends it, without its comma where it is the first.
    #[inline]
    fn write(&self, out: &mut Vec<u8>, comma: bool) {
        let length = out.len() + self.length;
        if comma {
            out.extend_from_slice(&self.text);
            out.truncate(length);
        } else {
            out.extend_from_slice(&self.text[1..]);
            out.truncate(length - 1);
        }
    }
}

impl Form {
    fn marks(self) -> &'static Marks {
        match self {
            Self::Indented => &FORMS[0],
            Self::Compact => &FORMS[1],
        }
    }
}

/// Appends a reading as an entry of a file's list `mesures`, without the comma behind it.
pub fn write_entry(out: &mut Vec<u8>, form: Form, at: Instant, values: &Values, quality: Quality, source: &str) {
    let marks = form.marks();
    put(out, marks.time);
    at.write_to(out);
    put(out, marks.values);
    let mut comma = "";
    for &(column, value) in &values.columns {
        marks.columns[column as usize].write(out, !comma.is_empty());
        comma = ",";
        value.write_to(out);
    }
    for extra in &values.extras {
        put(out, comma);
        comma = ",";
        put(out, marks.inner);
        write_text(out, &extra.key);
        put(out, marks.colon);
        extra.value.write_to(out);
    }
    put(out, if comma.is_empty() { "}" } else { marks.inner_close });
    if !values.texts.is_empty() {
        // In the order of the keys, as the archive has them.
        let texts: BTreeMap<&str, &str> =
            values.texts.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        put(out, marks.texts);
        for (index, (key, text)) in texts.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            put(out, marks.inner);
            write_text(out, key);
            put(out, marks.colon);
            write_text(out, text);
        }
        put(out, marks.inner_close);
    }
    put(out, marks.quality);
    put(out, quality.as_str());
    put(out, marks.source);
    write_text(out, source);
    put(out, marks.close);
}

/// Appends a reading in the short form of an export file: its columns beside its time.
pub fn write_short(out: &mut Vec<u8>, form: Form, at: Instant, values: &Values) {
    let marks = form.marks();
    put(out, marks.time);
    at.write_to(out);
    out.push(b'"');
    for &(column, value) in &values.columns {
        marks.short[column as usize].write(out, true);
        value.write_to(out);
    }
    put(out, marks.close);
}

/// Appends a text as JSON (RFC 8259, section 7).
fn write_text(out: &mut Vec<u8>, text: &str) {
    // All of it is looked at, which takes less time than stopping at the first.
    let plain = |plain, &byte: &u8| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\');
    if text.as_bytes().iter().fold(true, plain) {
        out.push(b'"');
        put(out, text);
        out.push(b'"');
    } else {
        // A string always serialises.
        put(out, &serde_json::to_string(text).unwrap_or_default());
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Measure;
    use crate::reading::TariffMemory;

    #[test]
    fn the_fast_writer_writes_what_serde_does() {
        let mut reading = Reading::new(Protocol::Dsmr);
        reading.registers = vec![
            Register::number(Code::parse(b"1.8.0"), "154.320".parse().unwrap(), Some(Unit::KWH)),
            Register::number(Code::parse(b"16.7.0"), "-0.5".parse().unwrap(), Some(Unit::KW)),
            Register::number(Code::parse(b"5.8.0"), "12.004".parse().unwrap(), Unit::parse("kvarh")),
            Register::text(Code::parse(b"F.F"), "a \"b\" \\ \u{7} é"),
            Register::text(Code::parse(b"C.1.0"), "00188123"),
        ];
        let values = Values::of(&reading, &mut TariffMemory::default());
        for at in ["2025-11-07T14:30:00Z", "2025-11-07T14:30:00.25Z", "1969-12-31T23:59:59.999999Z"] {
            let at = Instant::parse_utc(at).unwrap();
            let mut fast = Vec::new();
            write_measure(&mut fast, at, &values, Quality::Suspect, "p1");
            let fast = String::from_utf8(fast).unwrap();
            let slow = serde_json::to_string(&Measure::new(at, &values, Quality::Suspect, "p1")).unwrap();
            assert_eq!(fast, slow);
            let mut indented = Vec::new();
            write_entry(&mut indented, Form::Indented, at, &values, Quality::Suspect, "p1");
            let indented = String::from_utf8(indented).unwrap();
            let slow = serde_json::to_string_pretty(&[Measure::new(at, &values, Quality::Suspect, "p1")]).unwrap();
            let deeper: String = slow.lines().skip(1).flat_map(|line| ["\n  ", line]).collect();
            assert_eq!(indented, deeper.strip_suffix("\n  ]").unwrap());
            let read: Filed = serde_json::from_str(&fast).unwrap();
            assert_eq!(read.at(), Some(at));
            assert_eq!(read.numbers.0.len(), 3);
            assert_eq!(read.texts["1-0:C.1.0"], "00188123");
        }
    }

    #[test]
    fn readings_of_any_age_are_read() {
        let read = |text: &str| serde_json::from_str::<Filed>(text).unwrap();
        let old = read(
            r#"{"timestamp": "2024-03-01T10:00:00.123456", "donnees": {"tension_l1": 231.5, "courant_l1": null},
                "metadata": {"version": "1.0", "source": "e450"}}"#,
        );
        assert_eq!(old.at().unwrap().to_string(), "2024-03-01T10:00:00.123456Z");
        assert_eq!((old.source.as_deref(), old.numbers.0.len()), (Some("e450"), 1));
        let export = read(r#"{"timestamp": "2024-03-01T10:00:00Z", "puissance": 2345, "tension_l1": 231.5, "x": [1]}"#);
        let reading = export.reading(&BTreeMap::new());
        assert_eq!(reading.registers[0].code.to_string(), "1-0:16.7.0*255");
        assert_eq!(reading.registers[0].unit, Some(Unit::W));
        assert!(serde_json::from_str::<Filed>(r#"{"valeurs": {}}"#).is_err());
    }

    #[test]
    fn a_key_is_a_register() {
        let kvarh = Unit::parse("kvarh");
        assert_eq!(register_of_key("1-0:5.8.0", Some("kvarh")), (Code::parse(b"5.8.0"), kvarh));
        assert_eq!(register_of_key("1-0:32.7.0#2", None), (Code::parse(b"32.7.0"), None));
        assert_eq!(register_of_key("tension_l2", None), (Code::parse(b"52.7.0"), Some(Unit::V)));
    }
}
