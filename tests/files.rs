//! What can be wrong with the directory and the files of the store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::child;
use common::{Fault, Organization, Scratch};
use serde_json::{Value, json};

/// A user without rights, whom only root can become.
const NOBODY: u32 = 65_534;

#[test]
fn child() {
    child::run();
}

fn store(answer: &Value) -> &Value {
    &answer["stats"]["store"]
}

/// That there was a token, in memory alone, and why.
fn degraded(answer: &Value) -> String {
    assert!(answer["token"].is_string(), "{answer}");
    assert_eq!(store(answer)["degraded"], true, "{answer}");
    store(answer)["why_not"].as_str().unwrap().to_owned()
}

fn kept(answer: &Value) -> bool {
    assert!(answer["token"].is_string(), "{answer}");
    assert_eq!(store(answer)["degraded"], false, "{answer}");
    answer["stats"]["adopted"] == 1
}

fn files(directory: &Path, kind: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().flatten().map(|file| file.path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == kind)).collect()
}

fn entry(directory: &Path) -> PathBuf {
    let entries = files(directory, "entry");
    assert_eq!(entries.len(), 1);
    entries[0].clone()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn junk_is_a_miss_and_is_repaired() {
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 7] = [
        ("twelve bytes behind it", |path| {
            OpenOptions::new().append(true).open(path).unwrap().write_all(b"twelve bytes").unwrap();
        }),
        ("empty", |path| fs::write(path, b"").unwrap()),
        ("cut", |path| fs::write(path, &fs::read(path).unwrap()[..40]).unwrap()),
        ("of a later version", |path| {
            let mut text = fs::read(path).unwrap();
            text[3] = b'9';
            fs::write(path, text).unwrap();
        }),
        ("far too long", |path| fs::write(path, vec![b'x'; 1_000_000]).unwrap()),
        ("a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("a symbolic link", |path| {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            symlink(&elsewhere, path).unwrap();
        }),
    ];
    let fault = Fault::new("ok");
    for (what, spoil) in spoil {
        let scratch = Scratch::new();
        let directory = scratch.path("store");
        let ask = fault.ask(&directory);
        assert!(!kept(&ask.now()), "{what}");
        let before = fault.logins();
        spoil(&entry(&directory));
        assert!(!kept(&ask.now()), "{what}");
        assert!(kept(&ask.now()), "{what}");
        assert_eq!(fault.logins(), before + 1, "{what}");
        assert!(fs::symlink_metadata(entry(&directory)).unwrap().is_file(), "{what}");
    }
}

#[test]
fn a_deleted_entry_is_a_miss() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    fault.ask(&directory).now();
    fs::remove_file(entry(&directory)).unwrap();
    assert!(!kept(&fault.ask(&directory).now()));
    fs::remove_dir_all(&directory).unwrap();
    assert!(!kept(&fault.ask(&directory).now()));
    assert_eq!(fault.logins(), 3);
}

#[test]
fn modes_are_tight_whatever_the_umask() {
    for (umask, fault) in [("umask 000;", Fault::new("ok")), ("umask 777;", Fault::new("ok"))] {
        let scratch = Scratch::new();
        let directory = scratch.path("a/b/store");
        let mut ask = fault.ask(&directory);
        if umask == "umask 777;" {
            // Its parents could not even be made.
            fs::create_dir_all(directory.parent().unwrap()).unwrap();
        }
        ask.before = umask;
        assert!(!kept(&ask.now()));
        assert!(kept(&ask.now()));
        assert_eq!(mode(&directory), 0o700, "{umask}");
        let files: Vec<_> = fs::read_dir(&directory).unwrap().flatten().map(|file| file.path()).collect();
        assert!(files.len() >= 3);
        for file in files {
            assert_eq!(mode(&file), 0o600, "{umask} {file:?}");
        }
    }
}

#[test]
fn nothing_can_be_read_in_any_file() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    let token = organization.ask(&directory).now()["token"].as_str().unwrap().to_owned();
    for file in fs::read_dir(&directory).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
        for secret in [&token, &organization.password, &organization.username, &organization.id] {
            assert!(!text.contains(secret.as_str()) && !name.contains(secret.as_str()), "{name}");
        }
    }
}

