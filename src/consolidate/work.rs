//! The files of a piece of time: its readings are read once, and each goes to its hour, its day and its steps.

use super::ConsolidateError;
use super::filing::Filing;
use super::plan::{Piece, STEP_S, Task, mark, stock_of};
use super::run::{Done, place_of};
use crate::archive::{
    self, ArchiveError, Content, Flaw, Kind, Listed, Period, Record, Standing, Text, Tree, Whose, add,
};
use crate::document::{EventJson, Form, History, Values};
use crate::exchange::steps::{Step, Stepped, Steps};
use crate::past::each_measure;
use crate::reading::{Instant, MeterId, Quality};
use crate::store::{KeptEvent, Stock, Store};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

/// Who writes files of a meter.
pub(super) struct Worker<'a> {
    /// A connection of its own.
    pub(super) store: Store,
    pub(super) tree: &'a Tree,
    pub(super) meter: &'a MeterId,
    pub(super) is_default: bool,
    pub(super) whose: Whose<'a>,
    pub(super) stock: &'a BTreeMap<Instant, Stock>,
    /// Every event of the meter, the oldest first.
    pub(super) events: &'a [KeptEvent],
    pub(super) form: Form,
}

/// Behind the origin of a file that holds more or better than the store alone.
pub(super) const MERGED: char = '+';

/// The events that a period touches, in the API's form.
fn events_in(events: &[KeptEvent], period: Period) -> Vec<String> {
    let touches = |kept: &&KeptEvent| {
        let (start, end) = (kept.event.start, kept.event.end.unwrap_or(kept.event.start));
        start < period.end() && end >= period.start()
    };
    // Texts and numbers always serialise.
    let json = |kept: &KeptEvent| serde_json::to_string(&EventJson::new(kept.id, &kept.event)).unwrap_or_default();
    events.iter().filter(touches).map(json).collect()
}

/// What a week or month file notes as its origin: the day files it is made of, that of the day before, whose last reading
/// may stand into it, and its events.
pub(super) fn sources(
    tree: &Tree,
    meter: &MeterId,
    is_default: bool,
    period: Period,
    events: &[KeptEvent],
) -> Result<String, ArchiveError> {
    let mut all = events_in(events, period).join("\n");
    for day in Period::each(Kind::Day, &(period.start().plus_seconds(-86_400)..period.end())) {
        if let (name, Some(listed)) = place_of(tree, meter, is_default, day)? {
            all.push_str(&format!("{name} {}\n", listed.sha256));
        }
    }
    Ok(archive::sha256(all.as_bytes()))
}

impl Worker<'_> {
    /// Writes the files of a piece, which has an index.
    pub(super) fn piece(
        &self,
        (index, piece): (usize, &Piece),
        filing: &mut Filing<'_>,
    ) -> Result<(), ConsolidateError> {
        let mut writing = Writing::new(self, (index, piece), filing);
        let has_means = writing.steps.is_some();
        let start = if has_means { piece.range.start.plus_seconds(-STEP_S) } else { piece.range.start };
        for (range, is_merged) in self.segments(start..piece.range.end) {
            if is_merged {
                writing.merged(range)?;
            } else {
                each_measure(&self.store, self.meter, range, |at, values, quality, source| {
                    writing.push(at, values, quality, source)
                })?;
            }
        }
        writing.finish()
    }

    /// The stretches of a time: those of which the store has all there is, and days of which files have more.
    fn segments(&self, range: Range<Instant>) -> Vec<(Range<Instant>, bool)> {
        let mut segments: Vec<(Range<Instant>, bool)> = Vec::new();
        for day in Period::each(Kind::Day, &range) {
            let part = range.start.max(day.start())..range.end.min(day.end());
            let is_merged = !self.is_all_in_the_store(day);
            match segments.last_mut() {
                Some((last, false)) if !is_merged => last.end = part.end,
                _ => segments.push((part, is_merged)),
            }
        }
        segments
    }

    /// Whether the files of a day were made of the readings that the store has now, and of nothing else.
    fn is_all_in_the_store(&self, day: Period) -> bool {
        let hours = Period::each(Kind::Hour, &day.range());
        hours.chain([day]).all(|period| {
            let stock = stock_of(self.stock, period);
            self.tree.candidates(self.whose, period).iter().all(|name| {
                let listed = self.tree.listed(period, name).ok().flatten();
                listed.is_some_and(|listed| {
                    let is_covered = listed.origin == mark(stock) && listed.count as u64 == stock.instants;
                    listed.meter != self.whose.meter || is_covered
                })
            })
        })
    }
}

/// Files on their way.
struct Writing<'w, 's> {
    worker: &'w Worker<'w>,
    /// Which piece they belong to.
    index: usize,
    hours: Lane,
    days: Lane,
    means: Vec<(Task, History)>,
    steps: Option<Steps>,
    /// Before this time nothing is over.
    next_end: Instant,
    /// What is wrong with files, by name.
    flaws: BTreeMap<String, Flaw>,
    /// Days of which files had readings of a better quality than the store.
    better: BTreeSet<Period>,
    filing: &'w mut Filing<'s>,
    /// What is told with the next file.
    told: Vec<Done>,
}

