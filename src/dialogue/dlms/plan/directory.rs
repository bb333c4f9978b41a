//! The object list of an association: what there is, and what may be read of it.

use crate::reading::Obis;
use crate::wire::dlms::{Item, Value};
use std::collections::BTreeSet;

/// An object of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) class: u16,
    pub(super) obis: Obis,
}

/// Objects of a list, at most; meters have a few hundred.
const MOST_OBJECTS: usize = 4000;

/// The objects of a list, and the attributes it says cannot be read.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) objects: Vec<Object>,
    closed: BTreeSet<(Obis, i8)>,
}

impl Directory {
    /// Reads `array of structure{class, version, obis, rights}` (Blue Book 4.4.4.2); entries of another form are left out.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let tree = value.tree()?;
        let mut directory = Self::default();
        for entry in tree.root().elements().take(MOST_OBJECTS) {
            let elements: Vec<Item<'_, '_>> = entry.elements().take(4).collect();
            let [class, _, obis, rights] = elements[..] else { continue };
            let (Some(class), Some(obis)) = (class.integer().and_then(|n| u16::try_from(n).ok()), obis.octets()) else {
                continue;
            };
            let Ok(obis) = obis.try_into().map(Obis::from_octets) else { continue };
            directory.objects.push(Object { class, obis });
            let attributes = rights.elements().next().into_iter().flat_map(Item::elements);
            for attribute in attributes {
                let mut fields = attribute.elements();
                let index = fields.next().and_then(Item::integer).and_then(|n| i8::try_from(n).ok());
                let mode = fields.next().and_then(Item::integer);
                // No access, and write only. Other modes differ between versions of the class: asking does no harm.
                if let (Some(index), Some(0 | 2)) = (index, mode) {
                    directory.closed.insert((obis, index));
                }
            }
        }
        Some(directory)
    }

    pub(super) fn may_read(&self, obis: Obis, index: i8) -> bool {
        !self.closed.contains(&(obis, index))
    }
}
