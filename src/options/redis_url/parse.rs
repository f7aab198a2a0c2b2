//! How a Redis URL is written.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::{Login, Node, RedisUrl, Way};
use crate::secret::Secret;

const PLAIN: &str = "rediss://user:password@redis.example:6379/0";
const SOCKET: &str = "redis+unix:///run/redis.sock?db=0&pass=password";
const SENTINEL: &str = "rediss+sentinel://user:password@sentinel-1.example,sentinel-2.example/SERVICE/0";
const CLUSTER: &str = "rediss+cluster://user:password@node-1.example,node-2.example";

impl RedisUrl {
    /// Reads one of
    /// - `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, with `rediss` over TLS;
    /// - `redis+unix:///PATH[?db=DATABASE&user=USER&pass=PASSWORD]`;
    /// - `redis+sentinel://[[USER]:PASSWORD@]SENTINEL[:PORT][,…]/SERVICE[/DATABASE][?sentinel_user=&sentinel_password=]`,
    ///   with `rediss+sentinel` over TLS;
    /// - `redis+cluster://[[USER]:PASSWORD@]NODE[:PORT][,…]`, with `rediss+cluster` over TLS.
    ///
    /// The error says what is missing and how to write it. It does not show the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let tls = scheme.starts_with("rediss");
        let (read, example): (Result<Self, &str>, _) = match scheme {
            "redis" | "rediss" => (plain(rest, tls), PLAIN),
            "redis+unix" => (socket(rest), SOCKET),
            "redis+sentinel" | "rediss+sentinel" => (sentinel(rest, tls), SENTINEL),
            "redis+cluster" | "rediss+cluster" => (cluster(rest, tls), CLUSTER),
            _ => (Err("its scheme is not redis, rediss, redis+unix, redis+sentinel or redis+cluster"), PLAIN),
        };
        read.map_err(|what| {
            format!(
                "option cache is not a Redis URL: {what}; write it like {example}, special characters in user and \
                     password as %40"
            )
        })
    }
}

fn plain(rest: &str, tls: bool) -> Result<RedisUrl, &'static str> {
    let (authority, number) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, host) = login(authority)?;
    if host.contains(',') {
        return Err("it names several hosts; that is for redis+sentinel or redis+cluster");
    }
    let node = Node::parse(host, 6379).ok_or("the host is missing, or cannot be read")?;
    Ok(RedisUrl { way: Way::Tcp { node, tls }, login, database: database(number)? })
}

fn socket(rest: &str) -> Result<RedisUrl, &'static str> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut found = RedisUrl { way: Way::Unix(PathBuf::from(decoded(path)?)), login: Login::default(), database: 0 };
    for (key, value) in pairs(query) {
        match key {
            "db" => found.database = database(value)?,
            "user" => found.login.user = Some(decoded(value)?),
            "pass" => found.login.password = Some(Secret::new(decoded(value)?)),
            _ => return Err("after ? there is something else than db, user and pass"),
        }
    }
    if path.starts_with('/') && path.len() > 1 { Ok(found) } else { Err("the socket's absolute path is missing") }
}

fn sentinel(rest: &str, tls: bool) -> Result<RedisUrl, &'static str> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = login(authority)?;
    let sentinels = nodes(hosts, 26379).ok_or("the Sentinels' hosts are missing, or cannot be read")?;
    let (service, number) = path.split_once('/').unwrap_or((path, ""));
    if service.is_empty() {
        return Err("the service is missing, which is the primary's name in sentinel.conf");
    }
    let mut own = Login::default();
    for (key, value) in pairs(query) {
        match key {
            "sentinel_user" => own.user = Some(decoded(value)?),
            "sentinel_password" => own.password = Some(Secret::new(decoded(value)?)),
            _ => return Err("after ? there is something else than sentinel_user and sentinel_password"),
        }
    }
    let way = Way::Sentinel { sentinels, service: decoded(service)?, login: own, tls };
    Ok(RedisUrl { way, login, database: database(number)? })
}

fn cluster(rest: &str, tls: bool) -> Result<RedisUrl, &'static str> {
    let (authority, number) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = login(authority)?;
    let nodes = nodes(hosts, 6379).ok_or("the nodes' hosts are missing, or cannot be read")?;
    match number {
        "" | "0" => Ok(RedisUrl { way: Way::Cluster { nodes, tls }, login, database: 0 }),
        _ => Err("a cluster has no databases"),
    }
}

