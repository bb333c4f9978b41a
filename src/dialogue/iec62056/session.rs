//! The course both dialogues take: sign on, do the task, take leave, and once more if it failed.

use super::sign_on::{SignOn, SignedOn};
use super::talk::Talk;
use super::{Options, Speed, Trouble, WakeUp};
use crate::dialogue::Event;
use crate::wire::iec62056::{BlockCheck, Break, Mode, Wanted};
use std::time::Duration;

/// What is done once the meter is about to send.
pub(super) trait Task {
    /// What the option select asks for.
    const WANTED: Wanted;

    /// Begins; the speed has been changed.
    fn begin(&mut self, talk: &mut Talk, mode: Mode) -> Flow;

    /// Takes what came of a step.
    fn on(&mut self, talk: &mut Talk, event: Event<'_>) -> Flow;

    /// How this meter's block checks are computed, as far as is known.
    fn block_check(&self) -> BlockCheck {
        BlockCheck::Xor
    }
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Going,
    Done(Leave),
    Failed(Trouble),
}

/// How to take leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// With a break, then back to the opening settings.
    Break,
    /// The meter is done by itself: back to the opening settings.
    Line,
    /// Not at all: another dialogue goes on where this one ends.
    Stay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    SigningOn,
    Task,
    Breaking,
    AfterBreak,
    Restoring,
    BetweenTries,
    Over,
}

/// A margin behind what was sent before the speed is changed back.
const MARGIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Session<T> {
    pub(super) talk: Talk,
    pub(super) task: T,
    sign_on: SignOn,
    stage: Stage,
    /// Whether another try follows.
    again: bool,
    /// Why the last try failed.
    pub(super) trouble: Option<Trouble>,
}

impl<T: Task> Session<T> {
    pub(super) fn new(options: Options, task: T) -> Self {
        let sign_on = SignOn::new(T::WANTED, options.opening);
        let mut session =
            Self { talk: Talk::new(options), task, sign_on, stage: Stage::SigningOn, again: false, trouble: None };
        session.begin();
        session
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    fn begin(&mut self) {
        let talk = &mut self.talk;
        talk.facts.tries += 1;
        // A change of speed that failed before is not risked in the last try.
        talk.stays = talk.facts.switch_failed && talk.facts.tries >= talk.options.tries;
        self.stage = Stage::SigningOn;
        self.sign_on.begin(talk);
    }

    pub(super) fn on(&mut self, event: Event<'_>, now: Duration) {
        let fits = self.talk.hear(event, now);
        match event {
            _ if self.stage == Stage::Over => {}
            Event::Lost => {
                self.trouble = Some(Trouble::Lost);
                self.over();
            }
            Event::Cancelled => self.cancel(),
            _ if !fits => {}
            event => self.go_on(event),
        }
    }

    fn go_on(&mut self, event: Event<'_>) {
        match self.stage {
            Stage::SigningOn => match self.sign_on.on(&mut self.talk, event) {
                SignedOn::Not => {}
                SignedOn::In(mode) => {
                    self.stage = Stage::Task;
                    let flow = self.task.begin(&mut self.talk, mode);
                    self.follow(flow);
                }
                SignedOn::Failed(trouble) => self.fail(trouble),
            },
            Stage::Task => {
                let flow = self.task.on(&mut self.talk, event);
                self.follow(flow);
            }
            Stage::Breaking => {
                self.stage = Stage::AfterBreak;
                let until = self.talk.sent_until() + MARGIN;
                self.talk.pause(until);
            }
            Stage::AfterBreak => self.restore(),
            Stage::Restoring if self.again => {
                self.stage = Stage::BetweenTries;
                let until = self.talk.now() + self.talk.options.timing.pause;
                self.talk.pause(until);
            }
            Stage::BetweenTries => self.begin(),
            Stage::Restoring | Stage::Over => self.over(),
        }
    }

    fn follow(&mut self, flow: Flow) {
        match flow {
            Flow::Going => {}
            Flow::Failed(trouble) => self.fail(trouble),
            Flow::Done(leave) => {
                self.trouble = None;
                self.again = false;
                self.leave(leave);
            }
        }
    }

    fn fail(&mut self, trouble: Trouble) {
        let facts = &self.talk.facts;
        let has_not_followed =
            facts.mode == Some(Mode::B) && facts.line_fixed && self.talk.options.speed != Speed::Between;
        let trouble = if has_not_followed && trouble.is_passing() { Trouble::SpeedFixed } else { trouble };
        self.trouble = Some(trouble);
        self.again = trouble.is_passing() && self.talk.facts.tries < self.talk.options.tries;
        // Who never answered needs no farewell.
        let met = self.stage == Stage::Task || matches!(trouble, Trouble::SpeedFixed);
        self.leave(if met { Leave::Break } else { Leave::Line });
    }

    /// A break even to a meter that has only been asked: it may be about to send for minutes.
    ///
    /// Whoever wishes it twice cannot wait for that.
    fn cancel(&mut self) {
        if self.trouble.replace(Trouble::Cancelled) == Some(Trouble::Cancelled) {
            return self.over();
        }
        self.again = false;
        match self.stage {
            Stage::Breaking | Stage::AfterBreak | Stage::Restoring => {}
            Stage::BetweenTries => self.over(),
            _ if self.talk.has_spoken => self.leave(Leave::Break),
            _ => self.leave(Leave::Line),
        }
    }

    fn leave(&mut self, leave: Leave) {
        // A meter that was woken up the fast way stays awake until it is told (Annex B).
        let battery = self.talk.options.wake_up == Some(WakeUp::Fast);
        match leave {
            Leave::Line if battery && self.stage == Stage::Task => self.say_goodbye(Break::Battery),
            Leave::Break if battery => self.say_goodbye(Break::Battery),
            Leave::Break => self.say_goodbye(Break::Complete),
            Leave::Line => self.restore(),
            Leave::Stay => self.over(),
        }
    }

    fn say_goodbye(&mut self, goodbye: Break) {
        self.stage = Stage::Breaking;
        self.talk.send(&goodbye.encode(self.task.block_check()));
    }

    fn restore(&mut self) {
        self.stage = Stage::Restoring;
        self.talk.set_line(self.talk.options.opening);
    }

    fn over(&mut self) {
        self.stage = Stage::Over;
        self.talk.end();
    }
}
