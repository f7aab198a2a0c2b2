//! What can be wrong with the directory and the files of the store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
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
    let (old, used) = (aged("old.entry", 401), aged("used.entry", 399));
    let (left_over, fresh) = (aged("killed.new", 2), aged("busy.new", 0));
    fs::remove_file(files(&directory, "entry").into_iter().find(|path| path != &old && path != &used).unwrap())
        .unwrap();
    ask.now();
    assert!(!old.exists() && used.exists());
    assert!(!left_over.exists() && fresh.exists());
}

#[test]
fn use_keeps_an_entry_and_the_salt_young() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    fault.ask(&directory).now();
    // The salt too: without it no entry is found.
    let used = [entry(&directory), directory.join("salt")];
    for days in [31, 399] {
        let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        for path in &used {
            OpenOptions::new().write(true).open(path).unwrap().set_modified(then).unwrap();
        }
        assert!(kept(&fault.ask(&directory).now()));
        for path in &used {
            let age = fs::metadata(path).unwrap().modified().unwrap().elapsed().unwrap();
            assert!(age < Duration::from_secs(3600), "{path:?} after {days} days");
        }
    }
}

#[test]
fn what_a_process_still_knows_is_written_again() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let directory = scratch.path("store");
    let client = fault.client(json!({"cache": format!("file:{}", directory.display())}));
    let token = common::token(&client);
    // As systemd-tmpfiles does it.
    for file in fs::read_dir(&directory).unwrap().flatten() {
        fs::remove_file(file.path()).unwrap();
    }
    client.invalidate(&token).unwrap();
    assert_eq!(common::token(&client), token, "it stands");
    let other = fault.ask(&directory).now();
    assert!(kept(&other) && other["token"] == token.as_str(), "{other}");
    assert_eq!(fault.logins(), 1);
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

/// The same place by two names: two cache entries of one process, which record locks do not keep apart.
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
