//! Answers on stdout, everything else on stderr, colours where somebody sees them.

use crate::arguments::{Color, Format};
use crate::failure::Failure;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

pub(crate) struct Output {
    out: BufWriter<AutoStream<io::Stdout>>,
    err: AutoStream<io::Stderr>,
    pub(crate) format: Format,
    color: Color,
}

impl Output {
    pub(crate) fn new(color: Color, format: Format) -> Self {
        let choice = match color {
            // `Auto` heeds NO_COLOR, CLICOLOR and whether there is a terminal.
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let out = BufWriter::with_capacity(1 << 16, AutoStream::new(io::stdout(), choice));
        Self { out, err: AutoStream::new(io::stderr(), choice), format, color }
    }

    /// Whether a progress bar may be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.color != Color::Never && io::stderr().is_terminal()
    }

    /// Whether colours are wanted on stderr.
    pub(crate) fn colors_errors(&self) -> bool {
        self.err.current_choice() != ColorChoice::Never
    }

    /// Shows that something is going on, if it takes over a second.
    pub(crate) fn spinning<T>(&self, what: &'static str, work: impl FnOnce() -> T) -> T {
        if !self.shows_progress() {
            return work();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message(what);
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let result = std::thread::scope(|scope| {
            let bar = &bar;
            scope.spawn(move || {
                // The other end is dropped when the work is done.
                let slow = waiting.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout);
                if slow {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(100));
                }
            });
            let result = work();
            drop(done);
            result
        });
        bar.finish_and_clear();
        result
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.out.write_all(bytes)?)
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Rows whose columns line up; the last column of a row is not padded.
    pub(crate) fn table(&mut self, rows: &[Vec<Cell>]) -> Result<(), Failure> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let used = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
            for (column, cell) in row[..used].iter().enumerate() {
                let style = cell.style;
                write!(self.out, "{style}{}{style:#}", cell.text)?;
                if column + 1 < used {
                    let padding = widths[column] - cell.text.width() + 2;
                    write!(self.out, "{:padding$}", "")?;
                }
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    /// Something on stderr. If nobody reads it there is nobody to tell.
    fn say(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}");
    }

    pub(crate) fn warning(&mut self, message: &str, hint: Option<&str>) {
        self.say(format_args!("{WARNING}warning:{WARNING:#} {message}"));
        if let Some(hint) = hint {
            self.say(format_args!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// Text that has its own form, such as a diagnostic.
    pub(crate) fn note(&mut self, text: &str) {
        self.say(format_args!("{text}"));
    }

    pub(crate) fn failure(&mut self, failure: &Failure) {
        if let Some(details) = &failure.details {
            self.say(format_args!("{details}"));
        }
        self.say(format_args!("{ERROR}error:{ERROR:#} {}", failure.message));
        if let Some(hint) = &failure.hint {
            self.say(format_args!("{HINT}hint:{HINT:#} {hint}"));
        }
    }
}

/// A bar that appears when counting takes over a second.
pub(crate) struct Counter {
    bar: Option<ProgressBar>,
    started: Instant,
    shown: AtomicBool,
}

impl Counter {
    pub(crate) fn new(output: &Output, what: &'static str, total: usize) -> Self {
        let bar = output.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
        });
        Self { bar, started: Instant::now(), shown: AtomicBool::new(false) }
    }

    /// So many are done.
    pub(crate) fn done(&self, count: usize) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.started.elapsed() > Duration::from_secs(1)) else { return };
        if !self.shown.swap(true, Ordering::Relaxed) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(count as u64);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A cell of a table.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new() }
    }

    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}
