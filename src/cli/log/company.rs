//! What goes along with a log and heeds what happens in it: the journal, systemd, the printer, the archive, the command for
//! events, the MQTT broker.

use super::archivist::Archivist;
use super::journal::Journal;
use super::mqtt::Mqtt;
use super::print::Printer;
use super::service::Service;
use super::{Cmd, Print, words};
use crate::cli::args::Globals;
use crate::cli::config::Broker;
use crate::cli::events::Runner;
use crate::cli::failure::{self, Failure};
use crate::logger::Event;
use crate::reading::Origin;
use crate::session::Stop;
use std::path::Path;
use std::time::Duration;

/// A command that runs for an event when the log ends is waited for so long.
const EXEC_END: Duration = Duration::from_millis(300);

pub(super) struct Company<'g> {
    globals: &'g Globals,
    journal: Journal,
    service: Service,
    printer: Option<Printer>,
    archivist: Option<Archivist>,
    runner: Option<Runner>,
    /// The command that the runner runs.
    exec: Option<String>,
    mqtt: Option<Mqtt>,
    /// The broker that it publishes at.
    broker: Option<Broker>,
    /// There are several meters, so that each has to be named.
    pub(super) several: bool,
}

impl<'g> Company<'g> {
    pub(super) fn gather(
        command: &Cmd,
        store: &Path,
        journal: Journal,
        stop: &Stop,
        globals: &'g Globals,
    ) -> anyhow::Result<Self> {
        let exec = globals.events()?.exec.clone();
        let runner = exec.clone().map(Runner::start).transpose()?;
        let printer = command.print.map(|Print::Ndjson| Printer::start(stop)).transpose()?;
        let archivist = match &command.archive {
            Some(folder) => {
                let started = Archivist::start(store.to_owned(), folder.clone(), globals.default_meter()?);
                Some(started.map_err(|error| Failure::new(failure::OTHER, "other", error.to_string()))?)
            }
            None => None,
        };
        let broker = globals.config()?.file.mqtt.broker(command.mqtt.as_deref(), globals)?;
        let mqtt = broker.clone().map(Mqtt::start).transpose()?;
        let service = Service::new();
        Ok(Self { globals, journal, service, printer, archivist, runner, exec, mqtt, broker, several: false })
    }

    pub(super) fn heed(&mut self, event: Event) {
        let archivist = self.archivist.iter().flat_map(Archivist::said);
        for (level, text) in archivist.chain(self.mqtt.iter().flat_map(Mqtt::said)) {
            self.journal.say(level, &text);
        }
        match event {
            Event::Notice { name, notice } => {
                if let Some((level, text)) = words::of(&notice) {
                    let text = name.map_or_else(|| text.clone(), |name| format!("{name}: {text}"));
                    self.journal.say(level, &text);
                    self.service.notice(&text);
                }
            }
            Event::Kept(kept) => {
                self.service.kept(&kept);
                if let Some(mqtt) = &self.mqtt {
                    mqtt.publish(&kept);
                }
                if let Some(printer) = &self.printer {
                    printer.print(kept);
                }
            }
            Event::Found(kept) => {
                if kept.event.origin != Origin::Reader {
                    let (level, text) = words::found(&kept.event, self.several);
                    self.journal.say(level, &text);
                }
                if let Some(runner) = &self.runner {
                    runner.run(&kept, self.globals);
                }
            }
            Event::Alive => self.service.alive(),
        }
    }

    /// Goes on with the command for events and the broker that the settings name now.
    pub(super) fn renew(&mut self, exec: Option<String>, broker: Option<Broker>) -> anyhow::Result<()> {
        if self.exec != exec {
            let runner = exec.clone().map(Runner::start).transpose()?;
            if let Some(before) = std::mem::replace(&mut self.runner, runner) {
                before.end(EXEC_END);
            }
            self.exec = exec;
        }
        if self.broker != broker {
            // The old one first, that its last word is not that of the new one.
            if let Some(before) = self.mqtt.take() {
                before.leave().wait().into_iter().for_each(|(level, text)| self.journal.say(level, &text));
            }
            self.mqtt = broker.clone().map(Mqtt::start).transpose()?;
            self.broker = broker;
        }
        Ok(())
    }

    /// The log is over.
    ///
    /// # Errors
    /// What could not be printed.
    pub(super) fn leave(self) -> anyhow::Result<()> {
        if let Some(archivist) = &self.archivist {
            archivist.stop();
        }
        self.service.stopping();
        // It takes leave while the others are waited for.
        let leaving = self.mqtt.map(Mqtt::leave);
        if let Some(runner) = self.runner {
            runner.end(EXEC_END);
        }
        let printed = self.printer.map_or(Ok(()), Printer::end);
        for (level, text) in leaving.into_iter().flat_map(|leaving| leaving.wait()) {
            self.journal.say(level, &text);
        }
        printed
    }
}
