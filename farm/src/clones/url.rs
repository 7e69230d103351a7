//! URLs of repositories, read strictly: what git and curl connect to must be what is checked here.

use super::error::CloneError;
use super::settings::Scheme;
use sha2::{Digest, Sha256};
use std::net::Ipv6Addr;

/// How long a URL may be, in bytes.
const LONGEST: usize = 2000;
/// How long the name of a directory may be, in bytes.
const LONGEST_NAME: usize = 255;

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// The user in front of it.
    user: Option<String>,
    /// Its name or address in small letters; an IPv6 address without brackets.
    pub(super) name: String,
    /// The port.
    pub(super) port: u16,
}

/// The URL of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RepositoryUrl {
    /// As it was given, without slashes at its end.
    pub(super) text: String,
    pub(super) scheme: Scheme,
    /// Local paths have none.
    pub(super) host: Option<Host>,
    /// `HOST:PATH`
    is_short: bool,
    /// The path with whatever follows it, without slashes at its end.
    pub(super) path: String,
}

impl RepositoryUrl {
    /// Reads a URL of one of some schemes.
    ///
    /// # Errors
    /// When it is none, is of another scheme, or has a password.
    pub(super) fn parse(given: &str, allowed: &[Scheme]) -> Result<Self, CloneError> {
        let malformed = || CloneError::Malformed(given.to_owned());
        if given.starts_with('-') || given.chars().any(char::is_control) || given.len() > LONGEST {
            return Err(malformed());
        }
        let not_allowed = || {
            let allowed: Vec<&str> = allowed.iter().map(|scheme| scheme.name()).collect();
            CloneError::NotAllowed { url: given.to_owned(), allowed: allowed.join(", ") }
        };
        let may_be = |scheme: Scheme| if allowed.contains(&scheme) { Ok(scheme) } else { Err(not_allowed()) };
        let text = given.trim_end_matches('/').to_owned();
        if let Some((scheme, rest)) = text.split_once("://") {
            let scheme = may_be(Scheme::from_name(scheme).ok_or_else(not_allowed)?)?;
            let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            check_password(authority)?;
            let host = match scheme {
                Scheme::File if authority.is_empty() => None,
                Scheme::File => return Err(malformed()),
                _ => Some(host(authority, scheme).ok_or_else(malformed)?),
            };
            let path = path.to_owned();
            return Self { text, scheme, host, is_short: false, path }.checked().ok_or_else(malformed);
        }
        if given.starts_with('/') {
            let (scheme, path) = (may_be(Scheme::File)?, text.clone());
            return Self { text, scheme, host: None, is_short: true, path }.checked().ok_or_else(malformed);
        }
        // `ext::sh -c …` and its like are none, `git@github.com:ocaml/opam-repository.git` is one.
        let (authority, path) = text.split_once(':').filter(|(host, _)| !host.contains('/')).ok_or_else(malformed)?;
        if path.starts_with(':') {
            return Err(malformed());
        }
        let host = host(authority, Scheme::Ssh).ok_or_else(malformed)?;
        let (scheme, path) = (may_be(Scheme::Ssh)?, path.to_owned());
        Self { text, scheme, host: Some(host), is_short: true, path }.checked().ok_or_else(malformed)
    }

    /// A repository has a path. Where a host reads it, there is nothing in it that could be read in several ways.
    fn checked(self) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
        let readable = self.host.is_none() || self.path.bytes().all(plain);
        let named = !self.path.trim_matches('/').is_empty() && !self.path.starts_with(['?', '#']);
        (readable && named).then_some(self)
    }

    /// Where a host says that it is: where git asks for its branches. `None` if that is no such place, or not allowed.
    pub(super) fn redirected(&self, location: &str, allowed: &[Scheme]) -> Option<Self> {
        const ASKED: &str = "/info/refs?service=git-upload-pack";
        let target = match location.strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                let (_, after_scheme) = self.text.split_once("://")?;
                let authority = after_scheme.split('/').next()?;
                format!("{}://{authority}{location}", self.scheme.name())
            }
            _ => location.to_owned(),
        };
        let url = Self::parse(target.strip_suffix(ASKED)?, allowed).ok()?;
        matches!(url.scheme, Scheme::Http | Scheme::Https).then_some(url)
    }

    /// The same text for URLs that differ in spelling only: in capital letters of the host, a port that goes without
    /// saying, slashes or `.git` at the end.
    pub(super) fn canonical(&self) -> String {
        let Some(host) = &self.host else { return self.text.clone() };
        let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let path = self.path.trim_start_matches('/');
        let path = path.strip_suffix(".git").filter(|rest| !rest.is_empty() && !rest.ends_with('/')).unwrap_or(path);
        // The path of `HOST:PATH` begins in the user's home.
        let slash = if self.is_short && !self.path.starts_with('/') { "~/" } else { "" };
        format!("{}://{user}{}:{}/{slash}{path}", self.scheme.name(), host.name, host.port)
    }

    /// The directory of its host's clones, as solver-service has it.
    pub(super) fn host_directory(&self) -> String {
        match &self.host {
            Some(host) if !self.is_short => only_plain(&host.name),
            _ => "no_host".to_owned(),
        }
    }

    /// The directory of its clone in that of its host, as solver-service has it: `None` if it would be too long.
    pub(super) fn directory(&self) -> Option<String> {
        let name = self.path_name();
        (name.len() <= LONGEST_NAME).then_some(name)
    }

    /// A directory for this URL alone: no other has a dot in its name.
    pub(super) fn own_directory(&self) -> String {
        let mut name = self.path_name();
        name.truncate(200);
        name.push('.');
        let hash = Sha256::digest(self.canonical().as_bytes());
        hash.iter().take(8).for_each(|byte| name.push_str(&format!("{byte:02x}")));
        name
    }

    fn path_name(&self) -> String {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        only_plain(without_extension(path))
    }
}