/// `[[USER]:PASSWORD@]` and what follows.
fn login(authority: &str) -> Result<(Login, &str), &'static str> {
    let Some((who, hosts)) = authority.rsplit_once('@') else { return Ok((Login::default(), authority)) };
    let (user, password) = who.split_once(':').unwrap_or(("", who));
    let user = if user.is_empty() { None } else { Some(decoded(user)?) };
    Ok((Login { user, password: Some(Secret::new(decoded(password)?)) }, hosts))
}

fn nodes(hosts: &str, default_port: u16) -> Option<Vec<Node>> {
    hosts.split(',').map(|host| Node::parse(host, default_port)).collect()
}

fn database(number: &str) -> Result<i64, &'static str> {
    match number.parse() {
        _ if number.is_empty() => Ok(0),
        Ok(number) if number >= 0 => Ok(number),
        _ => Err("the database is not a number"),
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decoded(text: &str) -> Result<String, &'static str> {
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| "the characters written with % are not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_url_is_read() {
        for (url, shown, user, password) in [
            ("redis://h", "redis://h:6379/0", None, None),
            ("rediss://h:1/2", "rediss://h:1/2", None, None),
            ("redis://:p%40s@h/", "redis://h:6379/0", None, Some("p@s")),
            ("redis://s3s%3Ame@h", "redis://h:6379/0", None, Some("s3s:me")),
            ("redis://u:p:q@[::1]:7", "redis://[::1]:7/0", Some("u"), Some("p:q")),
            ("redis+unix:///run/r.sock", "redis+unix:///run/r.sock?db=0", None, None),
            ("redis+unix:///r%20s?db=3&user=u&pass=%26", "redis+unix:///r s?db=3", Some("u"), Some("&")),
            ("redis+sentinel://h/s", "redis+sentinel://h:26379/s/0", None, None),
            ("rediss+sentinel://u:p@h,[::1]:7/s/2", "rediss+sentinel://h:26379,[::1]:7/s/2", Some("u"), Some("p")),
            ("redis+cluster://h", "redis+cluster://h:6379", None, None),
            ("rediss+cluster://:p@h:1,i/0", "rediss+cluster://h:1,i:6379", None, Some("p")),
        ] {
            let found = RedisUrl::parse(url);
            assert_eq!(found.as_ref().map(ToString::to_string), Ok(shown.to_owned()), "{url}");
            let who = found.map(|it| (it.login.user, it.login.password.map(|password| password.expose().to_owned())));
            assert_eq!(who, Ok((user.map(str::to_owned), password.map(str::to_owned))), "{url}");
        }
    }

    #[test]
    fn sentinels_have_a_login_of_their_own() {
        let url = RedisUrl::parse("redis+sentinel://:a@h/s?sentinel_user=u&sentinel_password=b%26").map(|url| url.way);
        let own = match url {
            Ok(Way::Sentinel { login, .. }) => login,
            _ => Login::default(),
        };
        assert_eq!(own, Login { user: Some("u".to_owned()), password: Some(Secret::new("b&".to_owned())) });
    }

    #[test]
    fn what_is_missing_is_said_without_the_url() {
        for (url, what) in [
            ("redis://", "host"),
            ("redis:///1", "host"),
            ("redis://u:s3cret@", "host"),
            ("redis://h:x", "host"),
            ("redis://h,i", "several hosts"),
            ("redis://h/x", "database"),
            ("redis://h/-1", "database"),
            ("redis://h h", "host"),
            ("redis+unix://relative", "absolute path"),
            ("redis+unix:///", "absolute path"),
            ("redis+unix:///r?color=red", "something else"),
            ("redis://:%ff@h", "UTF-8"),
            ("redis+sentinel://", "Sentinels' hosts"),
            ("redis+sentinel://:s3cret@/s", "Sentinels' hosts"),
            ("redis+sentinel://h,,i/s", "Sentinels' hosts"),
            ("redis+sentinel://:s3cret@h", "service"),
            ("redis+sentinel://h/", "service"),
            ("redis+sentinel://h/s/x", "database"),
            ("redis+sentinel://h/s?service=s", "something else"),
            ("redis+cluster://:s3cret@", "nodes' hosts"),
            ("redis+cluster://h/1", "no databases"),
            ("redis+ring://h", "scheme"),
        ] {
            let error = RedisUrl::parse(url).err().unwrap_or_default();
            assert!(error.contains(what) && error.contains("write it like redis"), "{url}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
