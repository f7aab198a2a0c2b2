//! The published token: the copy that every outgoing request reads, without a lock or a system call, and for a token that
//! does not expire without a clock.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use crate::record::Token;

/// A token under a number that no other token of the process has.
#[derive(Debug)]
pub struct Published {
    /// Never 0, never used again.
    pub number: u64,
    /// The token.
    pub token: Arc<Token>,
}

impl Published {
    /// The token under a number of its own.
    pub fn new(token: Arc<Token>) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), token })
    }
}

impl Deref for Published {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.token
    }
}

/// The place that hits read.
#[derive(Debug, Default)]
pub struct Publication {
    /// The present token. It may have expired.
    token: ArcSwapOption<Published>,
    /// Its number, while it is valid whatever the time: it does not expire, and nobody reported it. Else 0.
    lasting: AtomicU64,
}

impl Publication {
    /// The number of the token that is valid whatever the time; 0: look closer.
    pub fn lasting(&self) -> u64 {
        self.lasting.load(Ordering::Acquire)
    }

    /// What `read` makes of the token that is valid whatever the time; `None`: look closer.
    pub fn read<T>(&self, read: impl FnOnce(&Token) -> T) -> Option<T> {
        let lasting = self.lasting();
        if lasting == 0 {
            return None;
        }
        let token = self.token.load();
        token.as_ref().filter(|token| token.number == lasting).map(|token| read(token))
    }

    /// The present token. It may have expired.
    pub fn token(&self) -> Option<Arc<Published>> {
        self.token.load_full()
    }

    /// The number of the present token, if it is as `is` wants it; else 0.
    pub fn number_if(&self, is: impl FnOnce(&Published) -> bool) -> u64 {
        self.token.load().as_ref().filter(|token| is(token)).map_or(0, |token| token.number)
    }

    /// Publishes a token, or none. One at a time.
    pub fn replace(&self, token: Option<Arc<Published>>) {
        self.lasting.store(0, Ordering::Release);
        let lasting = token.as_ref().filter(|token| token.expires.is_none()).map_or(0, |token| token.number);
        self.token.store(token);
        self.lasting.store(lasting, Ordering::Release);
    }

    /// The present token was reported as rejected: every reader must look closer.
    pub fn doubt(&self) {
        self.lasting.store(0, Ordering::Release);
    }
}
