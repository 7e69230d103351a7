//! The one palette of everything that is printed.

use anstyle::{AnsiColor, Style};

/// What the eye should find first.
pub const BOLD: Style = Style::new().bold();
/// What is there for completeness.
pub const DIM: Style = Style::new().dimmed();
/// The word before an error.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word before a warning.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The word before what can be done about it.
pub const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// What is not possible, in a list of such things.
pub const NOT: Style = AnsiColor::Red.on_default();
/// What broke.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is possible, got better, or is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What may have been meant, or could not be told.
pub const UNSURE: Style = AnsiColor::Yellow.on_default();
