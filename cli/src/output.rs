//! Answers on stdout, everything else on stderr, colours where somebody sees them.

use crate::arguments::{Color, Format};
use crate::failure::Failure;
use anstream::{AutoStream, ColorChoice};
use caravan::escape;
use caravan::render::palette::{ERROR, HINT, WARNING};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};

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

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Text with the escape codes of the palette, which are taken out where nobody sees them.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// What programs read: as it is, but on a terminal, which would obey what it holds.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if io::stdout().is_terminal() {
            return self.text(&escape::lines(&String::from_utf8_lossy(bytes)));
        }
        self.out.flush()?;
        Ok(io::stdout().write_all(bytes)?)
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.data(&bytes)
    }

    /// Something on stderr. If nobody reads it there is nobody to tell.
    fn say(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}");
    }

    pub(crate) fn warning(&mut self, warning: &caravan::Warning) {
        if warning.is_diagnostic {
            return self.note(&warning.message);
        }
        self.say(format_args!("{WARNING}warning:{WARNING:#} {}", escape::lines(&warning.message)));
        if let Some(hint) = &warning.hint {
            self.say(format_args!("{HINT}hint:{HINT:#} {}", escape::lines(hint)));
        }
    }

    /// Text that has its own form, such as a diagnostic.
    pub(crate) fn note(&mut self, text: &str) {
        self.say(format_args!("{text}"));
    }

    pub(crate) fn failure(&mut self, failure: &Failure) {
        let Failure::Error(error) = failure else { return };
        if let Some(details) = &error.details {
            self.say(format_args!("{details}"));
        }
        self.say(format_args!("{ERROR}error:{ERROR:#} {}", escape::lines(&error.message)));
        if let Some(hint) = &error.hint {
            self.say(format_args!("{HINT}hint:{HINT:#} {}", escape::lines(hint)));
        }
    }
}
