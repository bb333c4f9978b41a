//! Whether there is room left where the store is.

use super::line::of_reader;
use crate::detect::{Rule, Rules};
use crate::reading::{Decimal, Event, Instant};
use smol_str::{SmolStr, format_smolstr};
use std::path::PathBuf;
use std::time::Duration;

/// How often to look.
const OFTEN: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Disk {
    rule: Option<Rule>,
    folder: PathBuf,
    looked: Option<Duration>,
    /// The event that is not over yet.
    full: Option<Event>,
}

impl Disk {
    pub(super) fn new(rules: &Rules, store: &std::path::Path) -> Self {
        let folder =
            store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
        let rule = rules.find("espace_disque").copied().filter(|rule| rule.on);
        Self { rule, folder: folder.to_owned(), looked: None, full: None }
    }

    /// Looks, where it has not for a while. An event where the room has become too little, or is enough again.
    pub(super) fn look(&mut self, now: Duration) -> Option<Event> {
        if self.looked.is_some_and(|looked| now < looked + OFTEN) {
            return None;
        }
        self.looked = Some(now);
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        self.judge(
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_blocks.saturating_mul(disk.f_frsize),
            Instant::now(),
        )
    }

    /// `free` of `all` octets.
    fn judge(&mut self, free: u64, all: u64, at: Instant) -> Option<Event> {
        let rule = self.rule?;
        let tenths = i64::try_from(u128::from(free) * 1000 / u128::from(all.max(1))).unwrap_or(i64::MAX);
        let (share, megabytes) =
            (Decimal::new(tenths, -1), Decimal::from(i64::try_from(free / 1_000_000).unwrap_or(i64::MAX)));
        let is_full = rule.threshold.is_some_and(|limit| share < limit) || rule.low.is_some_and(|low| megabytes < low);
        match (is_full, self.full.take()) {
            (true, None) => {
                let shown = share.to_string().replace('.', ",");
                let text = format_smolstr!("Espace disque insuffisant : il reste {shown} %, {megabytes} Mo");
                let event = Event {
                    end: None,
                    value: Some(share),
                    unit: Some(SmolStr::new_static("%")),
                    threshold: rule.threshold,
                    ..of_reader(&rule, None, at, text)
                };
                self.full = Some(event.clone());
                Some(event)
            }
            (true, full) => {
                self.full = full;
                None
            }
            (false, full) => full.map(|event| Event { end: Some(at), ..event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_told_once_and_again_when_there_is_enough() {
        let mut disk = Disk::new(&Rules::default(), std::path::Path::new("a.db"));
        let at = Instant::from_unix(1_762_500_000);
        assert_eq!(disk.judge(50_000_000_000, 1_000_000_000_000, at), None);
        let full = disk.judge(49_000_000_000, 1_000_000_000_000, at).unwrap();
        assert_eq!(full.description, "Espace disque insuffisant : il reste 4,9 %, 49000 Mo");
        assert_eq!(disk.judge(48_000_000_000, 1_000_000_000_000, at), None);
        let over = disk.judge(60_000_000_000, 1_000_000_000_000, at.plus_seconds(600)).unwrap();
        assert_eq!((over.start, over.end), (at, Some(at.plus_seconds(600))));
        // Of a small disk half may be less than 100 MB.
        assert!(disk.judge(99_000_000, 198_000_000, at).is_some());
    }
}
