//! Which directory serves.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{Uid, User, geteuid};

use super::directory::{Directory, by_owner_mode_or_kind, errno};
use crate::options::Directories;
use crate::options::cache::StateHomes;
use crate::store::{OpenError, StoreError};

/// So many symbolic links may lead from a directory that was named to the one that is meant.
const LINKS: u32 = 8;

/// The directory that serves, by the user of this moment.
pub fn open(directories: &Directories) -> Result<Directory, OpenError> {
    match directories {
        Directories::Usual(homes) => {
            let (directory, errors) = first_of(&usual(homes));
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            directory.ok_or_else(|| StoreError(errors.join("; ")).into())
        }
        Directories::Named(path) => named(path).map_err(|error| match error {
            OpenError::Refused(StoreError(error)) => OpenError::Refused(StoreError(format!("{error}. {}", right()))),
            error => error,
        }),
    }
}

fn right() -> String {
    let user = geteuid();
    format!(
        "Name a directory that belongs to this process's user ({user}) and that only this user can open (chmod 700), or \
         one of root's in which this user can make tps-{user}"
    )
}

/// The usual places, the best first.
fn usual(homes: &StateHomes) -> Vec<PathBuf> {
    let user = geteuid();
    let home = homes.home.clone().filter(|home| owner(home) == Some(user));
    let home = home.or_else(|| User::from_uid(user).ok().flatten().map(|user| user.dir));
    let states = [homes.service.clone(), homes.xdg.clone(), home.map(|home| home.join(".local/state"))];
    // What root makes in another user's directories, that user cannot use.
    let ours = |state: &PathBuf| !user.is_root() || state.ancestors().find_map(owner).is_some_and(Uid::is_root);
    let everybodys = PathBuf::from(format!("/var/tmp/tps-{user}"));
    states.into_iter().flatten().filter(ours).map(|state| state.join("tps")).chain([everybodys]).collect()
}

fn owner(path: &Path) -> Option<Uid> {
    fs::metadata(path).ok().map(|metadata| Uid::from_raw(metadata.uid()))
}

/// Where the directory is that serves, and why those before it do not, for people.
pub fn chosen(directories: &Directories) -> (Option<PathBuf>, Vec<StoreError>) {
    let (directory, errors) = match directories {
        Directories::Usual(homes) => first_of(&usual(homes)),
        Directories::Named(path) => (named(path).ok(), Vec::new()),
    };
    (directory.map(|directory| directory.path), errors)
}

fn first_of(places: &[PathBuf]) -> (Option<Directory>, Vec<StoreError>) {
    let mut errors = Vec::new();
    for place in places {
        match Directory::open(place, place) {
            Ok(directory) => return (Some(directory), errors),
            Err(error) => errors.push(error.into_error()),
        }
    }
    (None, errors)
}

/// The directory that was named, where it is this user's alone; else one inside, which nobody else can put in place of
/// this user's or read.
fn named(path: &Path) -> Result<Directory, OpenError> {
    let place = followed(path)?;
    match fs::symlink_metadata(&place) {
        Ok(there) if there.is_dir() && !is_this_users_alone(&there) => {
            if !may_hold_others(&there) {
                let what = format!("{}: belongs to another user ({})", path.display(), there.uid());
                return Err(OpenError::Refused(StoreError(what)));
            }
            let inside = format!("tps-{}", geteuid());
            Directory::open(&place.join(&inside), &path.join(&inside))
        }
        // Where there is nothing it is made.
        _ => Directory::open(&place, path),
    }
}

fn is_this_users_alone(directory: &Metadata) -> bool {
    directory.uid() == geteuid().as_raw() && directory.mode() & 0o077 == 0
}

/// Whether other users cannot remove what this one makes in it, or are trusted not to. The root of a volume belongs to
/// root and can be written by a group.
fn may_hold_others(directory: &Metadata) -> bool {
    const STICKY: u32 = 0o1000;
    is_trusted(directory) || directory.mode() & STICKY != 0
}

fn is_trusted(metadata: &Metadata) -> bool {
    metadata.uid() == 0 || metadata.uid() == geteuid().as_raw()
}

/// Where a symbolic link leads that is the path itself. Other users could change theirs.
fn followed(path: &Path) -> Result<PathBuf, OpenError> {
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&place) {
            Ok(link) if link.is_symlink() => {
                if !is_trusted(&link) {
                    let what = format!("{}: is a symbolic link of another user's ({})", path.display(), link.uid());
                    return Err(OpenError::Refused(StoreError(what)));
                }
                let target = fs::read_link(&place).map_err(|error| refusal(path, errno(&error)))?;
                place = place.parent().unwrap_or(&place).join(target);
            }
            _ => return Ok(place),
        }
    }
    Err(refusal(path, Errno::ELOOP))
}

fn refusal(path: &Path, error: Errno) -> OpenError {
    by_owner_mode_or_kind(error, format!("{}: {}", path.display(), error.desc()))
}
