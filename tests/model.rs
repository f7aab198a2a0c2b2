//! Two processes at one store, and whatever may happen to them in whatever order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{Fault, Hands, Scratch};
use proptest::prelude::*;
use serde_json::{Value, json};
use tps::process::clock::Clock;
use tps::{Client, Error, Published};

/// What may happen.
#[derive(Debug, Clone)]
enum Event {
    Ask(usize),
    /// Both processes, two threads each.
    AskAtOnce,
    /// Seconds.
    Pass(u64),
    /// The server forgets all tokens.
    Revoke,
    /// It answers otherwise from now on.
    Answer(&'static str),
    /// A process says that its token was rejected.
    Report(usize),
    /// A process says so of the first token that it had.
    ReportOldest(usize),
    Logout(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let answers = [
        "ok",
        "slow",
        "life60",
        "life600",
        "all-html500",
        "lost",
        "html504",
        "close",
        "wrong-password",
        "limit-403",
        "retry-after-seconds30",
        "token-null",
        "organizations-401",
        "organizations-html502",
    ];
    prop_oneof![
        4 => (0..2_usize).prop_map(Event::Ask),
        3 => Just(Event::AskAtOnce),
        2 => prop::sample::select(vec![1, 20, 61, 301, 700, 4000]).prop_map(Event::Pass),
        1 => Just(Event::Revoke),
        3 => prop::sample::select(answers.to_vec()).prop_map(Event::Answer),
        2 => (0..2_usize).prop_map(Event::Report),
        1 => (0..2_usize).prop_map(Event::ReportOldest),
        1 => (0..2_usize).prop_map(Event::Logout),
    ]
}

/// A process, and the tokens that it was given.
struct Process {
    client: Client,
    had: Vec<String>,
}

struct World {
    fault: Fault,
    hands: Arc<Hands>,
    scratch: Scratch,
    processes: Vec<Process>,
}

impl World {
    fn new() -> Self {
        let (fault, hands, scratch) = (Fault::new("slow"), Hands::new(), Scratch::new());
        let mut world = Self { fault, hands, scratch, processes: Vec::new() };
        world.processes = vec![world.process("store"), world.process("./store")];
        world
    }

    /// A cache entry of its own for each way to write the directory's name, as in another process.
    fn process(&self, store: &str) -> Process {
        let options = json!({"cache": format!("file:{}", self.scratch.path(store).display()), "logins_per_day": 50});
        Process { client: self.fault.client_at(options, self.hands.clone()), had: Vec::new() }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Ask(who) => {
                let outcome = self.processes[*who].client.token();
                self.given(*who, outcome);
            }
            Event::AskAtOnce => {
                let outcomes: Vec<_> = thread::scope(|scope| {
                    let asking: Vec<_> = [0, 1, 0, 1]
                        .map(|who| (who, &self.processes[who].client))
                        .map(|(who, client)| (who, scope.spawn(|| client.token())))
                        .into_iter()
                        .collect();
                    asking.into_iter().map(|(who, asking)| (who, asking.join().unwrap())).collect()
                });
                for (who, outcome) in outcomes {
                    self.given(who, outcome);
                }
            }
            Event::Pass(seconds) => self.hands.pass(Duration::from_secs(*seconds)),
            Event::Revoke => self.fault.revoke(),
            Event::Answer(scenario) => self.fault.change(scenario),
            Event::Report(who) => self.report(*who, |had| had.last()),
            Event::ReportOldest(who) => self.report(*who, |had| had.first()),
            Event::Logout(who) => drop(self.processes[*who].client.logout()),
        }
    }

    fn report(&self, who: usize, which: impl Fn(&[String]) -> Option<&String>) {
        let process = &self.processes[who];
        if let Some(token) = which(&process.had) {
            process.client.invalidate(token).unwrap();
        }
    }

    /// What holds for each outcome.
    fn given(&mut self, who: usize, outcome: Result<Arc<Published>, Error>) {
        match outcome {
            Ok(token) => {
                assert!(token.expires_at.is_none_or(|end| end > self.hands.wall() + token.clock_ahead), "it has ended");
                let token = token.value.expose().to_owned();
                let order = self.order(&token);
                let process = &mut self.processes[who];
                if process.had.last() != Some(&token) {
                    process.had.push(token);
                }
                let orders: Vec<_> = self.processes[who].had.iter().map(|token| self.order(token)).collect();
                assert!(orders.is_sorted(), "an older token came after a newer one: {orders:?}, now {order}");
            }
            Err(error) => assert!(!error.retry_after.is_zero(), "{error:?}"),
        }
    }

    /// The how manyeth the server made.
    fn order(&self, token: &str) -> usize {
        self.tokens("issued").iter().position(|issued| issued == token).expect("a token of the server's")
    }

    fn tokens(&self, which: &str) -> Vec<Value> {
        self.fault.seen()[which].as_array().unwrap().clone()
    }

    /// What holds at the end of every course of events.
    fn end(mut self) {
        let newest = self.processes.iter().flat_map(|process| &process.had).map(|token| self.order(token)).max();
        self.fault.change("ok");
        self.hands.pass(Duration::from_secs(2 * 24 * 3600));
        // A new process has what is in the store, or something newer.
        let newcomer = self.process("././store").client.token().unwrap();
        let order = self.order(newcomer.value.expose());
        assert!(newest.is_none_or(|newest| order >= newest), "the store went back from {newest:?} to {order}");
        // All is well again for those who say what the server says of their tokens.
        for who in 0..2 {
            // At most: the own one is dead, the store's too, and then a new one.
            for _ in 0..3 {
                let outcome = self.processes[who].client.token();
                assert!(outcome.is_ok(), "{outcome:?}");
                self.given(who, outcome);
                let token = self.processes[who].had.last().unwrap().clone();
                if !self.tokens("alive").contains(&json!(token)) {
                    self.report(who, |had| had.last());
                }
            }
            let last = json!(self.processes[who].had.last().unwrap());
            assert!(self.tokens("alive").contains(&last));
        }
        assert!(self.fault.seen()["logins_at_once"].as_u64().unwrap() <= 1, "two logins in flight");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_course_of_events_breaks_a_promise(events in prop::collection::vec(event(), 1..40)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        world.end();
    }
}
