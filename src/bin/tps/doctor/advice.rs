//! What to do about a store that cannot be used: by its own words.

use super::Finding;

/// Words of an error, what it is about, and what to do. `{}` is what the error names first: a path, or a Redis URL.
const TABLE: [(&[&str], &str, &str); 18] = [
    (
        &["No space left", "quota exceeded"],
        "space",
        "free some of that disk (df -h), or set the option cache to a directory on another one",
    ),
    (&["Read-only file system"], "store", "mount it for writing, or set the option cache to another directory"),
    (
        &["No locks available", "Function not implemented", "not supported"],
        "lock",
        "set the option cache to a directory whose file system can lock (NFS: start its lock service)",
    ),
    (&["is open to other users", "to make files in it"], "store", "chmod 700 {}"),
    (
        &["belongs to another user"],
        "store",
        "run as that user; or chown it to the user that runs this; or set the option cache to another directory",
    ),
    (&["is no directory"], "store", "remove what is at {}, or set the option cache to a directory"),
    (&["(NFS)"], "store", "mend the server of these files, or set the option cache to a directory of this machine"),
    (&["refuses user or password"], "store", "correct user and password in the option cache (TPS_CACHE)"),
    (&["NOAUTH"], "store", "put the password into the option cache (TPS_CACHE): redis://:PASSWORD@HOST"),
    (&["NOPERM"], "store", "redis-cli ACL SETUSER NAME '~tps:*' +get +set +del +time +pexpire +pttl +eval +info"),
    (
        &["READONLY"],
        "store",
        "name the primary in the option cache, or its Sentinels (redis+sentinel://); or make this one the primary: \
         redis-cli REPLICAOF NO ONE",
    ),
    (
        &["OOM "],
        "store",
        "give it more memory (redis-cli CONFIG SET maxmemory 256mb), or remove what other programs keep there",
    ),
    (
        &["do not know the service"],
        "store",
        "correct the service's name in the option cache; redis-cli -p 26379 SENTINEL MASTERS lists the names",
    ),
    (
        &["the primary "],
        "store",
        "start that server; or let the Sentinels choose another: redis-cli -p 26379 SENTINEL FAILOVER SERVICE",
    ),
    (&["CLUSTERDOWN"], "store", "mend the cluster: redis-cli --cluster check HOST:PORT says what is wrong"),
    (&["host name is not"], "store", "correct the host in the option cache (TPS_CACHE), or check /etc/resolv.conf"),
    (
        &["onnection refused", "does not answer in time", "No such file"],
        "store",
        "start that server, or correct the address in the option cache (TPS_CACHE); redis-cli -u {} PING",
    ),
    (&[], "store", "mend what is named, or set the option cache (TPS_CACHE) to a place that serves"),
];

/// The finding that an error is.
pub fn on(error: &str) -> Finding {
    let named = error.split_once(": ").map_or(error, |(named, _)| named);
    let fits = |words: &[&str]| words.is_empty() || words.iter().any(|words| error.contains(words));
    let row = TABLE.iter().find(|(words, ..)| fits(words));
    row.map_or_else(
        || Finding::unknown("store", error),
        |(_, about, advice)| Finding::bad(about, error, advice.replace("{}", named)),
    )
}
