//! Room on the disk: what is free, less what running downloads have been promised and not yet written.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// Says how many bytes the file system of a folder has left for this user.
pub type FreeSpace = fn(&Path) -> io::Result<u64>;

/// The disk that a run writes to. Clones share their promises.
#[derive(Clone)]
pub struct Space {
    free: FreeSpace,
    promised: Arc<Mutex<u64>>,
}

impl Default for Space {
    fn default() -> Self {
        Self::of(|folder| fs4::available_space(folder))
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("promised", &self.promised)
            .finish_non_exhaustive()
    }
}

impl Space {
    /// Where `free` says what is free.
    pub fn of(free: FreeSpace) -> Self {
        Self {
            free,
            promised: Arc::default(),
        }
    }

    /// Promises `bytes` below `folder` for `what`. A file system that does not say what it has left promises anything.
    ///
    /// # Errors
    /// If they are not there.
    pub(crate) fn claim(&self, folder: &Path, bytes: u64, what: &str) -> Result<Claim> {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(free) = (self.free)(folder) {
            let left = free.saturating_sub(*promised);
            if left < bytes {
                return Err(Error::Space {
                    what: what.to_owned(),
                    folder: folder.to_path_buf(),
                    needed: bytes,
                    free: left,
                });
            }
        }
        *promised = promised.saturating_add(bytes);
        Ok(Claim {
            space: self.clone(),
            left: bytes,
        })
    }
}

/// A promise of disk space. What is written is taken off it, what is left of it ends with it.
#[derive(Debug)]
pub(crate) struct Claim {
    space: Space,
    left: u64,
}

impl Claim {
    /// `bytes` of it were written: the file system knows of them now.
    pub(crate) fn spend(&mut self, bytes: u64) {
        let spent = bytes.min(self.left);
        self.left -= spent;
        let mut promised = self
            .space
            .promised
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *promised = promised.saturating_sub(spent);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.spend(self.left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::megabytes;

    #[test]
    fn promises_add_up_until_they_are_kept_or_dropped() {
        let space = Space::of(|_| Ok(10_000_000));
        let here = Path::new(".");
        let mut first = space.claim(here, 6_000_000, "a").unwrap();
        let error = space.claim(here, 6_000_000, "unpack b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unpack b: not enough disk space in .: 6.0 MB needed, 4.0 MB free; \
             free some, or name another folder"
        );
        first.spend(5_000_000);
        drop(space.claim(here, 9_000_000, "b").unwrap());
        drop(first);
        space.claim(here, 10_000_000, "b").unwrap();
    }

    #[test]
    fn a_disk_that_says_nothing_is_not_in_the_way() {
        let space = Space::of(|_| Err(io::Error::other("no")));
        space.claim(Path::new("."), u64::MAX, "a").unwrap();
    }

    #[test]
    fn this_disk_has_room() {
        Space::default().claim(Path::new("."), 1, "a").unwrap();
    }

    #[test]
    fn sizes_are_in_millions_of_bytes() {
        assert_eq!(
            [0, 99_999, 170_498_071].map(megabytes),
            ["0.0", "0.0", "170.4"]
        );
    }
}
