//! How large what is read may be. What is beyond a limit costs only itself where that is possible, and is
//! always reported: the error or the report names the path and the limit.
//!
//! The figures beside each are those of opam-repository in 2026.

use std::fmt;

/// A limit of what is read from a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of an opam file, or of a file beside it (16 KiB). The file is set aside.
    File,
    /// Directories in each other below `packages/` (2). What lies deeper is not read.
    Depth,
    /// Directories below an entry of `packages/` (97). The rest of the entry is not read.
    EntryDirectories,
    /// Directories below all entries of `packages/` (23,500). The repository is refused.
    Directories,
    /// Bytes of the opam files and git trees that are read below an entry of `packages/` (1 MiB). The rest of the entry
    /// is not read.
    EntryBytes,
    /// The same below all entries (35 MiB). The repository is refused.
    Bytes,
    /// Entries of a directory (4,700), and what a tree object of git may hold in bytes, at 64 for each. The
    /// directory is not read.
    DirectoryEntries,
    /// Versions of a name (96). The oldest beyond it are set aside.
    Versions,
    /// Bytes that an archive unpacks to (60 MiB). The archive is refused.
    Unpacked,
    /// Bytes of the opam files in an archive (35 MiB), with 256 more for each. The archive is refused.
    Kept,
    /// Bytes of a path in an archive (100). The entry is not read.
    Path,
    /// Bytes of a PAX header in an archive (200). The entry is not read.
    Extension,
}

impl Limit {
    /// The largest number that is within it.
    pub const fn most(self) -> u64 {
        match self {
            Self::File => 8 << 20,
            Self::Depth => 32,
            Self::EntryDirectories => 20_000,
            Self::Versions => 10_000,
            Self::Directories | Self::DirectoryEntries => 1_000_000,
            Self::EntryBytes => 64 << 20,
            Self::Unpacked | Self::Bytes => 1 << 30,
            Self::Kept => 256 << 20,
            Self::Path => 4096,
            Self::Extension => 64 << 10,
        }
    }
}

impl fmt::Display for Limit {
    /// What is wrong with something beyond it, as the end of a sentence: `is larger than 8 MiB, which is the limit`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.most();
        match self {
            Self::File => write!(f, "is larger than {} MiB", most >> 20),
            Self::Depth => write!(f, "lies more than {most} directories deep"),
            Self::EntryDirectories | Self::Directories => write!(f, "has more than {most} directories"),
            Self::EntryBytes | Self::Bytes => write!(f, "has more than {} MiB to read", most >> 20),
            Self::DirectoryEntries => write!(f, "has more than {most} entries"),
            Self::Versions => write!(f, "has more than {most} versions"),
            Self::Unpacked => write!(f, "unpacks to more than {} MiB", most >> 20),
            Self::Kept => write!(f, "has more than {} MiB of opam files", most >> 20),
            Self::Path => write!(f, "has a path of more than {most} bytes"),
            Self::Extension => write!(f, "has a PAX header of more than {} KiB", most >> 10),
        }?;
        f.write_str(", which is the limit")
    }
}
