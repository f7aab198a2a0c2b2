//! The conversation of one lookup with Redis: which server is asked, and another one where that is right.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Cmd, Value, cmd};
use rustls::{ClientConfig, RootCertStore};

use super::breaker;
use super::connection::{Connection, first};
use super::failure::Failure;
use super::sentinel;
use crate::options::Options;
use crate::options::redis_url::{Node, RedisUrl, Way};
use crate::server::redact::redact;
use crate::server::tls;
use crate::store::StoreError;

/// How long one operation may take, connecting and redirections included.
const OPERATION: Duration = Duration::from_millis(500);

/// So often a cluster's nodes may send us to each other.
const REDIRECTIONS: usize = 5;

/// One lookup's conversation with Redis.
pub struct Session<'a> {
    url: &'a RedisUrl,
    trust: Option<Arc<ClientConfig>>,
    connection: Option<Connection>,
    /// A cluster's node that the present connection is to; `None`: the server that the URL names.
    node: Option<Node>,
    /// Why nothing is asked any more: an outage shall cost one operation's time.
    away: Option<StoreError>,
}

impl<'a> Session<'a> {
    /// Nothing is asked yet. Fails where Redis did not serve a moment ago.
    pub fn new(url: &'a RedisUrl, options: &Options) -> Result<Self, StoreError> {
        if let Some(error) = breaker::is_open(url, None) {
            return Err(error);
        }
        let trust = match url.way.tls() {
            true => Some(trusted(options).map_err(|reason| StoreError(format!("{url}: {reason}")))?),
            false => None,
        };
        Ok(Self { url, trust, connection: None, node: None, away: None })
    }

    /// The answers to `commands`, one each. An answer may be a refusal. They are asked again where a connection breaks or a
    /// hash slot has moved: doing them twice must do no harm.
    pub fn ask(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, StoreError> {
        let deadline = Instant::now() + OPERATION;
        self.serving(|session| session.ask_anywhere(commands, deadline))
    }

    /// The answers of the server that was asked last, by the same connection.
    pub fn ask_the_same(&mut self, commands: &[Cmd]) -> Result<Vec<Value>, StoreError> {
        let deadline = Instant::now() + OPERATION;
        self.serving(|session| match &mut session.connection {
            Some(connection) => connection.ask(commands, deadline),
            None => Err(Failure::Closed("the connection is closed".to_owned())),
        })
    }

    /// What a refusal means to `stats`.
    pub fn error(&self, failure: &Failure) -> StoreError {
        let sentinels = match &self.url.way {
            Way::Sentinel { login, .. } => login.password.as_ref(),
            _ => None,
        };
        let secrets: Vec<_> = self.url.login.password.iter().chain(sentinels).collect();
        StoreError(format!("{}: {}", self.url, redact(&failure.message(), &secrets, 200)))
    }

    /// Where there is no answer, the server is left alone for a while.
    fn serving<T>(&mut self, ask: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, StoreError> {
        if let Some(error) = &self.away {
            return Err(error.clone());
        }
        ask(self).map_err(|failure| {
            self.connection = None;
            let error = match failure {
                Failure::LeftAlone(error) => error,
                failure => {
                    let error = self.error(&failure);
                    breaker::open(self.url, self.node.as_ref(), &error);
                    error
                }
            };
            self.away = Some(error.clone());
            error
        })
    }

    fn ask_anywhere(&mut self, commands: &[Cmd], deadline: Instant) -> Result<Vec<Value>, Failure> {
        let mut redirections = 0;
        loop {
            // One from an earlier operation may be to a server that has gone, or is the primary no more.
            let used = self.connection.is_some();
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.connect(deadline)?,
            };
            let mut answers = match connection.ask(commands, deadline) {
                Err(Failure::Closed(_)) if used => {
                    self.node = None;
                    continue;
                }
                answers => answers?,
            };
            if used && matches!(self.url.way, Way::Sentinel { .. }) && answers.iter().any(|it| says(it, "READONLY")) {
                continue;
            }
            if let Some(moved) = answers.iter().find_map(|answer| redirection(answer, "MOVED", connection.host())) {
                redirections += 1;
                if redirections > REDIRECTIONS {
                    return Err(Failure::Away("the cluster's nodes do not agree on who has the key".to_owned()));
                }
                self.node = Some(moved);
                continue;
            }
            for (command, answer) in commands.iter().zip(&mut answers) {
                if let Some(node) = redirection(answer, "ASK", connection.host()) {
                    let asked = self.to(&node, deadline)?.ask(&[cmd("ASKING"), command.clone()], deadline)?;
                    *answer = asked.into_iter().nth(1).ok_or_else(Failure::strange)?;
                }
            }
            self.connection = Some(connection);
            return Ok(answers);
        }
    }

    fn connect(&mut self, deadline: Instant) -> Result<Connection, Failure> {
        if let Some(node) = &self.node {
            return match breaker::is_open(self.url, Some(node)) {
                Some(error) => Err(Failure::LeftAlone(error)),
                None => self.to(node, deadline),
            };
        }
        let found = match &self.url.way {
            Way::Unix(path) => {
                Some(Connection::unix(path, deadline)?.enter(&self.url.login, self.url.database, deadline))
            }
            Way::Tcp { node, .. } => Some(self.to(node, deadline)),
            // One that hangs must not take the time of the others.
            Way::Cluster { nodes, .. } => first(nodes, deadline, |node, deadline| {
                let mut connection = self.to(node, deadline)?;
                connection.ask(&[cmd("PING")], deadline)?;
                Ok(connection)
            }),
            Way::Sentinel { sentinels, service, login, .. } => {
                let mut replica = None;
                let found = first(sentinels, deadline, |sentinel, deadline| {
                    let asked = Connection::tcp(sentinel, self.trust.as_ref(), deadline)?;
                    let node = sentinel::primary(asked, login, service, deadline)?;
                    let mut connection = self.to(&node, deadline).map_err(|failure| failure.of_primary(&node))?;
                    if sentinel::is_primary(&mut connection, deadline)? {
                        return Ok(connection);
                    }
                    replica = Some(connection);
                    Err(Failure::Away("the Sentinels name a server that is not a primary".to_owned()))
                });
                // It can be read at least.
                found.map(|found| found.or_else(|failure| replica.ok_or(failure)))
            }
        };
        found.unwrap_or_else(|| Err(Failure::Away("the URL names no server".to_owned())))
    }

    fn to(&self, node: &Node, deadline: Instant) -> Result<Connection, Failure> {
        Connection::tcp(node, self.trust.as_ref(), deadline)?.enter(&self.url.login, self.url.database, deadline)
    }
}

fn says(answer: &Value, code: &str) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == code)
}

/// The node of `MOVED SLOT NODE` or `ASK SLOT NODE`.
fn redirection(answer: &Value, code: &str, here: &str) -> Option<Node> {
    match answer {
        Value::ServerError(error) if error.code() == code => {
            Node::named(error.details()?.split_ascii_whitespace().nth(1)?, here)
        }
        _ => None,
    }
}

/// The certificates that are trusted.
fn trusted(options: &Options) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(
        tls::certificates(options)?.iter().map(|certificate| certificate.der().to_vec().into()),
    );
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| io::Error::other(error).to_string())?;
    Ok(Arc::new(versions.with_root_certificates(roots).with_no_client_auth()))
}
