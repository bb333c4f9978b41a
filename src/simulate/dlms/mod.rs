//! A DLMS server: a meter that answers SNRM, AARQ and GET as the standard has it, with bytes in and bytes out.
//!
//! | asked | answered |
//! |---|---|
//! | SNRM to its address, from a client it knows | UA with the sizes both sides take; from others nothing |
//! | any frame without a connection | DM |
//! | AARQ | AARE: accepted, or refused with its reason |
//! | GET normal, next, with a list | data, in blocks where they are longer than the client's APDUs; data-access-result |
//! | GET with a selection | what [`Objects`] make of it |
//! | ACTION on the association | the proof of high-level security |
//! | anything else | exception response |
//! | nothing for [`Config::inactivity`] | the connection is dropped |

mod association;
mod connection;
mod image;
mod objects;
#[cfg(test)]
mod tests;

pub use self::association::{Offer, Security};
pub use self::image::{Event, Failure, Gauge, LoadProfile, MeterImage, Row};
pub use self::objects::{Object, Objects};

use self::association::{Association, Refused};
use self::connection::{Connection, Incoming};
use crate::reading::Obis;
use crate::wire::dlms::{
    Attribute, Conformance, Data, Request, Selection, SystemTitle, access, answer, release_response,
};
use crate::wire::hdlc::Limits;
use std::time::Duration;

/// The association object and the counter of the global key, which the server itself answers for.
const ASSOCIATION: Obis = Obis::new(0, 0, 40, 0, 0, 255);
const COUNTER: Obis = Obis::new(0, 0, 43, 1, 0, 255);

/// A frame in the middle of which nothing comes for so long has broken off.
const GAP: Duration = Duration::from_millis(500);

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its logical device: 1 is the management device, which every meter has.
    pub upper: u16,
    /// Its physical device, where it has one.
    pub lower: Option<u16>,
    /// How much it sends and takes at once.
    pub limits: Limits,
    /// The longest APDU it sends.
    pub max_pdu: u16,
    /// After how much silence it drops a connection.
    pub inactivity: Duration,
    /// Its system title.
    pub title: SystemTitle,
    /// What its challenges grow from: the same seed, the same challenges.
    pub seed: [u8; 16],
    /// The associations it offers, one for each client.
    pub offers: Vec<Offer>,
}

impl Default for Config {
    /// An IDIS-type meter that is open to the public client: frames of 128 octets, APDUs of 500, two minutes.
    fn default() -> Self {
        Self {
            upper: 1,
            lower: Some(17),
            limits: Limits::default(),
            max_pdu: 500,
            inactivity: Duration::from_secs(120),
            title: SystemTitle(*b"LGZg\0\0\0\x01"),
            seed: [0x5E; 16],
            offers: vec![Offer { client: 16, security: Security::None, only: None }],
        }
    }
}

/// An answer that is too long for one APDU.
#[derive(Debug)]
struct Blocks {
    octets: Vec<u8>,
    at: usize,
    number: u32,
}

/// A simulated meter at the end of an HDLC line.
#[derive(Debug)]
pub struct Server<O> {
    config: Config,
    objects: O,
    connection: Connection,
    association: Option<Association>,
    blocks: Option<Blocks>,
    /// Counters go on from one association to the next.
    counter: u32,
    heard: Option<u32>,
    challenges: u8,
    last_heard: Duration,
    last_octet: Duration,
}

impl<O: Objects> Server<O> {
    /// A server that waits for a client.
    #[must_use]
    pub fn new(config: Config, objects: O) -> Self {
        let connection = Connection::new(config.upper, config.lower, config.limits);
        Self {
            config,
            objects,
            connection,
            association: None,
            blocks: None,
            counter: 1,
            heard: None,
            challenges: 0,
            last_heard: Duration::ZERO,
            last_octet: Duration::ZERO,
        }
    }

    /// What the meter holds.
    pub fn objects(&mut self) -> &mut O {
        &mut self.objects
    }

