//! A vat's key: what its fingerprint, its certificate and the ids of its services come from.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// SHA-256 of a public key's DER (`SubjectPublicKeyInfo`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Fingerprint {
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    /// Of a public key.
    pub(super) fn of_key(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Of the key that a certificate is for.
    pub(super) fn of_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
        Some(Self::of_key(read.tbs_certificate.subject_pki.raw))
    }
}

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// It holds no key that can be used.
    #[error("`{file}` holds no private key that can be used: {reason}")]
    Key {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The certificate cannot be made.
    #[error("no certificate can be made: {0}")]
    Certificate(String),
}

/// A vat's key.
pub struct Identity {
    /// The text that it was read from, which service ids are derived from: never written anew.
    text: Vec<u8>,
    fingerprint: Fingerprint,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads a key from a PEM file, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be read, written or used.
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let text = match fs_err::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = generate()?;
                write_secret(path, &text)?;
                text
            }
            Err(error) => return Err(error.into()),
        };
        Self::new(text, &path.display().to_string())
    }

    /// A new key that is not kept.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ephemeral() -> Result<Self, IdentityError> {
        Self::new(generate()?, "the new key")
    }

    fn new(text: Vec<u8>, file: &str) -> Result<Self, IdentityError> {
        let wrong = |reason: String| IdentityError::Key { file: file.to_owned(), reason };
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let pair = KeyPair::try_from(&key).map_err(|error| wrong(error.to_string()))?;
        let certificate = certificate(&pair).map_err(|error| IdentityError::Certificate(error.to_string()))?;
        let fingerprint = Fingerprint::of_key(&pair.subject_public_key_info());
        Ok(Self { text, fingerprint, certificate, key })
    }

    /// The fingerprint of its public half.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The secret id of the service of that name: the same as long as the key's file is.
    pub fn derived_id(&self, name: &str) -> Vec<u8> {
        let secret = Sha256::digest(&self.text);
        // A key of any length will do.
        let mut mac = match Hmac::<Sha256>::new_from_slice(&secret) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

fn generate() -> Result<Vec<u8>, IdentityError> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
    let pair = pair.map_err(|error| IdentityError::Certificate(error.to_string()))?;
    Ok(pair.serialize_pem().into_bytes())
}

/// Signed by itself, for all times: peers look at the key only.
fn certificate(pair: &KeyPair) -> Result<CertificateDer<'static>, rcgen::Error> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "capnp");
    parameters.not_before = rcgen::date_time_ymd(1970, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(9999, 12, 31);
    Ok(parameters.self_signed(pair)?.into())
}

/// Writes a file that only its owner may read, all of it or nothing.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        fs_err::rename(&unfinished, path)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written.map_err(|error| std::io::Error::new(error.kind(), format!("cannot write `{}`: {error}", path.display())))
}
