//! Damaged archives: 62 damages, each reported and then made good from the store, never trusted.

use crate::testenv::check::{each_once, same};
use crate::testenv::random::Random;
use crate::testenv::{Place, control, figures};
use crate::{METER, consolidate, entries, everything, store, tree};
use std::fs;
use std::path::Path;

type Damage = (&'static str, fn(&[u8], &mut Random) -> Vec<u8>);

/// What can befall a file.
const DAMAGES: &[Damage] = &[
    ("a bit flipped", |bytes, random| {
        let mut bytes = bytes.to_vec();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        bytes
    }),
    ("cut short", |bytes, random| bytes[..random.below(bytes.len())].to_vec()),
    ("emptied", |_, _| Vec::new()),
    ("zeroed in the middle", |bytes, random| {
        let mut bytes = bytes.to_vec();
        let at = random.below(bytes.len() - 64);
        bytes[at..at + 64].fill(0);
        bytes
    }),
    ("zeroed whole", |bytes, _| vec![0; bytes.len()]),
    ("doubled", |bytes, _| [bytes, bytes].concat()),
    ("a byte more", |bytes, _| [bytes, b"x"].concat()),
    ("noise", |bytes, random| bytes.iter().map(|_| u8::try_from(random.below(256)).unwrap()).collect()),
    ("another time in its header", |bytes, _| {
        let mut bytes = bytes.to_vec();
        bytes[4] ^= 0x55;
        bytes
    }),
    ("whole by itself, with other values", |bytes, _| {
        use flate2::{Compression, read::GzDecoder, write::GzEncoder};
        use std::io::{Read as _, Write as _};
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(text.replacen("23", "99", 3).as_bytes()).unwrap();
        packer.finish().unwrap()
    }),
];

fn files(place: &Place) -> Vec<String> {
    tree(&place.path("a")).into_keys().filter(|name| name.ends_with(".gz")).collect()
}

fn verify(place: &Place) -> crate::Run {
    place.run(["consolidate", "--archive", "a", "--verify", "-q"])
}

#[test]
fn promise_p06_each_of_62_damages_is_reported_and_made_good_from_the_store() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z", 1800));
    consolidate(&place, &["-q"]).clean();
    let whole = tree(&place.path("a"));
    let names = files(&place);
    let mut random = Random(0xA5A5_1234);
    let mut tried = 0;
    for round in 0..62 {
        let (what, damage) = DAMAGES[round % DAMAGES.len()];
        // Days, weeks and months in turn.
        let kind = ["jour_", "semaine_", "mois_"][round / DAMAGES.len() % 3];
        let of_kind: Vec<_> = names.iter().filter(|name| name.contains(kind)).collect();
        let name = of_kind[random.below(of_kind.len())];
        let damaged = damage(&whole[name], &mut random);
        if damaged == whole[name] {
            continue;
        }
        fs::write(place.path("a").join(name), &damaged).unwrap();
        reported(&verify(&place), name).unwrap_or_else(|why| panic!("{what}: {why}"));
        // It is not taken in by a store either.
        let folder = Path::new(name).parent().unwrap().to_str().unwrap();
        if kind == "jour_" {
            let _ = fs::remove_file(place.path("t.db"));
            let import = place.run(["import", &format!("a/{folder}"), "--db", "t.db", "-q"]);
            assert_eq!(import.exit, 65, "{name} {what}: {}", import.stderr);
            let taken = place.run(["export", "--db", "t.db", "-f", "ndjson"]).clean();
            assert_eq!(taken.lines().count(), 29 * 48, "{name} {what}");
        }
        let mended = consolidate(&place, &["-q"]);
        assert_eq!(mended.exit, 0, "{name} {what}: {}", mended.stderr);
        assert!(mended.stderr.starts_with("warning: a/"), "{name} {what}: {}", mended.stderr);
        let aside = place.path("a").join(format!("{name}.corrompu"));
        assert!(fs::read(&aside).unwrap() == damaged, "{name} {what}: what was damaged is kept");
        fs::remove_file(aside).unwrap();
        same(format_args!("{name} {what}: the archive"), &whole, &tree(&place.path("a"))).unwrap();
        verify(&place).clean();
        tried += 1;
    }
    assert!(tried >= 60, "{tried}");
    figures(6, tried, tried, 0, "damages reported and made good from the store");
}

/// Whether the damage of a file is said, with its name.
fn reported(verified: &crate::Run, name: &str) -> Result<(), String> {
    match verified.exit {
        65 if verified.stderr.contains(name) => Ok(()),
        exit => Err(format!("no word of {name}: {exit} {}", verified.stderr)),
    }
}

