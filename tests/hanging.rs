//! File systems that refuse or hang: locks, `fsync`, servers that are gone.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::child::{self, Ask};
use common::{Fault, Scratch};
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

/// A library that lets calls fail with the number that a variable names, or hang where that is 0. `LOCKS`: those that set
/// a lock. `SYNCS`: those that write a directory to the disk. `OPENS`: those that open a file `salt`. `COUNT` is a file
/// that gets a byte for each that hangs; none hangs once there is a file `BACK`.
const SHIM: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>
    static int fails(const char *what) {
        const char *number = getenv(what);
        if (!number) return 0;
        if (atoi(number)) { errno = atoi(number); return 1; }
        if (access(getenv("BACK"), F_OK) == 0) return 0;
        int count = open(getenv("COUNT"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (write(count, "x", 1) != 1) abort();
        close(count);
        while (access(getenv("BACK"), F_OK) != 0) usleep(10000);
        return 0;
    }
    static int through(const char *name, int fd, int command, void *argument) {
        if (command == F_SETLK || command == F_SETLKW) { if (fails("LOCKS")) return -1; }
        return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, name))(fd, command, argument);
    }
    int fcntl(int fd, int command, ...) {
        va_list arguments; va_start(arguments, command);
        void *argument = va_arg(arguments, void *); va_end(arguments);
        return through("fcntl", fd, command, argument);
    }
    int fcntl64(int fd, int command, ...) {
        va_list arguments; va_start(arguments, command);
        void *argument = va_arg(arguments, void *); va_end(arguments);
        return through("fcntl64", fd, command, argument);
    }
    int fsync(int fd) {
        struct stat there;
        if (fstat(fd, &there) == 0 && S_ISDIR(there.st_mode) && fails("SYNCS")) return -1;
        return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
    }
    static int opens(const char *name, int directory, const char *path, int flags, int mode) {
        if (strcmp(path, "salt") == 0 && fails("OPENS")) return -1;
        return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, name))(directory, path, flags, mode);
    }
    int openat(int directory, const char *path, int flags, ...) {
        va_list arguments; va_start(arguments, flags);
        int mode = va_arg(arguments, int); va_end(arguments);
        return opens("openat", directory, path, flags, mode);
    }
    int openat64(int directory, const char *path, int flags, ...) {
        va_list arguments; va_start(arguments, flags);
        int mode = va_arg(arguments, int); va_end(arguments);
        return opens("openat64", directory, path, flags, mode);
    }"#;

/// Where the library is, and what it counts.
struct Shim {
    scratch: Scratch,
    library: PathBuf,
}

impl Shim {
    fn new() -> Self {
        let scratch = Scratch::new();
        let library = common::preloaded(&scratch.path(""), SHIM);
        Self { scratch, library }
    }

    fn around(&self, ask: Ask, what: &str, number: &str) -> Ask {
        ask.environment("LD_PRELOAD", &self.library)
            .environment("COUNT", self.scratch.path("count"))
            .environment("BACK", self.scratch.path("back"))
            .environment(what, number)
    }

    fn hung(&self) -> usize {
        fs::read(self.scratch.path("count")).map_or(0, |count| count.len())
    }

    fn store(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }
}

fn degraded(answer: &Value) -> String {
    assert!(answer["token"].is_string(), "{answer}");
    let store = &answer["stats"]["store"];
    assert_eq!((&store["degraded"], &store["lasting"]), (&json!(true), &json!(false)), "{answer}");
    store["why_not"].as_str().unwrap().to_owned()
}

fn kept(answer: &Value) -> bool {
    assert_eq!(answer["stats"]["store"]["degraded"], false, "{answer}");
    answer["stats"]["adopted"] == 1
}

#[test]
fn locks_that_are_refused_leave_memory_alone() {
    let fault = Fault::new("ok");
    let shim = Shim::new();
    // ENOLCK, ENOSYS, EBADF; EACCES and EAGAIN though nobody has it.
    for number in ["37", "38", "9", "13", "11"] {
        // With a salt and without.
        for salt in [false, true] {
            let store = shim.store(&format!("{number}-{salt}"));
            if salt {
                fault.ask(&store).now();
            }
            fs::read_dir(&store).into_iter().flatten().flatten().for_each(|file| {
                if file.file_name() != "salt" {
                    fs::remove_file(file.path()).unwrap();
                }
            });
            let start = Instant::now();
            let why = degraded(&shim.around(fault.ask(&store), "LOCKS", number).now());
            assert!(why.contains(&format!("os error {number}")), "{why}");
            assert!(start.elapsed() < Duration::from_secs(8), "{number} {:?}", start.elapsed());
        }
    }
}

