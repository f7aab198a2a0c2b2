//! What a first token is made of, part by part: `cargo bench --bench parts`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::SignedDuration;
use tps::process::clock::{Clock, System};
use tps::record::Record;
use tps::server::tls::certificates;
use tps::store::seal::{SALT, Seal};
use tps::store::{Owner, format};
use tps::{Credentials, Options};

fn parts(criterion: &mut Criterion) {
    let credentials = Credentials::new("hari@example.com".into(), "welcome".into(), "auhf2k".into()).unwrap();
    let owner = Owner { credentials: &credentials, base_url: "https://app.tpstreams.com" };
    let options = Options::parse(Some(r#"{"timeout_ms": 5000}"#)).unwrap();
    criterion.bench_function("options", |bencher| {
        bencher.iter(|| Options::parse(black_box(Some(r#"{"timeout_ms": 5000}"#))).unwrap());
    });
    criterion.bench_function("key, Argon2id", |bencher| {
        bencher.iter(|| Seal::derive(black_box(&owner), [0; SALT]).unwrap());
    });
    let (seal, now) = (Seal::derive(&owner, [0; SALT]).unwrap(), System.read());
    let sealed = seal.close(&format::encode(&Record::default(), SignedDuration::ZERO, &now)).unwrap();
    criterion.bench_function("an entry, opened and read", |bencher| {
        bencher.iter(|| format::decode(&seal.open(black_box(&sealed)).unwrap(), None, &now).unwrap());
    });
    criterion.bench_function("the system's certificates", |bencher| bencher.iter(|| certificates(&options).unwrap()));
}

criterion_group!(benches, parts);
criterion_main!(benches);
