//! Addresses of vats, and of services in them.

use super::error::{MalformedAddress, VatError};
use super::identity::{Fingerprint, write_secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a vat listens, as `--capnp-listen-address` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `tcp:HOST:PORT`
    Tcp(String, u16),
    /// `unix:PATH`
    Unix(PathBuf),
}

/// An address to listen at.
pub type Listen = Location;

impl FromStr for Location {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<Self, MalformedAddress> {
        let wrong = || MalformedAddress::Listen(text.to_owned());
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp", rest)) => host_and_port(rest).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

fn host_and_port(text: &str) -> Option<Location> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    Some(Location::Tcp(host.to_owned(), port.parse().ok()?))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// How one knows that it is the right vat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// One does not: no TLS.
    Insecure,
    /// By its key.
    Key(Fingerprint),
}

/// A service in a vat: `capnp://sha-256:FINGERPRINT@HOST:PORT/ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SturdyRef {
    /// Whose key it has.
    pub authentication: Authentication,
    /// Where it is.
    pub location: Location,
    /// The service's secret id, which need not be text.
    pub id: Vec<u8>,
}

impl fmt::Display for SturdyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("capnp://")?;
        match &self.authentication {
            Authentication::Insecure => f.write_str("insecure")?,
            Authentication::Key(fingerprint) => write!(f, "sha-256:{fingerprint}")?,
        }
        write!(f, "@{}/{}", self.location, URL_SAFE_NO_PAD.encode(&self.id))
    }
}

impl FromStr for SturdyRef {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<Self, MalformedAddress> {
        Self::read(text.trim()).ok_or_else(|| MalformedAddress::Capability(text.trim().to_owned()))
    }
}

impl SturdyRef {
    fn read(text: &str) -> Option<Self> {
        let (authentication, rest) = text.strip_prefix("capnp://")?.split_once('@')?;
        let authentication = match authentication {
            "insecure" => Authentication::Insecure,
            key => Authentication::Key(Fingerprint::read(key.strip_prefix("sha-256:")?)?),
        };
        let (location, id) = match rest.starts_with('/') {
            // The last part of the path is the id.
            true => {
                let (path, id) = rest.rsplit_once('/')?;
                (Location::Unix(PathBuf::from(path)), id)
            }
            false => {
                let (location, id) = rest.split_once('/').unwrap_or((rest, ""));
                (host_and_port(location)?, id)
            }
        };
        Some(Self { authentication, location, id: URL_SAFE_NO_PAD.decode(id).ok()? })
    }

    /// Reads a capability file, or the URI itself.
    ///
    /// # Errors
    /// When the file cannot be read or is none.
    pub fn load(text: &str) -> Result<Self, VatError> {
        if text.starts_with("capnp://") {
            return Ok(text.parse()?);
        }
        let read = fs_err::read_to_string(text)?;
        Ok(read.parse()?)
    }

    /// Writes a capability file, which only its owner may read: it is a secret.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        write_secret(path, format!("{self}\n").as_bytes())
    }
}
