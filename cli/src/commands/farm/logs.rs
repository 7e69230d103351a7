//! What a service writes to stderr.

use crate::arguments::Color;
use crate::arguments::farm::{LogFormat, Logs, Verbosity};
use caravan::escape;
use caravan::render::palette::DIM;
use std::fmt::Debug;
use std::io::IsTerminal;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to write logs. Doing so twice in a process has no effect.
pub(super) fn begin(logs: &Logs, color: Color) {
    let level = match (logs.quiet, logs.verbosity, logs.verbose) {
        (true, ..) => LevelFilter::ERROR,
        (_, Some(Verbosity::Quiet), _) => LevelFilter::OFF,
        (_, Some(Verbosity::Error), _) => LevelFilter::ERROR,
        (_, Some(Verbosity::Warning | Verbosity::App), _) => LevelFilter::WARN,
        (_, Some(Verbosity::Info), _) | (_, None, 0) => LevelFilter::INFO,
        (_, Some(Verbosity::Debug), _) | (_, None, _) => LevelFilter::DEBUG,
    };
    // Of the crates below only warnings.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("caravan", level)
        .with_target("caravan_farm", level);
    let registry = tracing_subscriber::registry().with(filter);
    let ansi = match color {
        Color::Auto => std::io::stderr().is_terminal(),
        Color::Always => true,
        Color::Never => false,
    };
    let _ = match logs.log_format {
        LogFormat::Text => {
            let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(ansi).with_target(false);
            registry.with(layer.fmt_fields(debug_fn(write_field).delimited(" "))).try_init()
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
    };
}

/// Writes a field of an event. What clients and repositories say stays within the event's line.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let text = format!("{value:?}");
    let text = escape::line(&text);
    match field.name() {
        "message" => write!(writer, "{text}"),
        name if writer.has_ansi_escapes() => write!(writer, "{DIM}{name}={DIM:#}{text}"),
        name => write!(writer, "{name}={text}"),
    }
}
