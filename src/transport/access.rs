//! Who may open a device, and what this user lacks.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Why this user may not open a device, from its own owner and mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The user's name, or number where it has none.
    pub user: String,
    /// The name of the group that owns the device, or its number.
    pub group: String,
    /// The permission bits.
    pub mode: u32,
    /// Whether the user is in that group.
    pub membership: Membership,
}

/// Whether a user is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Not at all.
    No,
    /// By `/etc/group`, but this session began before: it counts from the next login on.
    Later,
    /// Yes, so the reason is another one.
    Yes,
}

impl Access {
    /// What keeps this process from a device; `None` where there is no such device.
    #[must_use]
    pub fn to(device: &Path) -> Option<Self> {
        let metadata = fs::metadata(device).ok()?;
        let uid = rustix::process::geteuid().as_raw();
        let mut groups: Vec<_> =
            rustix::process::getgroups().unwrap_or_default().into_iter().map(rustix::fs::Gid::as_raw).collect();
        groups.push(rustix::process::getegid().as_raw());
        let etc = Etc { passwd: read("/etc/passwd"), group: read("/etc/group") };
        Some(Self::of(metadata.mode(), metadata.gid(), uid, &groups, &etc))
    }

    fn of(mode: u32, gid: u32, uid: u32, groups: &[u32], etc: &Etc) -> Self {
        let (user, primary) = etc.user(uid).unwrap_or_else(|| (uid.to_string(), None));
        let (group, members) = etc.group(gid).unwrap_or_else(|| (gid.to_string(), Vec::new()));
        let membership = if groups.contains(&gid) {
            Membership::Yes
        } else if primary == Some(gid) || members.contains(&user) {
            Membership::Later
        } else {
            Membership::No
        };
        Self { user, group, mode: mode & 0o777, membership }
    }

    /// Whether being in the group would help. Nobody should be told to join the group of root.
    #[must_use]
    pub fn group_helps(&self) -> bool {
        self.mode & 0o060 == 0o060 && self.group != "root" && self.group != "0"
    }
}

impl fmt::Display for Access {
    /// `it belongs to group dialout (rw-rw----), anna is not in that group`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it belongs to group {} (", self.group)?;
        for (place, letter) in "rwxrwxrwx".chars().enumerate() {
            let set = self.mode & (0o400 >> place) != 0;
            write!(f, "{}", if set { letter } else { '-' })?;
        }
        match self.membership {
            Membership::No => write!(f, "), {} is not in that group", self.user),
            Membership::Later => write!(f, "), {} has been in it since the last login only", self.user),
            Membership::Yes => write!(f, "), and {} is in that group", self.user),
        }
    }
}

/// The system's tables of users and groups.
#[derive(Debug, Default)]
struct Etc {
    passwd: String,
    group: String,
}

impl Etc {
    /// The name and primary group of a user.
    fn user(&self, uid: u32) -> Option<(String, Option<u32>)> {
        let fields = row(&self.passwd, uid)?;
        Some((fields.first()?.to_string(), fields.get(3).and_then(|gid| gid.parse().ok())))
    }

    /// The name and members of a group.
    fn group(&self, gid: u32) -> Option<(String, Vec<String>)> {
        let fields = row(&self.group, gid)?;
        let members = fields.get(3).unwrap_or(&"").split(',').map(str::to_owned).collect();
        Some((fields.first()?.to_string(), members))
    }
}

/// The row of a table whose third field is that number, as in both of them.
fn row(table: &str, number: u32) -> Option<Vec<&str>> {
    let mut rows = table.lines().map(|line| line.split(':').collect::<Vec<_>>());
    rows.find(|fields| fields.get(2).and_then(|field| field.parse().ok()) == Some(number))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(mode: u32, gid: u32, groups: &[u32]) -> Access {
        let etc = Etc {
            passwd: "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:Anna,,,:/home/anna:/bin/sh\n".into(),
            group: "root:x:0:\ndialout:x:20:ben\nuucp:x:10:ben,anna\nanna:x:1000:\n".into(),
        };
        Access::of(mode, gid, 1000, groups, &etc)
    }

    #[test]
    fn the_group_is_that_of_the_device() {
        let missing = access(0o020_660, 20, &[1000]);
        assert_eq!(missing.to_string(), "it belongs to group dialout (rw-rw----), anna is not in that group");
        assert!(missing.group_helps());
    }

    #[test]
    fn a_session_older_than_the_membership_is_told_apart() {
        assert_eq!(access(0o020_660, 10, &[1000]).membership, Membership::Later);
        assert_eq!(access(0o020_660, 10, &[1000, 10]).membership, Membership::Yes);
    }

    #[test]
    fn nobody_is_sent_into_the_group_of_root_or_one_that_may_not_write() {
        assert!(!access(0o020_660, 0, &[1000]).group_helps());
        assert!(!access(0o020_640, 20, &[1000]).group_helps());
        assert_eq!(access(0o020_600, 4242, &[]).group, "4242");
    }
}
