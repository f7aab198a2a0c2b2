//! How many logins may cost a token: the organization has 20, and no loop, crash or proxy may use them up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// So many may follow one another at once.
const BURST: usize = 3;

/// And one more in each such time.
const REFILL: SignedDuration = SignedDuration::from_mins(10);

/// What `logins_per_day` counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// More are not remembered. A user who allows more logins than that has no use for a budget.
const MOST: usize = 1000;

/// So many renewals in [`REFILL`] are free: a server that announces very short lives gets no more.
const RENEWALS: usize = 10;

/// When logins were drawn: sent, and paid for with a token that was made or may have been made. In order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Budget {
    drawn: Vec<Timestamp>,
    renewals: Vec<Timestamp>,
}

impl Budget {
    /// From what was kept: draws and free renewals.
    pub fn new(mut drawn: Vec<Timestamp>, mut renewals: Vec<Timestamp>) -> Self {
        drawn.sort();
        renewals.sort();
        drawn.drain(..drawn.len().saturating_sub(MOST));
        renewals.drain(..renewals.len().saturating_sub(RENEWALS));
        Self { drawn, renewals }
    }

    /// When logins were drawn.
    pub fn drawn(&self) -> &[Timestamp] {
        &self.drawn
    }

    /// When renewals were free.
    pub fn renewals(&self) -> &[Timestamp] {
        &self.renewals
    }

    /// How long until a login may be drawn; zero: at once. `per_day` 0 lifts the budget.
    pub fn wait(&self, now: Timestamp, per_day: u32) -> Duration {
        if per_day == 0 {
            return Duration::ZERO;
        }
        Duration::try_from(self.free_at(now, per_day).duration_since(now)).unwrap_or_default()
    }

    /// Draws a login at `now`.
    pub fn draw(&mut self, now: Timestamp) {
        self.settle(now);
        if self.drawn.len() >= MOST {
            self.drawn.remove(0);
        }
        self.drawn.push(now);
    }

    /// Gives back the draw of `at`: it cost no token.
    pub fn give_back(&mut self, at: Timestamp) {
        if let Some(place) = self.drawn.iter().rposition(|drawn| are_one(drawn, &at)) {
            self.drawn.remove(place);
        }
    }

    /// Whether the renewal of a token that expires is free.
    pub fn renewal_is_free(&self, now: Timestamp) -> bool {
        self.renewals.iter().filter(|then| now.duration_since(**then) < REFILL).count() < RENEWALS
    }

    /// Notes a renewal that was free.
    pub fn renewed(&mut self, now: Timestamp) {
        self.settle(now);
        self.renewals.push(now);
        self.renewals.drain(..self.renewals.len().saturating_sub(RENEWALS));
    }

    /// Drops what is older than a day. What lies in the future was noted by a clock that was set back since: it counts as
    /// of now, so that nobody waits for a date that may be years ahead.
    pub fn settle(&mut self, now: Timestamp) {
        for times in [&mut self.drawn, &mut self.renewals] {
            times.iter_mut().for_each(|then| *then = (*then).min(now));
            times.retain(|then| now.duration_since(*then) < DAY);
        }
    }

    /// Whether `other` has draws that are later than all of this one's: they lay in the future, and were settled here.
    pub fn has_settled(&self, other: &Self) -> bool {
        let later =
            |(mine, theirs): (&Timestamp, &Timestamp)| theirs.duration_since(*mine) > SignedDuration::from_secs(1);
        self.drawn.last().zip(other.drawn.last()).is_some_and(later)
    }

    /// How many logins may follow one another at `now`; of a budget that is lifted, as many as of a full one.
    pub fn left(&self, now: Timestamp, per_day: u32) -> u32 {
        if per_day == 0 {
            return BURST as u32;
        }
        let mut after = self.clone();
        let draws = (0..BURST as u32).take_while(|_| {
            let free = after.wait(now, per_day).is_zero();
            after.draw(now);
            free
        });
        draws.count() as u32
    }

