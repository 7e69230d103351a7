//! Tables of numbers.

use crate::escape::line;
use std::fmt::Write;

/// Writes rows whose columns line up: the first holds what the numbers are about, all others are numbers.
pub(super) fn write_numbers(rows: &[Vec<String>], out: &mut String) {
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // The width of a formatted argument ends at 65,535.
            let padding = " ".repeat(width - cell.chars().count());
            if column == 0 { format!("{cell}{padding}") } else { format!("{padding}{cell}") }
        });
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::write_numbers;

    #[test]
    fn numbers_stand_on_the_right() {
        let rows = [["platform", "jobs"], ["a", "1"], ["debian-13-5.4", "4321"]];
        let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let mut out = String::new();
        write_numbers(&rows, &mut out);
        assert_eq!(out, "platform       jobs\na                 1\ndebian-13-5.4  4321\n");
    }
}
