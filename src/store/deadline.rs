//! A store whose calls may block for ever: they run on a thread of their own, which is left behind when it hangs.
//!
//! A lookup waits so long for an answer and no longer; then this store is given up for the lookup. While its thread
//! hangs, later lookups do not wait for that store at all. When the thread comes back it lets go of its lock and ends.
//!
//! What counts is the time in which the thread is blocked. On a busy machine it waits for a processor, and works when it
//! gets one: taking that for a store that hangs would cost one more login.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::{Lasting, Lock, OpenError, Store, StoreError, WriteError};
use crate::options::Directories;
use crate::process::descriptors;
use crate::process::fork::{Inherit, PerProcess};
use crate::process::thread::{self, Activity};
use crate::record::{Now, Record};

/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(2);

/// So much time an answer has however little is left.
const SHORTEST: Duration = Duration::from_millis(250);

/// An answer is waited for in so many steps: a process that was frozen meanwhile, and its thread with it, loses only one.
const SLICES: u32 = 8;

/// What opens a store.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Store>, OpenError> + Send>;

/// The store that `open` gives, which is at `directories`. Where the system gives no thread its calls are made by the
/// calling one.
pub fn open(directories: &Directories, open: Open, deadline: Instant) -> Result<Box<dyn Store>, OpenError> {
    if Hanging::is(directories) {
        return Err(no_answer(directories).into());
    }
    let (asked, questions) = channel();
    let (answers, answered) = channel();
    let alive = Arc::new(Alive { started: Instant::now(), activity: Mutex::default() });
    let asked = RefCell::new(Some(asked));
    let link = Link { asked, answered, alive: Arc::downgrade(&alive), directories: directories.clone(), deadline };
    let on_its_own = |(open, questions, answers, alive): (_, _, _, Arc<Alive>)| {
        descriptors::separate_descriptors();
        alive.begin();
        serve(open, &questions, &answers);
    };
    if let Err((open, ..)) = thread::start("tps-files", (open, questions, answers, alive), on_its_own) {
        return open();
    }
    match link.answer(limit(deadline)).ok_or_else(|| no_answer(directories))? {
        Answer::Opened(Ok((place, lasting))) => Ok(Box::new(Remote { link, place, lasting })),
        Answer::Opened(Err(error)) => Err(error),
        _ => Err(StoreError(BROKEN.to_owned()).into()),
    }
}

const BROKEN: &str = "the store's thread is out of step; please report this";

fn no_answer(directories: &Directories) -> StoreError {
    let place = match directories {
        Directories::Named(path) => path.display().to_string(),
        Directories::Usual(_) => "the usual directories".to_owned(),
    };
    StoreError(format!("{place}: no answer in time; is a server of its files or locks (NFS) away?"))
}

/// At most half of what is left, so that there is time for a login.
fn limit(deadline: Instant) -> Duration {
    (deadline.saturating_duration_since(Instant::now()) / 2).clamp(SHORTEST, LONGEST)
}

enum Question {
    Read(Now),
    Lock(Now),
    Write(Box<Record>, Now),
    Unlock,
}

enum Answer {
    Opened(Result<(Option<String>, Lasting), OpenError>),
    Read(Result<Record, StoreError>),
    Locked(Result<Option<Record>, StoreError>),
    Written(Result<(), WriteError>),
    Unlocked,
}

/// The thread: one answer for each question, until nobody asks any more. Then the lock goes, and the store.
fn serve(open: Open, questions: &Receiver<Question>, answers: &Sender<Answer>) {
    // Where nobody listens any more nobody will ask either.
    let say = |answer| drop(answers.send(answer));
    let store = match open() {
        Ok(store) => store,
        Err(error) => return say(Answer::Opened(Err(error))),
    };
    say(Answer::Opened(Ok((store.place(), store.lasting()))));
    let mut held: Option<Box<dyn Lock<'_> + '_>> = None;
    // The store does as it is told, whatever the time: it is the lookup that does not wait.
    while let Ok(question) = questions.recv() {
        say(match question {
            Question::Read(now) => Answer::Read(store.read(&now, Instant::now())),
            Question::Lock(now) => {
                held = None;
                Answer::Locked(store.try_lock(&now, Instant::now()).map(|lock| {
                    held = lock;
                    held.as_ref().map(|lock| lock.record().clone())
                }))
            }
            Question::Write(record, now) => match held.take() {
                None => Answer::Written(Err(StoreError(BROKEN.to_owned()).into())),
                Some(lock) => Answer::Written(lock.write(&record, &now).map(|lock| held = Some(lock))),
            },
            Question::Unlock => {
                held = None;
                Answer::Unlocked
            }
        });
    }
}

/// A thread, from its start to its end.
struct Alive {
    started: Instant,
    /// `None`: it has not begun yet.
    activity: Mutex<Option<Option<Activity>>>,
}

impl Alive {
    fn begin(&self) {
        *self.activity.lock().unwrap_or_else(PoisonError::into_inner) = Some(Activity::of_this_thread());
    }

