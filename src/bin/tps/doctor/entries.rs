//! Entries that lie unused: tokens of passwords that were changed, which still count at the server.

use std::time::Duration;

use super::Finding;

/// Entries are marked once a day where they are used.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// `entries`: names, and for how long nobody has used them. `remove`: the command that removes those with these names.
/// Names tell nothing of whose they are: they come from the passwords.
pub fn finding(entries: &[(String, Duration)], remove: impl FnOnce(&str) -> String) -> Finding {
    let about = "entries";
    let unused = entries.iter().filter(|(_, idle)| *idle > UNUSED).map(|(name, _)| format!("'{name}'"));
    let unused: Vec<_> = unused.collect();
    if unused.is_empty() {
        return Finding::good(about, format!("{}, all in use", entries.len()));
    }
    Finding::bad(
        about,
        format!(
            "{} of {} were not used for 30 days: their tokens still count at the server",
            unused.len(),
            entries.len()
        ),
        format!(
            "run tps logout once with each earlier password, or ask TPStreams to revoke the tokens; then remove the \
             entries: {}",
            remove(&unused.join(" "))
        ),
    )
}
