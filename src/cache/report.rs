//! How the store was when it was last used.

use crate::events::{Event, Kind};
use crate::store::StoreError;

/// How the store was when it was last used.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StoreReport {
    /// Where it is; `None`: in memory, or not used yet.
    pub place: Option<String>,
    /// Why it is not as good as it should be.
    pub errors: Vec<StoreError>,
}

impl StoreReport {
    /// All errors in one line; `None`: there is none.
    pub fn why_not(&self) -> Option<String> {
        let errors: Vec<_> = self.errors.iter().map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// What has changed since `before`, for the log. A store that goes on to fail is told of once, whatever it says.
    pub fn event_after(&self, before: &Self) -> Option<Event> {
        if self.errors == before.errors || (!self.errors.is_empty() && self.errors.len() <= before.errors.len()) {
            return None;
        }
        Some(self.why_not().map_or(Event::new(Kind::Recovered), |why_not| Event::new(Kind::Degraded).saying(why_not)))
    }
}