    /// Whether a client is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.is_open()
    }

    /// Forgets the connection, without a word.
    pub fn disconnect(&mut self) {
        self.closed();
        self.connection.drop_it();
    }

    /// Takes what came on the line, and gives what is to be sent. `now` counts from any moment, by a clock that never goes
    /// back; it reaches the objects, and the end of a silent connection is told by it.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> Vec<u8> {
        if self.connection.is_open() && now.saturating_sub(self.last_heard) >= self.config.inactivity {
            self.disconnect();
        }
        // What has begun and did not go on was noise.
        if now.saturating_sub(self.last_octet) > GAP {
            self.connection.forget();
        }
        self.last_octet = now;
        self.connection.push(bytes);
        let mut out = Vec::new();
        while let Some((frame, information)) = self.connection.take() {
            self.last_heard = now;
            let known = self.config.offers.iter().any(|offer| u16::from(offer.client) == frame.source.upper);
            let own = self.connection.own(frame.destination);
            let (incoming, reply) = self.connection.frame(&frame, &information, known);
            out.extend(reply);
            match incoming {
                Some(Incoming::Opened { client }) => self.opened(client),
                Some(Incoming::Request(apdu)) => {
                    let reply = self.request(&apdu, now);
                    out.extend(self.connection.answer(&reply, own));
                }
                Some(Incoming::Closed) => self.closed(),
                None => {}
            }
        }
        out
    }

    fn opened(&mut self, client: u8) {
        self.closed();
        let offer = self.config.offers.iter().find(|offer| offer.client == client).cloned();
        let Config { title, max_pdu, .. } = self.config;
        self.association = offer.map(|offer| Association::new(offer, title, max_pdu, self.counter, self.heard));
    }

    fn closed(&mut self) {
        self.blocks = None;
        if let Some(association) = self.association.take() {
            self.counter = association.counter().unwrap_or(self.counter);
            self.heard = association.heard.or(self.heard);
        }
    }

    fn request(&mut self, apdu: &[u8], now: Duration) -> Vec<u8> {
        let Some(association) = &mut self.association else { return answer::exception(1, 1).into() };
        match apdu.first() {
            Some(0x60) => {
                let mut challenge = self.config.seed;
                self.challenges = self.challenges.wrapping_add(1);
                if let Some(last) = challenge.last_mut() {
                    *last ^= self.challenges;
                }
                self.blocks = None;
                return association.request(apdu, challenge);
            }
            Some(0x62) => {
                association.close();
                return release_response(&[]);
            }
            _ => {}
        }
        let plain = match association.open(apdu) {
            Ok(plain) => plain.into_owned(),
            Err(Refused::Deciphering) => return answer::exception(1, 5).into(),
            Err(Refused::Counter(last)) => {
                return [&answer::exception(1, 6)[..], &last.to_be_bytes()].concat();
            }
        };
        let reply = self.service(&plain, now);
        match (&mut self.association, reply.first()) {
            // An exception is never enciphered.
            (Some(association), Some(tag)) if *tag != 0xD8 => association.seal(&reply),
            _ => reply,
        }
    }

    fn service(&mut self, apdu: &[u8], now: Duration) -> Vec<u8> {
        let Some(association) = &mut self.association else { return answer::exception(1, 1).into() };
        let Ok((request, _)) = Request::parse(apdu) else {
            // A service that is not there, or a request that makes no sense.
            let known = matches!(apdu.first(), Some(0xC0 | 0xC3));
            return answer::exception(2, if known { 3 } else { 2 }).into();
        };
        if let Request::Action { invoke, method, parameter } = request {
            let proof = parameter.and_then(octets);
            if (method.class, method.obis, method.index) != (15, ASSOCIATION, 1) {
                return answer::action(invoke, access::READ_WRITE_DENIED, None);
            }
            return match proof.and_then(|proof| association.prove(proof)) {
                Some(own) => answer::action(invoke, 0, Some(&Data::Octets(own))),
                None => answer::action(invoke, access::OTHER_REASON, None),
            };
        }
        if !association.is_open() {
            return answer::exception(1, 1).into();
        }
        match request {
            Request::Get { invoke, attribute, selection } => {
                let result = self.get(attribute, selection.as_ref(), now);
                let octets = result.as_ref().ok().map(Data::to_octets);
                let whole = answer::get(invoke, result.as_ref().map_err(|&refused| refused));
                self.fit(invoke, whole, octets)
            }
            Request::List { invoke, attributes } => {
                let results: Vec<Result<Data, u8>> =
                    attributes.iter().map(|(attribute, part)| self.get(*attribute, part.as_ref(), now)).collect();
                let whole = answer::list(invoke, &results);
                let octets = whole.get(3..).map(<[u8]>::to_vec);
                self.fit(invoke, whole, octets)
            }
            Request::Next { invoke, block } => self.next(invoke, block),
            Request::Action { .. } => answer::exception(2, 2).into(),
        }
    }

    /// The answer whole, or the first block of `octets`.
    fn fit(&mut self, invoke: u8, whole: Vec<u8>, octets: Option<Vec<u8>>) -> Vec<u8> {
        self.blocks = None;
        let Some(association) = &self.association else { return whole };
        if whole.len() <= association.room() {
            return whole;
        }
        if !association.offers(Conformance::BLOCK_GET) {
            return answer::get(invoke, Err(access::OTHER_REASON));
        }
        self.blocks = octets.map(|octets| Blocks { octets, at: 0, number: 0 });
        self.next(invoke, 0)
    }

    /// The block after the one with this number.
    fn next(&mut self, invoke: u8, number: u32) -> Vec<u8> {
        // Head of the answer and of the block, with a length of up to three octets.
        let room = self.association.as_ref().map_or(64, Association::room).saturating_sub(12).max(1);
        let Some(blocks) = &mut self.blocks else {
            return answer::block(invoke, true, number, Err(access::NO_LONG_GET_IN_PROGRESS));
        };
        if blocks.number != number {
            self.blocks = None;
            return answer::block(invoke, true, number, Err(access::DATA_BLOCK_NUMBER_INVALID));
        }
        let rest = blocks.octets.get(blocks.at..).unwrap_or_default();
        let piece = rest.get(..room).unwrap_or(rest);
        let last = piece.len() == rest.len();
        blocks.number = blocks.number.wrapping_add(1);
        let out = answer::block(invoke, last, blocks.number, Ok(piece));
        blocks.at += piece.len();
        if last {
            self.blocks = None;
        }
        out
    }

    fn get(&mut self, attribute: Attribute, selection: Option<&Selection>, now: Duration) -> Result<Data, u8> {
        let Some(association) = &self.association else { return Err(access::OTHER_REASON) };
        let Attribute { class, obis, index } = attribute;
        match (class, obis, index) {
            (15, ASSOCIATION, 1) => return Ok(Data::obis(ASSOCIATION)),
            (15, ASSOCIATION, 2) => return Ok(self.object_list()),
            (1, COUNTER, 1) => return Ok(Data::obis(COUNTER)),
            (1, COUNTER, 2) => return Ok(Data::U32(self.heard.unwrap_or(0))),
            _ => {}
        }
        if !association.may_read(obis) {
            return Err(access::READ_WRITE_DENIED);
        }
        if selection.is_some() && !association.offers(Conformance::SELECTIVE) {
            return Err(access::SCOPE_OF_ACCESS_VIOLATED);
        }
        self.objects.get(attribute, selection, now)
    }

    /// The object list of the association, with what it may read.
    fn object_list(&self) -> Data {
        let own = [
            Object { class: 15, version: 1, obis: ASSOCIATION, attributes: 2 },
            Object { class: 1, version: 0, obis: COUNTER, attributes: 2 },
        ];
        let entry = |object: &Object, open: bool| {
            // Read only, or no access; the logical name can always be read.
            let mode = |index: i8| Data::Enum(u8::from(open || index == 1));
            let rights = (1..=object.attributes)
                .map(|index| Data::Structure(vec![Data::I8(index), mode(index), Data::Null]))
                .collect();
            Data::Structure(vec![
                Data::U16(object.class),
                Data::U8(object.version),
                Data::obis(object.obis),
                Data::Structure(vec![Data::Array(rights), Data::Array(Vec::new())]),
            ])
        };
        let may = |obis| self.association.as_ref().is_some_and(|association| association.may_read(obis));
        let objects = self.objects.list();
        let others = objects.iter().map(|object| entry(object, may(object.obis)));
        Data::Array(own.iter().map(|object| entry(object, true)).chain(others).collect())
    }
}

/// The octets of an octet string, tag and length cut off.
fn octets(parameter: &[u8]) -> Option<&[u8]> {
    crate::wire::dlms::Tree::parse(parameter, 0).ok()?.0.root().octets()
}
