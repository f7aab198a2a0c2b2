//! Which directory serves: by what is set, by owner and mode, and by the user of the moment.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use common::child::{self, Ask};
use common::{Fault, Scratch};
use nix::unistd::{Uid, User};
use serde_json::{Value, json};

/// A user without rights, whom only root can become.
const NOBODY: u32 = 65_534;

/// `TPS_INVALID_ARGUMENT`
const ARGUMENT: i32 = 1;

#[test]
fn child() {
    child::run();
}

fn root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A directory of this owner, group and mode.
fn directory(path: &Path, user: u32, group: u32, mode: u32) {
    fs::create_dir(path).unwrap();
    if root() {
        chown(path, Some(user), Some(group)).unwrap();
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Where the token was kept, for all processes.
fn place(answer: &Value) -> PathBuf {
    assert!(answer["token"].is_string(), "{answer}");
    assert_eq!(answer["stats"]["store"]["degraded"], false, "{answer}");
    answer["stats"]["store"]["place"].as_str().unwrap().into()
}

/// Why the directory that was named was refused.
fn refused(answer: &Value) -> String {
    assert_eq!(answer["status"], ARGUMENT, "{answer}");
    answer["error"].as_str().unwrap().to_owned()
}

/// Asks by `cache: "auto"`, with these of the variables that name places.
fn ask_auto(fault: &Fault, variables: &[(&str, &Path)]) -> Ask {
    let mut ask = fault.ask(Path::new("/nonexistent"));
    ask.told["options"]["cache"] = json!("auto");
    let ask = ["STATE_DIRECTORY", "XDG_STATE_HOME"].iter().fold(ask, |ask, name| ask.environment(name, ""));
    variables.iter().fold(ask, |ask, (name, path)| ask.environment(name, path))
}

/// As another user.
fn by(ask: &Ask, user: u32) -> Ask {
    Ask { user: Some(user), ..ask.clone() }
}

#[test]
fn the_usual_places_in_their_order() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let [service, second, xdg, home] = ["service", "second", "xdg", "home"].map(|name| scratch.path(name));
    [&service, &home].into_iter().for_each(|path| fs::create_dir(path).unwrap());
    let both = PathBuf::from(format!("{}:{}", service.display(), second.display()));
    let all = [("STATE_DIRECTORY", both.as_path()), ("XDG_STATE_HOME", &xdg), ("HOME", &home)];
    assert_eq!(place(&ask_auto(&fault, &all).now()), service.join("tps"));
    assert!(!second.exists());
    assert_eq!(place(&ask_auto(&fault, &all[1..]).now()), xdg.join("tps"));
    assert_eq!(place(&ask_auto(&fault, &all[2..]).now()), home.join(".local/state/tps"));
    // What cannot be made is passed over.
    let none = [("STATE_DIRECTORY", Path::new("/proc/tps")), ("XDG_STATE_HOME", Path::new("relative")), all[2]];
    assert_eq!(place(&ask_auto(&fault, &none).now()), home.join(".local/state/tps"));
}

#[test]
fn root_makes_nothing_in_another_users_directories() {
    if !root() {
        return;
    }
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let [home, state, roots] = ["home", "state", "roots"].map(|name| scratch.path(name));
    [&home, &state].into_iter().for_each(|path| directory(path, NOBODY, NOBODY, 0o755));
    directory(&roots, 0, 0, 0o755);
    // As `sudo` and `su` leave them. Root's own home would be next: one that is the test's own comes before.
    let deep = state.join("not/there/yet");
    for theirs in [("XDG_STATE_HOME", state.as_path()), ("XDG_STATE_HOME", &deep), ("STATE_DIRECTORY", &state)] {
        let kept = place(&ask_auto(&fault, &[theirs, ("HOME", &roots)]).now());
        assert_eq!(kept, roots.join(".local/state/tps"), "{theirs:?}");
    }
    let kept = place(&ask_auto(&fault, &[("STATE_DIRECTORY", &roots), ("HOME", &home)]).now());
    assert_eq!(kept, roots.join("tps"));
    let roots_own = User::from_uid(Uid::from_raw(0)).unwrap().unwrap().dir.join(".local/state/tps");
    let was_there = roots_own.exists();
    let kept = place(&ask_auto(&fault, &[("HOME", &home)]).now());
    assert!(!kept.starts_with(&home), "{kept:?}");
    if !was_there && kept == roots_own {
        fs::remove_dir_all(&roots_own).unwrap();
    }
    for path in [&home, &state] {
        assert_eq!(fs::read_dir(path).unwrap().count(), 0, "{path:?}");
    }
    // The user can use it.
    directory(&home.join(".local"), NOBODY, NOBODY, 0o755);
    fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
    let kept = place(&by(&ask_auto(&fault, &[("HOME", &home)]), NOBODY).now());
    assert_eq!(kept, home.join(".local/state/tps"));
}

#[test]
fn a_home_of_somebody_elses_is_not_used() {
    if !root() {
        return;
    }
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
    let theirs = scratch.path("theirs");
    directory(&theirs, 0, 0, 0o777);
    // This user's own home is not there.
    let last = PathBuf::from(format!("/var/tmp/tps-{NOBODY}"));
    let was_there = last.exists();
    let kept = place(&by(&ask_auto(&fault, &[("HOME", &theirs)]), NOBODY).now());
    if !was_there {
        fs::remove_dir_all(&last).unwrap();
    }
    assert_eq!(kept, last);
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
}

#[test]
fn a_process_that_drops_its_privileges_looks_again() {
    if !root() {
        return;
    }
    let fault = Fault::new("organizations-401");
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
    let [roots, home] = ["roots", "home"].map(|name| scratch.path(name));
    directory(&roots, 0, 0, 0o700);
    directory(&home, NOBODY, NOBODY, 0o755);
    let mut ask = ask_auto(&fault, &[("XDG_STATE_HOME", &roots), ("HOME", &home)]);
    ask.told["drop_to"] = json!(NOBODY);
    let mut asker = ask.start();
    asker.go();
    assert_eq!(place(&asker.answer()), roots.join("tps"));
    asker.go();
    let later = asker.answer();
    assert_eq!(place(&later), home.join(".local/state/tps"));
    assert_eq!(fs::metadata(home.join(".local/state/tps")).unwrap().uid(), NOBODY);
    // Another process of that user finds it there.
    let other = by(&ask_auto(&fault, &[("HOME", &home)]), NOBODY).now();
    assert_eq!(other["token"], later["token"]);
}

#[test]
fn a_directory_of_ones_own_inside_a_volume() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
    let user = if root() { NOBODY } else { nix::unistd::geteuid().as_raw() };
    let as_user = |path: &Path| if root() { by(&fault.ask(path), user) } else { fault.ask(path) };
    // Its owner, its group and its mode; whether it serves itself.
    let mut volumes = vec![("own", user, 0, 0o700, true), ("open", user, 0, 0o755, false)];
    if root() {
        volumes.extend([
            ("volume", 0, user, 0o2770, false),
            ("emptydir", 0, 0, 0o777, false),
            ("sticky", 1, 1, 0o1777, false),
        ]);
    }
    for (name, owner, group, mode, itself) in volumes {
        let volume = scratch.path(name);
        directory(&volume, owner, group, mode);
        let inside = volume.join(format!("tps-{user}"));
        let kept = if itself { &volume } else { &inside };
        let first = as_user(&volume).now();
        assert_eq!(place(&first), *kept);
        let made = fs::metadata(kept).unwrap();
        assert_eq!((made.uid(), made.mode() & 0o7777), (user, 0o700), "{name}");
        assert_eq!(fs::metadata(&volume).unwrap().mode() & 0o7777, mode, "{name}");
        let second = as_user(&volume).now();
        assert_eq!((&second["token"], &second["stats"]["adopted"]), (&first["token"], &json!(1)), "{name}");
    }
}

