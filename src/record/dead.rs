//! Tokens that nobody may use any more.

/// So many are remembered. An older one shows by its age: a newer token always wins.
const MOST: usize = 8;

/// The fingerprints of the last tokens that were rejected or given back, the latest last.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Dead {
    fingerprints: Vec<String>,
    /// Whether the latest was rejected by the server, not given back.
    rejected: bool,
}

impl Dead {
    /// From what was kept.
    pub fn new(fingerprints: Vec<String>, rejected: bool) -> Self {
        let surplus = fingerprints.len().saturating_sub(MOST);
        Self { fingerprints: fingerprints.into_iter().skip(surplus).collect(), rejected }
    }

    /// The fingerprints, the latest last.
    pub fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    /// Whether the latest was rejected by the server, not given back.
    pub fn rejected(&self) -> bool {
        self.rejected
    }

    /// Whether no token has died so far.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Whether this token is dead.
    pub fn has(&self, fingerprint: &str) -> bool {
        self.fingerprints.iter().any(|dead| dead == fingerprint)
    }

    /// Notes one that has died. One that is known already stays as it was.
    pub fn add(&mut self, fingerprint: String, rejected: bool) {
        if !self.has(&fingerprint) {
            self.fingerprints.push(fingerprint);
            let surplus = self.fingerprints.len().saturating_sub(MOST);
            self.fingerprints.drain(..surplus);
            self.rejected = rejected;
        }
    }

    /// The latest of both, in an order that is either one's. Of two of which neither one knows the other's, both are as late.
    pub fn merged(&self, other: &Self) -> Self {
        let (mut mine, mut theirs) = (self.fingerprints.as_slice(), other.fingerprints.as_slice());
        let mut latest_first: Vec<&String> = Vec::new();
        loop {
            let next = match (mine.last(), theirs.last()) {
                (None, None) => break,
                (Some(one), None) | (None, Some(one)) => [Some(one), None],
                (Some(one), Some(two)) if one == two || mine.contains(two) => [Some(one), None],
                (Some(one), Some(two)) if theirs.contains(one) => [Some(two), None],
                (Some(one), Some(two)) => [Some(one.max(two)), Some(one.min(two))],
            };
            for next in next.into_iter().flatten() {
                for known in [&mut mine, &mut theirs] {
                    *known = known.strip_suffix(std::slice::from_ref(next)).unwrap_or(known);
                }
                if !latest_first.contains(&next) {
                    latest_first.push(next);
                }
            }
        }
        let latest = latest_first.first().copied();
        let rejected = [self, other].iter().any(|dead| dead.rejected && dead.fingerprints.last() == latest);
        Self::new(latest_first.into_iter().rev().cloned().collect(), rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_eight_are_remembered() {
        let mut dead = Dead::default();
        for number in 0..10 {
            dead.add(number.to_string(), number % 2 == 0);
        }
        assert!(!dead.has("1") && dead.has("2") && dead.has("9"));
        assert_eq!(dead.fingerprints(), ["2", "3", "4", "5", "6", "7", "8", "9"]);
        assert!(!dead.rejected());
        dead.add("4".to_owned(), true);
        assert!(!dead.rejected() && dead.has("2"), "it was known");
    }

    #[test]
    fn merging_keeps_the_order_of_both() {
        let dead = |text: &str| Dead::new(text.split(' ').map(Into::into).collect(), false);
        for (one, other, both) in [
            ("a b c d e f g h", "c d e f g h i j", "c d e f g h i j"),
            ("a b c d e f g h", "z", "b c d e f g h z"),
            ("b c d e f g h i", "a", "c d e f g h a i"),
            ("a c e", "b c d", "a b c d e"),
            ("a b", "b a", "a b"),
        ] {
            assert_eq!(dead(one).merged(&dead(other)), dead(both), "{one}, {other}");
        }
        for (one, other) in [("a b c d e f g h", "c d e f g h i j"), ("a c e", "b c d")] {
            assert_eq!(dead(one).merged(&dead(other)), dead(other).merged(&dead(one)));
        }
    }

    #[test]
    fn merging_forgets_none_of_the_latest() {
        let mut one = Dead::new(vec!["a".into(), "b".into()], true);
        let other = Dead::new((0..8).map(|n| n.to_string()).collect(), false);
        let both = one.merged(&other);
        assert!(both.has("a") && both.has("b") && both.has("7") && !both.has("0"));
        assert!(both.rejected());
        assert_eq!(Dead::default().merged(&one), one);
        let before = one.clone();
        one.add("c".into(), false);
        assert_eq!((before.merged(&one), one.merged(&before)), (one.clone(), one.clone()), "who died last counts");
        assert_eq!(one.merged(&Dead::default()), one);
        assert_eq!(other.merged(&before), both, "in either order");
    }
}
