//! Whether what is kept lasts, and what to set where it does not.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::child::{self, Ask};
use common::{Fault, Scratch};
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

fn store(answer: &Value) -> &Value {
    assert!(answer["token"].is_string(), "{answer}");
    &answer["stats"]["store"]
}

/// Whether mounts can be made here: by root, where the container lets it.
fn mounts_can_be_made() -> bool {
    std::process::Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "x", "/mnt"])
        .status()
        .is_ok_and(|status| status.success())
}

/// In a mount namespace of its own, after these commands.
fn mounted(ask: &Ask, commands: &str) -> Ask {
    Ask { before: format!("{commands} || exit 1;").leak(), ..ask.clone() }.inside(&[
        "unshare",
        "-m",
        "--propagation",
        "private",
    ])
}

#[test]
fn a_private_tmp_says_what_to_set() {
    if !mounts_can_be_made() {
        return;
    }
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    // As systemd does it for `PrivateTmp=yes`.
    let private = scratch.path("systemd-private-4c1f-apache2.service-Q1w2/tmp");
    fs::create_dir_all(&private).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o1777)).unwrap();
    let bind = format!("mount --bind {} /var/tmp", private.display());
    let mut ask = fault.ask(Path::new("/nonexistent"));
    ask.told["options"]["cache"] = json!("auto");
    // A home in which nothing can be made, as www-data has.
    let service =
        ask.environment("HOME", "/proc").environment("XDG_STATE_HOME", "/proc").environment("STATE_DIRECTORY", "");
    let service = mounted(&service, &bind);
    let answer = service.now();
    let advice = store(&answer)["why_not"].as_str().unwrap().to_owned();
    assert_eq!((&store(&answer)["lasting"], &store(&answer)["degraded"]), (&json!(false), &json!(false)), "{answer}");
    assert!(store(&answer)["place"].as_str().unwrap().starts_with("/var/tmp/tps-"), "{answer}");
    for word in ["PrivateTmp", "StateDirectory=", "file:DIR"] {
        assert!(advice.contains(word), "{advice}");
    }
    // It serves until the service stops.
    assert_eq!(service.now()["token"], answer["token"]);
    // And what was advised helps.
    let state = scratch.path("state");
    fs::create_dir(&state).unwrap();
    let set = service.environment("STATE_DIRECTORY", &state);
    let before = fault.logins();
    for _ in 0..4 {
        assert_eq!(store(&set.now())["place"], state.join("tps").display().to_string());
        // The service stops.
        fs::remove_dir_all(&private).unwrap();
        fs::create_dir(&private).unwrap();
    }
    assert_eq!(fault.logins(), before + 1);
}

#[test]
fn memory_and_tmpfs_do_not_last_and_a_disk_does() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let memory = fault.ask_with(json!({"cache": "memory"})).now();
    assert_eq!((&store(&memory)["lasting"], &store(&memory)["why_not"]), (&json!(false), &Value::Null));
    // Not known before it is used.
    let client = fault.client(json!({"cache": format!("file:{}", scratch.path("store").display())}));
    assert_eq!(common::stats(&client)["store"]["lasting"], Value::Null);
    let disk = mounts_can_be_made().then(|| {
        let ask = mounted(&fault.ask(Path::new("/mnt/store")), "mount -t tmpfs x /mnt");
        let answer = ask.now();
        assert_eq!(store(&answer)["lasting"], false);
        assert!(store(&answer)["why_not"].as_str().unwrap().contains("tmpfs"), "{answer}");
    });
    // The build tree: on a disk, unless this one is in memory throughout.
    let tree = std::env::current_exe().unwrap().with_extension("lasting");
    let on_disk = fault.ask(&tree).now();
    fs::remove_dir_all(&tree).unwrap();
    let why = store(&on_disk)["why_not"].as_str().unwrap_or_default();
    assert!(disk.is_none() || store(&on_disk)["lasting"] == true || why.contains("tmpfs"), "{on_disk}");
}
