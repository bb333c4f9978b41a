//! Programming mode, to read: single registers, load profile, logs.

use super::session::{Flow, Leave, Session, Task};
use super::talk::Talk;
use super::{Facts, Options, Trouble};
use crate::dialogue::{Dialogue, Event, Step};
use crate::wire::Cut;
use crate::wire::iec62056::{Answer, BlockCheck, Mode, Password, Query, Wanted, cut};
use crate::wire::text::{self, ACK, NAK, SOH, STX};
use smol_str::SmolStr;
use std::time::Duration;

/// The longest answer: a month of quarter hours in eight channels.
const MAX_ANSWER: usize = 1024 * 1024;
/// How often in a row a damaged answer is asked for again, and a question that is not understood asked again.
const REPETITIONS: u8 = 2;
/// The longest that one question is waited for.
const LONGEST_ANSWER: Duration = Duration::from_secs(3600);
/// What a dialogue takes beside its questions.
const AROUND: Duration = Duration::from_secs(1800);
/// Beside an answer no message is longer.
const MAX_PROMPT: usize = 1024;

/// What a question came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Data sets as the meter sent them, blocks joined: what stands between STX and ETX.
    Data(Vec<u8>),
    /// The table has no entries there (`P.01(ERROR)`).
    Empty,
    /// The meter says that it cannot (`(ER01)`): the text inside the parentheses.
    Error(SmolStr),
    /// The meter does not understand the question (NAK).
    NotUnderstood,
    /// The meter says yes and nothing else.
    Acknowledged,
}

/// The dialogue that reads in programming mode.
///
/// It sends P1 if there is a password, R1 to R6, and B0 at the end; a [`Query`] cannot be anything else.
#[derive(Debug)]
pub struct Programming(Session<Ask>);

impl Programming {
    /// Asks these questions, one after the other, after the password if there is one.
    #[must_use]
    pub fn new(options: Options, password: Option<Password>, queries: Vec<Query>) -> Self {
        Self(Session::new(options, Ask { password, queries, ..Ask::default() }))
    }

    /// The longest that so many questions wait in all, with the default [`Timing`](super::Timing) and number of tries.
    #[must_use]
    pub fn longest(questions: usize) -> Duration {
        let questions = u32::try_from(questions).unwrap_or(u32::MAX);
        // A try resumes where the one before failed, so that it is the tries, not the questions, that are repeated.
        AROUND.saturating_add(LONGEST_ANSWER.saturating_mul(questions.saturating_add(3)))
    }

    /// The answers, in the order of the questions. Fewer than those if it failed.
    #[must_use]
    pub fn replies(&self) -> &[Reply] {
        &self.0.task.replies
    }

    /// Why not every question has its answer; `None` if every one has, or before the end.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.0.trouble.filter(|_| self.0.is_over() && self.0.task.replies.len() < self.0.task.queries.len())
    }

    /// What it met on its way.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.0.talk.facts
    }

    /// All three, without a copy.
    #[must_use]
    pub fn finish(self) -> (Vec<Reply>, Option<Trouble>, Facts) {
        let trouble = self.trouble();
        (self.0.task.replies, trouble, self.0.talk.facts)
    }
}

impl Dialogue for Programming {
    fn step(&self) -> Step<'_> {
        self.0.talk.step()
    }

    fn on(&mut self, event: Event<'_>, now: Duration) {
        self.0.on(event, now);
    }
}

/// What is said next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Password,
    Query,
    /// The next block, please.
    Next,
    /// Once more, please.
    Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Listening,
    Reacting(Message),
    Sending,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Prompt,
    Welcome,
    Answer,
}

#[derive(Debug)]
struct Ask {
    password: Option<Password>,
    queries: Vec<Query>,
    replies: Vec<Reply>,
    phase: Phase,
    awaited: Awaited,
    check: BlockCheck,
    /// The blocks of the answer under way.
    blocks: Vec<u8>,
    /// What all blocks have taken, framing included.
    taken: usize,
    repetitions: u8,
    /// When the message under way was first waited for, and when the question was first asked.
    since: Duration,
    asked: Duration,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            password: None,
            queries: Vec::new(),
            replies: Vec::new(),
            phase: Phase::Listening,
            awaited: Awaited::Prompt,
            check: BlockCheck::Xor,
            blocks: Vec::new(),
            taken: 0,
            repetitions: 0,
            since: Duration::ZERO,
            asked: Duration::ZERO,
        }
    }
}

impl Task for Ask {
    const WANTED: Wanted = Wanted::Programming;

