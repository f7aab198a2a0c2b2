//! A simulation: the library's own lookups, records and cache entries, over simulated hosts, stores, clocks and a simulated
//! server. A seed decides everything; each seed has faults of its own. What must hold is checked after each step.
//!
//! - `cargo test --test simulation` runs 10,000 seeds, `TPS_SEEDS=100000` so many, `TPS_FIRST_SEED=500` from another one on.
//! - `TPS_SEED=1234 cargo test --test simulation -- --nocapture` tells the story of one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulation {
    pub mod api;
    pub mod callers;
    pub mod clock;
    pub mod course;
    pub mod faults;
    pub mod ledger;
    pub mod logins;
    pub mod lookups;
    pub mod places;
    pub mod plan;
    pub mod pool;
    pub mod promises;
    pub mod queue;
    pub mod random;
    pub mod requests;
    pub mod scheduler;
    pub mod store;
    pub mod story;
    pub mod world;
}

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use simulation::course::{Broken, run};
use simulation::pool::Pool;
use simulation::story::Story;

#[test]
fn whatever_happens_the_promises_hold() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("TPS_SEED") {
        return replay(seed);
    }
    let first = number("TPS_FIRST_SEED").unwrap_or(0);
    let last = first + number("TPS_SEEDS").unwrap_or(10_000);
    let broken = broken(first, last);
    for (seed, why) in &broken {
        println!("seed {seed}: {why}");
    }
    if let Some((seed, _)) = broken.first() {
        replay(*seed);
    }
}

/// Runs all seeds, on as many threads as there are cores, until some have broken a promise: these.
fn broken(first: u64, last: u64) -> Vec<(u64, String)> {
    let most = env::var("TPS_MOST").map_or(10, |text| text.parse().expect("a number"));
    let next = AtomicU64::new(first);
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                let pool = Arc::new(Pool::default());
                while broken.lock().unwrap().len() < most {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    if let Err(Broken { why, .. }) = run(seed, Story::default(), &pool) {
                        broken.lock().unwrap().push((seed, why));
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort();
    broken
}

/// Tells the story of one seed.
fn replay(seed: u64) {
    match run(seed, Story::kept(), &Arc::new(Pool::default())) {
        Ok(story) => println!("{story}"),
        Err(Broken { why, story, .. }) => {
            println!("{story}");
            panic!("seed {seed}: {why}\nreplay it: TPS_SEED={seed} cargo test --test simulation -- --nocapture");
        }
    }
}
