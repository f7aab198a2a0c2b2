//! How long a directory is there, by the mount that it is on.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use crate::store::Lasting;

/// What its mount says of a directory. Where the system does not list mounts, it lasts.
pub fn lasting(directory: impl AsFd, path: &Path) -> Lasting {
    // The thread's own descriptors: its table may be another one than the process's.
    let descriptor = format!("/proc/thread-self/fdinfo/{}", directory.as_fd().as_raw_fd());
    let emptied = fs::read_to_string(descriptor).ok().zip(fs::read("/proc/thread-self/mountinfo").ok()).and_then(
        |(descriptor, mounts)| {
            let number = descriptor.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().to_owned();
            emptied(&number, &String::from_utf8_lossy(&mounts))
        },
    );
    match emptied {
        None => Lasting::Yes,
        Some(Emptied::WithService) => Lasting::Service(format!(
            "{}: is emptied whenever the service stops (PrivateTmp= of its systemd unit); set StateDirectory= in the \
             unit, or cache \"file:DIR\"",
            path.display()
        )),
        Some(Emptied::WithMachine) => Lasting::Service(format!(
            "{}: is in memory (tmpfs), and emptied when the machine or the container stops; set StateDirectory= in the \
             systemd unit, or cache \"file:DIR\" with a directory on a disk",
            path.display()
        )),
    }
}

/// When a mount is emptied.
#[derive(Debug, PartialEq, Eq)]
enum Emptied {
    WithService,
    WithMachine,
}

/// When the mount of this number is emptied, by a text like `/proc/self/mountinfo`; `None`: it is not.
fn emptied(number: &str, mounts: &str) -> Option<Emptied> {
    let mount = mounts.lines().find(|line| line.split(' ').next() == Some(number))?;
    let (place, kind) = mount.split_once(" - ")?;
    // Number, parent, device, and the directory of the file system that is its root.
    let root = place.split(' ').nth(3)?;
    let kind = kind.split(' ').next()?;
    if root.split('/').any(|part| part.starts_with("systemd-private-")) {
        Some(Emptied::WithService)
    } else {
        matches!(kind, "tmpfs" | "ramfs").then_some(Emptied::WithMachine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
        29 22 0:25 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=1g\n\
        301 22 254:1 /var/tmp/systemd-private-0a1b-apache2.service-Xy/tmp /var/tmp rw,relatime - ext4 /dev/vda1 rw\n\
        302 22 254:1 /srv/my\\040systemd-private /srv rw - ext4 /dev/vda1 rw\n\
        cut off";

    #[test]
    fn a_mount_that_is_emptied_is_known() {
        assert_eq!(emptied("22", MOUNTS), None);
        assert_eq!(emptied("29", MOUNTS), Some(Emptied::WithMachine));
        assert_eq!(emptied("301", MOUNTS), Some(Emptied::WithService));
        assert_eq!(emptied("302", MOUNTS), None);
        assert_eq!((emptied("30", MOUNTS), emptied("cut", MOUNTS)), (None, None));
    }
}