    fn begin(&mut self, talk: &mut Talk, _mode: Mode) -> Flow {
        let maker = talk.facts.identification.as_ref().map_or("", |meter| meter.maker());
        self.check = if text::checks_by_sum(maker.as_bytes()) { BlockCheck::Sum } else { BlockCheck::Xor };
        self.awaited = Awaited::Prompt;
        self.fresh(talk);
        self.await_message(talk);
        self.look(talk)
    }

    fn on(&mut self, talk: &mut Talk, event: Event<'_>) -> Flow {
        match (self.phase, event) {
            (Phase::Listening, Event::Received(_)) => self.look(talk),
            (Phase::Listening, _) => self.silence(talk),
            (Phase::Reacting(message), _) => {
                self.phase = Phase::Sending;
                talk.ear.restart();
                self.send(talk, message);
                Flow::Going
            }
            (Phase::Sending, _) => {
                self.await_message(talk);
                Flow::Going
            }
        }
    }

    fn block_check(&self) -> BlockCheck {
        self.check
    }
}

impl Ask {
    /// Another question, or none yet.
    fn fresh(&mut self, talk: &Talk) {
        self.blocks.clear();
        self.taken = 0;
        self.repetitions = 0;
        self.asked = talk.now();
    }

    fn send(&mut self, talk: &mut Talk, message: Message) {
        match message {
            Message::Next => talk.send(&[ACK]),
            Message::Again => talk.send(&[NAK]),
            Message::Password => {
                if let Some(password) = &self.password {
                    talk.send(&password.encode(self.check));
                    talk.is_secret = true;
                }
            }
            Message::Query => {
                if let Some(query) = self.queries.get(self.replies.len()) {
                    talk.send(&query.encode(self.check));
                }
            }
        }
    }

    fn say(&mut self, talk: &mut Talk, message: Message) -> Flow {
        self.phase = Phase::Reacting(message);
        talk.pause(talk.now() + talk.reaction());
        Flow::Going
    }

    fn await_message(&mut self, talk: &mut Talk) {
        self.phase = Phase::Listening;
        self.since = talk.sent_until();
        talk.listen(self.since + talk.options.timing.first);
    }

    /// Waits for more of a message, but not for ever.
    fn listen(&self, talk: &mut Talk) {
        let timing = talk.options.timing;
        let whole = self.since + timing.first + timing.whole + talk.line.time_of(talk.ear.heard());
        let next = if talk.ear.rest().is_empty() { self.since + timing.first } else { talk.now() + timing.between };
        talk.listen(next.min(whole).min(self.asked + LONGEST_ANSWER));
    }

    /// Looks whether an answer is whole.
    fn look(&mut self, talk: &mut Talk) -> Flow {
        loop {
            let heard = talk.ear.heard();
            match self.awaited {
                Awaited::Answer if self.taken + heard > MAX_ANSWER => return self.failed(Trouble::TooLong),
                Awaited::Prompt | Awaited::Welcome if heard > MAX_PROMPT => return self.failed(Trouble::Refused),
                _ => {}
            }
            let new = talk.ear.rest();
            let start = new.iter().position(|byte| matches!(*byte, SOH | STX | ACK | NAK)).unwrap_or(new.len());
            if start > 0 {
                talk.drop_noise(start);
                continue;
            }
            match cut(new, self.check) {
                Cut::More { .. } => {
                    self.listen(talk);
                    return Flow::Going;
                }
                Cut::Nothing => talk.drop_noise(1),
                Cut::Damaged { .. } if self.is_sum(new) => {
                    self.check = BlockCheck::Sum;
                    talk.facts.sums = true;
                }
                Cut::Damaged { .. } => {
                    talk.facts.bad_checks += 1;
                    return self.once_more(talk, Message::Again, Trouble::BlockCheck);
                }
                Cut::Whole { len, value } if is_ours(value) => {
                    talk.ear.forget(len);
                    talk.ear.note_echo(&mut talk.facts);
                }
                // The prompt is a command; this is the echo of the option select.
                Cut::Whole { len, value: Answer::Ack } if self.awaited == Awaited::Prompt => talk.ear.forget(len),
                Cut::Whole { len, value } => {
                    self.taken += len;
                    let answer = Answered::of(value);
                    return self.answered(talk, answer);
                }
            }
        }
    }

    /// Whether this is a meter whose block checks are sums: settled by its first message, for the whole session.
    fn is_sum(&self, bytes: &[u8]) -> bool {
        self.awaited == Awaited::Prompt
            && self.check == BlockCheck::Xor
            && matches!(cut(bytes, BlockCheck::Sum), Cut::Whole { .. })
    }

