//! The platform that the arguments describe.

use crate::arguments::PlatformArguments;
use crate::failure::Failure;
use caravan_solver::Platform;

pub(crate) fn platform(arguments: &PlatformArguments) -> Result<Platform, Failure> {
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
    for assignment in &arguments.variables {
        let (name, value) = match assignment.split_once('=') {
            None => (assignment.as_str(), None),
            Some((name, value)) => (name, Some(value)),
        };
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_:+".contains(c);
        if name.is_empty() || !name.chars().all(valid) {
            return Err(
                Failure::usage(format!("`{assignment}` does not set a variable")).hint("write `--var NAME=VALUE`")
            );
        }
        match value {
            None => platform.unset(name),
            Some(value) => platform.set(name, value),
        }
    }
    Ok(platform)
}

fn forget_compiler(platform: &mut Platform) {
    for name in ["sys-ocaml-version", "sys-ocaml-arch", "sys-ocaml-cc", "sys-ocaml-libc"] {
        platform.unset(name);
    }
}