/// OCaml's `Filename.remove_extension`.
fn without_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    match path.rfind('.') {
        Some(dot) if dot > name && path[name..dot].chars().any(|c| c != '.') => &path[..dot],
        _ => path,
    }
}

/// Every byte but ASCII letters, digits and `-` becomes `_`.
fn only_plain(text: &str) -> String {
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() || byte == b'-' { char::from(byte) } else { '_' };
    text.bytes().map(plain).collect()
}

fn check_password(authority: &str) -> Result<(), CloneError> {
    match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Err(CloneError::Password),
        _ => Ok(()),
    }
}

/// Reads `[USER@]HOST[:PORT]`.
fn host(authority: &str, scheme: Scheme) -> Option<Host> {
    let (user, rest) = match authority.split_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    let word = |text: &str, more: &[u8]| {
        text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    if user.is_some_and(|user| !word(user, b"-_.~+")) {
        return None;
    }
    let (name, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.to_string(), port)
        }
        None => {
            let (name, port) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
            let labels = name.split('.').all(|label| word(label, b"-_"));
            (labels && name.len() <= 253).then(|| (name.to_ascii_lowercase(), port))?
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok()?,
        Some(_) => return None,
        None if port.is_empty() => scheme.port(),
        None => return None,
    };
    Some(Host { user: user.map(str::to_owned), name, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RepositoryUrl {
        RepositoryUrl::parse(text, &Scheme::ALL).unwrap()
    }

    #[test]
    fn directories_are_those_of_solver_service() {
        for (url, host, path) in [
            ("https://github.com/ocaml/opam-repository.git", "github_com", "_ocaml_opam-repository"),
            ("https://github.com/ocaml/opam-repository", "github_com", "_ocaml_opam-repository"),
            ("https://github.com/ocaml/opam-repository.git/", "github_com", "_ocaml_opam-repository"),
            ("http://localhost:8080/a.b/c.d.e", "localhost", "_a_b_c_d"),
            ("https://example.org/.git", "example_org", "__git"),
            ("https://example.org/x.", "example_org", "_x"),
            ("/srv/été.git", "no_host", "_srv___t__"),
            ("file:///srv/x.git", "no_host", "_srv_x"),
            ("git@github.com:ocaml/opam-repository.git", "no_host", "ocaml_opam-repository"),
            ("ssh://git@example.org:2222/x", "example_org", "_x"),
        ] {
            let url = parsed(url);
            assert_eq!((url.host_directory().as_str(), url.directory().as_deref()), (host, Some(path)), "{url:?}");
        }
        let long = parsed(&format!("https://example.org/{}", "x".repeat(600)));
        assert_eq!(long.directory(), None);
        assert!(long.own_directory().len() < LONGEST_NAME);
    }

    #[test]
    fn spellings_of_one_url_are_known_as_such() {
        let canonical = |url| parsed(url).canonical();
        let usual = canonical("https://github.com/ocaml/opam-repository.git");
        for other in [
            "https://github.com/ocaml/opam-repository",
            "https://github.com/ocaml/opam-repository.git//",
            "https://GitHub.com:443/ocaml/opam-repository",
        ] {
            assert_eq!(canonical(other), usual);
        }
        for other in [
            "http://github.com/ocaml/opam-repository.git",
            "https://github.com:444/ocaml/opam-repository.git",
            "https://ada@github.com/ocaml/opam-repository.git",
            "https://github.com/ocaml/opam_repository.git",
            "https://github.com/ocaml/Opam-repository.git",
            "https://github.com/ocaml/opam-repository.git?x",
            "github.com:ocaml/opam-repository.git",
        ] {
            assert_ne!(canonical(other), usual);
            assert_ne!(
                parsed(other).own_directory(),
                parsed("https://github.com/ocaml/opam-repository").own_directory()
            );
        }
    }

    #[test]
    fn what_could_be_read_in_several_ways_is_refused() {
        for text in [
            "https://",
            "https://example.org",
            "https://example.org/",
            "https://example.org?x",
            "https:///x",
            "https://example.org./x",
            "https://exa mple.org/x",
            "https://exämple.org/x",
            "https://example.org\\@127.0.0.1/x",
            "https://a@b@c/x",
            "https://-x/y",
            "https://%31/x",
            "https://example.org:/x",
            "https://example.org:99999/x",
            "https://example.org:+80/x",
            "https://[::1/x",
            "https://[fe80::1%25eth0]/x",
            "https://example.org/x y",
            "https://example.org/\n",
            "-x:y",
            "x",
            "ext::sh -c true",
            "file://example.org/x",
            "file:///",
            "/",
        ] {
            let refused = RepositoryUrl::parse(text, &Scheme::ALL);
            assert!(matches!(refused, Err(CloneError::Malformed(_))), "{text}: {refused:?}");
        }
        let password = RepositoryUrl::parse("https://ada:secret@example.org/x", &Scheme::ALL);
        assert_eq!(password, Err(CloneError::Password));
        for text in ["/x", "file:///x", "ftp://example.org/x", "HTTPS://example.org/x", "example.org:x"] {
            let refused = RepositoryUrl::parse(text, &[Scheme::Https]);
            assert!(matches!(refused, Err(CloneError::NotAllowed { .. })), "{text}: {refused:?}");
        }
    }
}
