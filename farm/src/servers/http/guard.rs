//! A browser that shows somebody else's page is no client: what it sends for that page is not answered, and what is
//! answered is not shown within one.

use super::peer::Peer;
use super::response::last_error;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// Other origins may not even load it as an image or a script.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Of what is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Which hosts requests may be for. An address cannot be made to lead elsewhere, and neither can `localhost`; any other
/// name can, by whoever owns it.
pub(super) struct Hosts {
    /// Names, in lower case; `*` is any.
    allowed: Vec<String>,
}

impl Hosts {
    /// The names beside addresses and `localhost`.
    pub(super) fn new(allowed: &[String]) -> Self {
        let clean = |name: &String| name.trim().trim_end_matches('.').to_ascii_lowercase();
        Self { allowed: allowed.iter().map(clean).collect() }
    }

    fn names(&self, host: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == "*" || *allowed == host)
    }

    /// Whether requests may be for a host.
    fn allow(&self, authority: &Authority) -> bool {
        let host = host(authority);
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok() || host == "localhost" || self.names(&host)
    }

    /// What is wrong with where a request is for or from.
    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let authority = |header: &HeaderValue| header.to_str().ok()?.parse::<Authority>().ok();
        // Without a host it is no browser.
        let mut target = None;
        for header in headers.get_all(HOST) {
            target = Some(authority(header).ok_or("`Host` is not a host")?);
        }
        for authority in uri.authority().into_iter().chain(&target) {
            if !self.allow(authority) {
                let host = host(authority);
                return Err(format!(
                    "requests for the host `{host}` are not answered here; `--allow-host {host}` would allow it"
                ));
            }
        }
        for origin in headers.get_all(ORIGIN) {
            let found = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
            let found = found.as_ref().and_then(Uri::authority);
            let is_own = |found: &Authority| {
                target.as_ref().is_some_and(|target| target.as_str().eq_ignore_ascii_case(found.as_str()))
                    || self.names(&host(found))
            };
            if !found.is_some_and(is_own) {
                return Err("requests from the pages of other origins are not answered".to_owned());
            }
        }
        Ok(())
    }
}

fn host(authority: &Authority) -> String {
    authority.host().trim_end_matches('.').to_ascii_lowercase()
}

/// Refuses what a browser sends for another one's page, and says of every response how it may be used.
pub(super) async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let mut response = match hosts.check(request.uri(), request.headers()) {
        Ok(()) => {
            if let Some(peer) = request.extensions().get::<Peer>() {
                peer.connection.is_known();
            }
            next.run(request).await
        }
        Err(text) => last_error(StatusCode::FORBIDDEN, "forbidden", &text),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    response
}

/// The policy of a page: only the style and the script that are written in it, which talks to nobody else.
pub(super) fn page_policy(page: &str) -> String {
    let hash = |tag: &str| {
        let inner = page.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        let (inner, _) = inner.unwrap_or_default();
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inner.as_bytes())))
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash("style"),
        hash("script")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allowed: &[&str], host: &str, origin: Option<&str>) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Hosts::new(&allowed).check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn hosts_are_addresses_localhost_and_those_that_are_allowed() {
        for host in ["127.0.0.1:8080", "[::1]:8080", "192.0.2.1", "localhost:8080", "LOCALHOST"] {
            assert!(check(&[], host, None), "{host}");
        }
        for host in ["evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "x", "a b"] {
            assert!(!check(&[], host, None), "{host}");
        }
        assert!(check(&["Solver.example."], "solver.EXAMPLE:443", None));
        assert!(check(&["*"], "anything.example", None));
    }

    #[test]
    fn only_pages_of_its_own_get_answers() {
        assert!(check(&[], "localhost:8080", Some("http://localhost:8080")));
        for origin in ["http://localhost:3000", "http://evil.example", "null", "file://", "http://127.0.0.1:8080"] {
            assert!(!check(&[], "localhost:8080", Some(origin)), "{origin}");
        }
        assert!(check(&["solver.example"], "127.0.0.1:8080", Some("https://solver.example")));
    }
}
