//! A connection to one server: over TCP, TLS or a socket, by a deadline, with user, password and database.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, Parser, Value, cmd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::failure::Failure;
use super::stream::Stream;
use crate::options::redis_url::{Login, Node};
use crate::server::resolve::addresses;

/// A connection to one server.
pub struct Connection {
    transport: Transport,
    parser: Parser,
    /// Whose it is; `None`: a socket's.
    node: Option<Node>,
}

enum Transport {
    Plain(Stream),
    Tls(Box<StreamOwned<ClientConnection, Stream>>),
}

impl Connection {
    /// To a server over TCP, over TLS where certificates are trusted.
    pub fn tcp(node: &Node, trust: Option<&Arc<ClientConfig>>, deadline: Instant) -> Result<Self, Failure> {
        let away = |what: &str| Failure::Away(what.to_owned());
        let left = deadline.saturating_duration_since(Instant::now());
        let found =
            addresses(&node.host, node.port, left).map_err(|_| away("the host name is not resolved in time"))?;
        let stream = first(&found, deadline, |address, deadline| Ok(Stream::tcp(address, deadline)?))
            .unwrap_or_else(|| Err(away("the host name is not known")))?;
        let transport = match trust {
            None => Transport::Plain(stream),
            Some(trust) => {
                let name = ServerName::try_from(node.host.clone())
                    .map_err(|_| away("the host is not a name that TLS accepts"))?;
                let tls = ClientConnection::new(trust.clone(), name).map_err(std::io::Error::other)?;
                Transport::Tls(Box::new(StreamOwned::new(tls, stream)))
            }
        };
        Ok(Self { transport, parser: Parser::new(), node: Some(node.clone()) })
    }

    /// To a server by its socket.
    pub fn unix(path: &Path, deadline: Instant) -> Result<Self, Failure> {
        let transport = Transport::Plain(Stream::unix(path, deadline)?);
        Ok(Self { transport, parser: Parser::new(), node: None })
    }

    /// The server's host, as it was named.
    pub fn host(&self) -> &str {
        self.node.as_ref().map_or("localhost", |node| &node.host)
    }

    /// Presents user and password, and chooses the database.
    pub fn enter(mut self, login: &Login, database: i64, deadline: Instant) -> Result<Self, Failure> {
        let mut commands = Vec::new();
        if let Some(password) = &login.password {
            commands.push(cmd("AUTH").arg(&login.user).arg(password.expose()).take());
        }
        if database != 0 {
            commands.push(cmd("SELECT").arg(database).take());
        }
        if !commands.is_empty() {
            for (command, answer) in commands.iter().zip(self.ask(&commands, deadline)?) {
                let Value::ServerError(error) = answer else { continue };
                let told = Failure::from(error);
                let what = match command.args_iter().next() {
                    _ if told.is(&["LOADING", "MASTERDOWN"]) => told.message(),
                    Some(redis::Arg::Simple(b"SELECT")) => format!("it refuses the database: {}", told.message()),
                    _ => "it refuses user or password".to_owned(),
                };
                return Err(Failure::Away(what));
            }
        }
        Ok(self)
    }

    /// The answers to `commands`, one each.
    pub fn ask(&mut self, commands: &[Cmd], deadline: Instant) -> Result<Vec<Value>, Failure> {
        let mut bytes = Vec::new();
        commands.iter().for_each(|command| command.write_packed_command(&mut bytes));
        match &mut self.transport {
            Transport::Plain(stream) => {
                stream.until(deadline);
                exchange(stream, &mut self.parser, &bytes, commands.len())
            }
            Transport::Tls(stream) => {
                stream.sock.until(deadline);
                exchange(stream, &mut self.parser, &bytes, commands.len())
            }
        }
    }
}

fn exchange(
    stream: &mut (impl Read + Write),
    parser: &mut Parser,
    bytes: &[u8],
    answers: usize,
) -> Result<Vec<Value>, Failure> {
    stream.write_all(bytes)?;
    stream.flush()?;
    (0..answers).map(|_| Ok(parser.parse_value(&mut *stream)?)).collect()
}

/// What the first of `ways` gives that gives something, else the last error; `None`: there are no ways. Each one may take
/// its share of the time that is left.
pub fn first<W, T>(
    ways: &[W],
    deadline: Instant,
    mut take: impl FnMut(&W, Instant) -> Result<T, Failure>,
) -> Option<Result<T, Failure>> {
    let mut last = None;
    for (way, remaining) in ways.iter().zip((1..=ways.len()).rev()) {
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / u32::try_from(remaining).unwrap_or(u32::MAX);
        let taken = take(way, now + share);
        if taken.is_ok() {
            return Some(taken);
        }
        last = Some(taken);
    }
    last
}
