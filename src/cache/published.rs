//! The published token: what every outgoing request reads, without a lock or a system call.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::record::{Moment, Token};

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
#[derive(Default)]
#[repr(C)]
pub struct Publication {
    /// The number of the published token, while it is valid whatever the time: it does not expire, and nobody reported it.
    /// Else 0.
    lasting: AtomicU64,
    summary: Summary,
    /// The published token. It may have expired, or be reported as rejected.
    token: ArcSwapOption<Published>,
}

impl Publication {
    /// The number of the token that is valid whatever the time, as a word that changes with it; 0: look closer.
    pub fn lasting(&self) -> &AtomicU64 {
        &self.lasting
    }

    /// The number of the token if it does not expire soon after `latest`; 0: look closer.
    pub fn sure(&self, latest: impl FnOnce() -> Moment, ahead: Option<Duration>) -> u64 {
        match self.lasting.load(Ordering::Acquire) {
            0 => self.summary.far(latest, ahead),
            number => number,
        }
    }

    /// Copies the text of the token of that number into `room(bytes)`, which is zeroes so far; `None`: look closer.
    pub fn copy<R: AsMut<[u64]>>(&self, number: u64, room: impl FnOnce(usize) -> R) -> Option<R> {
        self.summary.copy(number, room)
    }

    /// The published token. It may have expired.
    pub fn token(&self) -> Option<Arc<Published>> {
        self.token.load_full()
    }

    /// The number of the published token, if it is as `is` wants it; else 0.
    pub fn number_if(&self, is: impl FnOnce(&Published) -> bool) -> u64 {
        self.token.load().as_ref().filter(|token| is(token)).map_or(0, |token| token.number)
    }

    /// Publishes a token, or none. One at a time.
    pub fn replace(&self, token: Option<Arc<Published>>) {
        self.doubt();
        let lasting = token.as_ref().filter(|token| token.expires.is_none()).map_or(0, |token| token.number);
        self.token.store(token.clone());
        self.summary.tell(token.as_deref());
        self.lasting.store(lasting, Ordering::Release);
    }

    /// The published token was reported as rejected: every reader must look closer.
    pub fn doubt(&self) {
        self.lasting.store(0, Ordering::Release);
        self.summary.number.store(0, Ordering::Release);
    }
}

/// What most readers need of the published token, in words: they are read without counting who reads. The number tells
/// readers whether the words changed while they read: it is 0 during a change, and never used again.
#[derive(Default)]
#[repr(C)]
struct Summary {
    /// Of the token, unless it was reported as rejected; else 0.
    number: AtomicU64,
    /// When it expires, in nanoseconds of the clock that does not jump.
    expires: AtomicU64,
    /// Half of its life, in nanoseconds.
    half: AtomicU64,
    /// Bytes of the text.
    length: AtomicU64,
    /// The text, where it is so short.
    text: [AtomicU64; WORDS],
}

const WORDS: usize = 16;
const BYTES: usize = WORDS * size_of::<u64>();

/// For these nanoseconds before a token expires every reader looks closer at it. No renewal begins earlier unless an option says so.
const NEAR: u64 = 120_000_000_000;
/// The same where tokens are used until they have expired: nothing with less left is handed out.
const NEAREST: u64 = 30_000_000_000;

impl Summary {
    /// The number, if the expiry is farther from `latest` than a renewal or a last use may be.
    fn far(&self, latest: impl FnOnce() -> Moment, ahead: Option<Duration>) -> u64 {
        let number = self.number.load(Ordering::Acquire);
        if number == 0 {
            return 0;
        }
        let ahead = ahead.map_or(NEAR, |ahead| nanoseconds(ahead).max(NEAREST));
        let near = ahead.min(self.half.load(Ordering::Relaxed));
        let until = self.expires.load(Ordering::Relaxed).saturating_sub(near);
        if self.still(number) && nanoseconds(latest().since_start()) < until { number } else { 0 }
    }

    fn copy<R: AsMut<[u64]>>(&self, number: u64, room: impl FnOnce(usize) -> R) -> Option<R> {
        if number == 0 || self.number.load(Ordering::Acquire) != number {
            return None;
        }
        let length = self.length.load(Ordering::Relaxed) as usize;
        if length > BYTES {
            return None;
        }
        let mut room = room(length);
        for (to, from) in room.as_mut().iter_mut().zip(&self.text).take(length.div_ceil(size_of::<u64>())) {
            *to = from.load(Ordering::Relaxed);
        }
        self.still(number).then_some(room)
    }

    /// Whether what was read since belongs to the token of that number.
    fn still(&self, number: u64) -> bool {
        fence(Ordering::Acquire);
        self.number.load(Ordering::Relaxed) == number
    }

