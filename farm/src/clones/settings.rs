//! What may be fetched, from where, and how much of it.

use std::path::PathBuf;
use std::time::Duration;

/// A kind of URL that git can fetch from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `https://HOST/PATH`
    Https,
    /// `http://HOST/PATH`
    Http,
    /// `ssh://HOST/PATH` and `HOST:PATH`
    Ssh,
    /// `git://HOST/PATH`
    Git,
    /// `file:///PATH` and `/PATH`
    File,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Https, Self::Http, Self::Ssh, Self::Git, Self::File];

    /// How URLs spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::Git => "git",
            Self::File => "file",
        }
    }

    /// The scheme that is spelt so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The port of a URL without one.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::Ssh => 22,
            Self::Git => 9418,
            Self::File => 0,
        }
    }
}

/// Which hosts may have addresses that are not public: of this machine, of its link, of a private network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateHosts {
    /// Those with these names, in small letters.
    Named(Vec<String>),
    /// All.
    All,
}

impl PrivateHosts {
    pub(super) fn has(&self, host: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| name == host),
            Self::All => true,
        }
    }
}

/// How repositories are cloned and fetched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clones are kept.
    pub directory: PathBuf,
    /// The kinds of URLs that may be fetched.
    pub schemes: Vec<Scheme>,
    /// The hosts that may have addresses that are not public.
    pub private: PrivateHosts,
    /// How many different repositories a request may name.
    pub repositories: usize,
    /// How many fetches there may be at once; one client may have three quarters of them.
    pub at_once: usize,
    /// How many fetches may wait for their turn; one client may have three quarters of them.
    pub queue: usize,
    /// How long a fetch may take.
    pub limit: Duration,
    /// How large a clone may be, in bytes.
    pub size_limit: u64,
}

impl Settings {
    /// The kinds of URLs that may be fetched, with something between them.
    pub(super) fn scheme_names(&self, between: &str) -> String {
        self.schemes.iter().map(|scheme| scheme.name()).collect::<Vec<_>>().join(between)
    }

    /// Whether local paths may be fetched.
    pub(super) fn allow_files(&self) -> bool {
        self.schemes.contains(&Scheme::File)
    }
}
