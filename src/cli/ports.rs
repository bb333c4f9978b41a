//! `releve ports`: which serial ports there are.

use super::args::Globals;
use super::failure::{self, Failure};
use super::output::{Output, printable};
use super::picker;
use super::words::tr;
use crate::transport::{Port, PortState, ports};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  releve ports
  releve ports -f json
  releve ports --name-only

The second line of a port is its name that stays the same when it is plugged in again.";

/// List the serial ports: what is plugged in, and whether it is free
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Cmd {
    /// How to print [default: table on a terminal, json in a pipe]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for -f json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Only the paths, one a line
    #[arg(long, conflicts_with_all = ["format", "json"])]
    name_only: bool,
    /// End with 1 if there is no port
    #[arg(long)]
    fail_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An array of objects
    Json,
    /// An object a line
    Ndjson,
}

#[derive(Serialize)]
struct Row<'a> {
    port: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lien: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    produit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fabricant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    numero_serie: Option<&'a str>,
    etat: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    programme: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groupe: Option<&'a str>,
}

impl<'a> From<&'a Port> for Row<'a> {
    fn from(port: &'a Port) -> Self {
        let usb = port.usb.as_ref();
        let (etat, holder, access) = match &port.state {
            PortState::Free => ("libre", None, None),
            PortState::InUse(holder) => ("occupe", Some(holder), None),
            PortState::Denied(access) => ("refuse", None, Some(access)),
        };
        Self {
            port: port.path.display().to_string(),
            lien: port.by_id.as_ref().map(|link| link.display().to_string()),
            produit: usb.and_then(|usb| usb.product.as_deref()),
            fabricant: usb.and_then(|usb| usb.manufacturer.as_deref()),
            usb: usb.map(crate::transport::Usb::id),
            numero_serie: usb.and_then(|usb| usb.serial.as_deref()),
            etat,
            programme: holder.map(|holder| holder.program.as_str()),
            pid: holder.map(|holder| holder.pid),
            groupe: access.map(|access| access.group.as_str()),
        }
    }
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let ports = ports();
        let format = match (self.format, self.json) {
            (Some(format), _) => Some(format),
            (None, true) => Some(Format::Json),
            (None, false) if output.is_terminal() => Some(Format::Table),
            // A pipe that asked for no form gets none where there is nothing to put into it.
            (None, false) => (!ports.is_empty()).then_some(Format::Json),
        };
        if self.name_only {
            for port in &ports {
                output.line(&printable(&port.path.display().to_string()))?;
            }
        } else {
            match format {
                Some(Format::Table) => table(&ports).iter().try_for_each(|line| output.line(line))?,
                Some(Format::Json) => {
                    let rows: Vec<_> = ports.iter().map(Row::from).collect();
                    output.line(&serde_json::to_string_pretty(&rows).context("making JSON")?)?;
                }
                Some(Format::Ndjson) => {
                    for port in &ports {
                        output.line(&serde_json::to_string(&Row::from(port)).context("making JSON")?)?;
                    }
                }
                None => {}
            }
        }
        if ports.is_empty() {
            globals.note(&tr!("no serial port is plugged in"));
            if self.fail_empty {
                return Ok(ExitCode::from(failure::OTHER));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each port, and one for its lasting name. That one runs on below the other columns, and nothing is ever
/// folded: names are there to be copied.
fn table(ports: &[Port]) -> Vec<String> {
    if ports.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![[tr!("PORT"), tr!("DEVICE"), tr!("USB ID"), tr!("STATE")]];
    rows.extend(ports.iter().map(|port| {
        let usb = port.usb.as_ref().map(crate::transport::Usb::id).unwrap_or_default();
        [port.path.display().to_string(), device(port), usb, state(port)].map(|cell| printable(&cell))
    }));
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let [path, device, usb] = [0, 1, 2].map(width);
    let mut lines = Vec::new();
    let links = std::iter::once(&None).chain(ports.iter().map(|port| &port.by_id));
    for ([a, b, c, d], link) in rows.iter().zip(links) {
        lines.push(format!("{a:path$}  {b:device$}  {c:usb$}  {d}"));
        lines.extend(link.iter().map(|link| format!("{:path$}  {}", "", printable(&link.display().to_string()))));
    }
    lines
}

/// What is plugged in, in a few words.
pub(super) fn device(port: &Port) -> String {
    match &port.usb {
        Some(usb) => usb.product.clone().or_else(|| usb.manufacturer.clone()).unwrap_or_else(|| "USB".to_owned()),
        None => tr!("on board"),
    }
}

fn state(port: &Port) -> String {
    match &port.state {
        PortState::Free => tr!("free"),
        PortState::InUse(holder) => tr!("in use by {program} pid {pid}", program = holder.program, pid = holder.pid),
        PortState::Denied(access) => tr!("no access (group {group})", group = access.group),
    }
}

/// The port to use when none is named, said on stderr: the one USB port, or the one of several that a person picks; `None`
/// where they leave. `command` is what the user typed, for the tips.
pub(super) fn the_only(command: &str, globals: &Globals) -> anyhow::Result<Option<PathBuf>> {
    let ports = ports();
    let port = match choose(&ports, command) {
        Err(failure) if failure.id == "port.choice" && picker::may_ask() => match picker::pick(&probes(&ports))? {
            Some(port) => port.clone(),
            None => return Ok(None),
        },
        chosen => chosen?,
    };
    globals.note(&format!("{} ({})", port.path.display(), device(&port)));
    Ok(Some(port.path))
}

/// Refuses to choose between several probes. Where there is none, one may still come.
pub(super) fn at_most_one(command: &str) -> Result<(), Failure> {
    match choose(&ports(), command) {
        Err(failure) if failure.id == "port.choice" => Err(failure),
        _ => Ok(()),
    }
}

/// An error is read, not scrolled through.
const MOST_TIPS: usize = 5;

/// The ports that may be a probe: an on-board port is seldom a meter and often a console, and has to be named.
fn probes(ports: &[Port]) -> Vec<&Port> {
    ports.iter().filter(|port| port.usb.is_some()).collect()
}

fn choose(ports: &[Port], command: &str) -> Result<Port, Failure> {
    match probes(ports).as_slice() {
        [] => Err(Failure::new(failure::NO_METER, "port.none", tr!("no meter probe is plugged in"))
            .tip(tr!("plug the optical head or the cable in and run `releve ports`"))
            .tip(tr!("or name a port: {command} --port /dev/ttyS0, --port tcp://HOST:PORT", command))),
        [port] => Ok((*port).clone()),
        several => {
            let what = tr!("{n} probes are plugged in, say which", n = several.len());
            let failure = Failure::new(failure::USAGE, "port.choice", what);
            Err(several.iter().take(MOST_TIPS).fold(failure, |failure, port| {
                let name = port.by_id.as_ref().unwrap_or(&port.path);
                failure.tip(format!("{command} --port {}   {}", name.display(), device(port)))
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Access, Holder, Membership, Usb};

    fn head(path: &str, product: &str, state: PortState) -> Port {
        let usb = Usb {
            vendor_id: 0x10c4,
            product_id: 0xea60,
            serial: Some("00E1A5F2".into()),
            interface: Some(0),
            manufacturer: Some("Silicon Labs".into()),
            product: Some(product.into()),
        };
        Port { path: path.into(), by_id: None, usb: Some(usb), state }
    }

    fn three() -> Vec<Port> {
        let by_id = Some("/dev/serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0".into());
        let holder = Holder { program: "releve log".into(), pid: 812 };
        let access = Access { user: "anna".into(), group: "dialout".into(), mode: 0o660, membership: Membership::No };
        vec![
            Port { by_id, ..head("/dev/ttyUSB0", "CP2104 USB to UART Bridge", PortState::Free) },
            head("/dev/ttyUSB10", "FT232R\u{1b}[31m", PortState::InUse(holder)),
            Port { usb: None, ..head("/dev/ttyS0", "", PortState::Denied(access)) },
        ]
    }

    #[test]
    fn the_table_has_a_line_a_port_and_one_for_the_name_that_stays() {
        assert_eq!(
            table(&three()),
            [
                "PORT           DEVICE                     USB ID     STATE",
                "/dev/ttyUSB0   CP2104 USB to UART Bridge  10c4:ea60  free",
                "               /dev/serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0",
                "/dev/ttyUSB10  FT232R\u{fffd}[31m                10c4:ea60  in use by releve log pid 812",
                "/dev/ttyS0     on board                              no access (group dialout)",
            ]
        );
        assert_eq!(table(&[]), [""; 0]);
    }

    #[test]
    fn json_says_the_same() {
        let rows: Vec<_> = three().iter().map(|port| serde_json::to_value(Row::from(port)).unwrap()).collect();
        assert_eq!(rows[0]["usb"], "10c4:ea60");
        assert_eq!(rows[0]["lien"], "/dev/serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0");
        assert_eq!(
            (&rows[1]["etat"], &rows[1]["programme"], &rows[1]["pid"]),
            (&"occupe".into(), &"releve log".into(), &812.into())
        );
        assert_eq!((&rows[2]["etat"], &rows[2]["groupe"]), (&"refuse".into(), &"dialout".into()));
    }

    #[test]
    fn one_probe_is_taken_and_several_are_listed_ready_to_paste() {
        let ports = three();
        assert_eq!(choose(&ports[..1], "releve read").unwrap().path, ports[0].path);
        let several = choose(&ports, "releve read").unwrap_err();
        assert_eq!((several.exit, several.id), (failure::USAGE, "port.choice"));
        let text = several.to_string();
        assert!(text.contains("2 probes"), "{text}");
        assert!(text.contains(
            "tip: releve read --port /dev/serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0   CP2104"
        ));
        let none = choose(&ports[2..], "releve log").unwrap_err();
        assert_eq!((none.exit, none.id), (failure::NO_METER, "port.none"));
    }
}
