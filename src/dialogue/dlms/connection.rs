//! The client's end of an HDLC connection (IEC 62056-46): frames are numbered, acknowledged and, when nothing comes,
//! repeated. One exchange at a time; it ends with [`Heard`] after a bounded number of steps.

use super::Timing;
use crate::dialogue::{Event, Step};
use crate::wire::dlms::LLC;
use crate::wire::hdlc::{self, Address, Control, Limits};
use crate::wire::{Cut, MAX_TELEGRAM};
use std::time::Duration;
use zeroize::Zeroizing;

/// How often a frame is sent when nothing comes: once, and three times more.
const TRIES: u8 = 4;
/// How often a server may say that its answer is not ready, or repeat itself, within one exchange.
const PATIENCE: u8 = 12;
/// How long a busy server (RNR) is left alone.
const BUSY: Duration = Duration::from_millis(250);
/// A frame in the middle of which nothing comes for so long has broken off. USB adapters hold octets back for tens of
/// milliseconds, so the 25 ms of the standard are too strict.
const GAP: Duration = Duration::from_millis(300);
/// What is taken in one wait, at most: two of the longest frames, and their echo.
const MOST_RECEIVED: usize = 8 * 1024;

/// Who speaks to whom: one way to address a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Station {
    /// The client's address: 16 is the public client.
    pub client: u8,
    /// The server's address.
    pub server: Address,
}

/// What an exchange came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The connection is open.
    Open,
    /// The answer to a request, without its LLC header.
    Answer(Vec<u8>),
    /// The connection is closed, or was never open.
    Closed,
    /// Nothing of use came.
    Silence,
    /// The server says that there is no connection (DM).
    NoConnection,
    /// The server cannot make sense of what it got (FRMR).
    Confused,
    /// The answer is longer than any, or is none.
    Garbled(&'static str),
}

/// What was met on the line, for the diagnosis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Octets that came, without the echo of what was sent.
    pub octets: u64,
    /// Whether what was sent came back: the echo of an optical head.
    pub echo: bool,
    /// Whether sound frames came that were for somebody else.
    pub strangers: bool,
    /// Frames sent again because nothing came.
    pub repeats: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Open,
    Request,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The frame in `frame` is on its way.
    Sending,
    Waiting {
        /// When to give up, unless a frame has begun.
        until: Duration,
        /// When to give up in any case.
        latest: Duration,
    },
    Resting,
}

/// The client's end.
#[derive(Debug)]
pub(super) struct Connection {
    station: Station,
    timing: Timing,
    offer: Limits,
    proposed: Limits,
    agreed: Limits,
    purpose: Purpose,
    phase: Phase,
    /// The frame sent last, flags and all; it may hold a password.
    frame: Zeroizing<Vec<u8>>,
    /// What has come and is no whole frame yet.
    inbox: Vec<u8>,
    /// The unit being sent, and how much of it has been acknowledged and is on its way.
    unit: Zeroizing<Vec<u8>>,
    acknowledged: usize,
    on_the_way: usize,
    /// The unit being received.
    answer: Vec<u8>,
    /// N(S) of the next frame to send, and the N(S) expected next.
    next: u8,
    expected: u8,
    tries_left: u8,
    patience: u8,
    taken: usize,
    now: Duration,
    pub(super) noticed: Noticed,
}

impl Connection {
    pub(super) fn new(timing: Timing, offer: Limits) -> Self {
        Self {
            station: Station { client: 0, server: Address::client(0) },
            timing,
            offer,
            proposed: offer,
            agreed: Limits::default(),
            purpose: Purpose::Open,
            phase: Phase::Idle,
            frame: Zeroizing::default(),
            inbox: Vec::new(),
            unit: Zeroizing::default(),
            acknowledged: 0,
            on_the_way: 0,
            answer: Vec::new(),
            next: 0,
            expected: 0,
            tries_left: 0,
            patience: 0,
            taken: 0,
            now: Duration::ZERO,
            noticed: Noticed::default(),
        }
    }

    pub(super) fn station(&self) -> Station {
        self.station
    }

    pub(super) fn limits(&self) -> Limits {
        self.agreed
    }

    /// Opens the connection to a station: SNRM, sent so many times at most. A simple meter may not understand parameters:
    /// `plainly` sends none, and the defaults hold.
    pub(super) fn open(&mut self, station: Station, tries: u8, plainly: bool) {
        self.station = station;
        self.proposed = if plainly { Limits::default() } else { self.offer };
        self.agreed = Limits::default();
        (self.next, self.expected) = (0, 0);
        let information = if plainly { Vec::new() } else { self.offer.request() };
        self.begin(Purpose::Open, tries);
        self.send(Control::SetNormalResponseMode, false, &information);
    }

