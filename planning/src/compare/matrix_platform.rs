//! One platform of a matrix.

use crate::matrix::{Cell, Matrix, TargetView};
use opam_parser::index::Index;

/// One platform of a matrix.
#[derive(Clone, Copy)]
pub struct MatrixPlatform<'m, 'i> {
    /// The matrix.
    pub matrix: &'m Matrix<'i>,
    /// The platform's place in [`Matrix::platforms`].
    pub platform: usize,
}

impl<'m, 'i> MatrixPlatform<'m, 'i> {
    /// The target, with its view of the index.
    pub fn target_view(self) -> &'m TargetView<'i> {
        &self.matrix.platforms[self.platform]
    }

    /// The packages as they are there.
    pub fn index(self) -> &'i Index {
        self.target_view().view.index()
    }

    /// What became of each row.
    pub fn cells(self) -> &'m [Cell] {
        &self.matrix.cells[self.platform]
    }
}
