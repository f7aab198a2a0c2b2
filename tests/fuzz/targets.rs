//! What reads foreign bytes, as functions that take any bytes: each must end, and say nothing that it should not.
//!
//! `tests/fuzz.rs` runs them over the corpus, and `cargo fuzz` (tests/fuzz/Cargo.toml) guided by coverage.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tps::options::no_proxy::NoProxy;
use tps::options::{Cache, Options};
use tps::process::clock::{Clock, System};
use tps::record::{Event, Need, Now, Record, Rules};
use tps::server::{Answer, Api, Server};
use tps::store::redis::RedisStore;
use tps::store::seal::{SALT, Seal};
use tps::store::{Owner, Store, StoreError, format};
use tps::{Credentials, Error, Status};

/// A target's name, which is its corpus's too, and the target.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("options", options),
    ("proxy", |bytes| option("proxy", bytes)),
    ("redis-url", |bytes| option("cache", bytes)),
    ("base-url", |bytes| option("base_url", bytes)),
    ("no-proxy", no_proxy),
    ("answer", answer),
    ("expiry", |bytes| answer_with("Date: Wed, 21 Oct 2026 07:28:00 GMT", "expiry", bytes)),
    ("date", |bytes| headed("Date", bytes)),
    ("retry-after", |bytes| headed("Retry-After", bytes)),
    ("record", record),
    ("redis", redis),
];

const PASSWORD: &str = "s3same-open";

fn credentials() -> Credentials {
    Credentials::new("hari@example.com".to_owned(), PASSWORD.to_owned(), "auhf2k".to_owned()).unwrap()
}

/// No line breaks, nothing endless, no password.
fn is_clean(message: &str) {
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(message.chars().count() < 1000, "{message:?}");
    assert!(!message.contains(PASSWORD), "{message:?}");
}

fn parsed(json: &str) -> Option<Options> {
    let refused = |error: Error| {
        assert_eq!(error.status, Status::InvalidArgument);
        is_clean(&error.message);
    };
    Options::parse(Some(json)).map_err(refused).ok()
}

fn options(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        parsed(text);
    }
}

fn option(key: &str, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        parsed(&serde_json::json!({ key: text }).to_string());
    }
}

/// The list, a line break, and a host.
fn no_proxy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (list, host) = text.rsplit_once('\n').unwrap_or((&text, "app.tpstreams.com"));
    let list = NoProxy::parse(list);
    assert_eq!(list.excepts(host, 443), list.excepts(&host.to_ascii_uppercase(), 443));
}

/// What our own servers on this machine answer next.
fn next() -> &'static Mutex<Vec<u8>> {
    static NEXT: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    NEXT.get_or_init(Mutex::default)
}

fn say(bytes: &[u8]) {
    *next().lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_owned();
}

fn said() -> Vec<u8> {
    next().lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A login at a server that answers with these bytes, by HTTP or not.
fn answer(bytes: &[u8]) {
    static API: OnceLock<Api> = OnceLock::new();
    let api = API.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let mut length = 0;
                // The head, and a body that ends with a brace.
                while !request[..length].ends_with(b"}") {
                    match stream.read(&mut request[length..]) {
                        Ok(read) if read > 0 => length += read,
                        _ => break,
                    }
                }
                let _ = stream.write_all(&said());
            }
        });
        let options = Options::parse(Some(&serde_json::json!({ "base_url": base_url }).to_string())).unwrap();
        Api { credentials: credentials(), options: Arc::new(options), clock: Arc::new(System) }
    });
    say(bytes);
    match api.login(Duration::from_secs(2)) {
        Answer::Token(token) => {
            let text = token.value.expose();
            assert!(!text.is_empty() && text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(token.expires_at.is_none_or(|end| end > token.obtained_at));
        }
        Answer::Refused(refusal) => is_clean(&refusal.error.message),
        Answer::Lost(error) => is_clean(&error.message),
    }
}

