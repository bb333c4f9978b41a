//! Trouble said once, then seldom.

use std::time::Duration;

/// Decides which of many failures are worth a word.
///
/// A failure that goes on is said once, then after 15 min, 30 min and every hour. One that comes and goes (a loose contact) is
/// said when it comes, but not more often than after 1 min, 2 min, 4 min, up to an hour, until it has been calm for an
/// hour. That a failure is over is said where the failure was.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    /// By kind, of which there are few.
    kinds: Vec<Kind>,
    episode: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Kind {
    name: &'static str,
    /// When and in which episode it was said last.
    said: Option<(Duration, u64)>,
    /// How long to say nothing while the episode lasts.
    repeat: Duration,
    /// How long to say nothing when it comes again.
    damping: Duration,
    /// How often it was since the last word.
    unsaid: u32,
    /// How often in a row.
    row: u32,
}

#[derive(Debug)]
struct Open {
    since: Duration,
    said: bool,
}

/// A failure is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// How often it has been since the last word, this one included.
    pub(super) times: u32,
    /// How long there will be no more of it while it lasts.
    pub(super) next: Duration,
}

const FIRST_REPEAT: Duration = Duration::from_secs(15 * 60);
const FIRST_DAMPING: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);

impl Quiet {
    /// Something of this kind failed; it is not worth a word before it has `tries` times in a row.
    pub(super) fn fails(&mut self, name: &'static str, tries: u32, now: Duration) -> Option<Word> {
        if self.open.is_none() {
            self.episode += 1;
            self.open = Some(Open { since: now, said: false });
        }
        let at = self.kinds.iter().position(|kind| kind.name == name).unwrap_or_else(|| {
            self.kinds.push(Kind { name, said: None, repeat: FIRST_REPEAT, damping: FIRST_DAMPING, unsaid: 0, row: 0 });
            self.kinds.len() - 1
        });
        let episode = self.episode;
        let kind = self.kinds.get_mut(at)?;
        kind.unsaid = kind.unsaid.saturating_add(1);
        kind.row = kind.row.saturating_add(1);
        let due = match kind.said {
            None => true,
            Some((at, in_episode)) if in_episode == episode => now >= at + kind.repeat,
            Some((at, _)) => now >= at + kind.damping,
        };
        if !due || kind.row < tries {
            return None;
        }
        match kind.said {
            Some((at, _)) if now >= at + LONGEST + kind.repeat => {
                (kind.repeat, kind.damping) = (FIRST_REPEAT, FIRST_DAMPING);
            }
            Some((_, in_episode)) if in_episode == episode => kind.repeat = (kind.repeat * 2).min(LONGEST),
            Some(_) => kind.damping = (kind.damping * 2).min(LONGEST),
            None => {}
        }
        kind.said = Some((now, episode));
        let word = Word { times: kind.unsaid, next: kind.repeat };
        kind.unsaid = 0;
        if let Some(open) = &mut self.open {
            open.said = true;
        }
        Some(word)
    }

    /// It works. Says how long it did not, where that was worth a word.
    pub(super) fn works(&mut self, now: Duration) -> Option<Duration> {
        let open = self.open.take()?;
        for kind in &mut self.kinds {
            kind.row = 0;
            kind.repeat = FIRST_REPEAT;
        }
        open.said.then(|| now.saturating_sub(open.since))
    }

    /// How long it has not worked.
    pub(super) fn lasts(&self, now: Duration) -> Option<Duration> {
        self.open.as_ref().map(|open| now.saturating_sub(open.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_hundred_failures_in_a_row_are_one_word_and_their_end_another() {
        let mut quiet = Quiet::default();
        let words = (0..100).filter(|&at| quiet.fails("silent", 1, seconds(at)).is_some()).count();
        assert_eq!(words, 1);
        assert_eq!(quiet.works(seconds(100)), Some(seconds(100)));
        assert_eq!(quiet.works(seconds(101)), None);
    }

    #[test]
    fn what_goes_on_is_said_again_after_15_and_30_minutes_and_every_hour() {
        let mut quiet = Quiet::default();
        let said: Vec<_> =
            (0..6 * 60).filter(|&minute| quiet.fails("silent", 1, seconds(60 * minute)).is_some()).collect();
        assert_eq!(said, [0, 15, 45, 105, 165, 225, 285, 345]);
    }

    #[test]
    fn a_word_counts_what_was_not_said() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.fails("silent", 1, seconds(0)), Some(Word { times: 1, next: FIRST_REPEAT }));
        for at in 1..90 {
            assert_eq!(quiet.fails("silent", 1, seconds(10 * at)), None);
        }
        assert_eq!(quiet.fails("silent", 1, seconds(900)), Some(Word { times: 90, next: seconds(1800) }));
    }

    #[test]
    fn a_loose_contact_that_comes_and_goes_is_said_ever_more_seldom() {
        let mut quiet = Quiet::default();
        let (mut came, mut went) = (0, 0);
        for at in 0..100 {
            came += usize::from(quiet.fails("away", 1, seconds(2 * at)).is_some());
            went += usize::from(quiet.works(seconds(2 * at + 1)).is_some());
        }
        assert_eq!((came, went), (3, 3));
        // After a calm hour it is news again.
        assert!(quiet.fails("away", 1, seconds(9000)).is_some());
    }

    #[test]
    fn another_kind_of_failure_is_said_at_once_and_turns_are_not_repeated() {
        let mut quiet = Quiet::default();
        let words = (0..100).filter(|&at| {
            let name = if at % 2 == 0 { "silent" } else { "noise" };
            quiet.fails(name, 1, seconds(at)).is_some()
        });
        assert_eq!(words.count(), 2);
    }

    #[test]
    fn what_heals_before_it_is_worth_a_word_is_never_said() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.fails("silent", 3, seconds(0)), None);
        assert_eq!(quiet.fails("silent", 3, seconds(1)), None);
        assert_eq!(quiet.works(seconds(2)), None);
        assert_eq!(quiet.fails("silent", 3, seconds(3)), None);
        assert_eq!(quiet.lasts(seconds(5)), Some(seconds(2)));
        assert_eq!(quiet.fails("silent", 3, seconds(6)), None);
        assert_eq!(quiet.fails("silent", 3, seconds(9)), Some(Word { times: 5, next: FIRST_REPEAT }));
    }
}