/// Files of one kind, one after the other, and the text of the first of them.
struct Lane {
    tasks: VecDeque<Task>,
    text: Text,
}

impl Lane {
    /// The first, if it is over at a time, and what is in it, if anything is.
    fn over(&mut self, at: Instant, meter: &MeterId) -> Option<(Task, Option<Content>)> {
        self.tasks.front().filter(|task| task.period.end() <= at)?;
        let task = self.tasks.pop_front()?;
        let hour = (task.period.kind() == Kind::Hour).then(|| task.period.hour());
        let has_readings = !self.text.is_empty();
        let content = has_readings.then(|| self.text.finish(meter.as_str(), task.period.date(), hour));
        Some((task, content))
    }
}

impl<'w, 's> Writing<'w, 's> {
    fn new(worker: &'w Worker<'w>, (index, piece): (usize, &Piece), filing: &'w mut Filing<'s>) -> Self {
        let has_means = piece.tasks.iter().any(|task| !task.period.kind().has_readings());
        let of = |kind| {
            let mut tasks: Vec<Task> = piece.tasks.iter().filter(|task| task.period.kind() == kind).cloned().collect();
            tasks.sort_by_key(|task| task.period.start());
            tasks
        };
        let lane = |kind| Lane { tasks: of(kind).into(), text: Text::new(worker.form, false) };
        let means = of(Kind::Week).into_iter().chain(of(Kind::Month)).map(|task| (task, History::default())).collect();
        Self {
            worker,
            index,
            hours: lane(Kind::Hour),
            days: lane(Kind::Day),
            means,
            next_end: Instant::from_unix_micros(i64::MIN),
            steps: has_means.then(|| Steps::new(Step::Seconds(STEP_S))),
            flaws: BTreeMap::new(),
            better: BTreeSet::new(),
            filing,
            told: Vec::new(),
        }
    }

    /// A day, or the last part of one before the piece, of which files have more than the store.
    fn merged(&mut self, range: Range<Instant>) -> Result<(), ConsolidateError> {
        let Some(day) = Period::containing(Kind::Day, range.start) else { return Ok(()) };
        let mut all = self.worker.tree.gather(self.worker.whose, day)?;
        for flaw in all.flaws {
            self.flaws.insert(flaw.name.clone(), flaw);
        }
        let (store, meter) = (&self.worker.store, self.worker.meter);
        each_measure(store, meter, day.range(), |at, values, quality, source| -> Result<(), ConsolidateError> {
            if all.records.get(&at).is_some_and(|file| file.quality > quality) {
                self.better.insert(day);
            }
            add(&mut all.records, at, Record { values: values.clone(), quality, source: source.into() });
            Ok(())
        })?;
        for (at, record) in all.records.range(range) {
            self.push(*at, &record.values, record.quality, &record.source)?;
        }
        Ok(())
    }

    fn push(&mut self, at: Instant, values: &Values, quality: Quality, source: &str) -> Result<(), ConsolidateError> {
        if let Some(steps) = &mut self.steps
            && let Some(done) = steps.push(at, values, quality, source)
        {
            self.step(&done);
        }
        if at >= self.next_end {
            self.close(at)?;
        }
        for lane in [&mut self.hours, &mut self.days] {
            // What is over by now has been closed.
            if lane.tasks.front().is_some_and(|task| task.period.start() <= at) {
                lane.text.push(at, values, quality, source);
            }
        }
        Ok(())
    }

    fn step(&mut self, done: &Stepped) {
        for (task, history) in &mut self.means {
            if task.period.range().contains(&done.at) {
                history.push(done.at, &done.values);
            }
        }
    }

    /// Ends what is over at a time.
    fn close(&mut self, at: Instant) -> Result<(), ConsolidateError> {
        while let Some((task, content)) = self.hours.over(at, self.worker.meter) {
            self.readings(task, content)?;
        }
        while let Some((task, content)) = self.days.over(at, self.worker.meter) {
            self.readings(task, content)?;
        }
        while let Some(place) = self.means.iter().position(|(task, _)| task.period.end() <= at) {
            let (task, history) = self.means.remove(place);
            self.history(task, history)?;
        }
        let ends = [&self.hours, &self.days].into_iter().filter_map(|lane| lane.tasks.front());
        let ends = ends.chain(self.means.iter().map(|(task, _)| task)).map(|task| task.period.end());
        self.next_end = ends.min().unwrap_or(Instant::from_unix_micros(i64::MAX));
        Ok(())
    }

