//! Questions to a person at a terminal.

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// What ends or stops a process from the keyboard, or by a user's hand.
const SIGNALS: [Signal; 5] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGTSTP];

/// Whether there is somebody to ask.
pub fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// The answer to a question.
pub fn ask(question: &str) -> io::Result<String> {
    eprint!("{question}: ");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The answer to a question, which the terminal does not show.
pub fn ask_secretly(question: &str) -> io::Result<String> {
    // Before the question: an answer that comes fast must not be shown either.
    let _hidden = Hidden::begin()?;
    ask(question)
}

/// Nothing that is typed is shown. The terminal is as it was before when this is dropped, and when a signal ends or stops
/// the process.
struct Hidden {
    shown: Termios,
    signals: SigSet,
    lasts: Arc<Mutex<bool>>,
}

impl Hidden {
    fn begin() -> io::Result<Self> {
        let shown = tcgetattr(io::stdin())?;
        let signals = SigSet::from_iter(SIGNALS);
        let hidden = Self { shown: shown.clone(), signals, lasts: Arc::new(Mutex::new(true)) };
        // Blocked here, so that the new thread gets them.
        signals.thread_block()?;
        let lasts = hidden.lasts.clone();
        thread::Builder::new().spawn(move || pass_on(&signals, &shown, &lasts))?;
        hide(&hidden.shown)?;
        Ok(hidden)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        *self.lasts.lock().unwrap_or_else(PoisonError::into_inner) = false;
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.shown);
        let _ = self.signals.thread_unblock();
    }
}

/// The terminal that shows what is typed, once it does so no longer, but for the end of the line.
fn hide(shown: &Termios) -> nix::Result<()> {
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    hidden.local_flags.insert(LocalFlags::ECHONL);
    tcsetattr(io::stdin(), SetArg::TCSANOW, &hidden)
}

/// Lets signals do what they do, on a terminal that is as it was before.
fn pass_on(signals: &SigSet, shown: &Termios, lasts: &Mutex<bool>) {
    while let Ok(signal) = signals.wait() {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, shown);
        let _ = signals.thread_unblock();
        let _ = raise(signal);
        let _ = signals.thread_block();
        // It was ignored, or the process has been stopped and goes on.
        if *lasts.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = hide(shown);
        }
    }
}
