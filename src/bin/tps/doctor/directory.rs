//! What is in the store's directory, and how much room there is.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::SystemTime;

use nix::sys::statvfs::statvfs;

use super::{Finding, entries};

/// An entry takes 24 KiB at most, and its successor as much.
const ROOM: u64 = 1024 * 1024;

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

fn entries(place: &Path) -> Finding {
    let now = SystemTime::now();
    let idle = |file: &DirEntry| now.duration_since(file.metadata().ok()?.modified().ok()?).ok();
    let files = fs::read_dir(place).into_iter().flatten().flatten();
    let entries = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "entry"));
    // What is of the future was used just now.
    let entries: Vec<_> =
        entries.map(|file| (file.path().display().to_string(), idle(&file).unwrap_or_default())).collect();
    entries::finding(&entries, |names| format!("rm {names}"))
}
