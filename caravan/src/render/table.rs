//! Rows whose columns line up.

use crate::escape::line;
use anstyle::Style;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// A cell of a table: text of anybody, in one line.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self::styled(text, Style::new())
    }

    pub(super) fn styled(text: impl AsRef<str>, style: Style) -> Self {
        Self { text: line(text.as_ref()).into_owned(), style }
    }
}

/// Writes rows; the last column of a row is not padded.
pub(super) fn write_table(rows: &[Vec<Cell>], out: &mut String) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let used = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        for (column, cell) in row[..used].iter().enumerate() {
            let style = cell.style;
            // Writing to a string cannot fail.
            let _ = write!(out, "{style}{}{style:#}", cell.text);
            if column + 1 < used {
                let padding = widths[column] - cell.text.width() + 2;
                // The width of a formatted argument ends at 65,535.
                out.extend(std::iter::repeat_n(' ', padding));
            }
        }
        out.push('\n');
    }
}
