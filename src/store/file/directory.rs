//! A directory that is its user's alone, and its files.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use nix::unistd::{AccessFlags, UnlinkatFlags, faccessat, fsync, geteuid, unlinkat};

use super::mount;
use crate::store::{Lasting, OpenError, StoreError};

/// More than any entry takes: a token of 4 KiB, a budget of 1,000 logins of 14 bytes, and the other fields.
pub const LARGEST: usize = 24 * 1024;

/// A directory that is its user's alone.
pub struct Directory {
    descriptor: OwnedFd,
    pub path: PathBuf,
    /// Device and number: two names may lead to one directory.
    pub identity: (u64, u64),
}

impl Directory {
    /// Opens the directory at `place`, and makes it where it is missing. `shown` is its name for people.
    pub fn open(place: &Path, shown: &Path) -> Result<Self, OpenError> {
        let failed = |error: Errno| by_owner_mode_or_kind(error, format!("{}: {}", shown.display(), error.desc()));
        let refused = |what: &str| OpenError::Refused(StoreError(format!("{}: {what}", shown.display())));
        let made = make(place);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let descriptor = retry(|| open(place, flags, Mode::empty())).map_err(|error| match (error, made) {
            (Errno::ELOOP | Errno::ENOTDIR, _) => refused("is no directory, or a symbolic link"),
            (Errno::ENOENT, Err(error)) | (error, _) => failed(error),
        })?;
        let file = File::from(descriptor);
        let metadata = || file.metadata().map_err(|error| failed(errno(&error)));
        if metadata()?.uid() != geteuid().as_raw() {
            return Err(refused("belongs to another user"));
        }
        if made == Ok(true) {
            // Whatever the umask took away.
            file.set_permissions(fs::Permissions::from_mode(0o700)).map_err(|error| failed(errno(&error)))?;
        }
        let metadata = metadata()?;
        if metadata.mode() & 0o077 != 0 {
            return Err(refused("is open to other users; chmod 700 it"));
        }
        let identity = (metadata.dev(), metadata.ino());
        let directory = Self { descriptor: file.into(), path: shown.to_owned(), identity };
        // One that can only be read serves as long as there is something in it.
        let usable = faccessat(&directory.descriptor, ".", AccessFlags::W_OK | AccessFlags::X_OK, AtFlags::AT_EACCESS);
        match usable {
            Err(Errno::EACCES) if !matches!(directory.read("salt"), Ok(Some(_))) => {
                Err(refused("permission denied to make files in it; chmod 700 it"))
            }
            _ => Ok(directory),
        }
    }

    /// How long what is in it is there.
    pub fn lasting(&self) -> Lasting {
        mount::lasting(&self.descriptor, &self.path)
    }

    /// What has this name, if anything has.
    pub fn status(&self, name: &str) -> Result<Option<FileStat>, StoreError> {
        match fstatat(&self.descriptor, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(there) => Ok(Some(there)),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(self.error(name, error)),
        }
    }

    /// A failed operation on a file of this directory.
    pub fn error(&self, name: &str, error: impl Into<io::Error>) -> StoreError {
        StoreError(format!("{}: {}", self.path.join(name).display(), error.into()))
    }

    /// A file of this directory, for reading and writing, made where it is missing; `None`: something else has its name.
    pub fn file(&self, name: &str) -> Result<Option<File>, StoreError> {
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
                // A directory has this name. An empty one is removed.
                Errno::EISDIR | Errno::ENOTEMPTY | Errno::EEXIST => {
                    unlinkat(&self.descriptor, to, UnlinkatFlags::RemoveDir)?;
                    renamed()
                }
                error => Err(error),
            })
            .and_then(|()| synced(retry(|| fsync(&self.descriptor))))
            .map_err(|error| self.error(to, error))
    }

    /// Removes a file, where there is one.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        match unlinkat(&self.descriptor, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(self.error(name, error)),
        }
    }
}

/// Makes a directory, and those above it; false where it is there already.
fn make(place: &Path) -> Result<bool, Errno> {
    let made = |recursive, path: &Path| DirBuilder::new().mode(0o700).recursive(recursive).create(path);
    made(true, place.parent().unwrap_or(place)).map_err(|error| errno(&error))?;
    match made(false, place).map_err(|error| errno(&error)) {
        Ok(()) => Ok(true),
        Err(Errno::EEXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What somebody must mend is refused. What passes by itself, or what the system cannot do, is not.
pub fn by_owner_mode_or_kind(error: Errno, what: String) -> OpenError {
    match error {
        Errno::EACCES
        | Errno::EPERM
        | Errno::ENOTDIR
        | Errno::ELOOP
        | Errno::ENOENT
        | Errno::EEXIST
        | Errno::EINVAL
        | Errno::ENAMETOOLONG => OpenError::Refused(StoreError(what)),
        _ => OpenError::Store(StoreError(what)),
    }
}

/// The number of a failure; EIO where it has none.
pub fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Whether it is on the disk, as far as the file system can say: some (CIFS, FUSE) refuse to be asked.
pub fn synced(outcome: nix::Result<()>) -> nix::Result<()> {
    match outcome {
        Err(
            Errno::EINVAL
            | Errno::ENOSYS
            | Errno::EOPNOTSUPP
            | Errno::EBADF
            | Errno::EACCES
            | Errno::EPERM
            | Errno::EISDIR
            | Errno::ENOTTY,
        ) => Ok(()),
        outcome => outcome,
    }
}

/// Goes on when a signal came in between.
pub fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            outcome => return outcome,
        }
    }
}
