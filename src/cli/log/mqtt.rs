//! The MQTT broker: readings are published by a thread of its own, so that a broker that is away, slow or gone for good holds up
//! nothing. What is published is worked out in [`crate::exchange::mqtt`].

use super::journal::Level;
use super::words;
use crate::cli::config::Broker;
use crate::cli::words::tr;
use crate::exchange::mqtt::{Message, ONLINE, Publisher};
use crate::logger::Kept;
use crate::session::Stopwatch;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS,
    StateError,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

/// So many readings wait for the thread; further ones are not published.
const WAITING: usize = 1000;
/// So many messages wait for the broker to take them; with more, everything is said anew when it has.
const REQUESTS: usize = 1000;
/// After so long without an answer a broker counts as gone.
const PATIENCE_S: u64 = 5;
/// A connection that has silently died is noticed in twice this time, on both sides.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The first wait before trying again, and the longest.
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A connection that holds so long is a good one.
const STEADY: Duration = Duration::from_secs(60);
/// So many that do not are worth a word each.
const SHORT: u32 = 3;
/// What could not be handed over is tried again after so long.
const AGAIN: Duration = Duration::from_secs(1);
/// Taking leave of the broker may take so long.
const LEAVE: Duration = Duration::from_millis(300);
/// The largest message: a device with a few hundred sensors.
const LARGEST: usize = 1 << 20;

/// The thread that publishes.
pub(super) struct Mqtt {
    readings: Sender<Box<Kept>>,
    said: mpsc::Receiver<(Level, String)>,
    thread: JoinHandle<()>,
}

impl Mqtt {
    pub(super) fn start(broker: Broker) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (readings, mut coming) = channel(WAITING);
        let (teller, said) = mpsc::channel();
        let work = move || {
            // Whatever a broker sends to the client's crate, what it breaks is begun anew.
            let mut round = || runtime.block_on(publish(&broker, &mut coming, &teller));
            while catch_unwind(AssertUnwindSafe(&mut round)).is_err() {
                thread::sleep(AGAIN);
            }
            // A name may be being looked up; nobody waits for that.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("mqtt".to_owned()).spawn(work)?;
        Ok(Self { readings, said, thread })
    }

    /// Publishes a reading, some time.
    pub(super) fn publish(&self, kept: &Kept) {
        // Behind a thousand others nobody waits for it: the state is what the newest says.
        drop(self.readings.try_send(Box::new(kept.clone())));
    }

    /// What was said since this was asked last.
    pub(super) fn said(&self) -> impl Iterator<Item = (Level, String)> + '_ {
        self.said.try_iter()
    }

    /// Begins to take leave.
    pub(super) fn leave(self) -> Leaving {
        let Self { readings, said, thread } = self;
        drop(readings);
        Leaving { said, thread, watch: Stopwatch::start() }
    }
}

/// A thread that takes leave of the broker.
pub(super) struct Leaving {
    said: mpsc::Receiver<(Level, String)>,
    thread: JoinHandle<()>,
    watch: Stopwatch,
}

impl Leaving {
    /// Waits until it has, as long as that may take at most, and gives what was still to be said.
    pub(super) fn wait(self) -> Vec<(Level, String)> {
        while !self.thread.is_finished() && !self.watch.left(LEAVE).is_zero() {
            thread::sleep(Duration::from_millis(5));
        }
        self.said.try_iter().collect()
    }
}

/// Something that the broker lets us know.
enum Happening {
    Connected,
    /// Home Assistant has just started.
    Born,
}

/// Why a connection ended.
enum End {
    /// No more readings come.
    Over,
    Lost(ConnectionError),
}

/// Publishes until no more readings come, over one connection after the other.
async fn publish(broker: &Broker, coming: &mut Receiver<Box<Kept>>, teller: &mpsc::Sender<(Level, String)>) {
    let clock = Stopwatch::start();
    let mut publisher = Publisher::new(broker.style.clone());
    let mut talk = Talk::new(broker, teller);
    loop {
        match connected(broker, coming, &mut publisher, clock, &mut talk).await {
            End::Over => return,
            End::Lost(error) => talk.lost(&error),
        }
        // What comes meanwhile is learnt, and the newest of it said afterwards.
        let mut wait = pin!(sleep(talk.retry()));
        loop {
            tokio::select! {
                () = &mut wait => break,
                kept = coming.recv() => match kept {
                    Some(kept) => drop(publisher.take(&kept.meter, kept.at, &kept.reading, clock.elapsed())),
                    None => return,
                },
            }
        }
    }
}

