//! How long a new process takes to its first token: with a warm store, and with a login instead.
//!
//! `TPS_BENCH_SERVER=URL cargo bench --bench cold_start`, with the server of tests/knox at URL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tps::{Client, Credentials, Options};

const ROUNDS: usize = 31;
const CHILD: &str = "TPS_BENCH_STORE";

fn main() {
    let Ok(server) = std::env::var("TPS_BENCH_SERVER") else {
        // `cargo test` and `cargo bench` without a server run this too.
        println!("cold_start: TPS_BENCH_SERVER is not set; see the head of benches/cold_start.rs");
        return;
    };
    match std::env::var(CHILD) {
        Ok(cache) => in_new_process(&server, &cache),
        Err(_) => measure(),
    }
}

fn credentials() -> Credentials {
    Credentials::new("hari@example.com".into(), "welcome".into(), "auhf2k".into()).unwrap()
}

/// Prints the microseconds of each part.
fn in_new_process(server: &str, cache: &str) {
    let start = Instant::now();
    let options = Options::parse(Some(&json!({"base_url": server, "cache": cache}).to_string())).unwrap();
    let client = Client::new(credentials(), options);
    let made = start.elapsed();
    client.token().unwrap();
    let token = start.elapsed();
    let again = Instant::now();
    black_box(tps::parts::derive_key(&credentials(), server));
    let key = again.elapsed();
    let stats: serde_json::Value = serde_json::from_str(&client.stats()).unwrap();
    println!("{} {} {} {}", made.as_micros(), token.as_micros(), key.as_micros(), stats["logins"]);
}

/// Medians of `[process, client, token, key]` in milliseconds; the number of logins.
fn medians(cache: &str) -> ([f64; 4], u64) {
    let mut samples: [Vec<f64>; 4] = Default::default();
    let mut logins = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let output = Command::new(std::env::current_exe().unwrap()).env(CHILD, cache).output().unwrap();
        let process = start.elapsed();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        samples[0].push(process.as_secs_f64() * 1e3);
        for (sample, number) in samples[1..].iter_mut().zip(&numbers) {
            sample.push(Duration::from_micros(*number).as_secs_f64() * 1e3);
        }
        logins += numbers[3];
    }
    let medians = samples.map(|mut sample| {
        sample.sort_by(f64::total_cmp);
        sample[ROUNDS / 2]
    });
    (medians, logins)
}

fn measure() {
    let store = std::env::temp_dir().join(format!("tps-bench-{}", std::process::id()));
    let cache = format!("file:{}", store.display());
    // Warm.
    medians(&cache);
    let ([process, client, token, key], logins) = medians(&cache);
    println!("a new process, warm store ({ROUNDS} runs, medians, {logins} logins)");
    println!("  whole process          {process:7.2} ms");
    println!("  to the token           {token:7.2} ms");
    println!("    arguments, client    {client:7.2} ms");
    println!("    key (Argon2id)       {key:7.2} ms");
    println!("    thread, lock-free read, unsealing {:.2} ms", token - client - key);
    let ([_, _, login, _], logins) = medians("memory");
    println!("a new process that logs in instead ({ROUNDS} runs, {logins} logins): {login:.2} ms to the token");
    println!("ratio: {:.2}", token / login);
    let _ = std::fs::remove_dir_all(store);
}
