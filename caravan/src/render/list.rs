//! The answer of `list` as text.

use super::packages::row;
use super::table::write_table;
use crate::answer::ListAnswer;

pub(super) fn text(answer: &ListAnswer, out: &mut String) {
    write_table(&answer.packages.iter().map(row).collect::<Vec<_>>(), out);
}
