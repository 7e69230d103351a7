//! What the fields of an opam file hold.

use crate::filter::{Filter, Ident};
use crate::formula::{Dependency, Formula};
use crate::name::PackageName;
use crate::syntax::EnvOp;
use crate::version::Version;
use bstr::{BString, ByteSlice};
use compact_str::CompactString;

/// Something that counts only where a filter is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered<T> {
    /// The thing.
    pub value: T,
    /// Its filter, if it has one.
    pub filter: Option<Filter>,
}

/// The flags that opam knows (the manual, "flags"); unknown ones are dropped (rule P16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// `light-uninstall`
    pub const LIGHT_UNINSTALL: Flags = Flags(1);
    /// `verbose`
    pub const VERBOSE: Flags = Flags(1 << 1);
    /// `plugin`
    pub const PLUGIN: Flags = Flags(1 << 2);
    /// `compiler`
    pub const COMPILER: Flags = Flags(1 << 3);
    /// `conf`
    pub const CONF: Flags = Flags(1 << 4);
    /// `avoid-version`
    pub const AVOID_VERSION: Flags = Flags(1 << 5);
    /// `deprecated`
    pub const DEPRECATED: Flags = Flags(1 << 6);
    /// All of the above.
    const ALL: u32 = (1 << 7) - 1;

    const NAMES: [(&'static str, Flags); 7] = [
        ("light-uninstall", Flags::LIGHT_UNINSTALL),
        ("verbose", Flags::VERBOSE),
        ("plugin", Flags::PLUGIN),
        ("compiler", Flags::COMPILER),
        ("conf", Flags::CONF),
        ("avoid-version", Flags::AVOID_VERSION),
        ("deprecated", Flags::DEPRECATED),
    ];

    /// The flag of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag)
    }

    /// Names of the flags that are set, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(_, flag)| self.contains(*flag)).map(|(name, _)| *name)
    }

    /// Whether all flags of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Sets the flags of `other`.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// One bit a flag, for storage.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The inverse of [`Flags::bits`]; other bits are ignored.
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL)
    }
}

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A string, perhaps with variables in it.
    String(BString),
    /// A variable, such as `make`.
    Ident(Ident),
}

/// One command of `build` and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words.
    pub arguments: Vec<Filtered<Argument>>,
    /// Where the command runs.
    pub filter: Option<Filter>,
}

/// One update of the environment: `PATH += "x" {"why"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvUpdate {
    /// The variable.
    pub name: CompactString,
    /// How it is updated.
    pub op: EnvOp,
    /// With what.
    pub value: BString,
    /// The comment between braces, or a filter.
    pub comment: Option<Filter>,
}

/// System packages that a package needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depext {
    /// The system's names for them.
    pub packages: Vec<BString>,
    /// On which systems.
    pub filter: Filter,
}

/// `features`: an experimental field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The variable that it defines.
    pub name: CompactString,
    /// When it holds.
    pub condition: Formula<Dependency>,
    /// What it is.
    pub doc: BString,
}

/// An element of `pin-depends`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinDepend {
    /// The package to pin.
    pub name: PackageName,
    /// The version it gets.
    pub version: Version,
    /// Where to.
    pub url: Url,
}

/// An element of `extra-files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraFile {
    /// The file's name below `files/`.
    pub name: BString,
    /// What it must hash to.
    pub checksum: Checksum,
}

/// Where sources come from: the `url` and `extra-source` sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `src`
    pub src: Url,
    /// `checksum`
    pub checksums: Vec<Checksum>,
    /// `mirrors`
    pub mirrors: Vec<Url>,
    /// `subpath`
    pub subpath: Option<BString>,
}

/// A URL as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub BString);

impl Url {
    /// Whether it is fetched over HTTP or FTP, as an archive; else it is a version control
    /// repository or a local path.
    pub fn is_http(&self) -> bool {
        ["http://", "https://", "ftp://"].iter().any(|scheme| self.0.starts_with_str(scheme))
    }
}

/// The hash functions that opam accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// MD5
    Md5,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
}

/// A checksum: `sha256=…`, `md5=…`, or 32 digits alone for MD5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The hash function.
    pub kind: HashKind,
    /// The hash in hexadecimal digits, as they are written.
    pub hex: CompactString,
}

impl Checksum {
    /// Reads a checksum.
    pub fn new(text: &[u8]) -> Option<Self> {
        let text = text.to_str().ok()?;
        let (kind, hex) = match text.split_once('=') {
            None => (HashKind::Md5, text),
            Some(("md5", hex)) => (HashKind::Md5, hex),
            Some(("sha256", hex)) => (HashKind::Sha256, hex),
            Some(("sha512", hex)) => (HashKind::Sha512, hex),
            Some(_) => return None,
        };
        let digits = match kind {
            HashKind::Md5 => 32,
            HashKind::Sha256 => 64,
            HashKind::Sha512 => 128,
        };
        let valid = hex.len() == digits && hex.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self { kind, hex: hex.into() })
    }
}

/// An `x-…` field, kept as its text: [`crate::syntax::parse_value`] reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The field's name.
    pub name: CompactString,
    /// The value as it is written.
    pub text: BString,
}
