//! Measuring, and figures with their limits.

use std::process::ExitCode;
use std::time::Instant;

/// Figures that were measured.
#[derive(Default)]
pub struct Figures {
    missed: usize,
}

impl Figures {
    /// Prints a figure that should not be over its limit.
    pub fn report(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        self.print(what, value, limit, unit, value <= limit, "limit");
    }

    /// Prints a figure that should not be under its limit.
    pub fn at_least(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        self.print(what, value, limit, unit, value >= limit, "least");
    }

    fn print(&mut self, what: &str, value: f64, limit: f64, unit: &str, ok: bool, word: &str) {
        let verdict = if ok { "ok" } else { "MISSED" };
        self.missed += usize::from(!ok);
        println!("{what:<58} {value:>9.2} {unit:<4} {word} {limit:>6.1}  {verdict}");
    }

    /// Failure if one was missed.
    pub fn verdict(&self) -> ExitCode {
        if self.missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many milliseconds something takes.
pub fn time(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}