    /// Sends an APDU and waits for the answer.
    pub(super) fn request(&mut self, apdu: &[u8]) {
        let [_, command] = LLC;
        self.unit = Zeroizing::new([&command[..], apdu].concat());
        (self.acknowledged, self.on_the_way) = (0, 0);
        self.answer.clear();
        self.begin(Purpose::Request, TRIES);
        self.segment();
    }

    /// Closes the connection: DISC, sent so many times at most.
    pub(super) fn close(&mut self, tries: u8) {
        self.begin(Purpose::Close, tries);
        self.send(Control::Disconnect, false, &[]);
    }

    fn begin(&mut self, purpose: Purpose, tries: u8) {
        self.purpose = purpose;
        self.tries_left = tries.saturating_sub(1);
        self.patience = PATIENCE;
        self.inbox.clear();
    }

    fn send(&mut self, control: Control, segmented: bool, information: &[u8]) {
        let Station { client, server } = self.station;
        let frame = hdlc::encode(server, Address::client(client), control, true, segmented, information);
        self.frame = Zeroizing::new(frame);
        self.phase = Phase::Sending;
    }

    /// The next piece of the unit; each is acknowledged before the next, whatever the window.
    fn segment(&mut self) {
        let rest = self.unit.get(self.acknowledged..).unwrap_or_default();
        let size = rest.len().min(usize::from(self.agreed.transmit));
        let piece = Zeroizing::new(rest.get(..size).unwrap_or_default().to_vec());
        let more = size < rest.len();
        self.on_the_way = size;
        self.send(Control::Information { sent: self.next, expected: self.expected }, more, &piece);
    }

    fn poll(&mut self) {
        self.send(Control::ReceiveReady { expected: self.expected }, false, &[]);
    }

