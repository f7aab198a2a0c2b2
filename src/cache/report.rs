//! How the store was when it was last used.

use crate::events::{Event, Kind};
use crate::store::{Lasting, StoreError};

/// How the store was when it was last used.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StoreReport {
    /// Where it is; `None`: in memory, or not used yet.
    pub place: Option<String>,
    /// Why it is not as good as it should be.
    pub errors: Vec<StoreError>,
    /// How long what it keeps is there; `None`: not used yet.
    pub lasting: Option<Lasting>,
}

impl StoreReport {
    /// All errors in one line; `None`: there is none.
    fn faults(&self) -> Option<String> {
        let errors: Vec<_> = self.errors.iter().map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// All errors, and what to set so that it lasts, in one line; `None`: there is nothing to do.
    pub fn why_not(&self) -> Option<String> {
        match (self.faults(), &self.lasting) {
            (None, Some(Lasting::Service(advice))) => Some(advice.clone()),
            (Some(faults), Some(Lasting::Service(advice))) => Some(format!("{faults}; {advice}")),
            (faults, _) => faults,
        }
    }

    /// Whether what it keeps outlives this process and its service; `None`: not used yet.
    pub fn lasting(&self) -> Option<bool> {
        self.lasting.as_ref().map(|lasting| *lasting == Lasting::Yes)
    }

    /// What has changed since `before`, for the log. A store that goes on failing makes one event, whatever it says.
    pub fn event_after(&self, before: &Self) -> Option<Event> {
        if self.errors == before.errors || (!self.errors.is_empty() && self.errors.len() <= before.errors.len()) {
            return None;
        }
        Some(self.faults().map_or(Event::new(Kind::Recovered), |why_not| Event::new(Kind::Degraded).saying(why_not)))
    }
}
