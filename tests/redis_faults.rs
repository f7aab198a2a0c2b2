//! Each command to Redis goes wrong once: it is refused, hangs, or its answer is lost. Afterwards all hosts have one token.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use common::Fault;
use common::child::{self, Ask};
use common::redis::{Redis, all_have_the_same, trouble};
use redis::{Parser, Value};
use serde_json::json;

#[test]
fn child() {
    child::run();
}

/// How a command goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// It is answered by this and not carried out.
    Refused(&'static str),
    /// It is not carried out, and not answered.
    Hangs,
    /// It is carried out, and not answered.
    AnswerHangs,
    /// The connection breaks before it is carried out.
    Breaks,
    /// It is carried out, and the connection breaks before the answer.
    AnswerLost,
}

/// A proxy before a server, which lets one command go wrong.
struct Proxy {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

struct Plan {
    wrong: Wrong,
    /// How many commands come before that one; `None`: it has gone wrong.
    left: Option<usize>,
    /// The one that has.
    command: String,
}

impl Proxy {
    fn before(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, server) = (listener.local_addr().unwrap().port(), redis.port);
        let plan = Arc::new(Mutex::new(Plan { wrong: Wrong::Hangs, left: None, command: String::new() }));
        let shared = plan.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let plan = shared.clone();
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                thread::spawn(move || serve(client, server, &plan));
            }
        });
        Self { port, plan }
    }

    fn plan(&self, wrong: Wrong, after: usize) {
        *self.plan.lock().unwrap() = Plan { wrong, left: Some(after), command: String::new() };
    }

    /// The command that has gone wrong, if there were so many.
    fn went_wrong(&self) -> Option<String> {
        let plan = self.plan.lock().unwrap();
        plan.left.is_none().then(|| plan.command.clone())
    }

    fn ask(&self, redis: &Redis, host: &str, fault: &Fault) -> Ask {
        let cache = format!("redis://127.0.0.1:{}", self.port);
        redis.placed(host, fault.ask_with(json!({"cache": cache, "timeout_ms": 6000})))
    }
}

impl Plan {
    /// How this command goes wrong, if it is the one.
    fn next(&mut self, command: &Value) -> Option<Wrong> {
        self.left = self.left?.checked_sub(1);
        if self.left.is_some() {
            return None;
        }
        let Value::Array(words) = command else { panic!("{command:?}") };
        let Value::BulkString(name) = &words[0] else { panic!("{command:?}") };
        self.command = String::from_utf8_lossy(name).into_owned();
        Some(self.wrong)
    }
}

fn serve(mut client: TcpStream, mut server: TcpStream, plan: &Mutex<Plan>) {
    let (mut commands, mut answers) = (Parser::new(), Parser::new());
    let hang = |client: &mut TcpStream| drop(client.read_to_end(&mut Vec::new()));
    while let Ok(command) = commands.parse_value(&mut client) {
        let wrong = plan.lock().unwrap().next(&command);
        let mut answer = Vec::new();
        match wrong {
            Some(Wrong::Hangs) => return hang(&mut client),
            Some(Wrong::Breaks) => return,
            Some(Wrong::Refused(with)) => answer = format!("-{with}\r\n").into_bytes(),
            Some(Wrong::AnswerHangs | Wrong::AnswerLost) | None => {
                let mut asked = Vec::new();
                encode(&command, &mut asked);
                server.write_all(&asked).unwrap();
                encode(&answers.parse_value(&mut server).unwrap(), &mut answer);
            }
        }
        match wrong {
            Some(Wrong::AnswerHangs) => return hang(&mut client),
            Some(Wrong::AnswerLost) => return,
            _ if client.write_all(&answer).is_err() => return,
            _ => {}
        }
    }
}

fn encode(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Nil => into.extend(b"$-1\r\n"),
        Value::Okay => into.extend(b"+OK\r\n"),
        Value::Int(number) => into.extend(format!(":{number}\r\n").bytes()),
        Value::SimpleString(text) => into.extend(format!("+{text}\r\n").bytes()),
        Value::ServerError(error) => {
            into.extend(format!("-{} {}\r\n", error.code(), error.details().unwrap_or_default()).bytes());
        }
        Value::BulkString(bytes) => {
            into.extend(format!("${}\r\n", bytes.len()).bytes());
            into.extend(bytes);
            into.extend(b"\r\n");
        }
        Value::Array(values) => {
            into.extend(format!("*{}\r\n", values.len()).bytes());
            values.iter().for_each(|value| encode(value, into));
        }
        other => panic!("{other:?}"),
    }
}

/// Each command of a first token goes wrong in this way. Afterwards all hosts have its token.
fn each_goes_wrong(wrong: Wrong) {
    let redis = Redis::start(&[]);
    let proxy = Proxy::before(&redis);
    let mut commands = Vec::new();
    loop {
        redis.said(&["FLUSHALL"]);
        let (number, fault) = (commands.len(), &Fault::new("ok"));
        let host = |name: &str| format!("{number}-{name}");
        proxy.plan(wrong, number);
        let first = proxy.ask(&redis, &host("one"), fault).now();
        assert!(first["token"].is_string(), "{number}: {first}");
        let Some(command) = proxy.went_wrong() else { break };
        let answers = ["one", "one", "other"].map(|name| proxy.ask(&redis, &host(name), fault).now());
        assert_eq!(all_have_the_same(&answers), first["token"], "{number} {command}");
        for answer in &answers[1..] {
            assert_eq!(trouble(answer), "", "{number} {command}");
            assert_eq!(answer["stats"]["login_budget_left"], 2, "{number} {command}");
        }
        assert_eq!(fault.asked(), ["login"], "{number} {command}");
        commands.push(command);
    }
    for command in ["GET", "SET", "TIME", "PEXPIRE", "EVAL"] {
        assert!(commands.iter().any(|it| it == command), "{commands:?}");
    }
}

#[test]
fn each_command_is_refused_once() {
    each_goes_wrong(Wrong::Refused("NOPERM this user has no permissions"));
}

#[test]
fn each_command_meets_a_read_only_replica_once() {
    each_goes_wrong(Wrong::Refused("READONLY You can't write against a read only replica."));
}

#[test]
fn each_command_meets_a_server_that_loads_once() {
    each_goes_wrong(Wrong::Refused("LOADING Redis is loading the dataset in memory"));
}

#[test]
fn each_command_hangs_once() {
    each_goes_wrong(Wrong::Hangs);
}

#[test]
fn each_answer_hangs_once() {
    each_goes_wrong(Wrong::AnswerHangs);
}

#[test]
fn each_command_breaks_its_connection_once() {
    each_goes_wrong(Wrong::Breaks);
}

#[test]
fn each_answer_is_lost_once() {
    each_goes_wrong(Wrong::AnswerLost);
}