#[test]
fn a_directory_that_was_named_and_cannot_serve_is_an_argument_error() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let ask = |path: &Path| refused(&fault.ask(path).now());

    let file = scratch.path("file");
    fs::write(&file, b"").unwrap();
    assert!(ask(&file).contains("no directory"));
    assert!(ask(&file.join("below")).contains("file/below"));
    let proc = ask(Path::new("/proc/tps"));
    assert!(proc.contains("/proc/tps") && proc.contains("chmod 700"), "{proc}");

    let turning = scratch.path("turning");
    symlink(&turning, &turning).unwrap();
    assert!(ask(&turning).contains("symbolic links"));

    // What is inside is not one's own.
    let open = scratch.path("open");
    directory(&open, nix::unistd::geteuid().as_raw(), 0, 0o755);
    let inside = open.join(format!("tps-{}", nix::unistd::geteuid()));
    let elsewhere = scratch.path("elsewhere");
    directory(&elsewhere, nix::unistd::geteuid().as_raw(), 0, 0o700);
    symlink(&elsewhere, &inside).unwrap();
    assert!(ask(&open).contains("symbolic link"));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    fs::remove_file(&inside).unwrap();
    directory(&inside, nix::unistd::geteuid().as_raw(), 0, 0o750);
    assert!(ask(&open).contains("open to other users"));

    if root() {
        let others = scratch.path("others");
        directory(&others, NOBODY, NOBODY, 0o700);
        assert!(ask(&others).contains("another user"));
        fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
        let roots = scratch.path("roots");
        directory(&roots, 0, 0, 0o755);
        let why = refused(&by(&fault.ask(&roots), NOBODY).now());
        assert!(why.contains("Permission denied") && why.contains("tps-65534"), "{why}");
    }
    assert_eq!(fault.requests(), 0, "nothing was sent");
}

