//! Each system call on the way to a token fails once in each way that its manual names, or is the last of its process.
//!
//! `strace` makes them fail. A thread has its own count of calls: one that is to fail fails once in each thread.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::child::{self, Ask};
use common::{Fault, Machine, Scratch, stats, wait_for};
use serde_json::{Value, json};

#[test]
fn child() {
    child::run();
}

/// Calls, and how they fail.
const FAILURES: &[(&str, &[&str])] = &[
    ("clone3", &["EAGAIN", "ENOMEM"]),
    ("close", &["EIO", "EINTR", "ENOSPC", "EDQUOT"]),
    ("close_range", &["ENOSYS", "EINVAL", "ENOMEM", "EMFILE"]),
    ("connect", &["ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EINTR"]),
    ("faccessat2", &["ENOSYS", "EIO", "ENOMEM", "EROFS"]),
    ("fchmod", &["EPERM", "EROFS", "EIO"]),
    ("fcntl", &["EACCES", "EAGAIN", "EINTR", "ENOLCK", "EIO", "EMFILE"]),
    ("fstat", &["EIO", "ENOMEM", "ESTALE"]),
    ("fsync", &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINVAL", "EINTR"]),
    ("ftruncate", &["EIO", "EFBIG", "EINTR", "EPERM", "EROFS"]),
    ("getdents64", &["EIO", "ENOENT", "ESTALE"]),
    ("getpid", &[]),
    ("getrandom", &["EINTR"]),
    ("geteuid", &[]),
    ("gettid", &[]),
    ("getsockopt", &["ENOBUFS"]),
    ("ioctl", &["EIO", "ENOTTY"]),
    ("lseek", &["EIO"]),
    ("mkdir", &["EACCES", "EDQUOT", "EIO", "EMLINK", "ENOENT", "ENOMEM", "ENOSPC", "EROFS"]),
    ("newfstatat", &["EACCES", "EIO", "ENOENT", "ENOMEM", "ESTALE"]),
    (
        "openat",
        &["EACCES", "EMFILE", "ENFILE", "ENOSPC", "EDQUOT", "EROFS", "ENOMEM", "EIO", "ELOOP", "ENOENT", "EINTR"],
    ),
    ("poll", &["EINTR", "ENOMEM"]),
    ("pwrite64", &["ENOSPC", "EDQUOT", "EIO", "EFBIG", "EINTR"]),
    ("read", &["EIO", "EINTR", "ESTALE"]),
    ("recvfrom", &["ECONNRESET", "ETIMEDOUT", "EINTR", "ENOMEM"]),
    ("readlink", &["EACCES", "EINVAL", "EIO", "ENOENT", "ENOMEM"]),
    ("readlinkat", &["EACCES", "EINVAL", "EIO", "ENOENT", "ENOMEM"]),
    ("renameat", &["EACCES", "EBUSY", "EDQUOT", "EIO", "ENOENT", "ENOSPC", "EROFS"]),
    ("sendto", &["EPIPE", "ECONNRESET", "ENOBUFS", "EINTR"]),
    ("setsockopt", &["ENOPROTOOPT", "ENOMEM", "EDOM"]),
    ("socket", &["EACCES", "EAFNOSUPPORT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]),
    ("statx", &["EACCES", "EIO", "ENOENT", "ENOMEM", "ENOSYS", "ESTALE"]),
    ("unlinkat", &["EACCES", "EBUSY", "EIO", "ENOENT", "EROFS"]),
    ("utimensat", &["EACCES", "EPERM", "EROFS", "EIO"]),
];

/// Those of the C library's and of Rust's own threads and memory, and of the test that prints what it got.
const OTHERS: &[&str] = &[
    "brk",
    "clock_nanosleep",
    "exit",
    "exit_group",
    "futex",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prctl",
    "restart_syscall",
    "rseq",
    "rt_sigprocmask",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
    "write",
];

/// A process that asks while strace looks on.
struct Traced {
    /// What it got; `None`: it died.
    answer: Option<Value>,
    log: String,
}

fn traced(ask: &Ask, expressions: &[String]) -> Traced {
    let scratch = Scratch::new();
    let log = scratch.path("log");
    let mut asker = ask.start();
    let strace = Command::new("strace")
        .args(["-f", "-q", "-o", log.to_str().unwrap(), "-p", &asker.id().to_string()])
        .args(expressions.iter().flat_map(|expression| ["-e", expression]))
        .spawn();
    let mut strace: Child = strace.expect("apt-get install strace");
    // The call by which it waits may be its last.
    wait_for(|| asker.ended() || is_traced(asker.id()));
    asker.go();
    let answer = asker.last(Duration::from_secs(30));
    strace.wait().unwrap();
    Traced { answer, log: fs::read_to_string(log).unwrap() }
}

/// Whether all its threads are.
fn is_traced(process: u32) -> bool {
    let traced = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
    };
    fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten().all(traced)
}

/// How often a thread makes each call, at most.
fn calls(log: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if call.contains(' ') {
            // The end of one that was counted before.
            continue;
        }
        *counts.entry((thread, call)).or_default() += 1;
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in counts {
        let known = most.entry(call.to_owned()).or_insert(0);
        *known = count.max(*known);
    }
    most
}

/// A machine whose store has a token already, or has none.
fn machine(warm: bool, fault: &Fault) -> Machine {
    let machine = Machine::new();
    if warm {
        machine.process(fault, json!({})).token().unwrap();
    }
    machine
}

fn ask(machine: &Machine, fault: &Fault) -> Ask {
    let mut ask = fault.ask(&machine.directory());
    ask.told["options"]["timeout_ms"] = json!(6000);
    ask
}

/// One call goes wrong as `how` says. Whether there was such a call, and else what is wrong with what came of it.
fn goes_wrong(warm: bool, call: &str, how: &str) -> Result<bool, String> {
    let fault = Fault::new("ok");
    let machine = machine(warm, &fault);
    let start = Instant::now();
    let of = traced(&ask(&machine, &fault), &[format!("trace={call}"), format!("inject={call}:{how}")]);
    let killed = how.starts_with("signal");
    match &of.answer {
        _ if start.elapsed() > Duration::from_secs(20) => return Err("it hangs".to_owned()),
        None if !killed => return Err(format!("it crashes: {}", of.log)),
        // A bug of the library is what it must not be called.
        Some(answer) if answer["status"] == 12 => return Err(answer.to_string()),
        _ => {}
    }
    let later = |_| {
        let client = machine.process(&fault, json!({}));
        let mut token = client.token();
        // A hold-off, if there is one, is over soon.
        for _ in 0..10 {
            let Err(error) = &token else { break };
            machine.hands.pass(error.retry_after);
            token = client.token();
        }
        (token.map(|token| token.value.expose().to_owned()), stats(&client)["store"].clone())
    };
    let [first, second] = [(), ()].map(later);
    let logins = fault.logins();
    let fine = first.0.is_ok() && first.0 == second.0 && second.1["degraded"] == false && logins <= 2;
    let reached = of.log.contains("(INJECTED)") || of.log.contains("killed by SIGKILL");
    fine.then_some(reached).ok_or_else(|| format!("{logins} logins, then {first:?}, {second:?}, after {:?}", of.answer))
}

/// All that can go wrong.
fn plan(warm: bool) -> Vec<(bool, String, String)> {
    let fault = Fault::new("ok");
    let of = traced(&ask(&machine(warm, &fault), &fault), &[]);
    assert!(of.answer.unwrap()["token"].is_string());
    let calls = calls(&of.log);
    let known: BTreeSet<_> = FAILURES.iter().map(|(call, _)| *call).chain(OTHERS.iter().copied()).collect();
    let unknown: Vec<_> = calls.keys().filter(|call| !known.contains(call.as_str())).collect();
    assert!(unknown.is_empty(), "how do these fail? {unknown:?}");
    let mut plan = Vec::new();
    for (call, errors) in FAILURES {
        let Some(&most) = calls.get(*call) else { continue };
        for number in 1..=most {
            plan.push((warm, (*call).to_owned(), format!("signal=KILL:when={number}")));
            for error in *errors {
                plan.push((warm, (*call).to_owned(), format!("error={error}:when={number}")));
            }
        }
    }
    plan
}

#[test]
fn each_system_call_fails_once_or_is_the_last() {
    let plan = Mutex::new([plan(false), plan(true)].concat());
    let total = plan.lock().unwrap().len();
    let wrong = Mutex::new(Vec::new());
    let reached = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((warm, call, how)) = plan.lock().unwrap().pop() else { break };
                    match goes_wrong(warm, &call, &how) {
                        Ok(true) => drop(reached.fetch_add(1, Ordering::Relaxed)),
                        Ok(false) => {}
                        Err(what) => wrong.lock().unwrap().push(format!("{call} {how}, warm {warm}: {what}")),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let reached = reached.into_inner();
    println!("{reached} of {total} calls went wrong");
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
    // Some are made only where a thread was slower than another.
    assert!(total > 500 && reached > total * 9 / 10, "{reached} of {total}");
}
