//! Ctrl-C while a question is answered: the search ends, and what is known by then is the answer.

use caravan::Stop;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The code after Ctrl-C, as shells have it: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// What does not look at the [`Stop`], such as reading a repository, has so much time until it is ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether somebody pressed Ctrl-C, and what comes of it.
pub(crate) struct Interrupt {
    pub(crate) stop: Stop,
    pressed: Arc<AtomicBool>,
    answered: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on Ctrl-C stops what looks at `stop`; a second one ends the process. A solve may take so many steps of
    /// search.
    pub(crate) fn watch(steps: u64) -> Self {
        let watch = Self { stop: Stop::new().with_steps(steps), pressed: Arc::default(), answered: Arc::default() };
        let (stop, pressed, answered) = (watch.stop.clone(), Arc::clone(&watch.pressed), Arc::clone(&watch.answered));
        let handler = move || {
            if pressed.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
            stop.cancel();
            let answered = Arc::clone(&answered);
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                if !answered.load(Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED.into());
                }
            });
        };
        // Without a handler Ctrl-C ends the process, as everywhere.
        let _ = ctrlc::set_handler(handler);
        watch
    }

    /// The question is answered, or has failed: showing that may take its time.
    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// The exit code, where somebody pressed Ctrl-C before there was all of the answer.
    pub(crate) fn code(&self) -> Option<ExitCode> {
        self.pressed.load(Ordering::Relaxed).then(|| ExitCode::from(INTERRUPTED))
    }
}