/// An archive that is whole by itself and lacks a reading, its manifest included; one that is believed.
#[test]
fn promise_p06_control_a_file_with_a_reading_less_and_a_good_checksum_is_found_out() {
    let place = Place::new();
    let all = entries(METER, "2025-11-01T00:00:00Z", "2025-11-03T00:00:00Z", 1800);
    store(&place, "s.db", &all);
    let right = everything(&place, &[]);
    let mut less = all.clone();
    less.remove(7);
    store(&place, "less.db", &less);
    consolidate(&place, &["-q"]).clean();
    place.run(["consolidate", "--db", "less.db", "--archive", "b", "-q"]).clean();
    place.run(["import", "b", "--db", "rebuilt.db", "-q"]).clean();
    let rebuilt = place.run(["export", "--db", "rebuilt.db", "-f", "ndjson", "-q"]).clean();
    // The import's readings have another source: their times tell them apart.
    let times = |text: &str| text.lines().map(|line| line.split("Z\"").next().unwrap().to_owned()).collect::<Vec<_>>();
    let day = "quotidien/jour_20251101.json.gz";
    let (whole, other) = (tree(&place.path("a")), tree(&place.path("b")));
    fs::copy(place.path("b").join(day), place.path("a").join(day)).unwrap();
    control(
        6,
        [
            ("an archive with a reading less", each_once(times(&right), times(&rebuilt)).map(drop)),
            ("an archive with another file", same("the archive", &whole, &other)),
            (
                "a damage that nobody tells",
                reported(&place.run(["consolidate", "--archive", "b", "--verify", "-q"]), day),
            ),
            ("a damage told of another file", reported(&verify(&place), "jour_20251102.json.gz")),
        ],
    );
    reported(&verify(&place), day).unwrap();
}

#[test]
fn promise_p06_a_damaged_or_lost_manifest_is_made_anew_from_whole_files() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-10-20T00:00:00Z", "2025-12-01T00:00:00Z", 1800));
    consolidate(&place, &["-q"]).clean();
    let whole = tree(&place.path("a"));
    let mut tried = 0;
    for name in whole.keys().filter(|name| name.contains("manifeste_")) {
        tried += 2;
        let mut bytes = whole[name].clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 4;
        fs::write(place.path("a").join(name), bytes).unwrap();
        let found = verify(&place);
        assert!(found.exit == 65 && found.stderr.contains(name.as_str()), "{found:?}");
        let mended = consolidate(&place, &["-q"]);
        assert!(mended.exit == 65 && mended.stderr.contains(name.as_str()), "{mended:?}");
        fs::remove_file(place.path("a").join(format!("{name}.corrompu"))).unwrap();
        assert!(tree(&place.path("a")) == whole, "{name}");

        fs::remove_file(place.path("a").join(name)).unwrap();
        assert_eq!(consolidate(&place, &["-q"]).exit, 0);
        assert!(tree(&place.path("a")) == whole, "{name}");
    }
    figures(6, tried, tried, 0, "manifests damaged and lost");
}

#[test]
fn promise_p06_what_cannot_be_made_good_is_said_and_never_replaced_by_less_in_silence() {
    let place = Place::new();
    store(&place, "s.db", &entries(METER, "2025-11-01T00:00:00Z", "2025-11-20T00:00:00Z", 1800));
    consolidate(&place, &["--keep", "1mo", "--prune", "-q"]).clean();
    let all = everything(&place, &["--from-archive", "a"]);
    assert_eq!(all.lines().count(), 19 * 48);
    let day = place.path("a/quotidien/jour_20251110.json.gz");
    let whole = fs::read(&day).unwrap();
    fs::write(&day, &whole[..whole.len() / 2]).unwrap();
    // No answer goes without it.
    let run = place.run(["export", "--db", "s.db", "-f", "ndjson", "--from-archive", "a"]);
    assert_eq!(run.exit, 65, "{}", run.stderr);
    assert!(run.stderr.contains("jour_20251110.json.gz is damaged"), "{}", run.stderr);
    // A late reading of that day does not take its place in silence.
    let mut open = releve::store::Store::create(&place.path("s.db")).unwrap();
    open.insert(&[crate::entry(METER, crate::at("2025-11-10T12:34:56Z"))]).unwrap();
    drop(open);
    let run = consolidate(&place, &["-q"]);
    assert_eq!(run.exit, 65);
    assert!(run.stderr.contains("it held 48 readings, there is 1 now"), "{}", run.stderr);
    assert_eq!(fs::read(place.path("a/quotidien/jour_20251110.json.gz.corrompu")).unwrap(), whole[..whole.len() / 2]);
    let told = place.run(["--db", "s.db", "events", "--type", "donnees_corrompues", "-f", "ndjson"]).clean();
    assert!(told.lines().count() == 1 && told.contains("jour_20251110.json.gz"), "{told}");
    // The copy that somebody has is merged with it.
    fs::write(place.path("a/quotidien/jour_20251110.json"), crate::unpack_bytes(&whole)).unwrap();
    consolidate(&place, &["--day", "2025-11-10", "-q"]).clean();
    let after = everything(&place, &["--from-archive", "a"]);
    assert_eq!(after.lines().count(), 19 * 48 + 1);
    assert!(all.lines().all(|line| after.contains(line)));
    figures(6, 1, 1, 0, "a damage that no store can make good, said and kept");
}
