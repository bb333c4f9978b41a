//! The server's end of an HDLC connection (IEC 62056-46).

use crate::wire::dlms::LLC;
use crate::wire::hdlc::{self, Address, Control, Frame, Limits};
use crate::wire::{Cut, MAX_TELEGRAM};

/// Octets kept while a frame is incomplete: the longest frame and a little noise.
const MOST_KEPT: usize = 4096;

/// The server's end: not connected, or connected to one client.
#[derive(Debug)]
pub(super) struct Connection {
    upper: u16,
    lower: Option<u16>,
    limits: Limits,
    inbox: Vec<u8>,
    open: Option<Open>,
}

/// A connection that stands.
#[derive(Debug)]
struct Open {
    client: Address,
    agreed: Limits,
    /// N(S) of the next frame to send, and the N(S) expected next.
    next: u8,
    expected: u8,
    /// The request as far as it has come.
    request: Vec<u8>,
    /// The answer: what has been acknowledged, and what is on its way.
    answer: Vec<u8>,
    acknowledged: usize,
    on_the_way: usize,
    /// The frames sent last, for a client that did not hear them.
    last: Vec<u8>,
}

/// What the layer above has to be told.
pub(super) enum Incoming {
    /// Somebody opened a connection: whatever was before is forgotten.
    Opened { client: u8 },
    /// An APDU has come.
    Request(Vec<u8>),
    /// The connection is closed.
    Closed,
}