    /// Writes down `token`. The number is 0 meanwhile.
    fn tell(&self, token: Option<&Published>) {
        self.number.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        let text = token.map_or("", |token| token.value.expose());
        let short = if text.len() <= BYTES { text.as_bytes() } else { &[] };
        let mut bytes = short.chunks(size_of::<u64>());
        for word in &self.text {
            let mut buffer = [0; size_of::<u64>()];
            if let Some(chunk) = bytes.next() {
                buffer.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            }
            word.store(u64::from_ne_bytes(buffer), Ordering::Relaxed);
        }
        self.length.store(text.len() as u64, Ordering::Relaxed);
        let expires = token.and_then(|token| token.expires).map_or(u64::MAX, |end| nanoseconds(end.since_start()));
        self.expires.store(expires, Ordering::Relaxed);
        self.half.store(token.map_or(0, |token| nanoseconds(token.life() / 2)), Ordering::Relaxed);
        self.number.store(token.map_or(0, |token| token.number), Ordering::Release);
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        self.tell(None);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::record::Now;
    use crate::secret::Secret;

    const START: Duration = Duration::from_secs(1000);

    fn token(text: &str, life: Option<i64>) -> Arc<Published> {
        let wall = Timestamp::UNIX_EPOCH;
        let now = Now { moment: Moment::at(START), wall, boot: None };
        let end = life.map(|life| wall + SignedDuration::from_secs(life));
        Published::new(Arc::new(Token::new(Secret::new(text.into()), wall, end, SignedDuration::ZERO, None, &now)))
    }

    /// What a reader has room for.
    struct Room(Vec<u64>);

    impl Room {
        fn new(bytes: usize) -> Self {
            Self(vec![0; bytes / 8 + 1])
        }

        fn text(&self) -> String {
            let bytes: Vec<u8> =
                self.0.iter().flat_map(|word| word.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
            String::from_utf8(bytes).unwrap()
        }
    }

    impl AsMut<[u64]> for Room {
        fn as_mut(&mut self) -> &mut [u64] {
            &mut self.0
        }
    }

    /// The number at so many seconds after the start.
    fn sure(publication: &Publication, seconds: u64, ahead: Option<u64>) -> u64 {
        publication.sure(|| Moment::at(START + Duration::from_secs(seconds)), ahead.map(Duration::from_secs))
    }

    #[test]
    fn texts_of_all_lengths_are_copied_whole_or_not_at_all() {
        let publication = Publication::default();
        for length in [1, 7, 8, 9, 63, 64, 127, 128, 129, 4096] {
            let token = token(&"t".repeat(length), None);
            let number = token.number;
            publication.replace(Some(token));
            assert_eq!(sure(&publication, 0, None), number);
            let copy = publication.copy(number, Room::new).map(|room| room.text().len());
            assert_eq!(copy, (length <= 128).then_some(length));
        }
        publication.doubt();
        let number = publication.token().unwrap().number;
        assert_eq!((sure(&publication, 0, None), publication.copy(number, Room::new).is_none()), (0, true));
        publication.replace(None);
        assert_eq!((sure(&publication, 0, None), publication.copy(0, Room::new).is_none()), (0, true));
    }

    /// It is never sure of a token that must not be handed out, or that somebody should renew.
    #[test]
    fn readers_look_closer_before_a_token_expires_or_is_renewed() {
        for life in [1, 2, 30, 60, 240, 1200, 36_000] {
            for ahead in [None, Some(0), Some(600), Some(86_400)] {
                let publication = Publication::default();
                let token = token("t", Some(life));
                publication.replace(Some(token.clone()));
                let mut seconds = 0..=life as u64;
                let last = seconds.rfind(|second| sure(&publication, *second, ahead) != 0);
                for second in 0..=last.unwrap_or(0) * u64::from(last.is_some()) {
                    let now = Moment::at(START + Duration::from_secs(second));
                    let due = |spread| token.due(now, ahead.map(Duration::from_secs), spread);
                    assert!(last.is_none() || token.usable(now) && !due(0.0) && !due(1.0), "{life} {ahead:?} {second}");
                }
                assert!(
                    life < 60 || last.unwrap() + 125.max(ahead.unwrap_or(0)) >= life as u64 / 2 - 1,
                    "{life} {ahead:?}"
                );
            }
        }
    }

    #[test]
    fn the_word_is_the_number_of_a_token_that_does_not_expire() {
        let publication = Publication::default();
        let word = publication.lasting();
        assert_eq!(word.load(Ordering::Relaxed), 0);
        let lasting = token("t", None);
        publication.replace(Some(lasting.clone()));
        assert_eq!(word.load(Ordering::Relaxed), lasting.number);
        publication.replace(Some(token("t", Some(36_000))));
        assert_eq!(word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn no_reader_gets_a_mixture() {
        let publication = Publication::default();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut copies = 0;
                    while !over.load(Ordering::Relaxed) || copies == 0 {
                        let number = sure(&publication, 0, None);
                        let Some(room) = publication.copy(number, Room::new) else { continue };
                        // Each token's text is one letter, and as long as the letter says.
                        let text = room.text();
                        let letter = text.bytes().next().unwrap();
                        assert!(text.bytes().all(|byte| byte == letter), "{text}");
                        assert_eq!(text.len(), usize::from(letter - b'A') * 4 + 8);
                        copies += 1;
                    }
                });
            }
            for round in 0..20_000_u32 {
                let letter = (round % 26) as u8;
                let text = char::from(b'A' + letter).to_string().repeat(usize::from(letter) * 4 + 8);
                publication.replace(Some(token(&text, (round % 3 == 0).then_some(36_000))));
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
