//! How old files are: a modification time says when it was last used.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::directory::Directory;
use crate::store::UNUSED;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Notes that a file is used, once a day.
pub fn touch(file: &File) {
    let now = SystemTime::now();
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    if modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > DAY)) {
        // A file that cannot be touched is as good as any other.
        let _ = file.set_modified(now);
    }
}

/// Removes entries that nobody used for long, and what killed processes left behind.
pub fn sweep(directory: &Directory) {
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