#[test]
fn a_link_is_followed_where_it_is_ones_own_or_roots() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let real = scratch.path("real");
    directory(&real, nix::unistd::geteuid().as_raw(), 0, 0o700);
    let [link, chain, new] = ["link", "chain", "new"].map(|name| scratch.path(name));
    symlink("real", &link).unwrap();
    symlink(&link, &chain).unwrap();
    symlink("made", &new).unwrap();
    let first = fault.ask(&real).now();
    for path in [&link, &chain] {
        let answer = fault.ask(path).now();
        assert_eq!((place(&answer), &answer["token"]), (path.clone(), &first["token"]));
    }
    place(&fault.ask(&new).now());
    assert_eq!(fs::metadata(scratch.path("made")).unwrap().mode() & 0o7777, 0o700);
    if root() {
        std::os::unix::fs::lchown(&link, Some(NOBODY), Some(NOBODY)).unwrap();
        for path in [&link, &chain] {
            assert!(refused(&fault.ask(path).now()).contains("another user"));
        }
    }
}

#[test]
fn a_directory_without_rights() {
    let user = root().then_some(NOBODY);
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(""), Permissions::from_mode(0o755)).unwrap();
    let store = scratch.path("store");
    let mode = |mode| fs::set_permissions(&store, Permissions::from_mode(mode)).unwrap();
    directory(&store, user.unwrap_or_else(|| nix::unistd::geteuid().as_raw()), 0, 0o000);
    let ask = Ask { user, ..fault.ask(&store) };
    assert!(refused(&ask.now()).contains("Permission denied"));
    // Readable, and no file can be made.
    mode(0o500);
    assert!(refused(&ask.now()).contains("chmod 700"));
    mode(0o700);
    let first = ask.now();
    place(&first);
    // A store that can only be read still serves.
    mode(0o500);
    let second = ask.now();
    assert_eq!((place(&second), &second["token"]), (store.clone(), &first["token"]));
    mode(0o700);
}

#[test]
fn a_directory_that_goes_wrong_later_leaves_memory_alone() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let store = scratch.path("store");
    let client = fault.client(json!({"cache": format!("file:{}", store.display())}));
    let first = common::token(&client);
    fs::remove_dir_all(&store).unwrap();
    fs::write(&store, b"").unwrap();
    client.invalidate(&first).unwrap();
    assert!(client.token().is_ok());
    let stats = common::stats(&client);
    assert_eq!((&stats["store"]["degraded"], &stats["store"]["lasting"]), (&json!(true), &json!(false)), "{stats}");
    // A new process minds.
    assert!(refused(&fault.ask(&store).now()).contains("no directory"));
}
