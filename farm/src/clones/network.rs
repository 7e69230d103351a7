//! Which addresses may be fetched from.

use super::settings::{PrivateHosts, Scheme};
use super::url::{Host, RepositoryUrl};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// How long looking up a host may take.
const LOOKUP: Duration = Duration::from_secs(20);

/// Where git is to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// Wherever its host is.
    Any,
    /// One of these, whatever the host's name means a moment later.
    Only(Vec<IpAddr>),
}

/// Why a host is not fetched from, for the service's log.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotPublic {
    /// Its name means nothing.
    #[error("the host cannot be looked up: {0}")]
    Unknown(std::io::Error),
    /// Looking it up took too long.
    #[error("looking up the host took longer than {} s", LOOKUP.as_secs())]
    TooLong,
    /// All its addresses are of this machine or of private networks.
    #[error("all addresses of the host are private ({0:?}); `--allow-private=HOST` allows them")]
    Private(Vec<IpAddr>),
}

/// The addresses that a URL may be fetched from.
///
/// # Errors
/// When there is none.
pub(super) async fn look_up(url: &RepositoryUrl, private: &PrivateHosts) -> Result<Addresses, NotPublic> {
    let Some(Host { name, port, .. }) = &url.host else { return Ok(Addresses::Any) };
    if private.has(name) {
        return Ok(Addresses::Any);
    }
    let found = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((name.as_str(), *port))).await;
    let found = found.map_err(|_| NotPublic::TooLong)?.map_err(NotPublic::Unknown)?;
    let all: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    let public: Vec<IpAddr> = all.iter().copied().filter(|address| is_public(*address)).collect();
    match public.is_empty() {
        true => Err(NotPublic::Private(all)),
        false => Ok(Addresses::Only(public)),
    }
}

/// The URL that git is given, so that it connects to these addresses, and settings and variables that do the same. ssh
/// has neither: a host whose key it does not know it does not talk to.
pub(super) struct Pinned {
    pub(super) url: String,
    pub(super) settings: Vec<String>,
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Pinned {
    pub(super) fn new(url: &RepositoryUrl, addresses: &Addresses) -> Self {
        let mut pinned = Self { url: url.text.clone(), settings: vec![], variables: vec![] };
        let (Some(host), Addresses::Only(addresses)) = (&url.host, addresses) else { return pinned };
        let texts: Vec<String> = addresses.iter().map(|address| bracketed(*address)).collect();
        match (url.scheme, texts.first()) {
            (Scheme::Https | Scheme::Http, _) if host.name.parse::<Ipv6Addr>().is_err() => {
                let setting = format!("http.curloptResolve={}:{}:{}", host.name, host.port, texts.join(","));
                pinned.settings.push(setting);
            }
            (Scheme::Git, Some(first)) => {
                pinned.url = format!("git://{first}:{}{}", host.port, url.path);
                let port = if host.port == Scheme::Git.port() { String::new() } else { format!(":{}", host.port) };
                pinned.variables.push(("GIT_OVERRIDE_VIRTUAL_HOST", format!("{}{port}", host.name)));
            }
            _ => {}
        }
        pinned
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// Whether an address is one of the public internet (IANA's registries of special addresses).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // this network, private, shared, loopback, link-local
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..]
        // protocols, documentation, 6to4 relays, benchmarks
        | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _]
        // multicast, reserved, broadcast
        | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // An IPv4 address as IPv6 programs see it, behind a translator, or in a tunnel.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        // protocols and Teredo, documentation
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Everything else that is public begins so.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses() {
        for text in [
            "8.8.8.8",
            "140.82.121.3",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "100::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn git_connects_to_what_was_looked_up() {
        let pinned = |url: &str, addresses: &[&str]| {
            let url = RepositoryUrl::parse(url, &Scheme::ALL).unwrap();
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            let pinned = Pinned::new(&url, &Addresses::Only(addresses));
            (pinned.url, pinned.settings, pinned.variables)
        };
        let (url, settings, _) = pinned("https://Example.org/x.git", &["192.0.2.1", "2001:db8::1"]);
        assert_eq!(url, "https://Example.org/x.git");
        assert_eq!(settings, ["http.curloptResolve=example.org:443:192.0.2.1,[2001:db8::1]"]);
        let (url, settings, variables) = pinned("git://example.org/x.git", &["2001:db8::1"]);
        assert_eq!((url.as_str(), settings.len()), ("git://[2001:db8::1]:9418/x.git", 0));
        assert_eq!(variables, [("GIT_OVERRIDE_VIRTUAL_HOST", "example.org".to_owned())]);
    }
}
