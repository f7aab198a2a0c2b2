//! The locks of a directory's files.
//!
//! They are POSIX record locks: they end with their process and are not inherited by a forked child.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::stat::fstat;
use nix::unistd::fsync;

use super::directory::{Directory, retry, synced};
use crate::process::fork::{Inherit, PerProcess};
use crate::store::StoreError;

/// How often a lock is asked for, a millisecond apart, that is refused though nobody has it: somebody may just have let go.
const TRIES: u32 = 10;

impl Directory {
    /// The lock of a file, in all processes' sight and among the threads of this one; `None`: another one has it.
    pub fn try_lock(&self, name: String) -> Result<Option<Locked<'_>>, StoreError> {
        let Some(turn) = Turn::take((self.identity.0, self.identity.1, name.clone())) else { return Ok(None) };
        let Some(file) = self.file(&name)? else {
            return Err(StoreError(format!("{}: is not a file of this store", self.path.join(&name).display())));
        };
        if !lock(&file).map_err(|error| self.error(&name, error))? {
            return Ok(None);
        }
        let locked = Locked { directory: self, file, name, _turn: turn };
        // If it was removed meanwhile, this is the lock of a file that nobody else will find.
        Ok(locked.still_there()?.then_some(locked))
    }
}

/// Locks the file; false: another process has it.
fn lock(file: &File) -> nix::Result<bool> {
    let mut refusal = Errno::EACCES;
    for _ in 0..TRIES {
        match retry(|| fcntl(file, FcntlArg::F_SETLK(&whole_file()))) {
            Ok(_) => return Ok(true),
            Err(error @ (Errno::EAGAIN | Errno::EACCES)) => refusal = error,
            Err(error) => return Err(error),
        }
        // The system's rules may refuse a lock that nobody has.
        let mut holder = whole_file();
        retry(|| fcntl(file, FcntlArg::F_GETLK(&mut holder)))?;
        if holder.l_type != libc::F_UNLCK as libc::c_short {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(refusal)
}

fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// A file that this process has the lock of. Closing it, wherever, ends the lock.
pub struct Locked<'a> {
    directory: &'a Directory,
    file: File,
    pub name: String,
    _turn: Turn,
}

impl Locked<'_> {
    /// Whether this is still the file under its name.
    pub fn still_there(&self) -> Result<bool, StoreError> {
        // By the same call as the directory's: the type of a device's number differs between systems.
        let ours = fstat(&self.file).map_err(|error| self.directory.error(&self.name, error))?;
        let there = self.directory.status(&self.name)?;
        Ok(there.is_some_and(|there| (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)))
    }

    /// Makes this its whole content, on the disk.
    pub fn fill(&self, text: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(text, 0)
            .and_then(|()| self.file.set_len(text.len() as u64))
            .map_err(|error| self.directory.error(&self.name, error))?;
        synced(retry(|| fsync(&self.file))).map_err(|error| self.directory.error(&self.name, error))
    }

    /// Removes it.
    pub fn discard(self) {
        // What cannot be removed is used again.
        let _ = self.directory.remove(&self.name);
    }
}

/// A thread's turn at a lock: record locks do not hold the threads of one process apart, and whichever of them closes the
/// file ends the lock for all.
struct Turn((u64, u64, String));

#[derive(Default)]
struct Turns(Mutex<BTreeSet<(u64, u64, String)>>);

static TURNS: PerProcess<Turns> = PerProcess::new();

impl Inherit for Turns {
    /// A child has none of its parent's locks.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

impl Turn {
    fn take(what: (u64, u64, String)) -> Option<Self> {
        let mut turns = TURNS.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is one's own: a turn that is dropped ends.
        turns.insert(what.clone()).then(|| Self(what))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.get().0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_has_its_turn() {
        let what = (1, 2, "name".to_owned());
        let first = Turn::take(what.clone());
        assert!(first.is_some());
        assert!(Turn::take(what.clone()).is_none());
        assert!(Turn::take(what.clone()).is_none());
        assert!(Turn::take((1, 2, "other".to_owned())).is_some());
        drop(first);
        assert!(Turn::take(what).is_some());
    }
}