    /// For how long it has run or waited for a processor: until it begins, it has done nothing else.
    fn active(&self) -> Duration {
        match &*self.activity.lock().unwrap_or_else(PoisonError::into_inner) {
            None => self.started.elapsed(),
            Some(activity) => activity.as_ref().and_then(Activity::time).unwrap_or_default(),
        }
    }
}

/// The way to the thread and back.
struct Link {
    /// `None`: it gave no answer in time, and is asked nothing any more. When it comes back it meets the end of this.
    asked: RefCell<Option<Sender<Question>>>,
    answered: Receiver<Answer>,
    /// As long as the thread runs.
    alive: Weak<Alive>,
    directories: Directories,
    /// Nobody waits for an answer for longer, however busy the machine is.
    deadline: Instant,
}

impl Link {
    fn ask(&self, question: Question, limit: Duration) -> Option<Answer> {
        // A thread that has ended gives no answer either.
        let _ = self.asked.borrow().as_ref()?.send(question);
        self.answer(limit)
    }

    /// Waits until the thread was blocked for `limit`. A thread that answers soon is not looked at.
    fn answer(&self, limit: Duration) -> Option<Answer> {
        let (slice, end) = (limit / SLICES, self.deadline.max(Instant::now() + limit));
        // The first slice counts, since nobody has looked before.
        let (mut blocked, mut before) = (slice, None);
        while blocked < limit && Instant::now() < end {
            match self.answered.recv_timeout(slice) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Timeout) => {
                    let active = self.active();
                    if let Some(before) = before.replace(active) {
                        blocked += slice.saturating_sub(active.saturating_sub(before));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Hanging::note(&self.directories, &self.alive);
        *self.asked.borrow_mut() = None;
        None
    }

    fn active(&self) -> Duration {
        self.alive.upgrade().map(|thread| thread.active()).unwrap_or_default()
    }
}

/// The store, as the lookup's thread sees it.
struct Remote {
    link: Link,
    place: Option<String>,
    lasting: Lasting,
}

impl Remote {
    /// What `expected` takes from the answer.
    fn ask<T>(
        &self,
        question: Question,
        limit: Duration,
        expected: impl FnOnce(Answer) -> Option<T>,
    ) -> Result<T, StoreError> {
        let answer = self.link.ask(question, limit).ok_or_else(|| no_answer(&self.link.directories))?;
        expected(answer).ok_or_else(|| StoreError(BROKEN.to_owned()))
    }
}

impl Store for Remote {
    fn place(&self) -> Option<String> {
        self.place.clone()
    }

    fn lasting(&self) -> Lasting {
        self.lasting.clone()
    }

    fn read(&self, now: &Now, deadline: Instant) -> Result<Record, StoreError> {
        self.ask(Question::Read(now.clone()), limit(deadline), |answer| match answer {
            Answer::Read(outcome) => Some(outcome),
            _ => None,
        })?
    }

    fn try_lock<'a>(&'a self, now: &Now, deadline: Instant) -> Result<Option<Box<dyn Lock<'a> + 'a>>, StoreError> {
        let locked = self.ask(Question::Lock(now.clone()), limit(deadline), |answer| match answer {
            Answer::Locked(outcome) => Some(outcome),
            _ => None,
        })??;
        Ok(locked.map(|record| Box::new(RemoteLock { remote: self, record }) as Box<dyn Lock>))
    }
}

struct RemoteLock<'a> {
    remote: &'a Remote,
    record: Record,
}

impl<'a> Lock<'a> for RemoteLock<'a> {
    fn record(&self) -> &Record {
        &self.record
    }

    /// Waits for its answer even where little time is left: what a login gave must not be lost.
    fn write(mut self: Box<Self>, record: &Record, now: &Now) -> Result<Box<dyn Lock<'a> + 'a>, WriteError> {
        self.remote.ask(Question::Write(Box::new(record.clone()), now.clone()), LONGEST, |answer| match answer {
            Answer::Written(outcome) => Some(outcome),
            _ => None,
        })??;
        self.record = record.clone();
        Ok(self)
    }
}

impl Drop for RemoteLock<'_> {
    fn drop(&mut self) {
        // The next caller must find it free.
        let _ = self.remote.link.ask(Question::Unlock, LONGEST);
    }
}

/// The threads that were left behind, by where their store is.
#[derive(Default)]
struct Hanging(Mutex<BTreeMap<Directories, Vec<Weak<Alive>>>>);

static HANGING: PerProcess<Hanging> = PerProcess::new();

impl Inherit for Hanging {
    /// A child has none of its parent's threads.
    fn inherit(_: Option<&Self>) -> Self {
        Self::default()
    }
}

impl Hanging {
    fn note(directories: &Directories, thread: &Weak<Alive>) {
        let mut hanging = HANGING.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        hanging.entry(directories.clone()).or_default().push(thread.clone());
    }

    /// Whether one still hangs there.
    fn is(directories: &Directories) -> bool {
        let mut hanging = HANGING.get().0.lock().unwrap_or_else(PoisonError::into_inner);
        hanging.retain(|_, threads| {
            threads.retain(|thread| thread.strong_count() > 0);
            !threads.is_empty()
        });
        hanging.contains_key(directories)
    }
}

#[cfg(test)]
mod tests;