    pub(super) fn step(&self) -> Step<'_> {
        match self.phase {
            Phase::Idle => Step::Done,
            Phase::Sending => Step::Send(&self.frame),
            Phase::Waiting { until, .. } => Step::Receive(until.saturating_sub(self.now).max(Duration::from_millis(1))),
            Phase::Resting => Step::Pause(BUSY),
        }
    }

    /// Takes what came of the step; says so when the exchange is over.
    pub(super) fn on(&mut self, event: Event<'_>, now: Duration) -> Option<Heard> {
        self.now = now;
        match (event, self.phase) {
            (Event::Sent, Phase::Sending) => {
                self.phase = self.wait();
                None
            }
            (Event::Received(bytes), Phase::Waiting { .. }) => self.received(bytes),
            (Event::Silence, Phase::Waiting { .. }) => self.nothing_came(),
            (Event::Paused, Phase::Resting) => {
                self.poll();
                None
            }
            // A stray event changes nothing; the step is asked for again.
            _ => None,
        }
    }

    fn wait(&mut self) -> Phase {
        self.taken = 0;
        let until = self.now + self.timing.response;
        Phase::Waiting { until, latest: until + self.timing.longest_frame() }
    }

    fn received(&mut self, bytes: &[u8]) -> Option<Heard> {
        self.noticed.octets += bytes.len() as u64;
        self.taken += bytes.len().max(1);
        let room = MOST_RECEIVED.saturating_sub(self.inbox.len());
        self.inbox.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let (heard, begun) = self.scan(false);
        let Phase::Waiting { until, latest } = self.phase else { return heard };
        if heard.is_some() {
            return heard;
        }
        if self.taken > MOST_RECEIVED || self.now >= latest {
            return self.nothing_came();
        }
        let until = if begun { until.max(self.now + GAP).min(latest) } else { until };
        if self.now >= until {
            return self.nothing_came();
        }
        self.phase = Phase::Waiting { until, latest };
        None
    }

    /// Takes the frames out of what has come; says whether one has begun.
    fn scan(&mut self, end: bool) -> (Option<Heard>, bool) {
        let mut inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        let mut heard = None;
        let mut begun = false;
        while heard.is_none() && matches!(self.phase, Phase::Waiting { .. }) && at < inbox.len() {
            let rest = inbox.get(at..).unwrap_or_default();
            match hdlc::cut(rest, end) {
                Cut::Whole { len, value } => {
                    let information = rest.get(value.information.clone()).unwrap_or_default();
                    if self.is_echo(&value, rest.get(..len).unwrap_or_default()) {
                        self.noticed.echo = true;
                        self.noticed.octets = self.noticed.octets.saturating_sub(len as u64 + 1);
                    } else {
                        heard = self.frame(&value, information);
                    }
                    // The closing flag is no start of another frame: the server speaks only when asked.
                    at += len + 1;
                }
                Cut::More { .. } => {
                    begun = true;
                    break;
                }
                Cut::Nothing => at += 1,
                Cut::Damaged { skip, .. } => at += skip.max(1),
            }
        }
        inbox.drain(..at.min(inbox.len()));
        self.inbox = inbox;
        (heard, begun)
    }

    /// The frame again, with its number, as long as that makes sense.
    fn nothing_came(&mut self) -> Option<Heard> {
        // Noise may have looked like the head of a long frame, with the answer inside.
        if let (Some(heard), _) = self.scan(true) {
            return Some(heard);
        }
        if !matches!(self.phase, Phase::Waiting { .. }) {
            return None;
        }
        self.inbox.clear();
        let Some(left) = self.tries_left.checked_sub(1) else {
            return self.over(if self.purpose == Purpose::Close { Heard::Closed } else { Heard::Silence });
        };
        self.tries_left = left;
        self.noticed.repeats += 1;
        self.phase = Phase::Sending;
        None
    }

    fn over(&mut self, heard: Heard) -> Option<Heard> {
        self.phase = Phase::Idle;
        self.frame = Zeroizing::default();
        self.unit = Zeroizing::default();
        Some(heard)
    }

    /// Whether a frame is one of ours, which an optical head has given back.
    fn is_echo(&self, frame: &hdlc::Frame, octets: &[u8]) -> bool {
        let Station { client, server } = self.station;
        // Client 1 and server 1 look alike in both directions: only what is the same to the last octet comes from us.
        let is_one_way = Address::client(client) != frame.destination;
        let is_sent = || self.frame.windows(octets.len().max(1)).any(|sent| sent == octets);
        frame.source == Address::client(client) && same(frame.destination, server) && (is_one_way || is_sent())
    }

    fn frame(&mut self, frame: &hdlc::Frame, information: &[u8]) -> Option<Heard> {
        let Station { client, server } = self.station;
        let ours = Address::client(client);
        if frame.destination.upper != ours.upper || !same(frame.source, server) {
            self.noticed.strangers = true;
            return None;
        }
        let (control, last) = Control::parse(frame.control);
        match (self.purpose, control) {
            (Purpose::Open, Control::Acknowledge) => {
                self.agreed = self.proposed.agreed(&Limits::parse(information));
                self.over(Heard::Open)
            }
            (Purpose::Close, Control::Acknowledge | Control::DisconnectedMode) => self.over(Heard::Closed),
            (Purpose::Open | Purpose::Request, Control::DisconnectedMode) => self.over(Heard::NoConnection),
            (Purpose::Open | Purpose::Request, Control::FrameReject) => self.over(Heard::Confused),
            (Purpose::Request, Control::Information { sent, .. }) => {
                self.information(sent, last, frame.segmented, information)
            }
            (Purpose::Request, Control::ReceiveReady { expected }) => self.acknowledge(expected, true),
            (Purpose::Request, Control::ReceiveNotReady { expected }) => self.acknowledge(expected, false),
            // Pushes on the same line, answers to what was asked before.
            _ => None,
        }
    }

    /// A piece of the answer. One that came before is passed over: answering it would double every frame from here on.
    fn information(&mut self, sent: u8, last: bool, more: bool, information: &[u8]) -> Option<Heard> {
        if sent != self.expected || self.acknowledged + self.on_the_way < self.unit.len() {
            return None;
        }
        self.expected = (self.expected + 1) & 7;
        if self.acknowledged < self.unit.len() {
            self.acknowledged = self.unit.len();
            self.next = (self.next + 1) & 7;
        }
        if self.answer.len() + information.len() > MAX_TELEGRAM {
            return self.over(Heard::Garbled("the answer is longer than any"));
        }
        if information.is_empty() && more {
            let Some(left) = self.patience.checked_sub(1) else {
                return self.over(Heard::Garbled("nothing but empty frames"));
            };
            self.patience = left;
        }
        self.answer.extend_from_slice(information);
        self.tries_left = TRIES - 1;
        if more {
            if last {
                self.poll();
            } else {
                // More frames of the window follow; should they be lost, the repeated frame asks for them.
                let Station { client, server } = self.station;
                let ready = Control::ReceiveReady { expected: self.expected };
                self.frame = Zeroizing::new(hdlc::encode(server, Address::client(client), ready, true, false, &[]));
                self.phase = self.wait();
            }
            return None;
        }
        let answer = std::mem::take(&mut self.answer);
        match LLC.iter().find_map(|llc| answer.strip_prefix(llc)) {
            Some(apdu) if !apdu.is_empty() => self.over(Heard::Answer(apdu.to_vec())),
            _ => self.over(Heard::Garbled("the answer has no LLC header")),
        }
    }

    /// RR or RNR: the piece has come, or the answer takes its time.
    fn acknowledge(&mut self, expected: u8, ready: bool) -> Option<Heard> {
        if self.acknowledged < self.unit.len() && expected == (self.next + 1) & 7 {
            self.next = expected;
            self.acknowledged += self.on_the_way;
            self.on_the_way = 0;
            self.tries_left = TRIES - 1;
        } else {
            let Some(left) = self.patience.checked_sub(1) else { return self.over(Heard::Silence) };
            self.patience = left;
        }
        match (ready, self.acknowledged < self.unit.len()) {
            (false, _) => self.phase = Phase::Resting,
            (true, true) => self.segment(),
            (true, false) => self.poll(),
        }
        None
    }
}

