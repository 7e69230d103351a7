//! Platforms as people describe them.

use crate::error::Error;
use caravan_solver::Platform;

/// What differs from the machine that this runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The variable `os`.
    pub os: Option<String>,
    /// The variable `arch`.
    pub arch: Option<String>,
    /// The variables `os-distribution`, `os-version` and `os-family`: `debian-13`.
    pub distro: Option<String>,
    /// `NAME=VALUE`, or `NAME` to make it undefined.
    pub variables: Vec<String>,
}

/// This machine, or another one that is described by what differs.
///
/// # Errors
/// When one of the variables is not `NAME=VALUE`.
pub fn described(arguments: &Description) -> Result<Platform, Error> {
    let mut platform = Platform::detect();
    if let Some(os) = &arguments.os {
        if platform.get("os") != Some(os) {
            // What is known of this machine's distribution and compiler says nothing of another
            // system's.
            for name in ["os-distribution", "os-family", "os-version"] {
                platform.unset(name);
            }
            forget_compiler(&mut platform);
        }
        platform.set("os", os);
    }
    if let Some(arch) = &arguments.arch {
        if platform.get("arch") != Some(arch) {
            forget_compiler(&mut platform);
        }
        platform.set("arch", arch);
    }
    if let Some(distro) = &arguments.distro {
        platform.set_distribution(distro);
    }
    set_variables(&mut platform, arguments)?;
    Ok(platform)
}

/// Platforms that are described in full, `linux/x86_64/debian-13`, or without any the one of
/// [`described`].
///
/// # Errors
/// When one of them is not a platform, or a variable is not `NAME=VALUE`.
pub fn platforms(texts: &[String], arguments: &Description) -> Result<Vec<Platform>, Error> {
    if texts.is_empty() {
        return Ok(vec![described(arguments)?]);
    }
    let platform = |text: &String| {
        let mut parts = text.split('/');
        let (os, arch, distro) = (parts.next(), parts.next(), parts.next());
        let (Some(os), Some(arch), None) =
            (os.filter(|os| !os.is_empty()), arch.filter(|a| !a.is_empty()), parts.next())
        else {
            return Err(Error::question(format!("`{text}` is not a platform"))
                .with_hint("write `--platform linux/x86_64/debian-13` or `--platform macos/arm64`"));
        };
        let mut platform = Platform::new();
        platform.set("os", os);
        platform.set("arch", arch);
        if let Some(distro) = distro {
            platform.set_distribution(distro);
        }
        set_variables(&mut platform, arguments)?;
        Ok(platform)
    };
    texts.iter().map(platform).collect()
}

fn set_variables(platform: &mut Platform, arguments: &Description) -> Result<(), Error> {
    for assignment in &arguments.variables {
        let (name, value) = match assignment.split_once('=') {
            None => (assignment.as_str(), None),
            Some((name, value)) => (name, Some(value)),
        };
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_:+".contains(c);
        if name.is_empty() || !name.chars().all(valid) {
            return Err(Error::question(format!("`{assignment}` does not set a variable"))
                .with_hint("write `--var NAME=VALUE`"));
        }
        match value {
            None => platform.unset(name),
            Some(value) => platform.set(name, value),
        }
    }
    Ok(())
}

fn forget_compiler(platform: &mut Platform) {
    for name in ["sys-ocaml-version", "sys-ocaml-arch", "sys-ocaml-cc", "sys-ocaml-libc"] {
        platform.unset(name);
    }
}
