//! What the fuzzer starts from: small examples of everything that a target reads.

use flate2::Compression;
use flate2::write::GzEncoder;
use releve::archive::{Content, Summary};
use releve::archive::{Listed, Manifest};
use releve::document::Values;
use releve::exchange::old_database::OldDatabaseWriter;
use releve::reading::{Column, Instant, Quality};
use std::fs;
use std::io::Write as _;

/// The seeds of a target; `captures` are those of everything that decodes bytes.
pub fn seeds(target: &str, captures: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let texts = |all: &[&str]| all.iter().map(|text| text.as_bytes().to_vec()).collect();
    match target {
        "archive" => {
            let mut all: Vec<Vec<u8>> = texts(FILES);
            all.extend(FILES.iter().map(|text| packed(text.as_bytes())));
            all.extend(
                ["mesure_20251107_13.json.gz", "jour_20251107_E450001234.json.gz", "semaine_2025-W45.json.gz"]
                    .map(Into::into),
            );
            all.extend(["mois_202511.json", "export_2025-11-07.json.gz"].map(Into::into));
            all
        }
        "history" => texts(HISTORIES),
        "manifest" => vec![manifest()],
        "csv" => texts(TABLES),
        "old_database" => vec![old_database()],
        "asked" => texts(TIMES),
        "query" => texts(QUERIES),
        "settings" => {
            let mut all: Vec<Vec<u8>> = texts(SETTINGS);
            all.push(include_bytes!("../src/cli/config/default.toml").to_vec());
            all
        }
        _ => captures.to_vec(),
    }
}

const FILES: &[&str] = &[
    r#"{"metadata": {"version": "1.0", "compteur_id": "E450001234", "creation": "2025-11-08T02:00:00Z"},
  "date": "2025-11-07", "nb_mesures": 2, "unites": {"1-0:5.8.0": "kvarh"},
  "mesures": [ {"timestamp": "2025-11-07T00:00:00Z",
                "valeurs": {"energie_active_import": 154.320, "puissance_active_totale": -2345, "1-0:5.8.0": 12.004},
                "textes": {"1-0:C.1.0": "00188123"}, "qualite": "good", "source": "port_optique"},
               {"timestamp": "2025-11-07T00:01:00.25Z", "valeurs": {"tension_l1": 231.5}, "qualite": "suspect", "source": "p1"} ] }"#,
    r#"{"timestamp": "2024-03-01T10:00:00.123456", "donnees": {"tension_l1": 231.5, "courant_l1": null},
  "metadata": {"version": "1.0", "source": "e450"}}"#,
    r#"[{"timestamp": "2024-03-01 10:00:00", "donnees": {"frequence": 49.98}}, {"timestamp": "2024-03-01T10:00:05", "donnees": {}}]"#,
    r#"{"date": "2025-11-07", "nb_mesures": 1, "mesures": [{"timestamp": "2025-11-07T00:00:00Z", "puissance": 2345, "courant_l1": 12.5}]}"#,
    "{\"timestamp\":\"2025-11-07T00:00:00Z\",\"compteur\":\"M1\",\"valeurs\":{\"frequence\":5e1}}\n{\"timestamp\":\"2025-11-07T00:00:01Z\",\"valeurs\":{\"facteur_puissance\":0.985}}\n",
];

const HISTORIES: &[&str] = &[
    r#"{ "compteur": "E450001234", "periode": {"debut": "2025-11-01T00:00:00Z", "fin": "2025-11-30T23:59:59Z"},
  "series": { "puissance_active": {"unite": "W", "valeurs": [["2025-11-01T00:00:00Z", 1200], ["2025-11-01T00:15:00Z", -1350]]},
              "energie_active_import": {"unite": "kWh", "valeurs": [["2025-11-01T00:00:00Z", 154.320], ["2025-11-01T00:15:00Z", null]]} },
  "evenements": [{"id": 1}] }"#,
];

const TABLES: &[&str] = &[
    "timestamp,compteur,obis,valeur,unite,texte\n2025-11-07T14:30:00Z,M1,1-0:1.8.0*255,154.320,kWh,\n2025-11-07T14:30:00Z,M1,1-0:F.F*255,,,00\n",
    "timestamp,energie_active_import,tension_l1,1-0:F.F,qualite,source\n2025-11-07T14:30:00Z,154.320,,\"a,\"\"b\"\"\",suspect,p1\n",
    "\u{feff}id;timestamp;puissance_active_totale;1-0:5.8.0\r\n1;2025-11-07 14:30:00;-2345,5;0002\r\n",
];

const TIMES: &[&str] = &[
    "2025-11-07T14:30:00.25+01:00",
    "2025-11-07",
    "2025-W45",
    "2025-11",
    "2024-02-29 02:30",
    "2011-12-30",
    "yesterday 18:00",
    "1h 30min",
    "2 weeks ago",
    "-2d",
    "last month",
    "this hour",
    "@1762525800",
    "14:30:05.5",
    "500ms",
];

const QUERIES: &[&str] = &[
    "hours=24&limit=100&metrics=timestamp,tensions&order=desc&registres=all",
    "debut=2025-11-07T15:30:00+01:00&fin=2025-11-08T00%3A00%3A00Z&meter=E450001234&apres=1762525800000000_3",
    "/api/data/history?series=puissance_active,1-0:5.8.0&pas=15m&points=600&hours=1e-3",
    "severity=error&type=surtension&q=tension+%C3%A9lev%C3%A9e&limit=5.0",
    "/api/stats/day?hours=175320&pas=mois",
];

const SETTINGS: &[&str] = &[
    "db = \"a.db\"\ntz = \"Europe/Zurich\"\nmeter = \"home\"\n[meters.home]\nport = \"tcp://[::1]:8899\"\nserial = \"2400,8E1\"\n[serve]\nhosts = [\"a\"]\n",
    "[evenements]\npuissance = 6000\n[meters.x]\nprot = \"dlms\"\n",
    "encryption = \"000102030405060708090a0b0c0d0e0f\"\nauthentication = \"d0d1d2d3d4d5d6d7d8d9dadbdcdddedf\"\n",
    "000102030405060708090A0B0C0D0E0F",
    "rfc2217://bridge.local:2217",
    "300,7E1",
    "clock@2025-11-07T14:30:00Z:-75",
    "cut@1m:90",
    "1.8.0",
    "1-0:32.7.0*255",
    "tension",
    "fr_BE.UTF-8",
];

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn manifest() -> Vec<u8> {
    let at = Instant::from_unix(1_762_525_800);
    let summary = Summary { count: 1, between: Some((at, at)), ..Summary::default() };
    let content = Content { bytes: b"abc".to_vec(), summary };
    let mut manifest = Manifest::default();
    manifest.files.insert("jour_20251107.json.gz".into(), Listed::new("M1", &content, "0".into()));
    manifest.to_text().into_bytes()
}

fn old_database() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let writer = OldDatabaseWriter::create(&path).unwrap();
    for second in 0..20 {
        let values = Values { columns: vec![(Column::VoltageL1, "231.5".parse().unwrap())], ..Values::default() };
        writer.add(Instant::from_unix(1_762_525_800 + second), &values, Quality::Good, "e450").unwrap();
    }
    writer.finish().unwrap();
    fs::read(path).unwrap()
}
