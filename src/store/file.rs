//! The store of one host: a directory of one user's, with a file for each credential.
//!
//! - `salt`: random bytes, made once by whoever comes first;
//! - `NAME.entry`: what is known of the credential, sealed, replaced as a whole by renaming `NAME.new`;
//! - `NAME.lock`: locked while somebody logs in; never removed.
//!
//! `NAME.new` is locked besides `NAME.lock`, so that whoever removes one of them under the holder does not let a second
//! one in.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nix::unistd::{User, geteuid};

use super::directory::{Directory, LARGEST, Locked};
use super::seal::Seal;
use super::{Entry, Lock, Owner, Record, Trouble, UNUSED};
use crate::clock::Reading;

/// How far its modification time, which tells of its use, may lag behind.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The directories that serve when none is named, the best first.
pub fn usual_places() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || variable("HOME").or_else(|| User::from_uid(geteuid()).ok().flatten().map(|user| user.dir));
    let state = variable("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state")));
    state
        .map(|state| state.join("tps"))
        .into_iter()
        .chain([PathBuf::from(format!("/var/tmp/tps-{}", geteuid()))])
        .collect()
}

/// The owner's entry in the first of the directories that can be used. `known` are the seals of earlier calls.
pub fn entry(places: &[PathBuf], owner: &Owner<'_>, known: &[Arc<Seal>]) -> Result<FileEntry, Trouble> {
    let mut troubles = Vec::new();
    for place in places {
        match Directory::open(place) {
            Ok(directory) => {
                let seal = Seal::known_or_derived(known, owner, directory.salt()?)?;
                return Ok(FileEntry { directory, seal });
            }
            Err(Trouble(trouble)) => troubles.push(trouble),
        }
    }
    Err(Trouble(troubles.join("; ")))
}

/// The entry of one credential.
pub struct FileEntry {
    directory: Directory,
    seal: Arc<Seal>,
}

impl FileEntry {
    fn name(&self, kind: &str) -> String {
        format!("{}.{kind}", self.seal.name())
    }
}

impl Entry for FileEntry {
    fn place(&self) -> String {
        self.directory.path.display().to_string()
    }

    fn seal(&self) -> Arc<Seal> {
        self.seal.clone()
    }

    fn read(&self, clocks: &Reading) -> Result<Record, Trouble> {
        let Some((file, sealed)) = self.directory.read(&self.name("entry"))? else { return Ok(Record::default()) };
        let record = self.seal.open(&sealed).and_then(|text| Record::from_text(&text, clocks));
        if record.is_some() {
            touch(&file);
        }
        Ok(record.unwrap_or_default())
    }

    fn try_lock(&self) -> Result<Option<Box<dyn Lock + '_>>, Trouble> {
        let Some(lock) = self.directory.try_lock(self.name("lock"))? else { return Ok(None) };
        let Some(new) = self.directory.try_lock(self.name("new"))? else { return Ok(None) };
        Ok(Some(Box::new(FileLock { entry: self, new: Some(new), _lock: lock })))
    }
}

/// Tells of an entry's use, once a day.
fn touch(file: &File) {
    let now = SystemTime::now();
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    if modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > DAY)) {
        // One that cannot be touched is as good as any other.
        let _ = file.set_modified(now);
    }
}

struct FileLock<'a> {
    entry: &'a FileEntry,
    /// Locked until it has become the entry.
    new: Option<Locked<'a>>,
    _lock: Locked<'a>,
}

impl Lock for FileLock<'_> {
    fn prepare(&mut self) -> Result<(), Trouble> {
        // On the disk in full length: overwriting it needs no more room.
        self.new.as_ref().map_or(Ok(()), |new| new.fill(&[0; LARGEST]))
    }

    fn write(&mut self, record: &Record, clocks: &Reading) -> Result<(), Trouble> {
        let Some(mut new) = self.new.take() else { return Ok(()) };
        if !new.still_there()? {
            // Somebody has removed it; the other lock is still ours.
            let name = new.name.clone();
            drop(new);
            new = self.entry.directory.try_lock(name)?.ok_or_else(|| {
                Trouble(format!("{}: files are being removed while they are in use", self.entry.place()))
            })?;
        }
        new.fill(&self.entry.seal.close(&record.to_text(clocks))?)?;
        self.entry.directory.rename(&new.name, &self.entry.name("entry"))?;
        sweep(&self.entry.directory);
        Ok(())
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        // What did not become an entry is left-over.
        if let Some(new) = self.new.take() {
            new.discard();
        }
    }
}

/// Removes entries that nobody used for long, and what killed processes left behind.
fn sweep(directory: &Directory) {
    let Ok(files) = fs::read_dir(&directory.path) else { return };
    let now = SystemTime::now();
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let age = file
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|then| now.duration_since(then).ok());
        let Some(age) = age else { continue };
        if name.ends_with(".entry") && age > UNUSED {
            let _ = directory.remove(&name);
        } else if name.ends_with(".new") && age > DAY {
            // Only when nobody is about to fill it.
            if let Ok(Some(left_over)) = directory.try_lock(name) {
                left_over.discard();
            }
        }
    }
}
