//! From silence to where the meter begins to send data: wake-up, request, identification, option select, change of speed.

use super::talk::{Talk, have_parity_bits};
use super::{Speed, Trouble, WakeUp};
use crate::dialogue::Event;
use crate::wire::Line;
use crate::wire::iec62056::{BlockCheck, Break, Identification, Mode, OptionSelect, Rate, Wanted};
use crate::wire::text::ACK;
use std::time::Duration;

/// How long a port is listened to before it counts as idle.
const IDLE: Duration = Duration::from_millis(50);
/// A port that is not idle is listened to no longer than that.
const NOT_IDLE: Duration = Duration::from_secs(2);
/// Between a break and the request.
const AFTER_BREAK: Duration = Duration::from_millis(300);
/// Annex B: NUL for 2.1 to 2.3 s, then 1.5 to 1.7 s of silence.
const NULS: Duration = Duration::from_millis(2200);
const AFTER_NULS: Duration = Duration::from_millis(1600);
/// Annex B, the fast way: bursts of 0.5 to 0.6 s for at least 4.5 s, the request 0.2 to 1.5 s after the ACK.
const BURST: Duration = Duration::from_millis(550);
const AFTER_ACK: Duration = Duration::from_millis(300);
const BURSTS: u8 = 9;
/// An identification and the noise before it take no longer than that beyond the first byte.
const IDENTIFYING: Duration = Duration::from_secs(15);
/// So much noise may stand before an identification.
const MAX_NOISE: usize = 256;
/// NULs and echo included.
const MAX_HEARD: usize = 2048;
/// What a speed is changed later than the last stop bit has left: for a meter that waits 200 ms, and one that waits 20.
const MARGIN: Duration = Duration::from_millis(40);
const QUICK_MARGIN: Duration = Duration::from_millis(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Idle,
    Breaking,
    AfterBreak,
    Nuls,
    AfterNuls,
    Burst(u8),
    AfterBurst(u8),
    AfterAck,
    Requesting,
    Identifying,
    Reacting,
    Selecting,
    /// The option select is.
    OnTheWire,
    Switching,
}

/// Where a sign-on has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignedOn {
    /// On its way.
    Not,
    /// The meter is about to send, in this mode.
    In(Mode),
    /// It came to nothing.
    Failed(Trouble),
}

#[derive(Debug)]
pub(super) struct SignOn {
    state: State,
    wanted: Wanted,
    mode: Mode,
    /// The settings to change to.
    next: Line,
    /// The end of the wait under way, however often it is interrupted.
    until: Duration,
    /// When the identification must be there.
    limit: Duration,
}

impl SignOn {
    pub(super) const fn new(wanted: Wanted, opening: Line) -> Self {
        Self {
            state: State::Opening,
            wanted,
            mode: Mode::A,
            next: opening,
            until: Duration::ZERO,
            limit: Duration::ZERO,
        }
    }

    /// Begins a try.
    pub(super) fn begin(&mut self, talk: &mut Talk) {
        talk.ear.reset();
        talk.has_spoken = false;
        self.state = State::Opening;
        talk.set_line(talk.options.opening);
    }

