//! Which server is the primary: Sentinels know.

use std::time::Instant;

use redis::{Value, cmd, from_redis_value};

use super::connection::Connection;
use super::failure::Failure;
use crate::options::redis_url::{Login, Node};

/// The primary, as the Sentinel at the other end of `connection` knows it.
pub fn primary(connection: Connection, login: &Login, service: &str, deadline: Instant) -> Result<Node, Failure> {
    let mut connection = connection.enter(login, 0, deadline)?;
    let question = cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(service).take();
    match connection.ask(&[question], deadline)?.pop() {
        Some(Value::ServerError(error)) => {
            Err(Failure::Away(format!("the Sentinel refuses: {}", Failure::from(error).message())))
        }
        Some(Value::Nil) => Err(Failure::Away("the Sentinels do not know the service".to_owned())),
        Some(answer) => {
            let (host, port): (String, u16) = from_redis_value(answer).map_err(|_| Failure::strange())?;
            Ok(Node { host, port })
        }
        None => Err(Failure::strange()),
    }
}

/// Whether the server takes writes: a Sentinel may not have heard of a failover yet. One that does not tell is believed to.
pub fn is_primary(connection: &mut Connection, deadline: Instant) -> Result<bool, Failure> {
    Ok(match connection.ask(&[cmd("ROLE")], deadline)?.pop() {
        Some(Value::Array(role)) => match role.into_iter().next() {
            Some(Value::BulkString(role)) => role == b"master",
            _ => return Err(Failure::strange()),
        },
        Some(Value::ServerError(_)) => true,
        _ => return Err(Failure::strange()),
    })
}
