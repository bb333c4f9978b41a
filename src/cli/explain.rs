//! `releve explain`: a capture taken apart, byte by byte.

use super::args::Globals;
use super::failure::{self, Failure};
use super::keys;
use super::output::{Output, printable};
use super::words::tr;
use crate::acquire::Settings;
use crate::acquire::explain::explain;
use crate::transport::Input;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve explain fixtures/dsmr/smart5.txt
  releve explain fixtures/dlms/e450_ciphered.bin --key-file fixtures/dlms/example.key
  releve explain - < fixtures/sml/push.bin";

/// Take a capture apart: what each byte means, where it goes wrong
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// The capture, or - for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The file with the keys of enciphered telegrams
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Offset, bytes, meaning
    Table,
    /// An array of objects
    Json,
}

/// The largest capture that is taken apart; more lines than anybody reads.
const MAX_CAPTURE: u64 = 4 * 1024 * 1024;

/// How many bytes stand on a line.
const BYTES_A_LINE: usize = 8;

#[derive(Serialize)]
struct Row<'a> {
    position: usize,
    longueur: usize,
    octets: String,
    niveau: usize,
    sens: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    erreur: bool,
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Some(path) = &self.file else {
            return Err(Failure::new(failure::USAGE, "read.source", tr!("nothing to explain: no capture was named"))
                .tip(tr!("releve explain FILE, or releve explain - for standard input"))
                .into());
        };
        let keys = keys::load(self.key_file.as_deref(), globals)?;
        let mut bytes = Vec::new();
        let mut input = Input::open(path)?.take(MAX_CAPTURE + 1);
        input.read_to_end(&mut bytes).map_err(|error| Failure::reading(&path.display().to_string(), &error))?;
        if bytes.len() as u64 > MAX_CAPTURE {
            bytes.truncate(usize::try_from(MAX_CAPTURE).unwrap_or(usize::MAX));
            globals.warn(&tr!("only the first {n} bytes are shown", n = MAX_CAPTURE));
        }
        let dissection = explain(&bytes, &Settings { keys, ..Settings::default() });
        if self.json || self.format == Format::Json {
            let rows: Vec<_> = dissection
                .fields
                .iter()
                .map(|field| Row {
                    position: field.bytes.start,
                    longueur: field.bytes.len(),
                    octets: bytes[field.bytes.clone()].iter().map(|byte| format!("{byte:02x}")).collect(),
                    niveau: field.depth,
                    sens: &field.meaning,
                    erreur: field.wrong,
                })
                .collect();
            output.line(&serde_json::to_string_pretty(&rows).context("making JSON")?)?;
            return Ok(ExitCode::SUCCESS);
        }
        output.line(&format!("{:<6}  {:<24} {}", tr!("offset"), tr!("bytes"), tr!("meaning")))?;
        for field in &dissection.fields {
            let indent = "  ".repeat(field.depth);
            let mark = if field.wrong { "!! " } else { "" };
            let meaning = format!("{indent}{mark}{}", printable(&field.meaning));
            if field.bytes.is_empty() {
                output.line(&format!("{:32} {meaning}", ""))?;
            }
            for (at, chunk) in bytes[field.bytes.clone()].chunks(BYTES_A_LINE).enumerate() {
                let hex: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
                let meaning = if at == 0 { meaning.as_str() } else { "" };
                let line = format!("{:06x}  {:<24} {meaning}", field.bytes.start + at * BYTES_A_LINE, hex.join(" "));
                output.line(line.trim_end())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