    /// What both know. Counted from the latest, the later draw of the two counts at each place: so it is as strict as either, and
    /// a draw that both know, by two clocks, counts once.
    pub fn merged(&self, other: &Self) -> Self {
        let both = |mine: &[Timestamp], theirs: &[Timestamp]| {
            let (long, short) = if mine.len() >= theirs.len() { (mine, theirs) } else { (theirs, mine) };
            let more = long.len() - short.len();
            let later = |(then, other): (&Timestamp, Option<&Timestamp>)| other.map_or(*then, |other| *then.max(other));
            long.iter().zip(std::iter::repeat_n(None, more).chain(short.iter().map(Some))).map(later).collect()
        };
        Self::new(both(&self.drawn, &other.drawn), both(&self.renewals, &other.renewals))
    }

    /// The first moment at which both limits allow one more.
    fn free_at(&self, now: Timestamp, per_day: u32) -> Timestamp {
        let drawn: Vec<_> =
            self.drawn.iter().map(|then| (*then).min(now)).filter(|then| now.duration_since(*then) < DAY).collect();
        // Of the day's logins so many must grow older than a day that one fewer than the limit are left.
        let surplus = (drawn.len() + 1).checked_sub(per_day as usize).and_then(|surplus| surplus.checked_sub(1));
        let day = surplus.and_then(|oldest| drawn.get(oldest)).map_or(now, |then| *then + DAY);
        // A bucket that holds BURST and gains one each REFILL: when will it be full again?
        let full = drawn
            .iter()
            .fold(Timestamp::MIN, |full, then| full.max(*then).saturating_add(REFILL).unwrap_or(Timestamp::MAX));
        let room = full.saturating_sub(REFILL * (BURST as i32 - 1)).unwrap_or(Timestamp::MIN);
        day.max(room)
    }
}