    pub(super) fn on(&mut self, talk: &mut Talk, event: Event<'_>) -> SignedOn {
        match (self.state, event) {
            (State::Opening, _) if talk.facts.tries == 1 => {
                self.limit = talk.now() + NOT_IDLE;
                self.go(State::Idle);
                talk.listen(talk.now() + IDLE);
            }
            (State::Opening | State::AfterBreak, _) => self.wake_up(talk),
            (State::Idle, Event::Received(_)) => {
                talk.facts.unasked = true;
                talk.drop_noise(usize::MAX);
                if talk.now() < self.limit && talk.ear.heard() < MAX_HEARD {
                    talk.listen(self.limit.min(talk.now() + IDLE));
                } else {
                    self.clear_the_port(talk);
                }
            }
            (State::Idle, _) if talk.facts.unasked => self.clear_the_port(talk),
            (State::Idle, _) => self.wake_up(talk),
            (State::Breaking, _) => {
                self.go(State::AfterBreak);
                talk.pause(talk.sent_until() + AFTER_BREAK);
            }
            (State::Nuls, _) => {
                self.go(State::AfterNuls);
                talk.pause(talk.sent_until() + AFTER_NULS);
            }
            (State::Burst(count), _) => {
                self.go(State::AfterBurst(count));
                // Two characters and 20 ms.
                self.until = talk.sent_until() + talk.line.time_of(2) + Duration::from_millis(20);
                talk.listen(self.until);
            }
            (State::AfterBurst(_), Event::Received(_)) if talk.ear.rest().contains(&ACK) => {
                self.go(State::AfterAck);
                talk.pause(talk.now() + AFTER_ACK);
            }
            (State::AfterBurst(_), Event::Received(_)) if talk.ear.heard() < MAX_HEARD * 4 => talk.listen(self.until),
            (State::AfterBurst(count), _) if count < BURSTS => self.burst(talk, count + 1),
            // Awake or not, it is asked.
            (State::AfterNuls | State::AfterAck | State::AfterBurst(_), _) => self.request(talk),
            (State::Requesting, _) => {
                self.go(State::Identifying);
                self.until = talk.sent_until() + talk.options.timing.first;
                self.limit = self.until + IDENTIFYING;
                talk.listen(self.until);
            }
            (State::Identifying, event) => return self.identify(talk, event == Event::Silence),
            (State::Reacting, _) => self.select(talk),
            (State::Selecting, _) => return self.selected(talk),
            // A head that echoes shows when the last character has left.
            (State::OnTheWire, Event::Received(_)) if talk.ear.awaits_echo() && talk.now() < self.until => {
                talk.listen(self.until);
            }
            (State::OnTheWire, _) => return self.switch(talk),
            (State::Switching, _) => return SignedOn::In(self.mode),
        }
        SignedOn::Not
    }

    fn go(&mut self, state: State) {
        self.state = state;
    }

    fn clear_the_port(&mut self, talk: &mut Talk) {
        self.go(State::Breaking);
        talk.send(&Break::Complete.encode(BlockCheck::Xor));
    }

    fn wake_up(&mut self, talk: &mut Talk) {
        talk.ear.restart();
        match talk.options.wake_up {
            None => self.request(talk),
            Some(WakeUp::Slow) => {
                self.go(State::Nuls);
                talk.send(&nuls(talk.line, NULS));
            }
            Some(WakeUp::Fast) => self.burst(talk, 1),
        }
    }

    fn burst(&mut self, talk: &mut Talk, count: u8) {
        self.go(State::Burst(count));
        talk.ear.restart();
        talk.send(&nuls(talk.line, BURST));
    }

    fn request(&mut self, talk: &mut Talk) {
        self.go(State::Requesting);
        talk.ear.restart();
        let request = talk.options.request.encode();
        talk.send(&request);
    }

    /// Looks for the identification; `quiet` says that nothing more comes for now.
    fn identify(&mut self, talk: &mut Talk, quiet: bool) -> SignedOn {
        if let Some((noise, length, meter)) = find(talk, quiet) {
            talk.drop_noise(noise);
            talk.ear.understood(length);
            talk.ear.settle_echo();
            return self.identified(talk, meter);
        }
        let (heard, new) = (talk.ear.heard(), talk.ear.rest());
        let count = new.iter().filter(|byte| **byte != 0).count();
        if quiet || count > MAX_NOISE || heard > MAX_HEARD || talk.now() >= self.limit {
            talk.drop_noise(usize::MAX);
            return SignedOn::Failed(match count {
                0 if heard == 0 => Trouble::Silent,
                0 if talk.facts.echo => Trouble::EchoOnly,
                _ => Trouble::Noise,
            });
        }
        if count > 0 {
            self.until = self.limit.min(talk.now() + talk.options.timing.between);
        }
        talk.listen(self.until);
        SignedOn::Not
    }

