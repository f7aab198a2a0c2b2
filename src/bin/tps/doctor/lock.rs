//! The lock of a login: whether it can be had, and whether a record can be written with it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tps::process::clock::{Clock, System};
use tps::store::{Store, StoreError, WriteError};

use super::{Finding, advice};

/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// For so long it is taken. A server that does not let it be released keeps it so long.
const TURN: Duration = Duration::from_secs(1);

/// What came of trying it.
pub enum Tried {
    /// It was had, and the record was written as it was.
    Written,
    /// Another process had it all the time.
    Taken,
    /// It could not be had, or the record not be written.
    Failed(StoreError),
}

/// Takes the lock, and writes the record as it is: what a login needs. A login that is under way is waited for.
pub fn tried(store: &dyn Store, deadline: Instant) -> Tried {
    loop {
        // Clocks that were read long ago count as those of a process that was stopped.
        let now = System.read();
        match store.try_lock(&now, Instant::now() + TURN) {
            Err(error) => return Tried::Failed(error),
            Ok(Some(lock)) => {
                let record = lock.record().clone();
                return match lock.write(&record, &now) {
                    Ok(_) | Err(WriteError::Conflict) => Tried::Written,
                    Err(WriteError::Store(error)) => Tried::Failed(error),
                };
            }
            Ok(None) if Instant::now() >= deadline => return Tried::Taken,
            Ok(None) => thread::sleep(PAUSE),
        }
    }
}

/// `who` says of a lock that is taken which process has it, and what to do.
pub fn finding(tried: Option<Tried>, who: impl FnOnce() -> (String, String)) -> Finding {
    let about = "lock";
    match tried {
        Some(Tried::Written) => Finding::good(about, "can be had, and the record can be written"),
        Some(Tried::Taken) => {
            let (who, advice) = who();
            Finding::bad(about, who, advice)
        }
        Some(Tried::Failed(StoreError(error))) => advice::on(&error),
        None => Finding::unknown(about, "not tried"),
    }
}

/// Who has locks in this directory, by the system's list of locks, and what to do.
pub fn in_directory(place: &Path) -> (String, String) {
    let holders = holders(place, &fs::read_to_string("/proc/locks").unwrap_or_default());
    if holders.is_empty() {
        return by_nobody_known();
    }
    let named = |process: &String| {
        let program = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        format!("process {process} ({})", program.trim())
    };
    let who: Vec<_> = holders.iter().map(named).collect();
    (
        format!("{} has it and does not let go", who.join(", ")),
        format!("wait if it logs in; if it hangs, end it: kill -9 {}", holders.join(" ")),
    )
}

/// The system does not tell who has it.
pub fn by_nobody_known() -> (String, String) {
    (
        "another process has it and does not let go".to_owned(),
        "look for a process that hangs in a login, in another container or on another host, and end it".to_owned(),
    )
}

/// The processes of lines like `1: POSIX  ADVISORY  WRITE 712 fe:00:1234 0 EOF` that are about a lock's file.
fn holders(place: &Path, locks: &str) -> Vec<String> {
    let files = fs::read_dir(place).map_or_else(|_| Vec::new(), |files| files.flatten().collect());
    let lock_files = files.iter().filter(|file| file.path().extension().is_some_and(|kind| kind == "lock"));
    let inodes: Vec<_> = lock_files.flat_map(|file| file.metadata()).map(|file| file.ino().to_string()).collect();
    let holder = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let file = words.get(5)?.rsplit(':').next()?;
        inodes.iter().any(|inode| inode == file).then(|| words.get(4).map(|process| (*process).to_owned()))?
    };
    locks.lines().filter_map(holder).collect()
}