    fn answered(&mut self, talk: &mut Talk, answer: Answered) -> Flow {
        match (self.awaited, answer) {
            (Awaited::Prompt, Answered::Prompt) => self.welcome(talk),
            (Awaited::Welcome, Answered::Ack) => self.ask(talk),
            (Awaited::Prompt | Awaited::Welcome, answer) => {
                if let Answered::Error(text) = answer {
                    talk.facts.error_text = Some(text);
                }
                self.failed(Trouble::Refused)
            }
            (Awaited::Answer, Answered::Data { data, more }) => {
                self.blocks.extend_from_slice(&data);
                self.repetitions = 0;
                if more && talk.now() < self.asked + LONGEST_ANSWER {
                    return self.say(talk, Message::Next);
                }
                let data = std::mem::take(&mut self.blocks);
                if more { self.failed(Trouble::TooLong) } else { self.replied(talk, Reply::Data(data)) }
            }
            (Awaited::Answer, Answered::Empty) => self.replied(talk, Reply::Empty),
            (Awaited::Answer, Answered::Error(text)) => {
                talk.facts.error_text = Some(text.clone());
                self.replied(talk, Reply::Error(text))
            }
            (Awaited::Answer, Answered::Ack) => self.replied(talk, Reply::Acknowledged),
            (Awaited::Answer, Answered::Nak) => {
                talk.facts.naks += 1;
                match self.once_more(talk, Message::Query, Trouble::NoData) {
                    Flow::Failed(_) => self.replied(talk, Reply::NotUnderstood),
                    flow => flow,
                }
            }
            // The meter takes leave.
            (Awaited::Answer, Answered::Prompt | Answered::Other) => self.failed(Trouble::BrokenOff),
        }
    }

    /// The meter is in programming mode.
    fn welcome(&mut self, talk: &mut Talk) -> Flow {
        if self.password.is_none() {
            return self.ask(talk);
        }
        self.awaited = Awaited::Welcome;
        self.say(talk, Message::Password)
    }

    fn ask(&mut self, talk: &mut Talk) -> Flow {
        self.awaited = Awaited::Answer;
        self.fresh(talk);
        if self.replies.len() < self.queries.len() { self.say(talk, Message::Query) } else { Flow::Done(Leave::Break) }
    }

    fn replied(&mut self, talk: &mut Talk, reply: Reply) -> Flow {
        self.replies.push(reply);
        self.ask(talk)
    }

    /// Says `message` because something went wrong, unless that was said often enough.
    fn once_more(&mut self, talk: &mut Talk, message: Message, trouble: Trouble) -> Flow {
        if self.repetitions >= REPETITIONS {
            return self.failed(trouble);
        }
        self.repetitions += 1;
        self.say(talk, message)
    }

    fn silence(&mut self, talk: &mut Talk) -> Flow {
        let has_begun = !talk.ear.rest().is_empty();
        talk.drop_noise(usize::MAX);
        if talk.now() >= self.asked + LONGEST_ANSWER {
            return self.failed(Trouble::TooLong);
        }
        match self.awaited {
            _ if has_begun => self.once_more(talk, Message::Again, Trouble::BrokenOff),
            Awaited::Answer if self.blocks.is_empty() => self.once_more(talk, Message::Query, Trouble::BrokenOff),
            Awaited::Answer => self.once_more(talk, Message::Again, Trouble::BrokenOff),
            Awaited::Welcome => self.failed(Trouble::Password),
            Awaited::Prompt => {
                talk.facts.switch_failed |= talk.has_changed();
                self.failed(Trouble::NoData)
            }
        }
    }

    /// A password that the meter did not take, or perhaps did not take, is never said again.
    fn failed(&mut self, trouble: Trouble) -> Flow {
        if self.awaited == Awaited::Welcome {
            self.password = None;
            return Flow::Failed(Trouble::Password);
        }
        Flow::Failed(trouble)
    }
}

/// Whether this is a command that only a reader says: its echo, come too late to be known for one.
fn is_ours(answer: Answer<'_>) -> bool {
    matches!(answer, Answer::Command { code, .. } if !matches!(&code, b"P0" | b"B0"))
}

/// An answer that owns what it says.
#[derive(Debug)]
enum Answered {
    Ack,
    Nak,
    Prompt,
    Data {
        data: Vec<u8>,
        more: bool,
    },
    Empty,
    Error(SmolStr),
    /// The meter's break, and what makes no sense.
    Other,
}

impl Answered {
    fn of(answer: Answer<'_>) -> Self {
        match (answer, answer.error()) {
            (_, Some((true, _))) => Self::Empty,
            (_, Some((false, text))) => Self::Error(String::from_utf8_lossy(text).into()),
            (Answer::Data { data, more }, _) => Self::Data { data: data.to_vec(), more },
            (Answer::Ack, _) => Self::Ack,
            (Answer::Nak, _) => Self::Nak,
            (Answer::Command { code: [b'P', b'0'], .. }, _) => Self::Prompt,
            (Answer::Command { .. }, _) => Self::Other,
        }
    }
}
