//! Where each file of the tree stands.

use std::path::{Path, PathBuf};

/// The day file of a UTC day. `suffix` is the meter's identifier where several meters share the tree.
#[must_use]
pub fn day_file(archive: &Path, (year, month, day): (i32, u8, u8), suffix: Option<&str>) -> PathBuf {
    let suffix = suffix.map(|id| format!("_{id}")).unwrap_or_default();
    archive.join("quotidien").join(format!("jour_{year:04}{month:02}{day:02}{suffix}.json.gz"))
}

/// The short file of a UTC day that the old application's export wrote.
#[must_use]
pub fn export_file(archive: &Path, (year, month, day): (i32, u8, u8), suffix: Option<&str>) -> PathBuf {
    let suffix = suffix.map(|id| format!("_{id}")).unwrap_or_default();
    archive.join("mensuel").join(format!("export_{year:04}-{month:02}-{day:02}{suffix}.json.gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_contracts() {
        let path = |suffix| day_file(Path::new("a"), (2025, 11, 7), suffix);
        assert_eq!(path(None), Path::new("a/quotidien/jour_20251107.json.gz"));
        assert_eq!(path(Some("E450001234")), Path::new("a/quotidien/jour_20251107_E450001234.json.gz"));
    }
}
