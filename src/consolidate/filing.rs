//! Files on their way to their names. Flushing one to the disk takes as long as making the next, so both go on at once.

use super::ConsolidateError;
use super::run::Done;
use crate::archive::{ArchiveError, Prepared, Proven, Tree};
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// So many files get their names together: two months of days, so that manifests are written no more often than they must.
const BATCH: usize = 96;

/// So many may wait to be flushed: each is an open file.
const WAITING: usize = 16;

/// What is told of a piece of the work; its end is `None`.
pub(super) type Told = (usize, Option<Done>);

/// A file, or none, and what there is to tell once it has its name.
type Order = (Option<Prepared>, Vec<Told>);

/// Who hands files over to a thread that flushes them, reads them back and names them, in this order.
pub(super) struct Filing<'s> {
    orders: SyncSender<Order>,
    thread: Option<ScopedJoinHandle<'s, Result<(), ArchiveError>>>,
}

impl<'s> Filing<'s> {
    pub(super) fn start(
        scope: &'s Scope<'s, '_>,
        tree: &'s Tree,
        teller: Sender<Told>,
    ) -> Result<Self, ConsolidateError> {
        let (orders, received) = mpsc::sync_channel(WAITING);
        let thread = Builder::new().name("file".to_owned());
        let thread = thread.spawn_scoped(scope, move || file(tree, received, &teller));
        Ok(Self { orders, thread: Some(thread.map_err(ConsolidateError::Thread)?) })
    }

    /// Takes the next file, and what is told once it has its name.
    pub(super) fn hand(&mut self, file: Option<Prepared>, told: Vec<Told>) -> Result<(), ConsolidateError> {
        // The other side leaves only where it has failed, and says how.
        self.orders.send((file, told)).or_else(|_| join(self.thread.take()))
    }

    /// Waits until every file has its name.
    pub(super) fn end(self) -> Result<(), ConsolidateError> {
        let Self { orders, thread } = self;
        drop(orders);
        join(thread)
    }
}

fn join(thread: Option<ScopedJoinHandle<'_, Result<(), ArchiveError>>>) -> Result<(), ConsolidateError> {
    let done = thread.map_or(Ok(Ok(())), ScopedJoinHandle::join);
    done.unwrap_or_else(|panic| resume_unwind(panic)).map_err(Into::into)
}

fn file(tree: &Tree, orders: Receiver<Order>, teller: &Sender<Told>) -> Result<(), ArchiveError> {
    let (mut batch, mut told) = (Vec::new(), Vec::new());
    let name = |batch: &mut Vec<Proven>, told: &mut Vec<Told>| -> Result<(), ArchiveError> {
        tree.commit(std::mem::take(batch))?;
        told.drain(..).for_each(|told| drop(teller.send(told)));
        Ok(())
    };
    for (file, more) in orders {
        if let Some(file) = file {
            batch.push(tree.prove(file)?);
        }
        told.extend(more);
        if batch.len() >= BATCH {
            name(&mut batch, &mut told)?;
        }
    }
    name(&mut batch, &mut told)
}
