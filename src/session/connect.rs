//! Reading a DLMS server over HDLC.

use super::approach::{Connect, Received, Taken};
use super::ask::ask;
use super::diagnosis::Answer;
use super::heard::Heard;
use super::play::{PlayError, Stop, play};
use crate::acquire::{Settings, map};
use crate::dialogue::dlms::{Access, Client, Config, Counter, Gmac, Outcome, PUBLIC_CLIENT, Plan, Station, Trouble};
use crate::dialogue::iec62056::Options;
use crate::reading::{Instant, Obis};
use crate::transport::{Link, LinkError};
use crate::wire::dlms::{Attribute, Value};
use std::io;
use std::time::Duration;

/// What a connection came to.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) heard: Heard,
    pub(super) answer: Answer,
    /// What was read, attribute by attribute.
    pub(super) values: Vec<Value>,
}

impl Reached {
    /// The registers that were read, as one reading; nothing where there are none.
    pub(super) fn registers(&self) -> Taken {
        let mut taken = Taken::default();
        if self.values.iter().any(is_told) {
            let reading = map::dlms::objects(&self.values);
            taken.readings.push(Received { reading, at: Instant::now() });
        }
        taken
    }
}

/// Connects, associates, reads what the plan says, and disconnects. A server has the usual time to answer, or `response`.
pub(super) fn reach(
    link: &mut dyn Link,
    way: &Connect,
    plan: Plan,
    response: Option<Duration>,
    stop: &Stop,
) -> Result<Reached, PlayError> {
    let mut access = match (&way.access, &way.sign_on) {
        (Access::Gmac(gmac), Some(sign_on)) => match gmac.counter {
            Counter::ReadFrom(object) => {
                let counter = read_counter(link, way, object, sign_on, response, stop)?;
                Access::Gmac(Box::new(Gmac { counter: counter.unwrap_or(gmac.counter), ..(**gmac).clone() }))
            }
            Counter::Known(_) => way.access.clone(),
        },
        _ => way.access.clone(),
    };
    if let Access::Gmac(gmac) = &mut access {
        // A challenge that comes again would let somebody answer it who heard the first answer.
        getrandom::fill(&mut gmac.challenge)
            .map_err(|error| LinkError::Io { name: link.name().to_owned(), source: io::Error::other(error) })?;
    }
    let outcome = talk(link, way, way.stations.clone(), access, plan, response, stop)?;
    let mut heard = Heard { bytes: outcome.noticed.octets, ..Heard::default() };
    let is_read = outcome.values.iter().any(is_told);
    let answer = match &outcome.trouble {
        Some(Trouble::NoAnswer { echo: true, octets: 0 }) => Answer::Echo,
        Some(Trouble::NoAnswer { octets, .. }) => {
            heard.bytes = *octets;
            Answer::None
        }
        Some(trouble) if !is_read => Answer::Refused(trouble.to_string().into()),
        None if !is_read => Answer::Refused("no values, at most its clock and its name".into()),
        _ => Answer::Data,
    };
    Ok(Reached { heard, answer, values: outcome.values })
}

/// Whether this is a value of a register or the buffer of a profile: clock and name are shown to everybody.
fn is_told(value: &Value) -> bool {
    matches!((value.attribute.class, value.attribute.index), (3..=5 | 7, 2)) && value.result.is_ok()
}

/// One client's dialogue.
fn talk(
    link: &mut dyn Link,
    way: &Connect,
    stations: Vec<Station>,
    access: Access,
    plan: Plan,
    response: Option<Duration>,
    stop: &Stop,
) -> Result<Outcome, PlayError> {
    let usual = Config::new(stations, access, plan);
    let response = response.unwrap_or(usual.response);
    let config = Config { line: way.line, speed: link.line(), response, ..usual };
    let mut client = Client::new(config);
    play(&mut client, link, stop)?;
    Ok(client.into_outcome())
}

/// Reads the invocation counter as the public client, and signs on once more: the goodbye of one client ends HDLC for all.
fn read_counter(
    link: &mut dyn Link,
    way: &Connect,
    object: Obis,
    sign_on: &Options,
    response: Option<Duration>,
    stop: &Stop,
) -> Result<Option<Counter>, PlayError> {
    let stations = way.stations.iter().map(|station| Station { client: PUBLIC_CLIENT, ..*station }).collect();
    let plan = Plan::Attributes(vec![Attribute::new(1, object, 2)]);
    let line = link.line();
    let outcome = talk(link, way, stations, Access::Public, plan, response, stop)?;
    let last = outcome.values.iter().find_map(|value| value.tree()?.root().integer());
    let asked = ask(link, sign_on.clone(), &Settings::default(), stop)?;
    if let (None, Some(line)) = (asked.hdlc, line) {
        // A meter that stays with HDLC does not answer a sign-on, but hears what follows.
        link.set_line(line)?;
    }
    let next = last.and_then(|last| u32::try_from(last).ok()).map(|last| last.saturating_add(1));
    Ok(next.map(Counter::Known))
}