#[test]
fn a_directory_that_is_not_ones_own_is_refused() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();

    let open = scratch.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(degraded(&fault.ask(&open).now()).contains("chmod 700"));
    assert_eq!(mode(&open), 0o755);

    let real = scratch.path("real");
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    let link = scratch.path("link");
    symlink(&real, &link).unwrap();
    assert!(degraded(&fault.ask(&link).now()).contains("symbolic link"));
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0);

    let file = scratch.path("file");
    fs::write(&file, b"").unwrap();
    assert!(degraded(&fault.ask(&file).now()).contains("no directory"));

    assert!(degraded(&fault.ask(Path::new("/proc/tps")).now()).contains("/proc/tps"));

    if root() {
        let others = scratch.path("others");
        fs::create_dir(&others).unwrap();
        fs::set_permissions(&others, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&others, Some(NOBODY), None).unwrap();
        assert!(degraded(&fault.ask(&others).now()).contains("another user"));
    }
}

#[test]
fn files_of_a_strange_kind_are_not_written_through() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    fault.ask(&directory).now();
    let victim = scratch.path("victim");
    fs::write(&victim, b"precious").unwrap();
    let lock = files(&directory, "lock").remove(0);
    for (file, made) in [(lock.with_extension("new"), false), (lock, true)] {
        if made {
            fs::remove_file(&file).unwrap();
        }
        symlink(&victim, &file).unwrap();
        fs::remove_file(entry(&directory)).ok();
        degraded(&fault.ask(&directory).now());
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        fs::remove_file(&file).unwrap();
        fault.ask(&directory).now();
    }
}

#[test]
fn a_directory_without_rights_leaves_memory_alone() {
    if !root() {
        // For anybody else the same is true of a directory that no parent lets in.
        return without_rights(None);
    }
    without_rights(Some(NOBODY));
}

fn without_rights(user: Option<u32>) {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    fs::create_dir(&directory).unwrap();
    chown(&directory, user, user).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o000)).unwrap();
    let mut ask = fault.ask(&directory);
    ask.user = user;
    let why = degraded(&ask.now());
    assert!(why.contains("ermission"), "{why}");
    // Readable, and no file can be made.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o500)).unwrap();
    assert!(degraded(&ask.now()).contains("ermission"));
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!kept(&ask.now()));
    // A store that can only be read still serves.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o500)).unwrap();
    assert!(kept(&ask.now()));
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn each_user_has_a_place() {
    if !root() {
        return;
    }
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let state = scratch.path("state");
    let ask =
        organization.ask_with(&organization.password, json!({"cache": "auto"})).environment("XDG_STATE_HOME", &state);
    assert!(!kept(&ask.now()));
    let mut other = ask.clone();
    other.user = Some(NOBODY);
    let answer = other.now();
    assert!(!kept(&answer));
    assert_eq!(store(&answer)["place"], format!("/var/tmp/tps-{NOBODY}"));
    assert!(kept(&other.now()));
    assert!(kept(&ask.now()));
    fs::remove_dir_all(format!("/var/tmp/tps-{NOBODY}")).unwrap();
    assert_eq!(organization.count("logins"), 2);
}

#[test]
fn a_full_disk_leaves_the_old_entry_whole() {
    let fault = Fault::new("organizations-401");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    let ask = fault.ask(&directory);
    ask.now();
    let before = fs::read(entry(&directory)).unwrap();
    let mut writer = ask.clone();
    // No byte can be written to any file.
    writer.before = "ulimit -f 0;";
    writer.told["reject"] = json!(true);
    let mut writing = writer.start();
    writing.go();
    let first = writing.answer();
    writing.go();
    let second = writing.answer();
    assert!(second["token"].is_string() && second["token"] != first["token"], "{second}");
    assert!(!degraded(&second).is_empty());
    assert_eq!(fs::read(entry(&directory)).unwrap(), before);
    assert!(kept(&ask.now()));
    assert!(files(&directory, "new").is_empty(), "nothing is left over");
}

