//! Faults of the directory in which the token is kept.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;

use super::shell::{Shell, typed};
use crate::common::{Fault, preloaded, wait_for};

/// Whether mounts can be made here: by root, where the container lets it.
pub fn mounts_can_be_made() -> bool {
    Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "x", "/mnt"])
        .status()
        .is_ok_and(|status| status.success())
}

fn directory(path: &Path, mode: u32) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_is_open_to_others() {
    let shell = Shell::to(&Fault::new("ok"));
    let inside = shell.store().join(format!("tps-{}", geteuid()));
    directory(&inside, 0o777);
    directory(&shell.store(), 0o755);
    let advice = shell.wrong("store", &["is open to other users", inside.to_str().unwrap()]);
    assert_eq!(advice, format!("chmod 700 {}", inside.display()));
    typed(&advice, "chmod");
    shell.well("chmod 700");
}

#[test]
fn what_is_no_directory() {
    let mut shell = Shell::to(&Fault::new("ok"));
    fs::write(shell.store(), "a file").unwrap();
    shell.wrong("store", &["is no directory", "remove what is at", "Name a directory"]);
    fs::remove_file(shell.store()).unwrap();
    shell.well("it is made");
    fs::remove_dir_all(shell.store()).unwrap();
    symlink(shell.store(), shell.store()).unwrap();
    shell.wrong("store", &["Too many symbolic links", "Name a directory"]);
    fs::remove_file(shell.store()).unwrap();
    shell.well("the links are gone");
    shell.set("TPS_CACHE", "memory").wrong("lasting", &["each one logs in", "TPS_CACHE", "file:DIR"]);
    let directory = format!("file:{}", shell.store().display());
    shell.set("TPS_CACHE", &directory).well("it is in a directory");
}

#[test]
fn somebody_elses_directory() {
    if !geteuid().is_root() {
        return;
    }
    let mut shell = Shell::to(&Fault::new("ok"));
    directory(&shell.store(), 0o700);
    chown(shell.store(), Some(65_534), Some(65_534)).unwrap();
    shell.wrong("store", &["belongs to another user (65534)", "run as that user", "chown", "another directory"]);
    let another = format!("file:{}", shell.scratch.path("another").display());
    shell.set("TPS_CACHE", &another).well("another directory");
    chown(shell.store(), Some(0), Some(0)).unwrap();
    let same = format!("file:{}", shell.store().display());
    shell.set("TPS_CACHE", &same).well("chown");
}

/// A file system of 4 MiB with the salt, which is made at the first login.
fn small_disk(store: &Path) -> String {
    let store = store.display();
    format!(
        "mount -t tmpfs -o size=4m,mode=700 x {store} && printf 0123456789abcdef >{store}/salt && chmod 600 {store}/salt;"
    )
}

#[test]
fn a_disk_that_is_full_and_one_that_is_in_memory() {
    if !mounts_can_be_made() {
        return;
    }
    let mut shell = Shell::to(&Fault::new("ok"));
    directory(&shell.store(), 0o700);
    let store = shell.store();
    let mount = small_disk(&store);
    let file = store.join("junk");
    for (size, found) in [("5000000", "No space left"), ("3500000", "0 MiB free")] {
        shell.before = format!("{mount} head -c {size} /dev/zero >{} 2>/dev/null;", file.display());
        shell.wrong_besides(&["lasting"], "space", &[found, "free some of th", "df -h"]);
    }
    shell.before = format!("{} rm {};", shell.before, file.display());
    shell.well_besides(&["lasting"], "there is room");
    shell.wrong("lasting", &["tmpfs", "StateDirectory=", "file:DIR"]);
    let on_a_disk = shell.scratch.path("service");
    directory(&on_a_disk, 0o700);
    shell.unset("TPS_CACHE").set("STATE_DIRECTORY", on_a_disk.to_str().unwrap()).well("StateDirectory=");
}

#[test]
fn a_disk_that_can_only_be_read() {
    if !mounts_can_be_made() {
        return;
    }
    let mut shell = Shell::to(&Fault::new("ok"));
    shell.token();
    let store = shell.store().display().to_string();
    shell.before = format!("mount --bind {store} {store} && mount -o remount,ro,bind {store};");
    shell.wrong("store", &["ead-only file system", "mount it for writing"]);
    shell.before = format!("{} mount -o remount,rw,bind {store};", shell.before);
    shell.well("it is mounted for writing");
}

