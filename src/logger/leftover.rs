//! What an earlier process noticed and did not see the end of.

use super::line::{back_after, lost_until};
use crate::detect::Rules;
use crate::reading::{Instant, MeterId, Origin};
use crate::store::{EventChange, EventQuery, Store, StoreError};

/// The changes that a reading of a meter makes to events left open: it is heard again. And whether all are over now.
pub(super) fn ended_by(
    store: &Store,
    rules: &Rules,
    meter: &MeterId,
    at: Instant,
) -> Result<(Vec<EventChange>, bool), StoreError> {
    let open = store.events(&EventQuery {
        meter: Some(meter.clone()),
        kinds: vec!["communication_perdue".into()],
        origin: Some(Origin::Reader),
        open: true,
        oldest_first: true,
        ..EventQuery::default()
    })?;
    let open = open.into_iter().map(|kept| kept.event).filter(|lost| lost.meter.as_ref() == Some(meter));
    let (over, later): (Vec<_>, Vec<_>) = open.partition(|lost| lost.start < at);
    let back = rules.find("communication_retablie").filter(|rule| rule.on);
    let mut changes = Vec::new();
    for lost in over {
        let back = back.map(|rule| back_after(rule, Some(meter.clone()), lost.start, at));
        changes.push(EventChange::Put(lost_until(lost, at)));
        changes.extend(back.map(EventChange::Put));
    }
    Ok((changes, later.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Rules;
    use crate::logger::line::of_reader;
    use crate::reading::{Event, Protocol, Reading};
    use crate::store::Entry;

    fn at(text: &str) -> Instant {
        Instant::parse_utc(text).unwrap()
    }

    #[test]
    fn a_loss_that_nobody_saw_the_end_of_ends_with_the_first_reading() {
        let place = tempfile::tempdir().unwrap();
        let mut store = Store::create(&place.path().join("s.db")).unwrap();
        let rules = Rules::default();
        let [meter, other] = ["E450001234", "E450005678"].map(|name| MeterId::new(name).unwrap());
        let rule = rules.find("communication_perdue").unwrap();
        let lost = |meter: &MeterId| {
            let event =
                of_reader(rule, Some(meter.clone()), at("2025-11-07T10:00:00Z"), "Communication perdue, en cours");
            Event { end: None, ..event }
        };
        let heard = |meter: &MeterId| Entry {
            meter: meter.clone(),
            at: at("2025-11-07T09:59:59Z"),
            source: "p1".into(),
            reading: Reading::new(Protocol::Dsmr),
            derived: false,
        };
        store.insert(&[heard(&meter), heard(&other)]).unwrap();
        store.put_events(&[lost(&meter), lost(&other)]).unwrap();
        let (changes, is_all) = ended_by(&store, &rules, &meter, at("2025-11-07T10:01:30Z")).unwrap();
        assert!(is_all);
        let told: Vec<String> = changes
            .iter()
            .map(|change| match change {
                EventChange::Put(event) => format!("{} {}", event.kind, event.description),
                EventChange::Drop(_) => unreachable!(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "communication_perdue Communication perdue, durée 1 min 30 s",
                "communication_retablie Communication rétablie après 1 min 30 s"
            ]
        );
        // What came before the loss says nothing of its end.
        assert_eq!(ended_by(&store, &rules, &meter, at("2025-11-07T09:59:00Z")).unwrap(), (vec![], false));
    }
}
