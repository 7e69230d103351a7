//! What somebody at a terminal sees while a question is being answered: warnings at once, and a bar for what takes over
//! a second.

use crate::output::Output;
use caravan::{Observer, Warning};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What takes less than this needs no bar.
const SLOW: Duration = Duration::from_secs(1);

/// Shows on stderr what happens.
pub(crate) struct Progress<'o> {
    output: Mutex<&'o mut Output>,
    shown: bool,
    colors: bool,
    bar: Mutex<Option<Bar>>,
}

impl<'o> Progress<'o> {
    pub(crate) fn new(output: &'o mut Output) -> Self {
        let (shown, colors) = (output.shows_progress(), output.colors_errors());
        Self { output: Mutex::new(output), shown, colors, bar: Mutex::new(None) }
    }
}

impl Observer for Progress<'_> {
    fn warn(&self, warning: Warning) {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).warning(&warning);
    }

    fn progress(&self, stage: &str, done: usize, total: usize) {
        if !self.shown {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if total > 0 && done >= total {
            *bar = None;
            return;
        }
        if bar.as_ref().is_none_or(|bar| bar.stage != stage) {
            *bar = Some(Bar::new(stage, total));
        }
        if let Some(bar) = &mut *bar {
            bar.advance(done);
        }
    }

    fn wants_colors(&self) -> bool {
        self.colors
    }
}

/// A bar that appears when its stage takes over a second.
pub(crate) struct Bar {
    stage: String,
    bar: ProgressBar,
    started: Instant,
    visible: bool,
    /// Dropped with the bar, which ends the thread that would show it.
    _ticking: Option<Sender<()>>,
}

impl Bar {
    /// A bar for a stage; without a total, something that turns.
    pub(crate) fn new(stage: &str, total: usize) -> Self {
        let template = match total {
            0 => "{spinner} {msg} {elapsed}",
            _ => "{msg} {bar:30} {pos}/{len}",
        };
        let length = (total > 0).then_some(total as u64);
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_message(stage.to_owned());
        let ticking = (total == 0).then(|| turn(bar.clone()));
        Self { stage: stage.to_owned(), bar, started: Instant::now(), visible: false, _ticking: ticking }
    }

    /// So many are done.
    pub(crate) fn advance(&mut self, done: usize) {
        if self.started.elapsed() < SLOW {
            return;
        }
        if !self.visible {
            self.visible = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Turns a bar that nobody advances, once it has been there for a second.
fn turn(bar: ProgressBar) -> Sender<()> {
    let (alive, ended) = channel::<()>();
    std::thread::spawn(move || {
        if ended.recv_timeout(SLOW) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    });
    alive
}
