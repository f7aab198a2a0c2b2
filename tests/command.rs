//! The command `tps`: its output, its exit codes, and what `tps doctor` says of faults that are set up for real. What it
//! says is done then, and mends them.

#![cfg(all(feature = "command", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::proxy::Proxy;
use common::redis::Redis;
use common::{Fault, Organization, Scratch, free_port};
use nix::unistd::geteuid;
use serde_json::{Value, json};

#[test]
fn child() {
    common::child::run();
}

const PASSWORD: &str = "s3same-open";

/// A shell of its own, without a home and a terminal, as cron's.
struct Shell {
    scratch: Scratch,
    variables: Vec<(String, String)>,
    before: String,
}

impl Shell {
    fn at(base_url: &str) -> Self {
        let scratch = Scratch::new();
        let store = format!("file:{}", scratch.path("store").display());
        let variables = [
            ("TPS_USERNAME", "hari@example.com"),
            ("TPS_PASSWORD", PASSWORD),
            ("TPS_ORGANIZATION_ID", "auhf2k"),
            ("TPS_BASE_URL", base_url),
            ("TPS_CACHE", &store),
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { scratch, variables, before: String::new() }
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    fn store(&self) -> PathBuf {
        self.scratch.path("store")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let command = format!("{} exec \"$@\"", self.before);
        let mut shell = Command::new("unshare");
        // Mounts of a test's own end with it.
        let namespace: &[&str] =
            if self.before.is_empty() { &["--"] } else { &["-m", "--propagation", "private", "--"] };
        shell.args(namespace).args(["bash", "-c", &command, "tps", env!("CARGO_BIN_EXE_tps")]).args(arguments);
        shell.env_clear().envs(self.variables.iter().cloned()).stdin(Stdio::null()).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        for secret in [PASSWORD, "wr0ng", "s3s@me"] {
            assert!(!text.contains(secret), "{text}");
        }
        (output.status.code().unwrap(), text)
    }

    /// The findings of `tps doctor`, and whether all is well. Neither form shows a token.
    fn doctor(&self) -> (bool, Vec<Value>) {
        let (code, json) = self.text(&["doctor", "--json"]);
        let report: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"));
        let (same, lines) = self.text(&["doctor"]);
        assert_eq!((code, same), if report["good"] == true { (0, 0) } else { (1, 1) }, "{json}\n{lines}");
        for text in [&json, &lines] {
            let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
            assert!(words.into_iter().all(|word| word.len() < 64), "a token: {text}");
        }
        (report["good"] == true, report["findings"].as_array().unwrap().clone())
    }

    /// The only thing that is wrong, with what is said of it.
    fn wrong(&self, about: &str, words: &[&str]) {
        let (good, findings) = self.doctor();
        let bad: Vec<_> = findings.iter().filter(|finding| finding["good"] == false).collect();
        assert!(!good && bad.len() == 1 && bad[0]["about"] == about, "{about}: {bad:#?}");
        let said = format!("{} -> {}", bad[0]["found"], bad[0]["advice"]);
        for word in words {
            assert!(said.contains(word), "{about}: {word:?} is missing: {said}");
        }
    }

    fn well(&self, why: &str) {
        let (good, findings) = self.doctor();
        assert!(good, "{why}: {findings:#?}");
    }

    fn token(&self) -> String {
        let (code, text) = self.text_with_token(&["token"]);
        assert_eq!(code, 0, "{text}");
        text.trim_end().to_owned()
    }

    fn text_with_token(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }
}

fn at(fault: &Fault) -> Shell {
    Shell::at(&fault.base_url)
}

// What it prints

#[test]
fn a_cron_job_shares_the_hosts_token() {
    let organization = Organization::new(json!({}));
    let scratch = Scratch::new();
    let running = organization.ask(&scratch.path("store")).now();
    let mut shell = Shell::at(&std::env::var("TPS_TEST_SERVER").unwrap());
    shell.set("TPS_USERNAME", &organization.username).set("TPS_PASSWORD", &organization.password);
    shell.set("TPS_ORGANIZATION_ID", &organization.id);
    shell.set("TPS_CACHE", &format!("file:{}", scratch.path("store").display()));
    let output = shell.run(&["token"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n", running["token"].as_str().unwrap()));
    assert!(output.stderr.is_empty() && output.status.success());
    assert_eq!(organization.count("logins"), 1);
}

#[test]
fn status_tells_what_the_store_knows_and_sends_nothing() {
    let fault = Fault::new("life36000");
    let shell = at(&fault);
    let (code, before) = shell.text(&["status"]);
    assert!(code == 0 && before.contains("token       none") && before.contains("3 of 3 logins"), "{before}");
    assert_eq!(fault.requests(), 0);
    let token = shell.token();
    let (_, after) = shell.text(&["status"]);
    assert!(after.contains("expires in 9 h 59 min") && after.contains("2 of 3 logins"), "{after}");
    let report: Value = serde_json::from_str(&shell.text(&["status", "--json"]).1).unwrap();
    assert_eq!(report["token"]["fingerprint"], tps::Secret::new(token.clone()).fingerprint());
    assert!(report["token"]["valid"] == true && !report.to_string().contains(&token));
    assert_eq!(fault.requests(), 1);
    assert_eq!(shell.text(&["logout"]), (0, "logged out\n".to_owned()));
    assert_eq!(fault.asked(), ["login", "logout"]);
}

#[test]
fn the_exit_code_is_the_status() {
    for (scenario, code) in
        [("wrong-password", 2), ("limit-403", 3), ("retry-after-seconds7", 4), ("html502", 8), ("html", 9)]
    {
        let shell = at(&Fault::new(scenario));
        let (found, text) = shell.text(&["token"]);
        assert!(found == code && text.starts_with("tps: ") && text.lines().count() == 1, "{scenario}: {found} {text}");
        let (again, json) = shell.text(&["token", "--json"]);
        let error: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((again, error["error"]["status"].as_i64()), (code, Some(code.into())), "{scenario}");
    }
    assert_eq!(Shell::at("http://127.0.0.1:1").text(&["token"]).0, 5);
    let shell = at(&Fault::new("ok"));
    assert_eq!(shell.text(&["tokens"]).0, 64);
    let (code, help) = shell.text(&["--help"]);
    assert!(code == 0 && help.contains("11  the login budget is used up"));
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
}

#[test]
fn credentials_come_from_one_place_and_whole() {
    let fault = Fault::new("ok");
    let mut shell = at(&fault);
    shell.unset("TPS_PASSWORD");
    let (code, text) = shell.text(&["token"]);
    assert!(code == 1 && text.contains("TPS_PASSWORD is missing in the environment"), "{text}");
    shell.unset("TPS_USERNAME").unset("TPS_ORGANIZATION_ID");
    let (code, text) = shell.text(&["token"]);
    assert!(code == 1 && text.contains("--credentials"), "{text}");
    let file = shell.scratch.path("credentials");
    let named = ["token", "--credentials", file.to_str().unwrap()];
    fs::create_dir(shell.scratch.path("")).unwrap_or_default();
    fs::write(
        &file,
        format!("# ours\nTPS_USERNAME=hari@example.com\nTPS_PASSWORD='{PASSWORD}'\n\nTPS_ORGANIZATION_ID=auhf2k\n"),
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text) = shell.text(&named);
    assert!(code == 1 && text.contains("chmod 600"), "{text}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(shell.text_with_token(&named).0, 0);
    assert!(fault.seen()["log"][0]["body"].as_str().unwrap().contains(PASSWORD));
    // No argument takes a secret.
    let (_, help) = shell.text(&["token", "--help"]);
    assert!(!help.contains("--password") && !help.contains("--username"), "{help}");
}

#[test]
fn completions_and_a_man_page_are_made() {
    let shell = at(&Fault::new("ok"));
    let directory = shell.scratch.path("made");
    assert_eq!(shell.text(&["generate", directory.to_str().unwrap()]).0, 0);
    for name in ["tps.1", "tps.bash", "_tps", "tps.fish"] {
        assert!(fs::read_to_string(directory.join(name)).unwrap().contains("doctor"), "{name}");
    }
}

// What the doctor says of the way to the server

fn tls(fault: &Fault) -> Shell {
    let mut shell = at(fault);
    shell.set("TPS_CA_FILE", &std::env::var("TPS_TEST_CA").unwrap());
    shell
}

#[test]
fn the_way_to_the_server() {
    let fault = Fault::tls("ok");
    tls(&fault).well("nothing is wrong");

    let mut shell = tls(&fault);
    shell
        .set("TPS_BASE_URL", "https://app.tpstreams.invalid")
        .wrong("name", &["app.tpstreams.invalid is not known", "spelling"]);
    shell.set("TPS_BASE_URL", &fault.base_url).well("spelled right");

    let mut shell = tls(&fault);
    shell
        .set("TPS_BASE_URL", &format!("https://127.0.0.1:{}", free_port()))
        .wrong("connection", &["refused", "firewall"]);

    let mut shell = at(&fault);
    shell.wrong("certificate", &["unknown issuer", "ca_file"]);
    shell.set("TPS_CA_FILE", &std::env::var("TPS_TEST_CA").unwrap()).well("the authority is named");
    shell
        .set("SSL_CERT_FILE", "/nonexistent")
        .wrong("certificate", &["SSL_CERT_FILE", "/nonexistent", "unset the variable"]);
    shell.unset("SSL_CERT_FILE").well("it is unset");

    tls(&Fault::tls_expired()).wrong("certificate", &["expired", "clock"]);
    tls(&Fault::tls_by_another_name("ok")).wrong("certificate", &["another host", "base_url"]);
    tls(&Fault::tls_self_signed()).wrong("certificate", &["CA:TRUE"]);
    at(&Fault::new("organizations-html200")).wrong("API", &["maintenance page", "base_url"]);
    at(&Fault::new("organizations-html503")).wrong("API", &["503", "wait"]);
    at(&Fault::new("organizations-redirect302")).wrong("API", &["redirects", "base_url"]);
}

#[test]
fn proxies() {
    let (fault, proxy) = (Fault::tls("ok"), Proxy::http("BasicAuth clerk s3same"));
    let mut shell = tls(&fault);
    shell
        .set("HTTPS_PROXY", &proxy.url("http", "clerk:wr0ng@"))
        .wrong("connection", &["the proxy 127.0.0.1:", "into its URL"]);
    shell.set("HTTPS_PROXY", &proxy.url("http", "clerk:s3same@")).well("the right password");
    shell
        .set("HTTPS_PROXY", &format!("http://127.0.0.1:{}", free_port()))
        .wrong("connection", &["the proxy 127.0.0.1:"]);
    shell.set("NO_PROXY", "127.0.0.0/8").well("it is not needed");
    shell.unset("NO_PROXY").set("HTTPS_PROXY", "http://u:wr0ng#x@127.0.0.1:1");
    let (code, text) = shell.text(&["doctor"]);
    assert!(code == 1 && text.contains("%23"), "{text}");
}

#[test]
fn a_wrong_clock() {
    let shell = at(&Fault::new("organizations-dated3700"));
    shell.wrong("clock", &["1 h 1 min behind", "timedatectl"]);
    at(&Fault::new("organizations-dated0")).well("it is right");
}

#[test]
fn the_library_that_others_load() {
    let mut shell = at(&Fault::new("ok"));
    fs::create_dir(shell.scratch.path("")).unwrap_or_default();
    shell.set("TPS_LIBRARY", "/nonexistent.so").wrong("library", &["/nonexistent.so", "unset"]);
    let other = shell.scratch.path("other.so");
    fs::write(&other, b"\x7fELF\0User-Agent: libtps/0.0.9\0").unwrap();
    shell.set("TPS_LIBRARY", other.to_str().unwrap()).wrong("library", &["is 0.0.9", "same version"]);
    fs::write(&other, b"something else").unwrap();
    shell.wrong("library", &["is no libtps"]);
    fs::write(&other, format!("libtps/{}\0", env!("CARGO_PKG_VERSION"))).unwrap();
    shell.well("the same version");
}

// What the doctor says of the store

#[test]
fn a_directory_that_is_open_to_others() {
    let shell = at(&Fault::new("ok"));
    let inside = shell.store().join(format!("tps-{}", geteuid()));
    fs::create_dir_all(&inside).unwrap();
    fs::set_permissions(shell.store(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o777)).unwrap();
    shell.wrong("store", &["is open to other users", "chmod 700"]);
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o700)).unwrap();
    shell.well("chmod 700");
}

#[test]
fn what_is_no_directory() {
    let mut shell = at(&Fault::new("ok"));
    fs::create_dir(shell.scratch.path("")).unwrap_or_default();
    fs::write(shell.store(), "a file").unwrap();
    shell.wrong("store", &["is no directory", "Name a directory"]);
    fs::remove_file(shell.store()).unwrap();
    symlink(shell.store(), shell.store()).unwrap();
    shell.wrong("store", &["Too many symbolic links", "Name a directory"]);
    fs::remove_file(shell.store()).unwrap();
    shell.well("it is made");
    shell.set("TPS_CACHE", "memory").wrong("lasting", &["each one logs in", "option cache"]);
}

#[test]
fn somebody_elses_directory() {
    if !geteuid().is_root() {
        return;
    }
    let shell = at(&Fault::new("ok"));
    fs::create_dir_all(shell.store()).unwrap();
    fs::set_permissions(shell.store(), fs::Permissions::from_mode(0o700)).unwrap();
    chown(shell.store(), Some(65534), Some(65534)).unwrap();
    shell.wrong("store", &["belongs to another user (65534)", "Name a directory"]);
    chown(shell.store(), Some(0), Some(0)).unwrap();
    shell.well("chown");
}

/// Whether mounts can be made here: by root, where the container lets it.
fn mounts_can_be_made() -> bool {
    Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "x", "/mnt"])
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn disks_that_are_full_or_can_only_be_read_and_places_that_do_not_last() {
    if !mounts_can_be_made() {
        return;
    }
    let mut shell = at(&Fault::new("ok"));
    fs::create_dir_all(shell.store()).unwrap();
    fs::set_permissions(shell.store(), fs::Permissions::from_mode(0o700)).unwrap();
    let store = shell.store().display().to_string();
    // With the salt, which is made at the first login.
    let mount = format!(
        "mount -t tmpfs -o size=4m,mode=700 x {store} && printf 0123456789abcdef >{store}/salt && chmod 600 {store}/salt;"
    );
    shell.before = format!("{mount} head -c 5000000 /dev/zero >{store}/junk 2>/dev/null;");
    // A file system in memory does not last, either.
    let space = |shell: &Shell| {
        let (_, findings) = shell.doctor();
        findings.into_iter().find(|finding| finding["about"] == "space").unwrap()
    };
    let full = space(&shell);
    assert!(full["good"] == false && full["advice"].as_str().unwrap().contains("free some"), "{full}");
    shell.before = mount;
    assert_eq!(space(&shell)["good"], true);
    let (_, findings) = shell.doctor();
    let lasting = findings.iter().find(|finding| finding["about"] == "lasting").unwrap();
    assert!(lasting["good"] == false && lasting["advice"].as_str().unwrap().contains("StateDirectory="), "{lasting}");
    shell.before = format!("mount --bind {store} {store} && mount -o remount,ro,bind {store};");
    let (good, findings) = shell.doctor();
    assert!(
        !good && findings.iter().any(|it| it["good"] == false && it["found"].to_string().contains("ead-only")),
        "{findings:#?}"
    );
    shell.before = String::new();
    shell.well("it can be written");
}

// What the doctor says of Redis

#[test]
fn redis() {
    let mut redis = Redis::start(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]);
    let mut shell = at(&Fault::new("ok"));
    let home = shell.scratch.path("home").display().to_string();
    shell.set("XDG_STATE_HOME", &home).set("TPS_CACHE", &redis.url());
    shell.wrong("eviction", &["allkeys-lru", "noeviction"]);
    redis.said(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    shell.well("nothing is dropped");

    redis.said(&["ACL", "SETUSER", "tps", "on", ">s3s@me", "~tps:*", "+get", "+time", "+info"]);
    shell.set("TPS_CACHE", &format!("redis://tps:s3s%40me@127.0.0.1:{}", redis.port));
    shell.wrong("store", &["NOPERM", "mend what is named"]);
    redis.said(&["ACL", "SETUSER", "tps", "+@all"]);
    shell.well("the ACL allows it");
    shell.set("TPS_CACHE", &format!("redis://tps:wr0ng@127.0.0.1:{}", redis.port));
    shell.wrong("store", &["refuses user or password"]);

    shell.set("TPS_CACHE", &redis.url());
    redis.end();
    shell.wrong("store", &["refused", "each host keeps a token of its own"]);
    redis.again(&[]);
    redis.said(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    shell.wrong("store", &["READONLY"]);
    redis.said(&["REPLICAOF", "NO", "ONE"]);
    shell.well("it is a primary");
}

// What the doctor says of the token

#[test]
fn hold_offs() {
    for (scenario, words) in [
        ("wrong-password", ["refuses the credentials", "correct the credentials"]),
        ("limit-403", ["as many tokens as it may", "log out"]),
        ("retry-after-seconds700", ["asks to wait", "wait"]),
    ] {
        let fault = Fault::new(scenario);
        let mut shell = at(&fault);
        shell.text(&["token"]);
        shell.wrong("hold-off", &words);
        fault.change("ok");
        // Other credentials go ahead at once.
        shell.set("TPS_PASSWORD", "another");
        shell.token();
        shell.well(scenario);
    }
}

#[test]
fn a_budget_that_is_used_up() {
    let fault = Fault::new("ok");
    let shell = at(&fault);
    for _ in 0..3 {
        shell.token();
        assert_eq!(shell.text(&["logout"]).0, 0);
    }
    shell.wrong("budget", &["0 of 3 logins", "wait 9 min", "logins_per_day"]);
    let lifted = ["doctor", "--options", r#"{"logins_per_day":0}"#];
    assert_eq!(shell.text(&lifted).0, 0);
    assert_eq!(shell.text(&["token"]).0, 11);
}