#[test]
fn a_lock_that_somebody_has_is_waited_for() {
    let fault = Fault::new("slow");
    let shim = Shim::new();
    let store = shim.store("store");
    let mut first = fault.ask(&store).start();
    first.go();
    common::wait_for(|| fault.logins() == 1);
    let second = fault.ask(&store).now();
    assert_eq!((kept(&second), &second["token"]), (true, &first.answer()["token"]));
    assert_eq!(fault.logins(), 1);
}

#[test]
fn a_directory_that_cannot_be_synced_keeps_its_entry() {
    let fault = Fault::new("ok");
    let shim = Shim::new();
    // EINVAL, EOPNOTSUPP, EBADF
    for number in ["22", "95", "9"] {
        let ask = shim.around(fault.ask(&shim.store(number)), "SYNCS", number);
        let first = ask.now();
        assert!(!kept(&first));
        let second = ask.now();
        assert_eq!((kept(&second), &second["token"]), (true, &first["token"]), "{number}");
    }
    // A disk that fails is another matter: EIO.
    assert!(degraded(&shim.around(fault.ask(&shim.store("5")), "SYNCS", "5").now()).contains("os error 5"));
}

/// A token within the time, in memory alone; nobody waits a second time; one thread is left behind.
fn hangs(what: &str, salted: bool) {
    // Each report is a false alarm, and a lookup.
    let fault = Fault::new("ok");
    let shim = Shim::new();
    let store = shim.store("store");
    if salted {
        Fault::new("ok").ask(&store).now();
    }
    let mut ask = shim.around(fault.ask(&store), what, "0");
    ask.told["times"] = json!(4);
    let mut asker = ask.start();
    asker.go();
    let mut threads = Vec::new();
    for number in 0..4 {
        let answer = asker.answer();
        let took = answer["took"].as_f64().unwrap();
        let why = degraded(&answer);
        assert!(why.contains("no answer in time") && why.contains(store.to_str().unwrap()), "{what} {number}: {why}");
        assert!(if number == 0 { (1.9..5.0).contains(&took) } else { took < 1.9 }, "{what} {number}: {took}");
        threads.push(answer["threads"].clone());
        if number == 3 {
            break;
        }
        asker.go();
    }
    assert_eq!(fault.logins(), 1, "{what}");
    assert_eq!(shim.hung(), 1, "{what}: one call hangs, and no other is made");
    assert!(threads.iter().all(|count| *count == threads[0]), "{what}: {threads:?}");
}

#[test]
fn a_lock_call_that_hangs_does_not_hold_up_a_call() {
    hangs("LOCKS", false);
    hangs("LOCKS", true);
}

#[test]
fn a_file_server_that_is_gone_does_not_hold_up_a_call() {
    hangs("OPENS", true);
}

#[test]
fn a_lock_that_comes_too_late_is_let_go_and_the_store_serves_again() {
    let fault = Fault::new("organizations-401");
    let shim = Shim::new();
    let store = shim.store("store");
    fault.ask(&store).now();
    fs::read_dir(&store)
        .unwrap()
        .flatten()
        .filter(|file| file.file_name() != "salt")
        .for_each(|file| fs::remove_file(file.path()).unwrap());
    let mut ask = shim.around(fault.ask(&store), "LOCKS", "0");
    ask.told["times"] = json!(2);
    let mut asker = ask.start();
    asker.go();
    let first = asker.answer();
    degraded(&first);
    fs::write(shim.store("back"), b"").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // Another process has the lock at once.
    let other = fault.ask(&store).now();
    assert!(!kept(&other) && other["stats"]["waits"] == 1, "{other}");
    asker.go();
    let second = asker.answer();
    assert!(second["token"].is_string() && second["stats"]["store"]["degraded"] == false, "{second}");
    assert_eq!(second["stats"]["store"]["place"], store.display().to_string());
}

#[test]
fn a_usual_place_that_hangs_is_left_alone_too() {
    let fault = Fault::new("ok");
    let shim = Shim::new();
    let ask = shim
        .around(fault.ask(Path::new("/nonexistent")), "LOCKS", "0")
        .environment("XDG_STATE_HOME", shim.store("state"));
    let mut ask = ask.environment("STATE_DIRECTORY", "");
    ask.told["options"]["cache"] = json!("auto");
    assert!(degraded(&ask.now()).contains("no answer in time"));
}