    fn finish(mut self) -> Result<(), ConsolidateError> {
        if let Some(done) = self.steps.as_mut().and_then(Steps::finish) {
            self.step(&done);
        }
        self.close(Instant::from_unix_micros(i64::MAX))?;
        self.told.extend(std::mem::take(&mut self.flaws).into_values().map(|flaw| Done::Refused(flaw.error)));
        let told = self.told.into_iter().map(Some).chain([None]);
        self.filing.hand(None, told.map(|done| (self.index, done)).collect())
    }

    /// An hour or a day that is over.
    fn readings(&mut self, task: Task, content: Option<Content>) -> Result<(), ConsolidateError> {
        let worker = self.worker;
        let mut flaw = self.flaws.remove(&task.name);
        if flaw.is_none()
            && let (_, Some(listed)) = place_of(worker.tree, worker.meter, worker.is_default, task.period)?
        {
            let path = worker.tree.path(task.period, &task.name);
            let error = match worker.tree.state_of(task.period, &task.name, &listed) {
                Ok(Standing::Other) => Some(ArchiveError::damaged(&path, "it is not what the manifest says")),
                Ok(_) => None,
                Err(error) => Some(error),
            };
            flaw = error.map(|error| Flaw { name: task.name.clone(), error, expected: Some(listed.count) });
        }
        if matches!(&flaw, Some(flaw) if !matches!(flaw.error, ArchiveError::Damaged { .. })) {
            // Another meter's, or a way out of the tree: it is not ours to replace.
            self.told.extend(flaw.map(|flaw| Done::Refused(flaw.error)));
            return Ok(());
        }
        let Some(content) = content else {
            if let Some(flaw) = flaw {
                // What nothing is left of keeps its name and its line: a copy put in its place is whole again.
                self.told.push(Done::Refused(flaw.error));
            }
            return Ok(());
        };
        let mut origin = mark(stock_of(worker.stock, task.period));
        // Files had a part in it, and must have one again.
        if Period::containing(Kind::Day, task.period.start()).is_some_and(|day| self.better.contains(&day)) {
            origin.push(MERGED);
        }
        self.put(task, &content, origin, flaw.map(|flaw| (flaw.error, flaw.expected)))
    }

    /// A week or a month that is over.
    fn history(&mut self, task: Task, mut history: History) -> Result<(), ConsolidateError> {
        let worker = self.worker;
        let (_, listed) = place_of(worker.tree, worker.meter, worker.is_default, task.period)?;
        let mut flaw = None;
        match self.former(&task, listed.as_ref()) {
            Ok(Some(former)) => history = history.completed_by(&former),
            Ok(None) => {}
            Err(error @ ArchiveError::Damaged { .. }) => flaw = Some((error, listed.map(|listed| listed.count))),
            Err(error) => {
                self.told.push(Done::Refused(error));
                return Ok(());
            }
        }
        if history.is_empty() {
            self.told.extend(flaw.map(|(error, _)| Done::Refused(error)));
            return Ok(());
        }
        let events = events_in(worker.events, task.period);
        let content = archive::history(&history, worker.meter.as_str(), task.period, worker.form, &events);
        self.put(task, &content, String::new(), flaw)
    }

    /// What a week or month file holds already.
    fn former(&self, task: &Task, listed: Option<&Listed>) -> Result<Option<History>, ArchiveError> {
        let tree = self.worker.tree;
        let path = tree.path(task.period, &task.name);
        if let Some(listed) = listed
            && tree.state_of(task.period, &task.name, listed)? == Standing::Other
        {
            return Err(ArchiveError::damaged(&path, "it is not what the manifest says"));
        }
        let Some((meter, history)) = tree.history(&path)? else { return Ok(None) };
        if meter == self.worker.meter.as_str() {
            Ok(Some(history))
        } else {
            Err(ArchiveError::OtherMeter { path, found: meter })
        }
    }

    fn put(
        &mut self,
        task: Task,
        content: &Content,
        origin: String,
        flaw: Option<(ArchiveError, Option<usize>)>,
    ) -> Result<(), ConsolidateError> {
        let tree = self.worker.tree;
        let path = tree.path(task.period, &task.name);
        let count = content.summary.count;
        // Files are added to, so there is less only where something is lost: it is said, even where the file itself is gone.
        let (_, listed) = place_of(tree, self.worker.meter, self.worker.is_default, task.period)?;
        if let Some(listed) = listed.filter(|listed| flaw.is_none() && count < listed.count) {
            let what = format!("it is missing; it held {}, there are {count} now", listed.count);
            self.told.push(Done::Refused(ArchiveError::damaged(&path, what)));
        }
        let name = (task.name, self.worker.meter.as_str());
        let prepared = tree.prepare(task.period, name, content, origin, flaw.is_some())?;
        if let Some((error, expected)) = flaw {
            self.told.push(Done::SetAside { path: path.clone(), error, expected, now: count });
        }
        let unchanged = !prepared.is_change();
        self.told.push(Done::Written { path, count, bytes: content.bytes.len() as u64, unchanged });
        let told = self.told.drain(..).map(|done| (self.index, Some(done))).collect();
        self.filing.hand(Some(prepared), told)
    }
}