/// One connection: from trying to make it until it is lost, or no more readings come.
async fn connected(
    broker: &Broker,
    coming: &mut Receiver<Box<Kept>>,
    publisher: &mut Publisher,
    clock: Stopwatch,
    talk: &mut Talk<'_>,
) -> End {
    // A client of its own for each connection: what the last one had not sent yet is stale.
    let (client, mut events) = AsyncClient::new(options(broker), REQUESTS);
    let mut network = events.network_options();
    network.set_connection_timeout(PATIENCE_S);
    events.set_network_options(network);
    let (teller, mut happenings) = channel(16);
    let mut connection = pin!(connection(events, teller));
    let mut outbox = Outbox { client: &client, behind: None };
    let mut is_online = false;
    loop {
        let due = match (is_online, outbox.behind) {
            (false, _) => None,
            (true, Some(since)) => Some(since.left(AGAIN)),
            (true, None) => publisher.due(clock.elapsed()),
        };
        tokio::select! {
            error = &mut connection => match error {
                Some(error) => return End::Lost(error),
                None => return End::Over,
            },
            Some(happening) = happenings.recv() => {
                if matches!(happening, Happening::Connected) {
                    is_online = true;
                    talk.back();
                    if let Some(birth) = broker.style.birth() {
                        outbox.note(client.try_subscribe(birth, QoS::AtMostOnce).is_ok());
                    }
                }
                outbox.send(publisher.all(clock.elapsed()));
            }
            kept = coming.recv() => {
                let Some(kept) = kept else { break };
                let messages = publisher.take(&kept.meter, kept.at, &kept.reading, clock.elapsed());
                if is_online {
                    outbox.send(messages);
                }
            }
            () = sleep(due.unwrap_or_default()), if due.is_some() => {
                let now = clock.elapsed();
                let messages = if outbox.behind.take().is_some() { publisher.all(now) } else { publisher.pass(now) };
                outbox.send(messages);
            }
        }
    }
    if is_online {
        outbox.send(vec![broker.style.status(false)]);
        if client.try_disconnect().is_ok() {
            // The connection is polled on, and ends when the broker has been told; nobody listens to what else happens.
            happenings.close();
            drop(timeout(LEAVE, connection).await);
        }
    }
    End::Over
}

fn options(broker: &Broker) -> MqttOptions {
    // Two of one name would throw each other out.
    let mut random = [0; 8];
    let number = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_ne_bytes(random),
        Err(_) => std::process::id().into(),
    };
    let name = format!("releve-{number:016x}");
    let mut options = MqttOptions::new(name, &broker.host, broker.port);
    let Message { topic, payload } = broker.style.status(false);
    options.set_keep_alive(KEEP_ALIVE).set_max_packet_size(LARGEST, LARGEST).set_last_will(LastWill::new(
        topic,
        payload,
        QoS::AtLeastOnce,
        true,
    ));
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password.as_str());
    }
    options
}

/// Keeps a connection going until it is lost, or closed as we wished: then `None`.
async fn connection(mut events: EventLoop, teller: Sender<Happening>) -> Option<ConnectionError> {
    loop {
        let happening = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Happening::Connected,
            Ok(Event::Incoming(Packet::Publish(said))) if said.payload == ONLINE => Happening::Born,
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return None,
            Ok(_) => continue,
            Err(error) => return Some(error),
        };
        drop(teller.send(happening).await);
    }
}

/// Messages on their way to the broker.
struct Outbox<'a> {
    client: &'a AsyncClient,
    /// Since when something could not be handed over, because too much waits.
    behind: Option<Stopwatch>,
}

impl Outbox<'_> {
    fn send(&mut self, messages: Vec<Message>) {
        for Message { topic, payload } in messages {
            self.note(self.client.try_publish(topic, QoS::AtMostOnce, true, payload).is_ok());
        }
    }

    fn note(&mut self, is_handed_over: bool) {
        if !is_handed_over {
            // The first time counts: readings that go on coming do not put off what is to be said anew.
            self.behind.get_or_insert_with(Stopwatch::start);
        }
    }
}

/// What people are told of the broker: each change once, and of one that comes and goes only that it does.
struct Talk<'a> {
    name: String,
    teller: &'a mpsc::Sender<(Level, String)>,
    /// Since when it is away.
    away: Option<Stopwatch>,
    /// Since when it is there.
    there: Option<Stopwatch>,
    was_there: bool,
    refused: bool,
    /// How many connections in a row did not hold.
    short: u32,
    retry: Duration,
}