#[test]
fn a_tmp_that_is_emptied_with_the_service() {
    if !mounts_can_be_made() {
        return;
    }
    let mut shell = Shell::to(&Fault::new("ok"));
    // As systemd does it for `PrivateTmp=yes`; and a home in which nothing can be made.
    let private = shell.scratch.path("systemd-private-4c1f-apache2.service-Q1w2/tmp");
    directory(&private, 0o1777);
    shell.before = format!("mount --bind {} /var/tmp;", private.display());
    shell.unset("TPS_CACHE").set("HOME", "/proc").set("XDG_STATE_HOME", "/proc");
    shell.wrong("lasting", &["/var/tmp/tps-", "PrivateTmp=", "StateDirectory="]);
    let place = shell.finding("store");
    let found = place["found"].as_str().unwrap();
    assert!(found.starts_with("/var/tmp/tps-") && found.contains("not used: /proc/tps: "), "{found}");
    let state = shell.scratch.path("state");
    directory(&state, 0o700);
    shell.set("STATE_DIRECTORY", state.to_str().unwrap()).well("StateDirectory=");
}

/// As NFS refuses them whose lock service does not run.
const NO_LOCKS: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>

    static int refused(const char *name, int file, int command, void *argument) {
        if (command == F_SETLK) {
            errno = ENOLCK;
            return -1;
        }
        int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
        return real(file, command, argument);
    }

    #define WRAP(name) \
        int name(int file, int command, ...) { \
            va_list rest; \
            va_start(rest, command); \
            void *argument = va_arg(rest, void *); \
            va_end(rest); \
            return refused(#name, file, command, argument); \
        }
    WRAP(fcntl)
    WRAP(fcntl64)
"#;

#[test]
fn a_file_system_that_cannot_lock() {
    let mut shell = Shell::to(&Fault::new("ok"));
    let library = preloaded(&shell.scratch.path(""), NO_LOCKS);
    shell.set("LD_PRELOAD", library.to_str().unwrap());
    shell.wrong("lock", &["No locks available", "start its lock service"]);
    shell.unset("LD_PRELOAD").well("the lock service runs");
}

#[test]
fn a_process_that_hangs_with_the_lock() {
    let fault = Fault::new("hang");
    let mut shell = Shell::to(&fault);
    let (mut hanging, process) = shell.stopped_in_a_login(&fault);
    shell.option("timeout_ms", 1500);
    let advice = shell.wrong("lock", &[&format!("process {process} (tps) has it"), "if it hangs, end it"]);
    typed(&advice, "kill");
    hanging.wait().unwrap();
    shell.well("it was ended");
    shell.token();
    shell.well("and somebody else has logged in");
}

#[test]
fn a_login_that_is_under_way_is_no_fault() {
    let fault = Fault::new("slow2");
    let shell = Shell::to(&fault);
    let asking = shell.start(&["token"]);
    wait_for(|| fault.logins() == 1);
    shell.well("it ends");
    assert!(shell.finding("token")["found"].as_str().unwrap().ends_with(", valid"));
    assert!(asking.wait_with_output().unwrap().status.success());
}

#[test]
fn tokens_of_passwords_that_were_changed() {
    let fault = Fault::new("ok");
    let mut shell = Shell::to(&fault);
    let unused = |shell: &Shell| {
        let line = format!("touch -d '40 days ago' {}/*.entry", shell.store().display());
        assert!(Command::new("bash").args(["-c", &line]).status().unwrap().success());
    };
    shell.token();
    unused(&shell);
    shell.set("TPS_PASSWORD", "s3same-open-2").token();
    shell.wrong("entries", &["1 of 2 were not used for 30 days", "tps logout"]);
    // With the earlier password.
    shell.set("TPS_PASSWORD", super::shell::PASSWORD);
    assert_eq!(shell.text(&["logout"]).0, 0);
    shell.set("TPS_PASSWORD", "s3same-open-2").well("it was given back");
    // Nobody knows it any more.
    unused(&shell);
    shell.token();
    let advice = shell.wrong("entries", &["1 of 2", "ask TPStreams to revoke"]);
    typed(&advice, "rm");
    shell.well("they were removed");
    assert_eq!(fault.seen()["tokens"], 1);
}
