//! What is asked of readers of files: archives of any age, tables, the old application's database.

use releve::archive::{ArchiveError, Manifest, Named, Record, Records, Text, add, read_bytes, record};
use releve::document::{Filed, Form, History, write_entry, write_measure};
use releve::exchange::csv::{self as table_format, CsvError};
use releve::exchange::old_database::{OldDatabase, OldDatabaseError};
use releve::reading::Instant;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file of readings, packed or not: what is read of it is written and read the same.
pub fn archive(data: &[u8]) {
    let path = Path::new("x.json");
    let mut records = Records::new();
    let _ = read_bytes(path, data.to_vec(), |found| {
        let _ = found.filed.reading(found.units);
        if let Some(at) = found.filed.at() {
            let one = record(found.filed, found.units);
            rewritten(at, &one);
            add(&mut records, at, one);
        }
        Ok::<_, ArchiveError>(())
    });
    packed(&records);
    let name = String::from_utf8_lossy(data);
    if let Some(named) = Named::parse(&name) {
        assert!(!name.contains('/') && named.period.start() < named.period.end());
        let again = named.period.file_name(named.suffix.as_deref());
        assert_eq!(Named::parse(&again).map(|named| named.period), Some(named.period));
    }
}

/// Readings become a file, deflated by us and inflated by another.
fn packed(records: &Records) {
    let mut text = Text::new(Form::Compact, false);
    for (at, one) in records {
        text.push(*at, &one.values, one.quality, &one.source);
    }
    let file = text.finish("M1", "2025-11-07".to_owned(), None).bytes;
    let mut times = Vec::new();
    let read = read_bytes(Path::new("x.json.gz"), file, |found| {
        times.extend(found.filed.at());
        Ok::<_, ArchiveError>(())
    });
    read.expect("what is packed is unpacked");
    assert!(times.iter().eq(records.keys()));
}

/// A reading, written and read, is written the same again.
fn rewritten(at: Instant, one: &Record) {
    let written = |record: &Record| {
        let mut text = Vec::new();
        write_measure(&mut text, at, &record.values, record.quality, &record.source);
        text
    };
    let text = written(one);
    let filed: Filed = serde_json::from_slice(&text).expect("what is written is read");
    assert_eq!(filed.at(), Some(at));
    let units: BTreeMap<String, String> = one
        .values
        .extras
        .iter()
        .filter_map(|extra| Some((extra.key.to_string(), extra.unit?.symbol().to_string())))
        .collect();
    let again = written(&record(&filed, &units));
    assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&again));
    let mut indented = Vec::new();
    write_entry(&mut indented, Form::Indented, at, &one.values, one.quality, &one.source);
    let same: serde_json::Value = serde_json::from_slice(&indented).expect("what is written is read");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).ok(), Some(same));
}

/// A week or month file: what is read of it is written and read the same.
pub fn history(data: &[u8]) {
    let Ok((meter, read)) = History::read(&String::from_utf8_lossy(data)) else { return };
    let text = |history: &History| {
        let mut out = Vec::new();
        history.write_over(&mut out, &meter, None, Form::Compact, &[]).expect("memory takes everything");
        String::from_utf8(out).expect("JSON is UTF-8")
    };
    let first = text(&read);
    let (again, back) = History::read(&first).expect("what is written is read");
    assert_eq!((again.as_str(), back.extent()), (meter.as_str(), read.extent()));
    assert_eq!(text(&back), first);
    let _ = text(&read.completed_by(&back));
}

/// A manifest: what is read of it is written the same; behind a checksum of our own, so that what it holds is reached.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = Path::new("manifeste.json");
    const SUM: &str = "  \"sha256\": \"";
    let body = text.rfind(SUM).map_or(&*text, |at| &text[..at]);
    let sealed = format!("{body}{SUM}{}\"\n}}\n", releve::archive::sha256(body.as_bytes()));
    for text in [&*text, &sealed] {
        if let Ok(manifest) = Manifest::parse(text, path) {
            let _ = manifest.files.values().filter_map(|listed| listed.between()).count();
            assert_eq!(Manifest::parse(&manifest.to_text(), path).ok(), Some(manifest));
        }
    }
}

/// A table: its readings are written in the long form, of which every row can be read.
pub fn table(data: &[u8]) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table_format::HEADER).expect("memory takes everything");
    let mut is_whole = true;
    let _ = table_format::read(data, |row| {
        if let Ok(row) = row {
            // A table may have a column without a name; a register cannot.
            is_whole &= row.reading.registers.iter().all(|register| !register.code.to_string().is_empty());
            table_format::write_reading(&mut writer, &row.reading, row.at).expect("memory takes everything");
        }
        Ok::<_, CsvError>(())
    });
    let text = writer.into_inner().expect("memory takes everything");
    let read = table_format::read(&text[..], |row| {
        assert!(row.is_ok() || !is_whole, "{row:?} of {}", String::from_utf8_lossy(&text));
        Ok::<_, CsvError>(())
    });
    read.expect("what is written is a table");
}

/// The old application's file, whatever its cells hold.
pub fn old_database(data: &[u8]) {
    // Tests call it from several threads at once.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("releve-fuzz-{}-{call}.db", std::process::id()));
    if std::fs::write(&path, data).is_err() {
        return;
    }
    if let Ok(old) = OldDatabase::open(&path) {
        let _ = old.count();
        let mut rows = 0;
        // A page that points at itself has no end.
        let _ = old.rows(|row| {
            rows += 1;
            drop(row);
            if rows < 10_000 { Ok(()) } else { Err(OldDatabaseError::NoReadings) }
        });
        let mut rows = 0;
        let _ = old.events(|event| {
            rows += 1;
            drop(event);
            if rows < 10_000 { Ok(()) } else { Err(OldDatabaseError::NoReadings) }
        });
    }
    let _ = std::fs::remove_file(&path);
}
