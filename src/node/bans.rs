//! Members that this node's operator keeps away: a small file that survives a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ask::BanView;
use super::private::{self, PrivateError};
use crate::encoding::ids::MemberCode;
use crate::encoding::time::UnixTime;

/// The file's name in the data folder.
pub const FILE: &str = "bans.json";

/// Bytes of the file at most: as many members as a federation can have, each with the longest reason.
const BYTES_MAX: u64 = 1 << 20;

/// The members that are kept away.
#[derive(Debug)]
pub struct Bans {
    path: PathBuf,
    all: BTreeMap<MemberCode, Ban>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ban {
    until: UnixTime,
    reason: String,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BansError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// It is not one.
    #[error("{} is not a list of members that are kept away: {what}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl Bans {
    /// Reads the file in `dir`; there are none if it is not there.
    ///
    /// # Errors
    /// [`BansError`]: a node does not connect to somebody because a file is damaged.
    pub fn open(dir: &Path) -> Result<Self, BansError> {
        let path = dir.join(FILE);
        let content = |what: String| BansError::Content { path: path.clone(), what };
        match fs::metadata(&path) {
            Ok(found) if found.len() > BYTES_MAX => return Err(content(format!("it has more than {BYTES_MAX} bytes"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, all: BTreeMap::new() }),
            _ => {}
        }
        let text = private::read(&path)?;
        let all = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
        Ok(Self { path, all })
    }

    /// Keeps a member away until then; durable when this returns.
    ///
    /// # Errors
    /// [`BansError::File`]; then nothing has changed.
    pub fn ban(&mut self, ban: BanView) -> Result<(), BansError> {
        let mut all = self.all.clone();
        all.insert(ban.member, Ban { until: ban.until, reason: ban.reason });
        self.write(all)
    }

    /// Lets a member come back; `false` if it was not kept away.
    ///
    /// # Errors
    /// As [`Self::ban`].
    pub fn unban(&mut self, member: MemberCode) -> Result<bool, BansError> {
        let mut all = self.all.clone();
        let was = all.remove(&member).is_some();
        if was {
            self.write(all)?;
        }
        Ok(was)
    }

    /// Forgets those whose time is over; whether there were any.
    ///
    /// # Errors
    /// As [`Self::ban`].
    pub fn expire(&mut self, now: UnixTime) -> Result<bool, BansError> {
        if self.all.values().all(|ban| now < ban.until) {
            return Ok(false);
        }
        let mut all = self.all.clone();
        all.retain(|_, ban| now < ban.until);
        self.write(all)?;
        Ok(true)
    }

    /// Whether a member is kept away.
    #[must_use]
    pub fn contains(&self, member: MemberCode) -> bool {
        self.all.contains_key(&member)
    }

    /// All of them, by member.
    pub fn iter(&self) -> impl Iterator<Item = BanView> + '_ {
        self.all.iter().map(|(member, ban)| BanView { member: *member, until: ban.until, reason: ban.reason.clone() })
    }

    fn write(&mut self, all: BTreeMap<MemberCode, Ban>) -> Result<(), BansError> {
        let text = serde_json::to_vec(&all)
            .map_err(|error| BansError::Content { path: self.path.clone(), what: error.to_string() })?;
        private::replace(&self.path, &text)?;
        self.all = all;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(1_800_000_000 + seconds).unwrap()
    }

    fn ban(member: &str, until: i64) -> BanView {
        BanView { member: member.parse().unwrap(), until: at(until), reason: "malformed records".into() }
    }

    #[test]
    fn bans_survive_and_end_by_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let mut bans = Bans::open(dir.path()).unwrap();
        assert!(!bans.expire(at(0)).unwrap() && bans.iter().next().is_none());
        bans.ban(ban("TR", 60)).unwrap();
        bans.ban(ban("MZ", 90)).unwrap();
        bans.ban(ban("TR", 70)).unwrap();
        let mut bans = Bans::open(dir.path()).unwrap();
        assert_eq!(bans.iter().collect::<Vec<_>>(), [ban("MZ", 90), ban("TR", 70)]);
        assert!(!bans.expire(at(69)).unwrap());
        assert!(bans.expire(at(70)).unwrap() && !bans.contains("TR".parse().unwrap()));
        assert!(bans.unban("MZ".parse().unwrap()).unwrap());
        assert!(!bans.unban("MZ".parse().unwrap()).unwrap());
        assert!(Bans::open(dir.path()).unwrap().iter().next().is_none());
    }

    #[test]
    fn a_damaged_file_is_told_and_not_taken_for_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        private::write_new(&dir.path().join(FILE), b"{\"TR\":").unwrap();
        assert!(matches!(Bans::open(dir.path()), Err(BansError::Content { .. })));
        private::replace(&dir.path().join(FILE), &vec![b' '; BYTES_MAX as usize + 1]).unwrap();
        assert!(matches!(Bans::open(dir.path()), Err(BansError::Content { .. })));
    }

    #[test]
    fn what_cannot_be_written_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut bans = Bans::open(&dir.path().join("away")).unwrap();
        assert!(bans.ban(ban("TR", 60)).is_err());
        assert!(!bans.contains("TR".parse().unwrap()));
    }
}