    fn identified(&mut self, talk: &mut Talk, meter: Identification) -> SignedOn {
        self.mode = match (self.wanted, talk.options.mode) {
            // Whatever it says of its mode, only an option select opens programming mode.
            (Wanted::Programming, _) | (_, Some(Mode::C)) => Mode::C,
            (_, Some(Mode::A)) => Mode::A,
            (_, Some(Mode::E)) if meter.offers_hdlc() && meter.mode() == Mode::C => Mode::E,
            _ => meter.mode(),
        };
        let rate = meter.rate();
        talk.facts.identification = Some(meter);
        talk.facts.mode = Some(self.mode);
        match (self.mode, rate) {
            (Mode::A | Mode::D, _) => SignedOn::In(Mode::A),
            (Mode::B, Rate::AtOnce(baud)) => {
                self.next = Line { baud, ..talk.options.opening };
                // A link that keeps its speed may have something at its far end that follows the meter.
                let is_left_to_it = talk.options.speed == Speed::Between || talk.facts.line_fixed;
                if is_left_to_it { SignedOn::In(Mode::B) } else { self.switch(talk) }
            }
            _ => {
                self.go(State::Reacting);
                talk.pause(talk.now() + talk.reaction());
                SignedOn::Not
            }
        }
    }

    fn select(&mut self, talk: &mut Talk) {
        let opening = talk.options.opening;
        let stays = talk.stays
            || match talk.options.speed {
                Speed::Offered => talk.facts.line_fixed,
                Speed::Opening => true,
                Speed::Between => false,
            };
        let offered = talk.facts.identification.as_ref().map(|meter| (meter.rate_character(), meter.rate()));
        let (rate, baud) = match offered {
            Some((character, Rate::Acknowledged(baud))) if !stays => (character, baud),
            _ => (character_of(opening.baud), opening.baud),
        };
        self.next = if self.mode == Mode::E { Line::eight_none(baud) } else { Line { baud, ..opening } };
        let wanted = if self.mode == Mode::E { Wanted::Hdlc } else { self.wanted };
        self.go(State::Selecting);
        talk.send(&OptionSelect { rate, wanted }.encode());
    }

    fn selected(&mut self, talk: &mut Talk) -> SignedOn {
        if self.next == talk.line || talk.facts.line_fixed {
            return SignedOn::In(self.mode);
        }
        let quick = talk.reaction() < Duration::from_millis(200);
        let margin = if quick { QUICK_MARGIN } else { MARGIN };
        let delay = talk.options.timing.switch.unwrap_or(talk.line.time_of(6) + margin);
        self.until = talk.now().max(talk.sent_at() + delay);
        self.go(State::OnTheWire);
        // Without an echo nothing is read: until the speed is changed it could only be garbled.
        if talk.ear.awaits_echo() {
            talk.listen(self.until);
        } else {
            talk.pause(self.until);
        }
        SignedOn::Not
    }

    fn switch(&mut self, talk: &mut Talk) -> SignedOn {
        talk.ear.forget_echo();
        if talk.options.speed == Speed::Between {
            return SignedOn::In(self.mode);
        }
        if self.mode == Mode::E {
            // The confirmation is still 7E1, on a line that is 8N1 from now on.
            talk.ear.settle_parity(true, &mut talk.facts);
        }
        self.go(State::Switching);
        talk.set_line(self.next);
        SignedOn::Not
    }
}

/// How much noise stands before the identification, how long that is, and what it says. Settles whether bytes have parity bits.
fn find(talk: &mut Talk, quiet: bool) -> Option<(usize, usize, Identification)> {
    let new = talk.ear.rest();
    if let Some((range, meter)) = Identification::find(new, quiet) {
        talk.ear.settle_parity(false, &mut talk.facts);
        return Some((range.start, range.len(), meter));
    }
    let masked: Vec<u8> = new.iter().map(|byte| byte & 0x7F).collect();
    let (range, meter) = Identification::find(&masked, quiet)?;
    if !new.get(range.clone()).is_some_and(have_parity_bits) {
        return None;
    }
    talk.drop_noise(range.start);
    talk.ear.settle_parity(true, &mut talk.facts);
    talk.facts.parity_bits = true;
    Some((0, range.len(), meter))
}

/// NUL characters for so long, without a gap.
fn nuls(line: Line, length: Duration) -> Vec<u8> {
    let one = line.time_of(1).as_nanos().max(1);
    vec![0; usize::try_from(length.as_nanos() / one).unwrap_or_default()]
}

/// The character that names a speed, `0` where none does.
fn character_of(baud: u32) -> u8 {
    (b'0'..=b'6').find(|&character| Rate::of(character) == Rate::Acknowledged(baud)).unwrap_or(b'0')
}
