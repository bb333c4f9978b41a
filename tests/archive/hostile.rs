//! The old application's files, and files that mean harm: refused by name, and the rest goes on.

use crate::testenv::check::{names_all, same};
use crate::testenv::{Place, control, figures};
use crate::{METER, consolidate, entries, everything, json, store, tree};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write as _;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn the_old_applications_files_are_merged_and_nothing_is_lost() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-07T00:00:00Z", "2025-11-07T06:00:00Z", 1800));
    let folder = place.path("a/quotidien");
    fs::create_dir_all(&folder).unwrap();
    let old = |time: &str| {
        format!(
            r#"{{"timestamp": "{time}", "donnees": {{"tension_l1": 229.10000000000002, "courant_l1": null}},
                "metadata": {{"version": "1.0", "source": "e450"}}}}"#
        )
    };
    // One bare object, plain; a list, packed; without Z; microseconds; valeurs in place of donnees; a BOM.
    fs::write(folder.join("mesure_20251107_08.json"), old("2025-11-07T08:59:58.123456")).unwrap();
    let list = format!("[{}, {}]", old("2025-11-07T09:00:00"), old("2025-11-07T09:30:00Z"));
    fs::write(folder.join("mesure_20251107_09.json.gz"), gzip(list.as_bytes())).unwrap();
    let form = old("2025-11-07 10:00:00").replace("donnees", "valeurs");
    fs::write(folder.join("mesure_20251107_10.json"), format!("\u{feff}{form}")).unwrap();
    let day = format!(
        r#"{{"metadata": {{"compteur_id": "{METER}"}}, "date": "2025-11-07", "nb_mesures": 1, "mesures": [{}]}}"#,
        old("2025-11-07T11:00:00Z")
    );
    fs::write(folder.join("jour_20251107.json"), day).unwrap();
    // A day that only old files know.
    fs::write(folder.join("mesure_20251105_23.json"), old("2025-11-05T23:59:59")).unwrap();
    // The same time as the store has, and worse: the store's counts.
    let worse = old("2025-11-07T00:30:00Z").replace("\"metadata\"", "\"qualite\": \"suspect\", \"metadata\"");
    fs::write(folder.join("mesure_20251107_00.json"), worse).unwrap();
    let before = tree(&folder);

    let said = consolidate(&place, &[]).clean();
    assert!(said.contains("jour_20251107.json.gz  17 readings"), "{said}");
    let merged = json(&folder.join("jour_20251107.json.gz"));
    let times: Vec<_> =
        merged["mesures"].as_array().unwrap().iter().map(|m| m["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    for time in ["08:59:58.123456Z", "09:00:00Z", "09:30:00Z", "10:00:00Z", "11:00:00Z"] {
        assert!(times.contains(&format!("2025-11-07T{time}").as_str()), "{time}");
    }
    let text = crate::unpack(&folder.join("jour_20251107.json.gz"));
    assert!(text.contains("229.10000000000002") && text.contains("\"e450\""), "digits and source are kept");
    let half = merged["mesures"].as_array().unwrap().iter().find(|m| m["timestamp"] == "2025-11-07T00:30:00Z").unwrap();
    assert_eq!((half["source"].as_str(), half["qualite"].as_str()), (Some("p1"), Some("good")));
    assert_eq!(json(&folder.join("jour_20251105.json.gz"))["nb_mesures"], 1);
    let after = tree(&folder);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "the old files are as they were");
    // Taken in, the readings are all there.
    place.run(["import", "a", "--db", "n.db", "--meter", METER, "-q"]).clean();
    assert_eq!(place.run(["export", "--db", "n.db", "-f", "ndjson"]).clean().lines().count(), 18);
}

