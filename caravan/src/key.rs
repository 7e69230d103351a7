//! Keys: what questions and what they looked at are told apart by. A client must not be able to make two of them
//! look alike, so the hash is a cryptographic one.

use sha2::{Digest as _, Sha256};
use std::hash::{Hash, Hasher};

/// Names a question, or a question with everything that its answer depends on.
pub type Key = [u8; 32];

/// SHA-256 over what [`Hash`] writes: every value with its length, so that no two of them run together.
#[derive(Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Adds a value.
    pub fn add(&mut self, value: &(impl Hash + ?Sized)) {
        value.hash(self);
    }

    /// The key of all that was added.
    pub fn key(self) -> Key {
        self.0.finalize().into()
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finalize();
        hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}
