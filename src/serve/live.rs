//! `/api/live`: server-sent events. Another process writes the store, so it is asked every second whether it has.

use super::app::{App, Question, lock};
use super::data::current_text;
use super::events::write_event;
use super::failure::Failure;
use super::measures::{each_values, newest_credible};
use super::params::Params;
use super::reply::Payload;
use crate::reading::{Instant, MeterId};
use crate::store::EventQuery;
use axum::http::StatusCode;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the store is asked.
const PERIOD: Duration = Duration::from_secs(1);
/// A sign of life is sent after so many periods without news.
const QUIET: u32 = 15;
/// So many may follow at once.
const MAX_CLIENTS: usize = 128;
/// So many messages wait for a client that is slow; one more and it is let go.
const WAITING: usize = 256;
/// Of what came in at once so many of the newest are told.
const BURST: usize = 120;

/// Those who follow.
#[derive(Debug, Default)]
pub(super) struct Hub(Mutex<Vec<Client>>);

#[derive(Debug)]
struct Client {
    /// Only this meter.
    meter: Option<MeterId>,
    sender: mpsc::Sender<Bytes>,
}

/// Something to tell.
#[derive(Debug)]
struct News {
    meter: Option<MeterId>,
    text: Bytes,
}

/// What was told last.
#[derive(Debug, Default, Clone)]
struct Told {
    version: Option<i64>,
    readings: HashMap<MeterId, Instant>,
    event: Option<i64>,
}

impl Hub {
    /// How many follow.
    pub(super) fn clients(&self) -> usize {
        lock(&self.0).len()
    }

    /// Lets everybody go.
    pub(super) fn close(&self) {
        lock(&self.0).clear();
    }

    fn tell(&self, news: &News) {
        lock(&self.0).retain(|client| {
            let concerns = client.meter.is_none() || news.meter.is_none() || client.meter == news.meter;
            if concerns { client.sender.try_send(news.text.clone()).is_ok() } else { !client.sender.is_closed() }
        });
    }
}

/// Begins to follow: the newest reading at once, then each one that comes.
pub(super) fn follow(question: &Question<'_>) -> Result<Payload, Failure> {
    let meter = question.params.meter().is_some().then(|| question.meter()).transpose()?.flatten();
    let (sender, receiver) = mpsc::channel(WAITING);
    let _ = sender.try_send(Bytes::from_static(b"retry: 3000\n\n"));
    let mut meters = question.past().meters()?;
    meters.retain(|known| meter.as_ref().is_none_or(|meter| meter == known));
    for meter in meters {
        if let Some(last) = newest_credible(question.past(), &meter, question.now)? {
            for text in readings(question, &meter, last)? {
                let _ = sender.try_send(text);
            }
        }
    }
    let mut clients = lock(&question.app.hub.0);
    clients.retain(|client| !client.sender.is_closed());
    if clients.len() >= MAX_CLIENTS {
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Trop de clients suivent déjà"));
    }
    clients.push(Client { meter, sender });
    Ok(Payload::Live(receiver))
}

/// The newest readings of a meter from a time on, each as a message.
fn readings(question: &Question<'_>, meter: &MeterId, from: Instant) -> Result<VecDeque<Bytes>, Failure> {
    let mut found = VecDeque::new();
    let period = from..Instant::from_unix(super::EVER.end);
    each_values(question.past(), meter, period, |at, values, _| {
        let data = current_text(at, values, Some(meter));
        found.push_back(Bytes::from(format!("event: mesure\nid: {}\ndata: {data}\n\n", at.unix_micros())));
        if found.len() > BURST {
            found.pop_front();
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Tells those who follow what is new, for as long as the server runs.
pub(super) async fn tell(app: Arc<App>) {
    let mut told = Told::default();
    let mut quiet = 0;
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if app.hub.clients() == 0 {
            // Who comes next is told the newest reading when he comes.
            told = Told::default();
            continue;
        }
        quiet += 1;
        let version = app.version();
        if told.version != Some(version) {
            let (asked, before) = (Arc::clone(&app), told.clone());
            let work = move || asked.ask(Params::default(), &[], |question| news(question, before));
            // A store that cannot be read just now is asked again.
            if let Ok(Ok((all, now))) = tokio::task::spawn_blocking(work).await {
                told = Told { version: Some(version), ..now };
                for news in &all {
                    app.hub.tell(news);
                    quiet = 0;
                }
            }
        }
        if quiet >= QUIET {
            app.hub.tell(&News { meter: None, text: Bytes::from_static(b": \n\n") });
            quiet = 0;
        }
    }
}

/// What is new since it was told last.
fn news(question: &Question<'_>, mut told: Told) -> Result<(Vec<News>, Told), Failure> {
    let mut all = Vec::new();
    let is_first = told.version.is_none();
    for meter in question.past().meters()? {
        let Some(last) = newest_credible(question.past(), &meter, question.now)? else { continue };
        let before = told.readings.insert(meter.clone(), last);
        let from = match before {
            Some(before) if before < last => before.unix_micros().saturating_add(1),
            // A meter that was not there before.
            None if !is_first => last.unix_micros(),
            _ => continue,
        };
        for text in readings(question, &meter, Instant::from_unix_micros(from))? {
            all.push(News { meter: Some(meter.clone()), text });
        }
    }
    let above = match told.event {
        Some(above) => above,
        None => {
            // Only those that happen from now on.
            let newest = EventQuery { limit: Some(1000), ..EventQuery::default() };
            question.reader.store.events(&newest)?.iter().map(|kept| kept.id).max().unwrap_or(0)
        }
    };
    told.event = Some(above);
    let query = EventQuery { above: Some(above), limit: Some(BURST), oldest_first: true, ..EventQuery::default() };
    for kept in question.reader.store.events(&query)? {
        told.event = told.event.max(Some(kept.id));
        let mut data = String::new();
        write_event(&mut data, kept.id, &kept.event);
        let text = Bytes::from(format!("event: evenement\ndata: {data}\n\n"));
        all.push(News { meter: kept.event.meter, text });
    }
    Ok((all, told))
}
