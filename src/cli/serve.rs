//! `releve serve`: the API and the dashboard.

use super::args::{Globals, none_given};
use super::config::File;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::output::Output;
use super::when;
use super::words::tr;
use crate::serve::{self, Limits, ServeError, Settings, Token};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  releve serve --db target/example.db --get /api/data/current
  releve serve --db target/example.db --get '/api/data/history?pas=jour' | jq .series
  releve serve --help                               # addresses, tokens, names, limits";

const MORE: &str = "\
Examples:
  releve serve --db target/example.db --get /api/data/current
  releve serve --db target/example.db --get '/api/data/history?pas=jour' | jq .series
  releve serve --help                               # addresses, tokens, names, limits

The dashboard is at /, the API at /api/…, its description at /docs and /openapi.json, Prometheus metrics at /metrics, and
/healthz answers 503 when no reading came for --stale. See docs/API.md.

Without --listen only this machine can ask. Any other address needs a --token-file: one line of 16 characters or more, such as
`openssl rand -hex 32` prints, which clients send as `Authorization: Bearer TOKEN` (a browser asks for it as the password).
POST always needs it. The server answers under addresses, localhost and --host names only.

Clients have 15 s for the head of a request and 20 s for its body; who takes nothing of an answer for 20 s is cut off. Ctrl-C and
TERM end it with 0.";

/// Serve the API and a dashboard to browsers
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = MORE)]
#[allow(rustdoc::bare_urls, reason = "it is the help text, where nothing is marked up")]
pub(super) struct Cmd {
    /// Address and port to listen at; port 0 takes any that is free [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The file with the token that clients have to send
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A name the server may be called by, besides its addresses; again for more
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// An origin whose pages may ask, like https://example.org; again for more
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    cors: Vec<String>,
    /// /healthz is 503 when the newest reading is older [default: 15m]
    #[arg(long, value_name = "TIME", value_parser = when::duration)]
    stale: Option<Duration>,
    /// Cut clients off that keep the server waiting for so long [default: 15 to 20 s]
    #[arg(long, value_name = "TIME", value_parser = when::duration, hide_short_help = true)]
    client_timeout: Option<Duration>,
    /// So many connections at once
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u16).range(1..), hide_short_help = true)]
    connections: u16,
    /// Answer one request, like /api/stats, on stdout and end
    #[arg(long, value_name = "PATH", conflicts_with_all = ["listen", "token_file", "hosts", "cors"])]
    get: Option<String>,
}

const HOME: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);
const STALE: Duration = Duration::from_secs(15 * 60);

/// `HOST:PORT`, `HOST`, `PORT`; a host is an address or localhost.
fn address(text: &str) -> Result<SocketAddr, String> {
    let host = |text: &str| match text {
        "localhost" | "" => Some(HOME.ip()),
        _ => text.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
    };
    let whole = text.parse().ok();
    let port = || text.parse().ok().map(|port| SocketAddr::new(HOME.ip(), port));
    let alone = || host(text).map(|host| SocketAddr::new(host, HOME.port()));
    let named = || {
        let (name, port) = text.rsplit_once(':')?;
        Some(SocketAddr::new(host(name)?, port.parse().ok()?))
    };
    whole.or_else(port).or_else(named).or_else(alone).ok_or_else(|| tr!("write it like 127.0.0.1:5000 or [::1]:5000"))
}

