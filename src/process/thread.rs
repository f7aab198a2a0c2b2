//! Starting a thread.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow};

/// As much as std takes. Told a size, it does not look into the environment for one.
const STACK: usize = 2 * 1024 * 1024;

/// Runs `work(value)` on a new thread with all signals masked: the host's handlers never run on a thread of the library.
///
/// `name` is shown by debuggers and must hold no NUL. Where the system gives no thread, `value` comes back: the caller
/// does the work on its own thread.
pub fn start<T: Send + 'static>(name: &'static str, value: T, work: impl FnOnce(T) + Send + 'static) -> Result<(), T> {
    start_by(Builder::new().name(name.to_owned()).stack_size(STACK), value, work)
}

/// A thread's use of the processors, as Linux counts it.
pub struct Activity(PathBuf);

impl Activity {
    /// That of the calling thread; `None`: the system has no such thing.
    pub fn of_this_thread() -> Option<Self> {
        // PROCESS/task/THREAD
        let thread = fs::read_link("/proc/thread-self").ok()?;
        Some(Self(Path::new("/proc").join(thread).join("schedstat")))
    }

    /// For how long it has run, or been ready to run and waited for a processor; `None`: the system does not tell.
    pub fn time(&self) -> Option<Duration> {
        // Nanoseconds it ran, nanoseconds it waited, how often it ran.
        let text = fs::read_to_string(&self.0).ok()?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
        let (ran, waited) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Duration::from_nanos(ran.saturating_add(waited)))
    }
}

fn start_by<T: Send + 'static>(builder: Builder, value: T, work: impl FnOnce(T) + Send + 'static) -> Result<(), T> {
    // Shared, since a thread that cannot be started drops its closure with all that is in it.
    let shared = Arc::new(Mutex::new(Some(value)));
    let taken = shared.clone();
    // The thread inherits the mask, so it is never without one.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok();
    let started = builder.spawn(move || {
        if let Some(value) = take(&taken) {
            work(value);
        }
    });
    if let Some(before) = before {
        let _ = before.thread_set_mask();
    }
    match started {
        Ok(_) => Ok(()),
        Err(_) => take(&shared).map_or(Ok(()), Err),
    }
}

fn take<T>(shared: &Mutex<Option<T>>) -> Option<T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;

    use nix::sys::signal::Signal;

    use super::*;

    #[test]
    fn the_thread_has_its_name_and_no_signals_and_the_caller_keeps_its_own() {
        let (sender, receiver) = mpsc::channel();
        let before = SigSet::thread_get_mask().unwrap();
        start("tps-test", sender, |sender| {
            let name = std::thread::current().name().map(str::to_owned);
            sender.send((name, SigSet::thread_get_mask().unwrap())).unwrap();
        })
        .unwrap();
        let (name, mask) = receiver.recv().unwrap();
        assert_eq!(name.as_deref(), Some("tps-test"));
        assert!([Signal::SIGINT, Signal::SIGTERM, Signal::SIGPROF].iter().all(|signal| mask.contains(*signal)));
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }

    #[test]
    fn the_value_comes_back_where_there_is_no_thread() {
        let before = SigSet::thread_get_mask().unwrap();
        let back = start_by(Builder::new().stack_size(1 << 60), "mine".to_owned(), drop);
        assert_eq!(back, Err("mine".to_owned()));
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
