//! Files on their way to their names. Flushing one to the disk takes as long as making the next, so both go on at once.

use super::ConsolidateError;
use super::run::Done;
use crate::archive::{ArchiveError, Prepared, Proven, Tree};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{Builder, Scope};

/// So many files get their names together: two months of days, so that manifests are written no more often than they must.
const BATCH: usize = 96;

/// So many may wait to be flushed: each is an open file.
const WAITING: usize = 16;

/// A file, or none, and what there is to tell once it has its name.
type Order = (Option<Prepared>, Vec<Done>);

type Said = Result<Done, ArchiveError>;

/// Who hands files over to a thread that flushes them, reads them back and names them, in this order.
pub(super) struct Filing {
    orders: SyncSender<Order>,
    said: Receiver<Said>,
}

impl Filing {
    pub(super) fn start<'s>(scope: &'s Scope<'s, '_>, tree: &'s Tree) -> Result<Self, ConsolidateError> {
        let (orders, received) = mpsc::sync_channel(WAITING);
        let (sender, said) = mpsc::channel();
        let file = move || {
            if let Err(error) = file(tree, received, &sender) {
                // Nobody listens where the other side has failed.
                let _ = sender.send(Err(error));
            }
        };
        Builder::new().name("file".to_owned()).spawn_scoped(scope, file).map_err(ConsolidateError::Thread)?;
        Ok(Self { orders, said })
    }

    /// Takes the next file.
    pub(super) fn hand(
        &self,
        file: Prepared,
        told: Vec<Done>,
        tell: &mut dyn FnMut(Done),
    ) -> Result<(), ConsolidateError> {
        // Where the other side has failed it says so below.
        let _ = self.orders.send((Some(file), told));
        self.said.try_iter().try_for_each(|said| said.map(&mut *tell)).map_err(Into::into)
    }

    /// Waits until every file has its name; `told` is told last.
    pub(super) fn end(self, told: Vec<Done>, tell: &mut dyn FnMut(Done)) -> Result<(), ConsolidateError> {
        let Self { orders, said } = self;
        let _ = orders.send((None, told));
        drop(orders);
        said.into_iter().try_for_each(|said| said.map(&mut *tell)).map_err(Into::into)
    }
}

fn file(tree: &Tree, orders: Receiver<Order>, sender: &Sender<Said>) -> Result<(), ArchiveError> {
    let (mut batch, mut told) = (Vec::new(), Vec::new());
    let name = |batch: &mut Vec<Proven>, told: &mut Vec<Done>| -> Result<(), ArchiveError> {
        tree.commit(std::mem::take(batch))?;
        told.drain(..).for_each(|done| drop(sender.send(Ok(done))));
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
