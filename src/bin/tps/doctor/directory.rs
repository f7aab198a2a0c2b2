//! What is in the store's directory, and how much room there is.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::statvfs;

use super::Finding;

/// An entry takes 24 KiB at most, and its successor as much.
const ROOM: u64 = 1024 * 1024;

/// Entries are marked once a day where they are used. One that was not for so long is probably of a password that was
/// changed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Looks at it.
pub fn examine(place: &Path) -> [Finding; 2] {
    [space(place), entries(place)]
}

fn space(place: &Path) -> Finding {
    let about = "space";
    match statvfs(place) {
        Ok(space) => {
            let free = space.blocks_available() * space.fragment_size();
            let found = format!("{} MiB free", free / ROOM);
            match free < ROOM {
                true => Finding::bad(about, found, format!("free some of the disk: df -h {}", place.display())),
                false => Finding::good(about, found),
            }
        }
        Err(error) => Finding::unknown(about, error.desc()),
    }
}

/// Entries' names tell nothing of whose they are: they come from the passwords.
fn entries(place: &Path) -> Finding {
    let about = "entries";
    let now = SystemTime::now();
    let is_entry = |file: &DirEntry| file.path().extension().is_some_and(|kind| kind == "entry");
    let is_unused = |file: &DirEntry| {
        let used = file.metadata().and_then(|file| file.modified()).ok();
        used.and_then(|used| now.duration_since(used).ok()).is_some_and(|age| age > UNUSED)
    };
    let files: Vec<_> = fs::read_dir(place).map_or_else(|_| Vec::new(), |files| files.flatten().collect());
    let entries: Vec<_> = files.iter().filter(|file| is_entry(file)).collect();
    let unused = entries.iter().filter(|file| is_unused(file)).count();
    if unused == 0 {
        return Finding::good(about, format!("{}, all in use", entries.len()));
    }
    Finding::bad(
        about,
        format!("{unused} of {} were not used for 30 days: their tokens still count at the server", entries.len()),
        format!(
            "run tps logout once more with each earlier password, or ask TPStreams to revoke the tokens; then remove the \
             entries: find {} -name '*.entry' -mtime +30 -delete",
            place.display()
        ),
    )
}
