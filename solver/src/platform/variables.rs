//! A machine's variables by name.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The opam whose semantics are the default here.
pub const OPAM_VERSION: &str = "2.6.1";

/// The variables of one machine, by name. `true` and `false` are booleans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Platform {
    #[cfg_attr(feature = "schemars", schemars(with = "BTreeMap<String, String>"))]
    variables: BTreeMap<CompactString, CompactString>,
}

impl Platform {
    /// A machine about which nothing is known but opam's version.
    pub fn new() -> Self {
        let mut platform = Self::default();
        platform.set("opam-version", OPAM_VERSION);
        platform
    }

    /// Debian 13 on x86_64, as the OCaml community's CI runs by default.
    pub fn linux_x86_64() -> Self {
        let mut platform = Self::new();
        for (name, value) in [
            ("arch", "x86_64"),
            ("os", "linux"),
            ("os-family", "debian"),
            ("os-distribution", "debian"),
            ("os-version", "13"),
        ] {
            platform.set(name, value);
        }
        platform
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// Forgets a variable.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(CompactString::as_str)
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets distribution, version and family from `debian-13` and the like: what comes before the
    /// last dash is the distribution if a version follows it.
    pub fn set_distribution(&mut self, text: &str) {
        let version_follows = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
        let (distribution, version) = match text.rsplit_once('-') {
            Some((distribution, version)) if version_follows(version) => (distribution, Some(version)),
            _ => (text, None),
        };
        self.set("os-distribution", distribution);
        self.set("os-family", family_of(distribution));
        match version {
            Some(version) => self.set("os-version", version),
            None => self.unset("os-version"),
        }
    }

    /// One line that names it: `linux x86_64 debian-13`.
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> =
            ["os", "arch"].iter().filter_map(|name| self.get(name)).map(str::to_owned).collect();
        if let Some(distribution) = self.get("os-distribution").filter(|known| Some(*known) != self.get("os")) {
            let version = self.get("os-version").map_or(String::new(), |version| format!("-{version}"));
            parts.push(format!("{distribution}{version}"));
        }
        parts.join(" ")
    }
}

/// The family of a distribution where nothing but its name is known.
pub(super) fn family_of(distribution: &str) -> &str {
    match distribution {
        "ubuntu" | "raspbian" | "linuxmint" | "kali" | "devuan" => "debian",
        "centos" | "rhel" | "oraclelinux" | "ol" | "rocky" | "almalinux" => "fedora",
        "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" | "sles" => "suse",
        "archlinux" | "manjaro" | "archarm" => "arch",
        "homebrew" | "macports" => "macos",
        "freebsd" | "openbsd" | "netbsd" | "dragonfly" => "bsd",
        other => other,
    }
}