impl Connection {
    pub(super) fn new(upper: u16, lower: Option<u16>, limits: Limits) -> Self {
        Self { upper, lower, limits, inbox: Vec::new(), open: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The connection is over, without a word.
    pub(super) fn drop_it(&mut self) {
        self.open = None;
        self.forget();
    }

    /// What has come and is no frame yet never was one.
    pub(super) fn forget(&mut self) {
        self.inbox.clear();
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        let excess = self.inbox.len().saturating_sub(MOST_KEPT);
        self.inbox.drain(..excess);
    }

    /// The next sound frame for this meter, with its information; frames for others are passed over.
    pub(super) fn take(&mut self) -> Option<(Frame, Vec<u8>)> {
        loop {
            match hdlc::cut(&self.inbox, false) {
                Cut::Whole { len, value } => {
                    let information = self.inbox.get(value.information.clone()).unwrap_or_default().to_vec();
                    self.inbox.drain(..len);
                    if self.is_mine(value.destination) {
                        return Some((value, information));
                    }
                }
                Cut::More { .. } => return None,
                Cut::Nothing => drop(self.inbox.drain(..1)),
                Cut::Damaged { skip, .. } => drop(self.inbox.drain(..skip.clamp(1, self.inbox.len()))),
            }
        }
    }

    fn is_mine(&self, destination: Address) -> bool {
        let everybody = if destination.octets == 4 { 0x3FFF } else { 0x7F };
        let fits = |wanted: u16, own: u16| wanted == own || wanted == everybody;
        let lower = match (destination.lower, self.lower) {
            (Some(wanted), Some(own)) => fits(wanted, own),
            (Some(wanted), None) => wanted == everybody || wanted == 0,
            (None, _) => true,
        };
        fits(destination.upper, self.upper) && lower
    }

    /// Its own address, in as many octets as the client uses; a call to all devices is answered by this one.
    pub(super) fn own(&self, called: Address) -> Address {
        Address { upper: self.upper, lower: called.lower.map(|_| self.lower.unwrap_or(0)), ..called }
    }

    /// Takes a frame: what the layer above has to know, and the frames that answer it already.
    pub(super) fn frame(&mut self, frame: &Frame, information: &[u8], known: bool) -> (Option<Incoming>, Vec<u8>) {
        let (control, poll) = Control::parse(frame.control);
        let (client, own) = (frame.source, self.own(frame.destination));
        let plain = |control| hdlc::encode(client, own, control, true, false, &[]);
        if control == Control::SetNormalResponseMode {
            if !known {
                return (None, Vec::new());
            }
            let agreed = self.limits.agreed(&Limits::parse(information));
            self.open = Some(Open {
                client,
                agreed,
                next: 0,
                expected: 0,
                request: Vec::new(),
                answer: Vec::new(),
                acknowledged: 0,
                on_the_way: 0,
                last: Vec::new(),
            });
            let reply = hdlc::encode(client, own, Control::Acknowledge, true, false, &agreed.answer());
            let client = u8::try_from(client.upper).unwrap_or(0);
            return (Some(Incoming::Opened { client }), reply);
        }
        // Another client than the one that is connected finds no connection of its own.
        let Some(open) = self.open.as_mut().filter(|open| open.client == client) else {
            let answered = !matches!(control, Control::Unnumbered | Control::Other(_));
            return (None, if answered { plain(Control::DisconnectedMode) } else { Vec::new() });
        };
        match control {
            Control::Disconnect => {
                self.open = None;
                (Some(Incoming::Closed), plain(Control::Acknowledge))
            }
            Control::Information { sent, expected } => {
                let heard = open.information(sent, expected, frame.segmented, information);
                match heard {
                    Heard::Ready => (None, plain(Control::ReceiveReady { expected: open.expected })),
                    Heard::Again => (None, open.last.clone()),
                    Heard::Whole(request) => (Some(Incoming::Request(request)), Vec::new()),
                    Heard::Nonsense => (None, plain(Control::FrameReject)),
                }
            }
            Control::ReceiveReady { expected } => (None, open.go_on(expected, own)),
            Control::ReceiveNotReady { .. } if poll => (None, plain(Control::ReceiveReady { expected: open.expected })),
            _ => (None, Vec::new()),
        }
    }

    /// The frames of an answer, as many as the window takes; `own` is the address the client used.
    pub(super) fn answer(&mut self, apdu: &[u8], own: Address) -> Vec<u8> {
        let Some(open) = &mut self.open else { return Vec::new() };
        let [header, _] = LLC;
        open.answer = [&header[..], apdu].concat();
        (open.acknowledged, open.on_the_way) = (0, 0);
        open.window(own)
    }
}

enum Heard {
    Ready,
    Again,
    Whole(Vec<u8>),
    Nonsense,
}

impl Open {
    fn information(&mut self, sent: u8, expected: u8, more: bool, information: &[u8]) -> Heard {
        if (sent + 1) & 7 == self.expected && !self.last.is_empty() {
            // The answer was lost on its way.
            return Heard::Again;
        }
        if sent != self.expected {
            return Heard::Ready;
        }
        self.acknowledge(expected);
        self.expected = (self.expected + 1) & 7;
        self.request.extend_from_slice(information);
        if self.request.len() > MAX_TELEGRAM {
            self.request.clear();
            return Heard::Nonsense;
        }
        if more {
            self.last.clear();
            return Heard::Ready;
        }
        let request = std::mem::take(&mut self.request);
        match LLC.iter().find_map(|llc| request.strip_prefix(llc)) {
            Some(apdu) if !apdu.is_empty() => Heard::Whole(apdu.to_vec()),
            _ => Heard::Nonsense,
        }
    }

    /// Whether the client has everything that was sent; what it has is not sent again.
    fn acknowledge(&mut self, expected: u8) -> bool {
        if expected != self.next {
            return false;
        }
        self.acknowledged += self.on_the_way;
        self.on_the_way = 0;
        true
    }

    fn go_on(&mut self, expected: u8, own: Address) -> Vec<u8> {
        if !self.acknowledge(expected) {
            return self.last.clone();
        }
        if self.acknowledged < self.answer.len() {
            return self.window(own);
        }
        hdlc::encode(self.client, own, Control::ReceiveReady { expected: self.expected }, true, false, &[])
    }

    fn window(&mut self, own: Address) -> Vec<u8> {
        let rest = self.answer.get(self.acknowledged..).unwrap_or_default();
        let size = usize::from(self.agreed.transmit);
        let count = usize::from(self.agreed.transmit_window);
        let mut frames = Vec::new();
        let mut pieces = rest.chunks(size).enumerate().take(count).peekable();
        while let Some((number, piece)) = pieces.next() {
            let more = (number + 1) * size < rest.len();
            let last = pieces.peek().is_none();
            let control = Control::Information { sent: self.next, expected: self.expected };
            frames.extend(hdlc::encode(self.client, own, control, last, more, piece));
            self.next = (self.next + 1) & 7;
            self.on_the_way += piece.len();
        }
        self.last.clone_from(&frames);
        frames
    }
}
