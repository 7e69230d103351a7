//! Arguments that several commands have.

use clap::{Args, ValueEnum};

/// The platform: without these, the machine that this runs on.
#[derive(Args, Default)]
#[command(next_help_heading = "Platform")]
pub(crate) struct PlatformArguments {
    /// The variable `os`: linux, macos, win32, freebsd
    #[arg(long, env = "CARAVAN_OS")]
    pub(crate) os: Option<String>,
    /// The variable `arch`: x86_64, arm64, x86_32, ppc64, s390x, riscv64
    #[arg(long, env = "CARAVAN_ARCH")]
    pub(crate) arch: Option<String>,
    /// The variables `os-distribution`, `os-version` and `os-family`: debian-13, alpine-3.22, homebrew
    #[arg(long, env = "CARAVAN_DISTRO")]
    pub(crate) distro: Option<String>,
    /// Any variable; without a value it becomes undefined. May be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Like {
    /// All that depends on what changed directly, optionally or for tests, or through others, and can be
    /// installed together with it
    OpamRepoCi,
}

/// A number of seconds, perhaps with a fraction, in milliseconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok((seconds * 1000.0).ceil() as u64),
        _ => Err("a number of seconds is expected, such as 10 or 0.5".to_owned()),
    }
}
