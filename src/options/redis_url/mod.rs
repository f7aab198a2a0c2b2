//! A Redis URL: where the servers are, and who asks them. A parsed value; nothing here connects.

mod node;
mod parse;

use std::fmt;
use std::path::PathBuf;

pub use self::node::Node;
use crate::secret::Secret;

/// Where Redis is, and who asks it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    /// How the server is found.
    pub way: Way,
    /// Who asks it.
    pub login: Login,
    /// The number of the database.
    pub database: i64,
}

/// How the server is found that has the records.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    /// One server, over TCP. It may be a cluster's node.
    Tcp {
        /// Where it is.
        node: Node,
        /// Whether over TLS.
        tls: bool,
    },
    /// One server, by a socket in the file system.
    Unix(PathBuf),
    /// A primary with replicas. Sentinels know which one is the primary.
    Sentinel {
        /// Where the Sentinels are.
        sentinels: Vec<Node>,
        /// The name under which they know the primary.
        service: String,
        /// Who asks the Sentinels.
        login: Login,
        /// Whether over TLS, to Sentinels and servers alike.
        tls: bool,
    },
    /// A cluster. Each of its nodes knows which one has a key.
    Cluster {
        /// Where some of them are.
        nodes: Vec<Node>,
        /// Whether over TLS.
        tls: bool,
    },
}

impl Way {
    /// Whether over TLS.
    pub fn tls(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Tcp { tls, .. } | Self::Sentinel { tls, .. } | Self::Cluster { tls, .. } => *tls,
        }
    }
}

/// Who asks a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// The user; `None`: the server's default one.
    pub user: Option<String>,
    /// The password; `None`: the server wants none.
    pub password: Option<Secret>,
}

/// For `stats` and messages: without user and password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.way.tls() { "s" } else { "" };
        let database = self.database;
        match &self.way {
            Way::Tcp { node, .. } => write!(formatter, "redis{s}://{node}/{database}"),
            Way::Unix(path) => write!(formatter, "redis+unix://{}?db={database}", path.display()),
            Way::Sentinel { sentinels, service, .. } => {
                write!(formatter, "redis{s}+sentinel://{}/{service}/{database}", list(sentinels))
            }
            Way::Cluster { nodes, .. } => write!(formatter, "redis{s}+cluster://{}", list(nodes)),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

fn list(nodes: &[Node]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
