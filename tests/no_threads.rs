//! Where the system gives no thread, all is done on the caller's own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;

use common::child::{self, Ask};
use common::{Fault, Scratch};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

/// A process to which the system gives no thread, and which notes each time that it wanted one.
fn without_threads(scratch: &Scratch, ask: Ask) -> Ask {
    fs::create_dir_all(scratch.path("c")).unwrap();
    let library = common::preloaded(
        &scratch.path("c"),
        r#"
        #include <errno.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <unistd.h>
        int pthread_create(void *thread, const void *attributes, void *(*start)(void *), void *argument) {
            int wanted = open(getenv("WANTED"), O_WRONLY | O_CREAT | O_APPEND, 0600);
            if (write(wanted, "x", 1) != 1)
                abort();
            close(wanted);
            return EAGAIN;
        }"#,
    );
    ask.environment("WANTED", scratch.path("wanted")).environment("LD_PRELOAD", library)
}

#[test]
fn a_process_without_threads_gets_its_token_and_gives_it_back() {
    let fault = Fault::new("ok");
    let scratch = Scratch::new();
    let mut ask = without_threads(&scratch, fault.ask(&scratch.path("store")));
    // A name: it is resolved without a thread too.
    let base_url = ask.told["options"]["base_url"].as_str().unwrap().replace("127.0.0.1", "localhost");
    ask.told["options"]["base_url"] = json!(base_url);
    ask.told["logout"] = json!(true);
    let mut asker = ask.start();
    asker.go();
    let answer = asker.answer();
    assert!(answer["token"].is_string(), "{answer}");
    assert_eq!((&answer["stats"]["logins"], &answer["stats"]["store"]["degraded"]), (&json!(1), &json!(false)));
    assert_eq!(asker.answer(), json!({"logged_out": true, "error": null}));
    assert_eq!((fault.asked(), fault.seen()["tokens"].clone()), (vec!["login".into(), "logout".into()], json!(0)));
    let wanted = fs::read_to_string(scratch.path("wanted")).unwrap();
    assert!(wanted.len() >= 4, "two threads for the calls, two for the name: {wanted}");
}

#[test]
fn a_process_without_threads_keeps_to_its_time_and_says_what_went_wrong() {
    for (scenario, status) in [("hang", 10), ("html502", 8), ("wrong-password", 2)] {
        let fault = Fault::new(scenario);
        let scratch = Scratch::new();
        let mut ask = without_threads(&scratch, fault.ask(&scratch.path("store")));
        ask.told["options"]["timeout_ms"] = json!(2000);
        ask.told["calls"] = json!(3);
        let answer = ask.now();
        assert_eq!(answer["status"], status, "{answer}");
        assert!(!answer.to_string().contains("report this"), "{answer}");
        assert_eq!(fault.requests(), 1, "{scenario}");
        assert!(scratch.path("wanted").exists());
    }
}