/// Whether two times are of one event, read by two clocks.
fn are_one(one: &Timestamp, other: &Timestamp) -> bool {
    one.duration_since(*other).abs() <= SignedDuration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000_000 + minutes)
    }

    fn wait(budget: &Budget, minutes: i64) -> u64 {
        budget.wait(at(minutes), 10).as_secs() / 60
    }

    #[test]
    fn three_at_once_then_one_in_ten_minutes() {
        let mut budget = Budget::default();
        for left in [3, 2, 1] {
            assert_eq!(budget.left(at(0), 10), left);
            assert_eq!(wait(&budget, 0), 0);
            budget.draw(at(0));
        }
        assert_eq!((budget.left(at(0), 10), wait(&budget, 0), wait(&budget, 4), wait(&budget, 10)), (0, 10, 6, 0));
        budget.draw(at(10));
        assert_eq!((wait(&budget, 10), wait(&budget, 20)), (10, 0));
        assert_eq!((budget.left(at(60), 10), budget.left(at(60), 6), budget.left(at(10), 0)), (3, 2, 3));
    }

    #[test]
    fn what_is_a_day_old_does_not_count() {
        let mut budget = Budget::default();
        budget.draw(at(0));
        budget.renewed(at(0));
        let day = 24 * 60;
        assert!(!budget.wait(at(day - 1), 1).is_zero() && budget.wait(at(day), 1).is_zero());
        budget.settle(at(day - 1));
        assert_eq!((budget.drawn().len(), budget.renewals().len()), (1, 1));
        budget.settle(at(day));
        assert_eq!((budget.drawn().len(), budget.renewals().len()), (0, 0));
    }

    #[test]
    fn ten_in_a_day() {
        let mut budget = Budget::default();
        for hour in 0..10 {
            assert_eq!(wait(&budget, hour * 60), 0, "hour {hour}");
            budget.draw(at(hour * 60));
        }
        assert_eq!(wait(&budget, 10 * 60), 14 * 60);
        assert_eq!((wait(&budget, 24 * 60), budget.left(at(24 * 60), 10)), (0, 1));
        assert!(budget.wait(at(10 * 60), 0).is_zero());
        assert!(budget.wait(at(10 * 60), 11).is_zero());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut budget = Budget::default();
        for _ in 0..3 {
            budget.draw(at(10_000));
        }
        assert_eq!(wait(&budget, 0), 10);
        budget.settle(at(0));
        assert_eq!((wait(&budget, 0), wait(&budget, 10)), (10, 0));
    }

    #[test]
    fn what_is_given_back_can_be_drawn_again() {
        let mut budget = Budget::default();
        for minute in 0..3 {
            budget.draw(at(minute));
        }
        assert_eq!(budget.left(at(2), 10), 0);
        budget.give_back(at(1));
        budget.give_back(at(7));
        assert_eq!((budget.left(at(2), 10), budget.drawn()), (1, [at(0), at(2)].as_slice()));
    }

    #[test]
    fn ten_renewals_in_ten_minutes_are_free() {
        let mut budget = Budget::default();
        for minute in 0..10 {
            assert!(budget.renewal_is_free(at(minute)));
            budget.renewed(at(minute));
        }
        assert!(!budget.renewal_is_free(at(9)) && budget.renewal_is_free(at(10)));
        budget.renewed(at(10));
        assert!(!budget.renewal_is_free(at(10)) && budget.renewal_is_free(at(11)));
        assert_eq!(budget.renewals(), (1..=10).map(at).collect::<Vec<_>>());
    }

    #[test]
    fn two_are_merged_draw_by_draw() {
        let (mut one, mut other) = (Budget::default(), Budget::default());
        one.draw(at(0));
        one.draw(at(1));
        other.draw(at(2));
        other.renewed(at(3));
        let both = one.merged(&other);
        assert_eq!((both.drawn(), both.renewals()), ([at(0), at(2)].as_slice(), other.renewals()));
        assert_eq!(other.merged(&one), both);
    }

    proptest! {
        #[test]
        fn no_course_of_events_gets_more(
            steps in prop::collection::vec((0_i64..3 * 3600, any::<bool>()), 1..60),
            per_day in 1_u32..15,
        ) {
            let (mut budget, mut now, mut sent) = (Budget::default(), at(0), Vec::<Timestamp>::new());
            for (pause, patient) in steps {
                now += SignedDuration::from_secs(pause);
                let wait = budget.wait(now, per_day);
                if !wait.is_zero() {
                    // What it says is true: not a second earlier, and then at once.
                    prop_assert!(!budget.wait(now + wait - SignedDuration::from_secs(1), per_day).is_zero());
                    prop_assert!(budget.wait(now + wait, per_day).is_zero());
                    prop_assert_eq!(budget.left(now, per_day), 0);
                    if !patient {
                        continue;
                    }
                    now += wait;
                }
                prop_assert!(budget.left(now, per_day) >= 1);
                budget.draw(now);
                sent.push(now);
                budget = Budget::new(budget.drawn().to_vec(), Vec::new());
            }
            for (first, then) in sent.iter().enumerate() {
                let within = |time| sent.iter().skip(first).filter(|later| later.duration_since(*then) < time).count();
                prop_assert!(within(DAY) <= per_day as usize);
                for refills in 1..20 {
                    prop_assert!(within(REFILL * refills) <= BURST - 1 + refills as usize);
                }
            }
        }

        #[test]
        fn whatever_the_store_holds_nobody_is_locked_out(
            kept in prop::collection::vec(any::<i64>(), 0..30),
            per_day in 1_u32..15,
        ) {
            let times = kept.into_iter().filter_map(|then| Timestamp::from_millisecond(then).ok());
            let mut budget = Budget::new(times.collect(), Vec::new());
            budget.settle(at(0));
            let wait = budget.wait(at(0), per_day);
            prop_assert!(wait <= Duration::from_secs(24 * 3600));
            prop_assert!(budget.wait(at(0) + wait, per_day).is_zero());
        }
    }
}
