//! How long builds take, as it was measured.

use opam_parser::name::PackageName;
use opam_parser::version::Version;
use rustc_hash::FxHashMap;
use std::time::Duration;

/// How long packages take to build.
#[derive(Clone, Debug)]
pub struct Times {
    /// By `NAME.VERSION` or name.
    known: FxHashMap<String, Duration>,
    other: Duration,
}

/// Why a file of times cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}:{column}: {what}\n    {source_line}")]
pub struct TimesError {
    file: String,
    line: usize,
    column: usize,
    what: String,
    source_line: String,
}

impl Default for Times {
    /// Every build takes a second.
    fn default() -> Self {
        Self { known: FxHashMap::default(), other: Duration::from_secs(1) }
    }
}

impl Times {
    /// Reads times: on each line a package, `NAME` or `NAME.VERSION`, and seconds, with blanks between
    /// them. A line for `*` is for all others, which else take as long as the median. Empty lines and what
    /// follows a `#` do not count.
    ///
    /// # Errors
    /// When a line is something else, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, TimesError> {
        let mut known = FxHashMap::default();
        let mut other = None;
        for (number, whole) in text.lines().enumerate() {
            let line = whole.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(package) = words.next() else { continue };
            let column = |word: &str| word.as_ptr().addr() - whole.as_ptr().addr() + 1;
            let error = |column: usize, what: String| TimesError {
                file: file.to_owned(),
                line: number + 1,
                column,
                what,
                source_line: whole.to_owned(),
            };
            let seconds =
                words.next().ok_or_else(|| error(line.trim_end().len() + 1, "seconds are missing".to_owned()))?;
            let time = seconds.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let time = time.ok_or_else(|| error(column(seconds), format!("`{seconds}` is not a number of seconds")))?;
            if let Some(more) = words.next() {
                return Err(error(column(more), format!("`{more}` is too much: a line has a package and seconds")));
            }
            let is_package = package.split_once('.').map_or(PackageName::new(package).is_some(), |(name, version)| {
                PackageName::new(name).is_some() && Version::new(version).is_some()
            });
            match package {
                "*" => other = Some(time),
                _ if is_package => drop(known.insert(package.to_owned(), time)),
                _ => return Err(error(column(package), format!("`{package}` is not a package"))),
            }
        }
        let mut all: Vec<Duration> = known.values().copied().collect();
        all.sort_unstable();
        let median = all.get(all.len() / 2).copied().unwrap_or(Duration::from_secs(1));
        Ok(Self { known, other: other.unwrap_or(median) })
    }

    /// How long a package takes.
    pub fn of(&self, name: &str, version: &str) -> Duration {
        let exact = self.known.get(&format!("{name}.{version}"));
        exact.or_else(|| self.known.get(name)).copied().unwrap_or(self.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_time_counts() {
        let times = Times::parse("t", "dune 30 # all of them\ndune.3.20.0 45.5\n\n* 2\n").expect("it is well-formed");
        assert_eq!(times.of("dune", "3.20.0"), Duration::from_millis(45_500));
        assert_eq!(times.of("dune", "3.21.0"), Duration::from_secs(30));
        assert_eq!(times.of("lwt", "5.9.0"), Duration::from_secs(2));
    }

    #[test]
    fn others_take_as_long_as_the_median() {
        let times = Times::parse("t", "a 1\nb 10\nc 100\n").expect("it is well-formed");
        assert_eq!(times.of("d", "1"), Duration::from_secs(10));
    }

    #[test]
    fn errors_have_a_place() {
        let error = Times::parse("times.txt", "dune 30\n  lwt soon\n").expect_err("`soon` is no number");
        assert_eq!(error.to_string(), "times.txt:2:7: `soon` is not a number of seconds\n      lwt soon");
        assert!(Times::parse("t", "dune").is_err());
        assert!(Times::parse("t", "dune 1 2").is_err());
        assert!(Times::parse("t", "dune -1").is_err());
        assert!(Times::parse("t", "du/ne 1").is_err());
    }
}