impl<'a> Talk<'a> {
    fn new(broker: &Broker, teller: &'a mpsc::Sender<(Level, String)>) -> Self {
        Self {
            name: format!("{}:{}", broker.host, broker.port),
            teller,
            away: None,
            there: None,
            was_there: false,
            refused: false,
            short: 0,
            retry: RETRY,
        }
    }

    fn say(&self, level: Level, text: String) {
        // Who no longer listens is about to end.
        drop(self.teller.send((level, text)));
    }

    fn lost(&mut self, error: &ConnectionError) {
        match self.there.take() {
            Some(since) if since.elapsed() < STEADY => self.short = self.short.saturating_add(1),
            Some(_) => (self.short, self.retry) = (0, RETRY),
            None => {}
        }
        let was_away = self.away.is_some();
        self.away.get_or_insert_with(Stopwatch::start);
        let broker = &self.name;
        if let ConnectionError::ConnectionRefused(code) = error {
            if !std::mem::replace(&mut self.refused, true) && self.short <= SHORT {
                let text = match code {
                    ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                        tr!("the MQTT broker {broker} does not accept user and password; trying on", broker)
                    }
                    _ => tr!("the MQTT broker {broker} refuses us; trying on", broker),
                };
                self.say(Level::Error, text);
            }
            return;
        }
        let why = why(error);
        let text = match self.short {
            _ if was_away => return,
            0..SHORT if self.was_there => tr!("the MQTT broker {broker} is gone: {why}; waiting for it", broker, why),
            0..SHORT => tr!("the MQTT broker {broker} cannot be reached: {why}; waiting for it", broker, why),
            SHORT => {
                tr!(
                    "the MQTT broker {broker} keeps dropping us: {why}; trying on, without a word until it holds",
                    broker,
                    why
                )
            }
            _ => return,
        };
        self.say(Level::Warning, text);
    }

    fn back(&mut self) {
        let broker = &self.name;
        let text = match self.away {
            Some(since) => {
                let time = words::time(since.elapsed());
                tr!("the MQTT broker {broker} is back after {time}", broker, time)
            }
            None => tr!("publishing to the MQTT broker {broker}", broker),
        };
        if self.short < SHORT {
            self.say(if self.away.is_some() { Level::Notice } else { Level::Info }, text);
        }
        if self.short == 0 {
            self.retry = RETRY;
        }
        (self.away, self.there, self.was_there, self.refused) = (None, Some(Stopwatch::start()), true, false);
    }

    /// How long to wait before the next try.
    fn retry(&mut self) -> Duration {
        let retry = self.retry;
        self.retry = (retry * 2).min(LONGEST_RETRY);
        retry
    }
}

fn why(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => error.to_string(),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => tr!("no answer"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::mqtt::Style;
    use crate::reading::Language;

    fn broker() -> Broker {
        let style =
            Style { prefix: "releve".into(), discovery: None, interval: Duration::ZERO, language: Language::English };
        Broker { host: "localhost".into(), port: 1883, login: None, style }
    }

    #[test]
    fn a_broker_that_is_away_is_said_once_and_tried_less_and_less_often() {
        let (teller, said) = mpsc::channel();
        let mut talk = Talk::new(&broker(), &teller);
        let mut waits = Vec::new();
        for _ in 0..10 {
            talk.lost(&ConnectionError::NetworkTimeout);
            waits.push(talk.retry());
        }
        assert_eq!((waits[0], waits[1], waits[9]), (RETRY, RETRY * 2, LONGEST_RETRY));
        talk.back();
        assert_eq!(talk.retry(), RETRY);
        let said: Vec<_> = said.try_iter().map(|(_, text)| text).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[0], "the MQTT broker localhost:1883 cannot be reached: no answer; waiting for it");
        assert!(said[1].starts_with("the MQTT broker localhost:1883 is back after "), "{said:?}");
    }

    #[test]
    fn a_broker_that_drops_every_connection_does_not_fill_the_journal() {
        let (teller, said) = mpsc::channel();
        let mut talk = Talk::new(&broker(), &teller);
        let mut waits = Vec::new();
        for _ in 0..100 {
            talk.back();
            talk.lost(&ConnectionError::FlushTimeout);
            waits.push(talk.retry());
        }
        assert_eq!(waits[99], LONGEST_RETRY);
        let said: Vec<_> = said.try_iter().map(|(_, text)| text).collect();
        assert_eq!(said.len(), 6, "{said:?}");
        assert!(said[5].contains("keeps dropping us"), "{said:?}");
    }
}