/// A library that lets `fcntl` fail where a lock is asked for.
fn failing_locks(directory: &Path) -> PathBuf {
    let text = r#"
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdarg.h>
        #include <stdlib.h>
        int fcntl(int fd, int command, ...) {
            va_list arguments;
            va_start(arguments, command);
            void *argument = va_arg(arguments, void *);
            va_end(arguments);
            if (command == F_SETLK || command == F_SETLKW) { errno = atoi(getenv("LOCKS_FAIL_WITH")); return -1; }
            return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl"))(fd, command, argument);
        }
        int fcntl64(int fd, int command, ...) {
            va_list arguments;
            va_start(arguments, command);
            void *argument = va_arg(arguments, void *);
            va_end(arguments);
            return fcntl(fd, command, argument);
        }"#;
    common::preloaded(directory, text)
}

#[test]
fn a_file_system_without_locks_leaves_memory_alone() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("c")).unwrap();
    let library = failing_locks(&scratch.path("c"));
    // ENOLCK, ENOSYS, EBADF
    for number in ["37", "38", "9"] {
        let ask =
            fault.ask(&scratch.path(number)).environment("LD_PRELOAD", &library).environment("LOCKS_FAIL_WITH", number);
        let why = degraded(&ask.now());
        assert!(why.contains("os error") || why.contains("lock"), "{why}");
    }
}

#[test]
fn old_entries_are_removed_when_somebody_logs_in() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    let ask = fault.ask(&directory);
    ask.now();
    let aged = |name: &str, days: u64| {
        let path = directory.join(name);
        fs::write(&path, b"x").unwrap();
        let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        OpenOptions::new().write(true).open(&path).unwrap().set_modified(then).unwrap();
        path
    };
    let (old, used) = (aged("old.entry", 91), aged("used.entry", 89));
    let (left_over, fresh) = (aged("killed.new", 2), aged("busy.new", 0));
    fs::remove_file(files(&directory, "entry").into_iter().find(|path| path != &old && path != &used).unwrap())
        .unwrap();
    ask.now();
    assert!(!old.exists() && used.exists());
    assert!(!left_over.exists() && fresh.exists());
}

#[test]
fn use_keeps_an_entry_young() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    fault.ask(&directory).now();
    let then = SystemTime::now() - Duration::from_secs(80 * 24 * 3600);
    OpenOptions::new().write(true).open(entry(&directory)).unwrap().set_modified(then).unwrap();
    assert!(kept(&fault.ask(&directory).now()));
    assert!(fs::metadata(entry(&directory)).unwrap().modified().unwrap() > then + Duration::from_secs(24 * 3600));
}

#[test]
fn a_logout_forgets_in_the_store_too() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let options = json!({"cache": format!("file:{}", scratch.path("store").display())});
    let client = organization.client(options);
    client.token().unwrap();
    client.logout().unwrap();
    assert!(!kept(&organization.ask(&scratch.path("store")).now()));
}

#[test]
fn a_token_of_its_owners_is_kept_like_any_other() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let ask = fault.ask(&scratch.path("store"));
    let mut given = ask.clone();
    given.told["options"]["token"] = json!("0123456789abcdef");
    assert_eq!(given.now()["token"], "0123456789abcdef");
    assert_eq!(ask.now()["token"], "0123456789abcdef");
    assert_eq!(fault.logins(), 0);
    // The store's comes first.
    given.told["options"]["token"] = json!("another");
    assert_eq!(given.now()["token"], "0123456789abcdef");
}

#[test]
fn other_options_find_the_same_entry() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let ask = fault.ask(&scratch.path("store"));
    ask.now();
    let mut other = ask.clone();
    other.told["options"]["user_agent"] = json!("shop/2");
    assert!(kept(&other.now()));
}

/// The same place by two names: two slots of one process, which record locks do not hold apart.
#[test]
fn two_names_of_one_directory_are_one_store() {
    let organization = Organization::new(json!({"latency": 0.3}));
    let scratch = Scratch::new();
    let clients: Vec<_> = ["store", "./store", "././store"]
        .map(|name| organization.client(json!({"cache": format!("file:{}", scratch.path(name).display())})))
        .into();
    let tokens: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = clients.iter().map(|client| scope.spawn(|| client.token().unwrap())).collect();
        asked.into_iter().map(|thread| thread.join().unwrap().value.expose().to_owned()).collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(organization.count("logins"), 1);
}