fn origin(text: &str) -> Result<String, String> {
    let is_origin = text
        .split_once("://")
        .is_some_and(|(scheme, host)| matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/'));
    if text == "*" || is_origin { Ok(text.to_owned()) } else { Err(tr!("write it like https://example.org")) }
}

/// Whether the API could be served with the settings.
pub(super) fn check(globals: &Globals) -> anyhow::Result<()> {
    none_given::<Cmd>().settings(globals).map(drop)
}

impl Cmd {
    pub(super) fn run(self, globals: &Globals, output: &mut Output) -> anyhow::Result<ExitCode> {
        let settings = self.settings(globals)?;
        if let Some(target) = &self.get {
            return get(settings, target, output);
        }
        let (store, is_private) = (settings.store.clone(), settings.is_private());
        let interrupt = Interrupt::catch()?;
        let done = serve::run(
            settings,
            || interrupt.stop().is_set(),
            |address| {
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
                let whom =
                    if is_private { tr!("only this machine; --listen for others") } else { tr!("with the token") };
                globals.note(&format!("http://{address}/   ({whom})"));
                globals.note(&tr!("store {path}. Ctrl-C ends", path = store.display()));
            },
        );
        done.map_err(refused)?;
        Ok(ExitCode::SUCCESS)
    }

    fn settings(&self, globals: &Globals) -> anyhow::Result<Settings> {
        let File { serve: file, .. } = &globals.config()?.file;
        let wrong = |key: &str, text: &str, why: &str| {
            let what = tr!("settings: {key} = \"{text}\": {why}", key = format!("serve.{key}"), text, why);
            Failure::new(failure::CONFIG, "config.value", what)
        };
        let listen = match (self.listen, file.listen.as_deref()) {
            (Some(listen), _) => listen,
            (None, Some(text)) => address(text).map_err(|why| wrong("listen", text, &why))?,
            (None, None) => HOME,
        };
        let stale = match (self.stale, file.stale.as_deref()) {
            (Some(stale), _) => stale,
            (None, Some(text)) => when::duration(text).map_err(|why| wrong("stale", text, &why))?,
            (None, None) => STALE,
        };
        for text in &file.cors {
            origin(text).map_err(|why| wrong("cors", text, &why))?;
        }
        let path = self.token_file.as_ref().or(file.token_file.as_ref()).filter(|_| self.get.is_none());
        let token = path.map(|path| token(path, globals)).transpose()?;
        let or_file = |given: &[String], file: &[String]| if given.is_empty() { file.to_vec() } else { given.to_vec() };
        let limits = match self.client_timeout {
            Some(time) => Limits { head: time, body: time, stalled: time, ..Limits::default() },
            None => Limits::default(),
        };
        Ok(Settings {
            store: globals.store_path()?,
            archive: globals.config()?.file.archive.clone(),
            listen,
            token,
            hosts: or_file(&self.hosts, &file.hosts),
            cors: or_file(&self.cors, &file.cors),
            meter: globals.meter()?,
            zone: globals.zone()?.zone,
            stale,
            limits: Limits { connections: self.connections.into(), ..limits },
            statistics: super::stats::document,
        })
    }
}

/// The token of a file, which only its owner should read.
fn token(path: &Path, globals: &Globals) -> Result<Token, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let (exit, id) = match error.kind() {
            std::io::ErrorKind::PermissionDenied => (failure::DENIED, "serve.token"),
            _ => (failure::NO_INPUT, "serve.token"),
        };
        Failure::new(exit, id, tr!("cannot read {path}: {why}", path = name, why = error))
            .tip(tr!("make one: (umask 077; openssl rand -hex 32 > {path})", path = name))
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
            globals.warn(&tr!("{path} can be read by others: chmod 600 {file}", path = name, file = name));
        }
    }
    Token::parse(&text).map_err(|_| {
        let what = tr!("{path}: a token is 16 to 512 printable characters on one line, without blanks", path = name);
        Failure::new(failure::CONFIG, "serve.token", what)
            .tip(tr!("make one: (umask 077; openssl rand -hex 32 > {path})", path = name))
    })
}

/// One answer on stdout; a status that is none of success is the exit status 1.
fn get(settings: Settings, target: &str, output: &mut Output) -> anyhow::Result<ExitCode> {
    if target.split('?').next() == Some("/api/live") {
        return Err(Failure::new(failure::USAGE, "serve.live", tr!("/api/live does not end")).into());
    }
    let answer = serve::answer(settings, target).map_err(refused)?;
    output.line(String::from_utf8_lossy(&answer.body).trim_end())?;
    if (200..300).contains(&answer.status) {
        return Ok(ExitCode::SUCCESS);
    }
    output.flush()?;
    let what = tr!("{target} is answered with status {status}", target, status = answer.status);
    Err(Failure::new(failure::OTHER, "serve.status", what).tip(tr!("/openapi.json lists the paths")).into())
}

fn refused(error: ServeError) -> anyhow::Error {
    match error {
        ServeError::Store(error) => error.into(),
        ServeError::NoToken => Failure::new(failure::USAGE, "serve.token", tr!("serving to the network needs a token"))
            .tip(tr!(
                "make one: (umask 077; openssl rand -hex 32 > /etc/releve/token), then --token-file /etc/releve/token"
            ))
            .tip(tr!("or keep 127.0.0.1 and put a reverse proxy in front"))
            .into(),
        ServeError::Listen { address, ref source } => {
            let (exit, tip) = match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    (failure::BUSY, tr!("another program listens there; --listen 127.0.0.1:0 takes any"))
                }
                std::io::ErrorKind::PermissionDenied => {
                    (failure::DENIED, tr!("ports below 1024 are for root; take 5000"))
                }
                _ => (failure::OTHER, tr!("is it an address of this machine?")),
            };
            Failure::new(exit, "serve.listen", tr!("cannot listen at {address}", address))
                .cause(source.to_string())
                .tip(tip)
                .into()
        }
        ServeError::Start(error) => {
            Failure::new(failure::OTHER, "other", tr!("cannot start: {why}", why = error)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let shown = |text| address(text).map(|address| address.to_string()).ok();
        for (text, meant) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("localhost:80", "127.0.0.1:80"),
            (":80", "127.0.0.1:80"),
            ("80", "127.0.0.1:80"),
            ("0.0.0.0", "0.0.0.0:5000"),
            ("[::1]:80", "[::1]:80"),
            ("::1", "[::1]:5000"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["here", "127.0.0.1:x", "127.0.0.1:70000", "http://127.0.0.1"] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert!(origin("https://a.example").is_ok() && origin("https://a.example/x").is_err() && origin("a").is_err());
    }
}
