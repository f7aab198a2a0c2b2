//! OS threads that simulated threads run on, one after another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, Thread};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for work.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<Arc<Worker>>>,
}

/// One of them.
#[derive(Default)]
struct Worker {
    job: Mutex<Option<Job>>,
    thread: Mutex<Option<Thread>>,
}

impl Pool {
    /// Runs `job` on a thread that waits, or on a new one. Gives the thread.
    pub fn run(self: &Arc<Self>, job: impl FnOnce() + Send + 'static) -> Thread {
        let waiting = locked(&self.idle).pop();
        let worker = waiting.unwrap_or_else(|| self.hire());
        *locked(&worker.job) = Some(Box::new(job));
        let thread = locked(&worker.thread).clone().expect("a worker has a thread");
        thread.unpark();
        thread
    }

    fn hire(self: &Arc<Self>) -> Arc<Worker> {
        let worker = Arc::new(Worker::default());
        let (mine, pool) = (worker.clone(), Arc::downgrade(self));
        let work = move || {
            loop {
                let job = locked(&mine.job).take();
                match (job, pool.upgrade()) {
                    (Some(job), Some(pool)) => {
                        job();
                        locked(&pool.idle).push(mine.clone());
                    }
                    (_, None) => return,
                    _ => thread::park(),
                }
            }
        };
        let started = Builder::new().stack_size(512 * 1024).spawn(work).expect("there are threads");
        *locked(&worker.thread) = Some(started.thread().clone());
        worker
    }
}

/// The right to go on. One thread of a simulation has it; all others wait for theirs.
#[derive(Default)]
pub struct Baton(AtomicBool);

impl Baton {
    /// Lets `thread`, which waits for this, go on.
    pub fn give(&self, thread: &Thread) {
        self.0.store(true, Ordering::Release);
        thread.unpark();
    }

    /// Waits until it is given.
    pub fn wait(&self) {
        while !self.0.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