/// Whether two addresses of a server are the same, however many octets they take; a lower part that one of them lacks
/// does not count.
fn same(a: Address, b: Address) -> bool {
    a.upper == b.upper && (a.lower == b.lower || a.lower.is_none() || b.lower.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Line;

    const STATION: Station = Station { client: 16, server: Address::server(1, None) };

    /// A connection that stands, with a request on its way.
    fn asking(apdu: &[u8]) -> Connection {
        let timing = Timing { response: Duration::from_secs(1), line: Some(Line::eight_none(9600)) };
        let mut connection = Connection::new(timing, Limits::default());
        connection.open(STATION, 1, false);
        assert_eq!(tell(&mut connection, Control::Acknowledge, true, &[]), Some(Heard::Open));
        connection.request(apdu);
        connection
    }

    /// What the client sends next, and what it makes of this answer.
    fn tell(connection: &mut Connection, control: Control, poll: bool, information: &[u8]) -> Option<Heard> {
        if matches!(connection.step(), Step::Send(_)) {
            connection.on(Event::Sent, Duration::ZERO);
        }
        let frame = hdlc::encode(Address::client(16), STATION.server, control, poll, false, information);
        connection.on(Event::Received(&frame), Duration::ZERO)
    }

    fn sends(connection: &Connection) -> Control {
        let Step::Send(frame) = connection.step() else { panic!("{:?}", connection.step()) };
        let Cut::Whole { value, .. } = hdlc::cut(frame, true) else { panic!() };
        Control::parse(value.control).0
    }

    const ANSWER: [u8; 5] = [0xE6, 0xE7, 0x00, 0xC4, 0x01];

    #[test]
    fn a_busy_server_is_left_alone_for_a_while_and_then_polled() {
        let mut connection = asking(&[0xC0]);
        assert_eq!(tell(&mut connection, Control::ReceiveNotReady { expected: 1 }, true, &[]), None);
        assert_eq!(connection.step(), Step::Pause(BUSY));
        connection.on(Event::Paused, Duration::ZERO);
        assert_eq!(sends(&connection), Control::ReceiveReady { expected: 0 });
        // It has the request, but no answer yet; then it has.
        assert_eq!(tell(&mut connection, Control::ReceiveReady { expected: 1 }, true, &[]), None);
        let answer = Control::Information { sent: 0, expected: 1 };
        assert_eq!(tell(&mut connection, answer, true, &ANSWER), Some(Heard::Answer(vec![0xC4, 0x01])));
    }

    #[test]
    fn a_server_that_is_never_ready_is_given_up() {
        let mut connection = asking(&[0xC0]);
        for count in 0.. {
            assert!(count < 40, "it never ends");
            if tell(&mut connection, Control::ReceiveReady { expected: 1 }, true, &[]) == Some(Heard::Silence) {
                break;
            }
        }
    }

    #[test]
    fn an_answer_that_came_before_is_passed_over() {
        let mut connection = asking(&[0xC0]);
        let first = Control::Information { sent: 0, expected: 1 };
        assert!(tell(&mut connection, first, true, &ANSWER).is_some());
        connection.request(&[0xC0]);
        assert_eq!(tell(&mut connection, first, true, &ANSWER), None);
        let second = Control::Information { sent: 1, expected: 2 };
        assert!(tell(&mut connection, second, true, &ANSWER).is_some());
    }

    #[test]
    fn an_answer_behind_what_looks_like_the_head_of_a_long_frame_is_found_in_the_end() {
        let mut connection = asking(&[0xC0]);
        connection.on(Event::Sent, Duration::ZERO);
        let answer = Control::Information { sent: 0, expected: 1 };
        let frame = hdlc::encode(Address::client(16), STATION.server, answer, true, false, &ANSWER);
        let noise = [&[0x7E, 0xA7, 0xFF, 0x21, 0x03, 0x13][..], &frame].concat();
        assert_eq!(connection.on(Event::Received(&noise), Duration::ZERO), None);
        let heard = connection.on(Event::Silence, Duration::from_secs(2));
        assert_eq!(heard, Some(Heard::Answer(vec![0xC4, 0x01])));
    }
}