/// Files that mean harm, by name; each stands where a file of the archive would.
fn hostile() -> Vec<(String, Vec<u8>)> {
    let reading =
        |value: &str| format!(r#"{{"timestamp": "2025-11-06T00:00:00Z", "valeurs": {{"tension_l1": {value}}}}}"#);
    let mesures = |list: &str, count: &str| {
        format!(r#"{{"metadata": {{"compteur_id": "{METER}"}}, "nb_mesures": {count}, "mesures": {list}}}"#)
    };
    let deep = "[".repeat(10_000);
    let utf16 = |text: &str| -> Vec<u8> {
        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let mut all: Vec<Vec<u8>> = vec![
        gzip(&vec![b' '; 40_000_000]),
        gzip(&vec![0; 40_000_000]),
        gzip(&gzip(&vec![b'['; 20_000_000])),
        gzip(format!("{{\"mesures\": {}", "[".repeat(5_000_000)).as_bytes()),
        deep.clone().into_bytes(),
        format!("{{\"mesures\": {deep}").into_bytes(),
        format!("{{\"x\": {}{}}}", deep, "]".repeat(10_000)).into_bytes(),
        "{\"a\":".repeat(10_000).into_bytes(),
        mesures(&format!("[{}{}]", "{\"timestamp\":".repeat(10_000), "1"), "1").into_bytes(),
        utf16(&reading("231.5")),
        b"\xff\xfe\xfd".to_vec(),
        [reading("231.5").as_bytes(), &[0xC3, 0x28]].concat(),
        Vec::new(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"{".to_vec(),
        b"[1, 2]".to_vec(),
        mesures("[]", "5").into_bytes(),
        mesures("[]", "99999999999999999999999").into_bytes(),
        mesures("[]", "-1").into_bytes(),
        mesures("{}", "0").into_bytes(),
        mesures("[null]", "1").into_bytes(),
        gzip(reading("231.5").as_bytes())[..40].to_vec(),
        [0x1F, 0x8B].to_vec(),
        gzip(b"\x00\x01\x02"),
        b"PK\x03\x04 no archive of ours".to_vec(),
        format!(r#"{{"timestamp": "{}", "valeurs": {{}}}}"#, "9".repeat(1_000_000)).into_bytes(),
        r#"{"timestamp": "2025-11-06T25:61:00Z", "valeurs": {}}"#.into(),
        r#"{"timestamp": null, "valeurs": {}}"#.into(),
        r#"{"timestamp": ["2025-11-06T00:00:00Z"], "valeurs": {}}"#.into(),
    ];
    let long = format!("{}{}", "1".repeat(400), ".5");
    for value in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e-400",
        "123456789012345678901234567890",
        "0x10",
        "\"231\"",
        "[231]",
        "{}",
        "true",
        "01",
        "+1",
        ".5",
        "1.",
        &long,
    ] {
        all.push(reading(value).into_bytes());
    }
    all.into_iter()
        .enumerate()
        .map(|(index, bytes)| (format!("mesure_202510{:02}_{:02}.json", 1 + index / 24, index % 24), bytes))
        .collect()
}

#[test]
fn promise_p18_what_means_harm_is_refused_by_name_and_the_rest_goes_on() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-07T00:00:00Z", "2025-11-08T00:00:00Z", 3600));
    let folder = place.path("a/quotidien");
    fs::create_dir_all(&folder).unwrap();
    let files = hostile();
    assert!(files.len() >= 35, "{}", files.len());
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    // A file of another meter where ours would be, and links out of the tree.
    let other = r#"{"metadata": {"compteur_id": "THEIRS"}, "nb_mesures": 1, "mesures": [{"timestamp": "2025-11-07T00:00:00Z", "valeurs": {"tension_l1": 1}}]}"#;
    fs::write(folder.join("jour_20251107.json.gz"), gzip(other.as_bytes())).unwrap();
    place.write("outside.json", r#"{"timestamp": "2025-11-04T01:00:00Z", "valeurs": {"tension_l1": 666}}"#);
    std::os::unix::fs::symlink(place.path("outside.json"), folder.join("mesure_20251104_01.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("mesure_20251104_02.json")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("mesure_20251104_03.json")).unwrap();
    std::os::unix::fs::symlink(place.path(""), folder.join("boucle")).unwrap();
    let before = tree(&folder);

    let run = consolidate(&place, &["--hours"]);
    assert_eq!(run.exit, 65);
    let said_of = |name: &str| run.stderr.lines().any(|line| line.contains(name));
    for (name, bytes) in &files {
        assert!(said_of(name), "{name} ({:.40}): {}", String::from_utf8_lossy(bytes), run.stderr);
    }
    for name in ["jour_20251107.json.gz is of meter THEIRS", "mesure_20251104_01", "mesure_20251104_02"] {
        assert!(said_of(name), "{name}: {}", run.stderr);
    }
    assert!(run.stdout.contains("mesure_20251107_23.json.gz  1 reading,"), "{}", run.stdout);
    assert!(!run.stdout.contains("202510") && !run.stdout.contains("20251104"), "{}", run.stdout);
    let after = tree(&folder);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "nothing of theirs was touched");
    assert!(!everything(&place, &[]).contains("666"));

    // Taken in one by one: all or nothing, a message, and the others come in.
    let run = place.run(["import", "a", "--db", "n.db", "--meter", METER, "-q"]);
    assert_ne!(run.exit, 0);
    names_all(files.iter().map(|(name, _)| name.as_str()), &run.stderr).unwrap();
    assert!(run.stderr.contains("mesure_20251104_01.json is no file of the archive"), "{}", run.stderr);
    let lines = place.run(["export", "--db", "n.db", "-f", "ndjson"]).clean();
    assert!(lines.lines().all(|line| line.contains("2025-11-07T")), "{lines}");
    assert!(!lines.contains("666") && lines.lines().count() == 24, "{lines}");
    // The same once more adds nothing.
    place.run(["import", "a", "--db", "n.db", "--meter", METER, "-q"]);
    same("the store", &lines, &place.run(["export", "--db", "n.db", "-f", "ndjson"]).clean()).unwrap();
    figures(18, files.len() + 5, files.len() + 5, 0, "hostile files and links, refused by name, twice");
}

/// An import that swallows one of them, and one that takes a part of it in.
#[test]
fn promise_p18_control_a_file_nobody_speaks_of_and_a_reading_taken_in_are_found_out() {
    let said = "error: a.json is damaged\nerror: b.json is damaged\n";
    assert!(names_all(["a.json", "b.json"], said).is_ok());
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-07T00:00:00Z", "2025-11-07T06:00:00Z", 3600));
    let before = everything(&place, &[]);
    place.write("part.csv", "timestamp,tension_l1\n2025-11-06T00:00:00Z,230.1\n");
    place.run(["import", "part.csv", "--db", "s.db", "--meter", METER, "-q"]).clean();
    control(
        18,
        [
            ("a file nobody speaks of", names_all(["a.json", "c.json"], said).map(drop)),
            ("a part of a file taken in", same("the store", &before, &everything(&place, &[]))),
        ],
    );
}

#[test]
fn promise_p18_a_bomb_does_not_fill_the_memory() {
    let place = Place::new();
    place.write("bomb.json.gz", gzip(&vec![b' '; 300_000_000]));
    place.write("s.csv", "timestamp,tension_l1\n2025-11-07T00:00:00Z,230.1\n");
    let mut command = std::process::Command::new("sh");
    // 100 MB of address space beyond the program itself.
    command.args(["-c", "ulimit -v 400000; exec \"$@\"", "-", env!("CARGO_BIN_EXE_releve")]);
    command.args(["import", "bomb.json.gz", "s.csv", "--db", "n.db", "--meter", METER]).current_dir(place.path(""));
    let run = crate::Run::of(command.env_clear().env("HOME", place.path("")).output().unwrap());
    assert_eq!(run.exit, 65, "{}", run.stderr);
    assert!(run.stderr.contains("it unpacks to more than any day holds"), "{}", run.stderr);
    assert!(run.stdout.contains("s.csv  1 read, 1 added"), "{}", run.stdout);
    figures(18, 1, 1, 0, "300 MB of bomb in 400 MB of addresses");
}
