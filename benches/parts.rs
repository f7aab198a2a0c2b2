//! What a first token is made of, part by part: `cargo bench --bench parts`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use tps::parts::{Entry, certificates, derive_key};
use tps::{Credentials, Options};

fn parts(criterion: &mut Criterion) {
    let credentials = || Credentials::new("hari@example.com".into(), "welcome".into(), "auhf2k".into()).unwrap();
    let options = Options::parse(Some(r#"{"timeout_ms": 5000}"#)).unwrap();
    criterion.bench_function("options", |bencher| {
        bencher.iter(|| Options::parse(black_box(Some(r#"{"timeout_ms": 5000}"#))).unwrap());
    });
    criterion.bench_function("key, Argon2id", |bencher| {
        let credentials = credentials();
        bencher.iter(|| derive_key(black_box(&credentials), "https://app.tpstreams.com"));
    });
    let entry = Entry::sealed(&credentials());
    criterion.bench_function("an entry, opened and read", |bencher| bencher.iter(|| black_box(entry.open())));
    criterion.bench_function("the system's certificates", |bencher| bencher.iter(|| black_box(certificates(&options))));
}

criterion_group!(benches, parts);
criterion_main!(benches);