/// A header with these bytes before a refusal and before a token.
fn headed(name: &str, bytes: &[u8]) {
    for (status, body) in [(429, r#"{"detail":"Request was throttled."}"#), (200, r#"{"token":"1e14"}"#)] {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{name}: ", body.len());
        answer(&[head.as_bytes(), bytes, b"\r\n\r\n", body.as_bytes()].concat());
    }
}

/// A token with these bytes in another field.
fn answer_with(header: &str, field: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let body = serde_json::json!({ "token": "1e14", field: text }).to_string();
    answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{header}\r\n\r\n{body}", body.len()).as_bytes());
}

fn rules() -> Rules {
    Rules { logins_per_day: 10, own_token: None, proxy: None, refresh_ahead: None, spread: 0.5, process: 1 }
}

fn now() -> Now {
    Now { wall: Timestamp::from_second(1_800_000_000).unwrap(), ..System.read() }
}

/// A stored record, opened; and the same bytes as one that is still sealed.
fn record(bytes: &[u8]) {
    let now = now();
    assert_eq!(seal().open(bytes), None);
    let Some(record) = format::decode(bytes, None, &now) else { return };
    let again = |record: &Record| {
        format::decode(&format::encode(record, jiff::SignedDuration::ZERO, &now), None, &now).unwrap()
    };
    let kept = again(&record);
    assert_eq!(again(&kept), kept, "what was kept once is kept as it is");
    for event in [Event::Looked, Event::Locked] {
        let (stepped, _) = kept.step(event, &Need::default(), &rules(), &now);
        again(&stepped);
        kept.merged(&stepped);
    }
}

fn owner(credentials: &Credentials) -> Owner<'_> {
    Owner { credentials, base_url: "https://app.tpstreams.com" }
}

fn seal() -> &'static Arc<Seal> {
    static SEAL: OnceLock<Arc<Seal>> = OnceLock::new();
    SEAL.get_or_init(|| Arc::new(Seal::derive(&owner(&credentials()), [7; SALT]).unwrap()))
}

/// A Redis that lets us in, has our salt, and answers all that follows with these bytes.
fn redis(bytes: &[u8]) {
    static SOCKET: OnceLock<PathBuf> = OnceLock::new();
    static USERS: AtomicU64 = AtomicU64::new(0);
    // Nobody is sent elsewhere.
    if bytes.windows(3).any(|word| word == b"MOV" || word == b"ASK") {
        return;
    }
    let socket = SOCKET.get_or_init(|| {
        let socket = std::env::temp_dir().join(format!("tps-fuzz-{}", std::process::id()));
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&[b"+OK\r\n$16\r\n", [7; SALT].as_slice(), b"\r\n", &said()].concat());
                let _ = stream.shutdown(Shutdown::Write);
                // Until the other side is done.
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        socket
    });
    say(bytes);
    let (credentials, now) = (credentials(), now());
    let clean = |error: StoreError| is_clean(&error.0);
    let deadline = Instant::now() + Duration::from_secs(2);
    for lock in [false, true] {
        // A user of whom nobody knows yet that Redis did not serve.
        let user = USERS.fetch_add(1, Ordering::Relaxed);
        let cache = format!("redis+unix://{}?user=u{user}&pass={PASSWORD}", socket.display());
        let options = Options::parse(Some(&serde_json::json!({ "cache": cache }).to_string())).unwrap();
        let Cache::Redis(url, _) = &options.cache else { unreachable!() };
        let Ok(store) = RedisStore::open(url, &owner(&credentials), &options, &[seal().clone()]).map_err(clean) else {
            continue;
        };
        if !lock {
            let _ = store.read(&now, deadline).map_err(clean);
        } else if let Ok(Some(lock)) = store.try_lock(&now, deadline).map_err(clean) {
            let record = lock.record().clone();
            let _ = lock.write(&record, &now);
        }
        store.errors().into_iter().for_each(clean);
    }
}
