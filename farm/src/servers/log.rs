//! Logs as solver-service writes them.

use caravan::escape;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A line with its time, in UTC: `2026-11-21 20:26.24 [INFO] …`. What requests and repositories say cannot begin another.
pub(super) fn log_line(text: &str) -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    format!("{} [INFO] {}\n", now.strftime("%Y-%m-%d %H:%M.%S"), escape::log(text))
}
