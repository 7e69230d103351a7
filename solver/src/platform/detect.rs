//! Detection of this machine, as opam's `OpamSysPoll` does it.

use super::variables::{Platform, family_of};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Platform {
    /// The machine that this runs on, as opam detects it (`OpamSysPoll`).
    pub fn detect() -> Self {
        let mut platform = Self::new();
        let uname = rustix::system::uname();
        platform.set("arch", &normalised_arch(&uname.machine().to_string_lossy()));
        let os = normalised_os(&uname.sysname().to_string_lossy());
        platform.set("os", &os);
        match os.as_str() {
            "linux" => linux(&mut platform),
            "macos" => macos(&mut platform),
            other => {
                // The BSDs are their own distribution; their version is the kernel's.
                platform.set("os-distribution", other);
                platform.set("os-family", if other.ends_with("bsd") || other == "dragonfly" { "bsd" } else { other });
                platform.set("os-version", &uname.release().to_string_lossy().to_lowercase());
            }
        }
        installed_compiler(&mut platform);
        platform
    }
}

/// opam's names for architectures (rule F28).
fn normalised_arch(machine: &str) -> String {
    let machine = machine.to_lowercase();
    let known = match machine.as_str() {
        "x86" | "i386" | "i486" | "i586" | "i686" => "x86_32",
        "x86_64" | "amd64" => "x86_64",
        "ppc" | "powerpc" | "ppcle" => "ppc32",
        "ppc64" | "powerpc64" | "ppc64le" => "ppc64",
        "aarch64_be" | "aarch64" | "armv8b" | "armv8l" | "arm64" => "arm64",
        machine if machine.starts_with("armv") => "arm32",
        machine => machine,
    };
    known.to_owned()
}

fn normalised_os(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "darwin" | "osx" => "macos".to_owned(),
        name if name.starts_with("cygwin") => "cygwin".to_owned(),
        name if name.starts_with("mingw") || name.starts_with("msys") => "win32".to_owned(),
        _ => name,
    }
}

fn linux(platform: &mut Platform) {
    let release = os_release();
    let get = |key: &str| release.get(key).filter(|value| !value.is_empty()).cloned();
    let distribution = match std::env::var_os("ANDROID_ROOT") {
        Some(_) => "android".to_owned(),
        None => get("ID").unwrap_or_else(|| "linux".to_owned()).to_lowercase(),
    };
    // The first of the systems that it says it is like (opam, `os_family`).
    let family = get("ID_LIKE").and_then(|like| like.split_whitespace().next().map(str::to_lowercase));
    platform.set("os-family", &family.unwrap_or_else(|| family_of(&distribution).to_owned()));
    platform.set("os-distribution", &distribution);
    if let Some(version) = get("VERSION_ID") {
        platform.set("os-version", &version.to_lowercase());
    }
}

fn os_release() -> HashMap<String, String> {
    let text = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| std::fs::read_to_string(path).ok());
    let text = text.unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().trim_matches(['"', '\'']).to_owned())).collect()
}

fn macos(platform: &mut Platform) {
    let distribution = ["brew", "port"].iter().find(|tool| in_path(tool).is_some());
    platform.set("os-family", "macos");
    platform.set(
        "os-distribution",
        match distribution {
            Some(&"brew") => "homebrew",
            Some(_) => "macports",
            None => "macos",
        },
    );
    if let Some(version) = output(Path::new("/usr/bin/sw_vers"), &["-productVersion"]) {
        platform.set("os-version", version.trim());
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `sys-ocaml-…`: what opam's default configuration asks an installed compiler for. Without one they
/// stay undefined.
fn installed_compiler(platform: &mut Platform) {
    let Some(compiler) = in_path("ocamlc") else { return };
    let Some(configuration) = output(&compiler, &["-config"]) else { return };
    let pairs: HashMap<&str, &str> = configuration.lines().filter_map(|line| line.split_once(": ")).collect();
    if let Some(version) = pairs.get("version") {
        platform.set("sys-ocaml-version", version);
    }
    if let Some(arch) = pairs.get("architecture") {
        let arch = match *arch {
            "arm64" => "aarch64",
            "amd64" => "x86_64",
            "i386" => "i686",
            arch => arch,
        };
        platform.set("sys-ocaml-arch", arch);
    }
    let msvc = pairs.get("ccomp_type") == Some(&"msvc");
    platform.set("sys-ocaml-cc", if msvc { "msvc" } else { "cc" });
    let windows = pairs.get("os_type") == Some(&"Win32");
    platform.set("sys-ocaml-libc", if windows { "msvc" } else { "libc" });
}

#[cfg(test)]
mod tests {
    use super::{Platform, family_of, normalised_arch, normalised_os};

    #[test]
    fn names_are_those_of_opam() {
        for (machine, arch) in [
            ("x86_64", "x86_64"),
            ("AMD64", "x86_64"),
            ("i686", "x86_32"),
            ("aarch64", "arm64"),
            ("armv7l", "arm32"),
            ("ppc64le", "ppc64"),
            ("s390x", "s390x"),
            ("riscv64", "riscv64"),
        ] {
            assert_eq!(normalised_arch(machine), arch);
        }
        for (name, os) in
            [("Linux", "linux"), ("Darwin", "macos"), ("CYGWIN_NT-10.0", "cygwin"), ("FreeBSD", "freebsd")]
        {
            assert_eq!(normalised_os(name), os);
        }
        assert_eq!((family_of("ubuntu"), family_of("alpine")), ("debian", "alpine"));
    }

    #[test]
    fn distributions_with_and_without_a_version() {
        let distribution = |text: &str| {
            let mut platform = Platform::linux_x86_64();
            platform.set_distribution(text);
            ["os-distribution", "os-version", "os-family"].map(|name| platform.get(name).map(str::to_owned))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(distribution("ubuntu-24.04"), [some("ubuntu"), some("24.04"), some("debian")]);
        assert_eq!(distribution("opensuse-leap-15.6"), [some("opensuse-leap"), some("15.6"), some("suse")]);
        assert_eq!(distribution("opensuse-tumbleweed"), [some("opensuse-tumbleweed"), None, some("suse")]);
        assert_eq!(distribution("homebrew"), [some("homebrew"), None, some("macos")]);
    }

    #[test]
    fn this_machine_has_the_variables_that_filters_ask_for() {
        let platform = Platform::detect();
        for name in ["arch", "os", "os-distribution", "os-family", "opam-version"] {
            assert!(platform.get(name).is_some_and(|value| !value.is_empty()), "{name}");
        }
    }
}
