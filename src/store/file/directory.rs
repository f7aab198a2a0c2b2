//! A directory that is its user's alone, and the locks of its files.
//!
//! The locks are POSIX record locks: they end with their process and are not inherited by a forked child.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, FcntlArg, OFlag, fcntl, open, openat, renameat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use crate::process::fork::{Inherit, PerProcess};
use crate::store::StoreError;
use crate::store::seal::{self, SALT};

/// More than any entry takes: a token of 4 KiB, a budget of 1,000 logins of 14 bytes, and what stands beside them.
pub const LARGEST: usize = 24 * 1024;

/// How often it is looked, a millisecond apart, whether the process that writes the salt has done so.
const SALT_TRIES: u32 = 2000;

/// A directory that is its user's alone.
pub struct Directory {
    descriptor: OwnedFd,
    pub path: PathBuf,
    identity: (u64, u64),
}

impl Directory {
    /// Opens it, and makes it where it is missing.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |what: &str| StoreError(format!("{}: {what}", path.display()));
        let made = match DirBuilder::new().mode(0o700).recursive(true).create(path.parent().unwrap_or(path)) {
            Ok(()) => DirBuilder::new().mode(0o700).create(path).is_ok(),
            // Said below, when it cannot be opened.
            Err(_) => false,
        };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let descriptor = retry(|| open(path, flags, Mode::empty())).map_err(|error| match error {
            Errno::ELOOP | Errno::ENOTDIR => failed("is no directory, or a symbolic link"),
            error => failed(error.desc()),
        })?;
        let file = File::from(descriptor);
        let metadata = file.metadata().map_err(|error| failed(&error.to_string()))?;
        if metadata.uid() != geteuid().as_raw() {
            return Err(failed("belongs to another user"));
        }
        if made {
            // Whatever the umask took away.
            file.set_permissions(fs::Permissions::from_mode(0o700)).map_err(|error| failed(&error.to_string()))?;
        } else if metadata.mode() & 0o077 != 0 {
            return Err(failed("is open to other users; chmod 700 it"));
        }
        Ok(Self { descriptor: file.into(), path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) })
    }

    /// A failed operation on a file of this directory.
    pub fn error(&self, name: &str, error: impl Into<io::Error>) -> StoreError {
        StoreError(format!("{}: {}", self.path.join(name).display(), error.into()))
    }

    /// A file of this directory, for reading and writing, made where it is missing; `None`: something else stands there.
    fn file(&self, name: &str) -> Result<Option<File>, StoreError> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        match retry(|| openat(&self.descriptor, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)).map(File::from) {
            Ok(file) => {
                let metadata = file.metadata().map_err(|error| self.error(name, error))?;
                if !metadata.is_file() || metadata.uid() != geteuid().as_raw() {
                    return Ok(None);
                }
                if metadata.mode() & 0o777 != 0o600 {
                    file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(|error| self.error(name, error))?;
                }
                Ok(Some(file))
            }
            Err(Errno::ELOOP | Errno::EISDIR | Errno::ENXIO) => Ok(None),
            Err(error) => Err(self.error(name, error)),
        }
    }

    /// What a file of this directory and user holds; `None`: no such file, or no such as this library writes.
    pub fn read(&self, name: &str) -> Result<Option<(File, Vec<u8>)>, StoreError> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match retry(|| openat(&self.descriptor, name, flags, Mode::empty())) {
            Ok(descriptor) => File::from(descriptor),
            Err(Errno::ENOENT | Errno::ELOOP | Errno::ENXIO) => return Ok(None),
            Err(error) => return Err(self.error(name, error)),
        };
        let metadata = file.metadata().map_err(|error| self.error(name, error))?;
        if !metadata.is_file() || metadata.uid() != geteuid().as_raw() {
            return Ok(None);
        }
        let mut text = Vec::new();
        (&file).take(LARGEST as u64 + 1).read_to_end(&mut text).map_err(|error| self.error(name, error))?;
        Ok((text.len() <= LARGEST).then_some((file, text)))
    }

    /// Puts `from` in the place of `to`, for good.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let renamed = || retry(|| renameat(&self.descriptor, from, &self.descriptor, to));
        renamed()
            .or_else(|error| match error {
                // A directory stands there; an empty one gives way.
                Errno::EISDIR | Errno::ENOTEMPTY | Errno::EEXIST => {
                    unlinkat(&self.descriptor, to, UnlinkatFlags::RemoveDir)?;
                    renamed()
                }
                error => Err(error),
            })
            .and_then(|()| retry(|| fsync(&self.descriptor)))
            .map_err(|error| self.error(to, error))
    }

    /// Removes a file, where there is one.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        match unlinkat(&self.descriptor, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(self.error(name, error)),
        }
    }

    /// The lock of a file, in all processes' sight and among the threads of this one; `None`: another one has it.
    pub fn try_lock(&self, name: String) -> Result<Option<Locked<'_>>, StoreError> {
        let Some(turn) = Turn::take((self.identity.0, self.identity.1, name.clone())) else { return Ok(None) };
        let Some(file) = self.file(&name)? else {
            return Err(StoreError(format!("{}: is no file of ours", self.path.join(&name).display())));
        };
        let whole_file = libc::flock {
            l_type: libc::F_WRLCK as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        match retry(|| fcntl(&file, FcntlArg::F_SETLK(&whole_file))) {
            Ok(_) => {}
            Err(Errno::EAGAIN | Errno::EACCES) => return Ok(None),
            Err(error) => return Err(self.error(&name, error)),
        }
        let locked = Locked { directory: self, file, name, _turn: turn };
        // Whoever removed it meanwhile made this the lock of a file that nobody else will find.
        Ok(locked.still_there()?.then_some(locked))
    }

    /// The store's salt, made by whoever comes first.
    pub fn salt(&self) -> Result<[u8; SALT], StoreError> {
        let read = || -> Result<Option<[u8; SALT]>, StoreError> {
            Ok(self.read("salt")?.and_then(|(_, salt)| salt.try_into().ok()))
        };
        for _ in 0..SALT_TRIES {
            if let Some(salt) = read()? {
                return Ok(salt);
            }
            if let Some(new) = self.try_lock("salt.new".to_owned())? {
                // Whoever came first has renamed it before the lock was free.
                if let Some(salt) = read()? {
                    new.discard();
                    return Ok(salt);
                }
                let salt = seal::random()?;
                new.fill(&salt)?;
                self.rename("salt.new", "salt")?;
                return Ok(salt);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(StoreError(format!("{}: another process does not end to write it", self.path.join("salt").display())))
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
        let metadata = self.file.metadata().map_err(|error| self.directory.error(&self.name, error))?;
        match fstatat(&self.directory.descriptor, self.name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(there) => Ok((there.st_dev, there.st_ino) == (metadata.dev(), metadata.ino())),
            Err(Errno::ENOENT) => Ok(false),
            Err(error) => Err(self.directory.error(&self.name, error)),
        }
    }

    /// Makes this its whole content, on the disk.
    pub fn fill(&self, text: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(text, 0)
            .and_then(|()| self.file.set_len(text.len() as u64))
            .and_then(|()| self.file.sync_all())
            .map_err(|error| self.directory.error(&self.name, error))
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

/// Goes on when a signal came in between.
fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            outcome => return outcome,
        }
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
