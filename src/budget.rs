//! How many logins may cost a token: the organization has 20, and no loop or proxy shall burn them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// So many may follow one another at once.
const BURST: usize = 3;

/// And one more in each such time.
const REFILL: SignedDuration = SignedDuration::from_mins(10);

/// What `logins_per_day` counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// More are not remembered; who allows more than that has no use for a budget.
const MOST: usize = 1000;

/// When logins were sent that made a token, or may have made one, before the present token's end. In order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Budget {
    spent: Vec<Timestamp>,
}

impl Budget {
    /// Whether a login may be sent at `now`; if not, how long until one may. `per_day` 0 lifts the budget.
    pub fn check(&self, now: Timestamp, per_day: u32) -> Result<(), Duration> {
        if per_day == 0 {
            return Ok(());
        }
        match self.free_at(now, per_day) {
            free if free <= now => Ok(()),
            free => Err(Duration::try_from(free.duration_since(now)).unwrap_or_default()),
        }
    }

    /// Notes a login that was sent at `now`.
    pub fn spend(&mut self, now: Timestamp) {
        // What lies in the future was noted by a clock that was set back since.
        self.spent.iter_mut().for_each(|then| *then = (*then).min(now));
        self.spent.retain(|then| now.duration_since(*then) < DAY);
        if self.spent.len() >= MOST {
            self.spent.remove(0);
        }
        self.spent.push(now);
    }

    /// How many logins may follow one another at `now`.
    pub fn left(&self, now: Timestamp, per_day: u32) -> u32 {
        let mut after = self.clone();
        let mut left = 0;
        while left < per_day.min(BURST as u32) && after.check(now, per_day).is_ok() {
            after.spend(now);
            left += 1;
        }
        left
    }

    /// The same by a clock that is ahead of this one.
    pub fn shifted(&self, ahead: SignedDuration) -> Self {
        Self { spent: self.spent.iter().filter_map(|then| then.checked_add(ahead).ok()).collect() }
    }

    /// The first moment at which both limits allow one more.
    fn free_at(&self, now: Timestamp, per_day: u32) -> Timestamp {
        let spent: Vec<_> =
            self.spent.iter().map(|then| (*then).min(now)).filter(|then| now.duration_since(*then) < DAY).collect();
        // Of the day's logins so many must grow older than a day that one fewer than the limit are left.
        let surplus = (spent.len() + 1).checked_sub(per_day as usize).and_then(|surplus| surplus.checked_sub(1));
        let day = surplus.and_then(|oldest| spent.get(oldest)).map_or(now, |then| *then + DAY);
        // A bucket that holds BURST and gains one each REFILL: when will it be full again?
        let full = spent
            .iter()
            .fold(Timestamp::MIN, |full, then| full.max(*then).saturating_add(REFILL).unwrap_or(Timestamp::MAX));
        let room = full.saturating_sub(REFILL * (BURST as i32 - 1)).unwrap_or(Timestamp::MIN);
        day.max(room)
    }

    /// As it is kept in a store.
    pub fn to_json(&self) -> Value {
        json!(self.spent.iter().map(|then| then.as_millisecond()).collect::<Vec<_>>())
    }

    /// What was kept; what cannot be read is left out.
    pub fn from_json(kept: &Value) -> Self {
        let times = kept.as_array().into_iter().flatten().filter_map(Value::as_i64);
        let mut spent: Vec<_> = times.filter_map(|then| Timestamp::from_millisecond(then).ok()).take(MOST).collect();
        spent.sort();
        Self { spent }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000_000 + minutes)
    }

    fn wait(budget: &Budget, minutes: i64) -> u64 {
        budget.check(at(minutes), 10).err().map_or(0, |wait| wait.as_secs() / 60)
    }

    #[test]
    fn three_at_once_then_one_in_ten_minutes() {
        let mut budget = Budget::default();
        for left in [3, 2, 1] {
            assert_eq!(budget.left(at(0), 10), left);
            assert_eq!(wait(&budget, 0), 0);
            budget.spend(at(0));
        }
        assert_eq!((budget.left(at(0), 10), wait(&budget, 0), wait(&budget, 4), wait(&budget, 10)), (0, 10, 6, 0));
        budget.spend(at(10));
        assert_eq!((wait(&budget, 10), wait(&budget, 20)), (10, 0));
        assert_eq!(budget.left(at(60), 10), 3);
    }

    #[test]
    fn ten_in_a_day() {
        let mut budget = Budget::default();
        for hour in 0..10 {
            assert_eq!(wait(&budget, hour * 60), 0, "hour {hour}");
            budget.spend(at(hour * 60));
        }
        assert_eq!(wait(&budget, 10 * 60), 14 * 60);
        assert_eq!((wait(&budget, 24 * 60), budget.left(at(24 * 60), 10)), (0, 1));
        assert!(budget.check(at(10 * 60), 0).is_ok());
        assert!(budget.check(at(10 * 60), 11).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut budget = Budget::default();
        for _ in 0..3 {
            budget.spend(at(10_000));
        }
        assert_eq!(wait(&budget, 0), 10);
        budget.spend(at(20));
        assert!(wait(&budget, 20) <= 20);
    }

    #[test]
    fn it_survives_the_store() {
        let mut budget = Budget::default();
        budget.spend(at(1));
        budget.spend(at(2));
        assert_eq!(Budget::from_json(&budget.to_json()), budget);
        assert_eq!(Budget::from_json(&json!({"a": 1})), Budget::default());
        assert_eq!(Budget::from_json(&json!(["x", i64::MAX, null])), Budget::default());
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
                if let Err(wait) = budget.check(now, per_day) {
                    // What it says is true: not a second earlier, and then at once.
                    prop_assert!(budget.check(now + wait - SignedDuration::from_secs(1), per_day).is_err());
                    prop_assert!(budget.check(now + wait, per_day).is_ok());
                    prop_assert_eq!(budget.left(now, per_day), 0);
                    if !patient {
                        continue;
                    }
                    now += wait;
                }
                prop_assert!(budget.left(now, per_day) >= 1);
                budget.spend(now);
                sent.push(now);
                budget = Budget::from_json(&budget.to_json());
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
            let budget = Budget::from_json(&json!(kept));
            let wait = budget.check(at(0), per_day).err().unwrap_or_default();
            prop_assert!(wait <= Duration::from_secs(24 * 3600));
        }
    }
}
