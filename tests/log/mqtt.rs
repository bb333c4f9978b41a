//! Readings published over MQTT, to a real broker where there is one (mosquitto and its clients).

use crate::meter::{House, Log, METER, assert_whole};
use rustix::process::Signal;
use serde_json::Value as Json;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant as Clock};

/// Longer than anything here takes; only a failure gets there.
const PATIENCE: Duration = Duration::from_secs(30);

const CONFIG: &str = "homeassistant/device/releve_E001234567890/config";
const STATE: &str = "releve/E001234567890/state";
const AVAILABILITY: &str = "releve/E001234567890/availability";
const STATUS: &str = "releve/status";

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A broker that keeps nothing when it ends.
struct Broker {
    child: Child,
    port: u16,
}

impl Broker {
    /// `None` prints why the test is skipped.
    fn start(folder: &Path) -> Option<Self> {
        Self::with(folder, "allow_anonymous true")
    }

    fn with(folder: &Path, access: &str) -> Option<Self> {
        Self::at(free_port(), folder, access)
    }

    fn at(port: u16, folder: &Path, access: &str) -> Option<Self> {
        let settings = folder.join("mosquitto.conf");
        // As root it would become another user, who cannot read what is in here.
        let text = format!("listener {port} 127.0.0.1\nuser root\npersistence false\n{access}\n");
        std::fs::write(&settings, text).unwrap();
        let path = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/usr/bin:/usr/local/bin:/bin";
        let program = path.split(':').map(|folder| Path::new(folder).join("mosquitto")).find(|path| path.exists());
        let clients = Command::new("mosquitto_sub").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let (Some(program), Ok(_)) = (program, clients) else {
            println!("skipped: no mosquitto with its clients; .ci/run installs it");
            return None;
        };
        let child =
            Command::new(program).arg("-c").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let since = Clock::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < PATIENCE, "mosquitto does not listen");
            sleep(Duration::from_millis(20));
        }
        Some(Self { child, port })
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    fn subscribe(&self) -> Subscriber {
        Subscriber::start(self.port, &[])
    }

    fn say(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let said =
            Command::new("mosquitto_pub").args(["-h", "127.0.0.1", "-p", &port, "-t", topic, "-m", payload]).status();
        assert!(said.unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A message as it came: whether the broker had kept it, the topic, the payload.
#[derive(Debug, Clone)]
struct Heard {
    retained: bool,
    topic: String,
    payload: String,
}

impl Heard {
    fn json(&self) -> Json {
        serde_json::from_str(&self.payload).unwrap()
    }
}

/// Whoever listens to everything that is published.
struct Subscriber {
    child: Child,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Subscriber {
    fn start(port: u16, arguments: &[&str]) -> Self {
        let mut child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "#", "-F", "%r %t %p"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut parts = line.splitn(3, ' ');
                let mut part = || parts.next().unwrap().to_owned();
                let message = Heard { retained: part() == "1", topic: part(), payload: part() };
                list.lock().unwrap().push(message);
            }
        });
        Self { child, heard }
    }

    fn all(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits for a message like this one, and gives it.
    #[track_caller]
    fn hears(&self, topic: &str, is_it: impl Fn(&Heard) -> bool) -> Heard {
        let since = Clock::now();
        loop {
            if let Some(found) = self.all().into_iter().find(|message| message.topic == topic && is_it(message)) {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "not heard on {topic}: {:#?}", self.all());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn home_assistant_finds_the_meter_and_a_clean_end_is_said() {
    let house = House::new();
    let Some(broker) = Broker::start(&house.place.path("")) else { return };
    let _meter = house.meter(100);
    let log = house.log(&["--mqtt", &broker.url()]);
    let first = broker.subscribe();
    first.hears(STATE, |_| true);

    // Whoever comes later finds everything.
    let later = broker.subscribe();
    let config = later.hears(CONFIG, |message| message.retained).json();
    assert!(["dev", "o", "cmps"].iter().all(|key| config[key].is_object()), "{config}");
    assert_eq!(config["dev"]["ids"][0], "releve_E001234567890");
    assert_eq!(config["o"]["name"], "releve");
    let import = &config["cmps"]["energie_active_import"];
    let of = |key: &str| import[key].as_str().unwrap_or_default().to_owned();
    assert_eq!((of("p"), of("device_class")), ("sensor".into(), "energy".into()));
    assert_eq!((of("state_class"), of("unit_of_measurement")), ("total_increasing".into(), "kWh".into()));
    assert_eq!(config["availability"][0]["topic"], STATUS);
    assert_eq!(config["state_topic"], STATE);
    for topic in [STATUS, AVAILABILITY] {
        assert_eq!(later.hears(topic, |message| message.retained).payload, "online");
    }
    let state = later.hears(STATE, |message| message.retained);
    // The digits of the telegram: 1-0:2.8.2(000104.800*kWh).
    assert!(state.payload.contains("\"1-0:2.8.2\":104.800,"), "{}", state.payload);
    assert_eq!((state.json()["compteur"].as_str(), state.json()["qualite"].as_str()), (Some(METER), Some("good")));
    assert_eq!(state.json()["valeurs"]["puissance_active_totale"].to_string(), "2345");

    // Home Assistant starts anew.
    let configs = || first.all().iter().filter(|message| message.topic == CONFIG).count();
    let before = configs();
    broker.say("homeassistant/status", "online");
    log.until("told Home Assistant again", 20, |_| configs() > before);

    let said = log.end();
    assert!(said.contains(&format!("publishing to the MQTT broker 127.0.0.1:{}\n", broker.port)), "{said}");
    first.hears(STATUS, |message| message.payload == "offline");
    assert_eq!(broker.subscribe().hears(STATUS, |message| message.retained).payload, "offline");
}

#[test]
fn the_broker_says_for_a_log_that_is_killed_that_it_is_gone() {
    let house = House::new();
    let Some(broker) = Broker::start(&house.place.path("")) else { return };
    let _meter = house.meter(100);
    let listener = broker.subscribe();
    let log = house.log(&["--mqtt", &broker.url()]);
    listener.hears(STATE, |_| true);
    log.signal(Signal::KILL);
    drop(log);
    listener.hears(STATUS, |message| message.payload == "offline");
    let log = house.log(&["--mqtt", &broker.url()]);
    let statuses = || -> Vec<_> {
        listener.all().into_iter().filter(|message| message.topic == STATUS).map(|message| message.payload).collect()
    };
    log.until("online again", 20, |_| statuses() == ["online", "offline", "online"]);
    log.end();
}

#[test]
fn a_broker_that_restarts_costs_no_reading_and_gets_the_newest_state_only() {
    let house = House::new();
    let Some(broker) = Broker::start(&house.place.path("")) else { return };
    let meter = house.meter(50);
    let (url, port) = (broker.url(), broker.port);
    let log = house.log(&["--mqtt", &url, "--commit", "100ms"]);
    broker.subscribe().hears(STATE, |_| true);
    drop(broker);
    log.says("is gone", 1, 20);
    let gone = meter.last();
    log.until("stored meanwhile", 20, |_| house.stored().last().is_some_and(|last| *last > gone + 20));
    let back = meter.last();

    let Some(broker) = Broker::at(port, &house.place.path(""), "allow_anonymous true") else { return };
    let listener = broker.subscribe();
    let states = || -> Vec<i64> {
        let of = |message: &Heard| releve::reading::Instant::parse_utc(message.json()["timestamp"].as_str().unwrap());
        let all = listener.all();
        all.iter().filter(|message| message.topic == STATE).map(|message| of(message).unwrap().unix_seconds()).collect()
    };
    log.until("published again", 40, |_| states().len() > 5);
    // It had forgotten the device too.
    listener.hears(CONFIG, |_| true);
    assert!(states()[0] >= back, "{:?} of before {back}", states());
    let said = log.end();
    assert_eq!(said.matches("MQTT broker").count(), 3, "{said}");
    assert!(said.contains("is back after "), "{said}");
    assert_whole(&house.stored());
    assert!(house.stored().len() >= meter.count() - 2);
}

#[test]
fn a_password_that_is_refused_is_said_once_and_a_better_one_is_read_at_hup() {
    let house = House::new();
    let place = &house.place;
    let passwords = place.path("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["meter", "right"]).status();
    let access = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let Some(broker) = Broker::with(&place.path(""), &access) else { return };
    assert!(made.unwrap().success());
    let _meter = house.meter(50);
    let settings = format!("[mqtt]\nurl = \"{}\"\nuser = \"meter\"\npassword-file = \"secret\"\n", broker.url());
    place.write("c.toml", settings);
    place.write("secret", "wrong\n");
    let log = Log::start(house.command().args(["--port", "./meter", "--config", "c.toml"]));
    log.says("does not accept user and password", 1, 20);
    // It is tried on, and not said again.
    sleep(Duration::from_secs(2));
    place.write("secret", "right\n");
    log.signal(Signal::HUP);
    log.says("publishing to the MQTT broker", 1, 20);
    let listener = Subscriber::start(broker.port, &["-u", "meter", "-P", "right"]);
    listener.hears(STATE, |_| true);
    let said = log.end();
    assert_eq!(said.matches("does not accept").count(), 1, "{said}");
    assert!(!said.contains("wrong") && !said.contains("right"), "{said}");
    listener.hears(STATUS, |message| message.payload == "offline");
}

#[test]
fn a_broker_that_is_not_there_or_never_answers_holds_up_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for port in [free_port(), silent.local_addr().unwrap().port()] {
        let house = House::new();
        let meter = house.meter(20);
        let log = house.log(&["--mqtt", &format!("mqtt://127.0.0.1:{port}"), "--commit", "100ms"]);
        log.says("cannot be reached", 1, 20);
        log.until("stored", 20, |_| house.stored().len() > 50);
        // Within two seconds.
        let said = log.end();
        assert_eq!(said.matches("MQTT broker").count(), 1, "{said}");
        assert_whole(&house.stored());
        drop(meter);
    }
}

#[test]
fn what_is_no_broker_is_refused_before_anything_is_logged() {
    let house = House::new();
    for (url, why) in
        [("mqtts://localhost", "no TLS"), ("mqtt://me:secret@localhost", "password-file"), ("localhost", "mqtt://HOST")]
    {
        let (code, said) = house.log(&["--mqtt", url]).ended();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("[mqtt.url]") && said.contains(why) && !said.contains("secret"), "{said}");
    }
    house.place.write("c.toml", "[mqtt]\nurll = \"mqtt://localhost\"\n");
    let run = house.place.run(["config", "check", "--config", "c.toml"]);
    assert!(run.exit == 78 && run.stderr.contains("did you mean 'url'?"), "{}", run.stderr);
    house.place.write("c.toml", "[mqtt]\nurl = \"mqtt://localhost\"\nprefix = \"a/#\"\n");
    let run = house.place.run(["config", "check", "--config", "c.toml"]);
    assert!(run.exit == 78 && run.stderr.contains("[mqtt] prefix"), "{}", run.stderr);
}
