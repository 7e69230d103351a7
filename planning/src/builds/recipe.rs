//! How jobs are built: as OBuilder specs and Dockerfiles whose beginnings are the same.
//!
//! What seldom changes comes first: image, user, opam, then the layers (`layers`), then the job's own
//! packages. Each step puts the repository to the commit that last changed one of the packages so far, so
//! that a step stays the same text, and its result is kept, until one of them changes (`peers.md`, 9.2).

use super::dockerfile::line;
use super::layers::Layers;
use super::spec::{Mount, Op, Spec, User};
use super::{BuildId, Builds, Job};
use crate::catalogue::Entry;
use opam_parser::index::{Index, PackageId};
use std::fmt::Write;

/// Where builds get the opam files from.
pub enum Repository<'r> {
    /// From the image's clone of opam-repository, at the commit that last changed one of these packages.
    Commit(&'r (dyn Fn(&[PackageId]) -> String + Sync)),
    /// From the directory in which the build is started.
    Copied,
}

/// How the jobs of one platform are built.
pub struct Recipe<'r> {
    /// The builds.
    pub builds: &'r Builds,
    /// What the jobs share.
    pub layers: &'r Layers,
    /// The index.
    pub index: &'r Index,
    /// The platform.
    pub entry: &'r Entry,
    /// The opam files.
    pub repository: Repository<'r>,
}

/// A system's ways.
struct System {
    home: &'static str,
    user: User,
    shell: Option<[&'static str; 3]>,
}

impl Recipe<'_> {
    fn system(&self) -> System {
        let unix = User::Unix { uid: 1000, gid: 1000 };
        match self.entry.variables.get("os") {
            Some("macos") => System { home: "/Users/mac1000", user: unix, shell: None },
            Some("win32") => System {
                home: "C:/cygwin64/home/opam",
                user: User::Windows { name: "opam".to_owned() },
                shell: Some(["C:/cygwin64/bin/bash.exe", "--login", "-c"]),
            },
            _ => System { home: "/home/opam", user: unix, shell: None },
        }
    }

    /// What every job of the platform begins with.
    fn beginning(&self) -> Vec<Op> {
        let System { home, user, shell } = self.system();
        let mut ops: Vec<Op> = shell.map(|shell| Op::Shell(shell.map(str::to_owned).to_vec())).into_iter().collect();
        ops.push(Op::User(user));
        ops.push(Op::Workdir(home.to_owned()));
        for (name, value) in
            [("CI", "true"), ("OPAMYES", "1"), ("OPAMCONFIRMLEVEL", "unsafe-yes"), ("OPAMPRECISETRACKING", "1")]
        {
            ops.push(Op::Env(name.to_owned(), value.to_owned()));
        }
        let minor: Vec<&str> = self.entry.opam.split('.').take(2).collect();
        let version = minor.join(".");
        let opam = match self.entry.variables.get("os") {
            Some("win32") => format!("ln -f /usr/bin/opam-{version}.exe /usr/bin/opam.exe && opam init --reinit -ni"),
            Some("linux") => format!("sudo ln -f /usr/bin/opam-{version} /usr/bin/opam && opam init --reinit -ni"),
            _ => "opam init --reinit -ni".to_owned(),
        };
        ops.push(run(&[], &[], &opam));
        if let Repository::Copied = self.repository {
            ops.push(Op::Copy {
                from: None,
                sources: vec![".".to_owned()],
                destination: format!("{home}/opam-repository"),
                exclude: vec![".git".to_owned()],
            });
            ops.push(run(
                &[],
                &[],
                "opam repository set-url --strict default opam-repository && opam update --depexts",
            ));
        }
        ops
    }

    /// Installs the packages of some builds, after others that are there already.
    fn install(&self, builds: &[BuildId], before: &[BuildId]) -> Op {
        let packages = |builds: &[BuildId]| -> Vec<PackageId> {
            builds.iter().map(|build| self.builds.builds[*build as usize].package).collect()
        };
        let mut command = String::new();
        if let Repository::Commit(commit) = &self.repository {
            let commit = commit(&packages(&[before, builds].concat()));
            let _ = write!(
                command,
                "(git -C opam-repository cat-file -e {commit} || git -C opam-repository fetch -q origin) && \
                 git -C opam-repository reset -q --hard {commit} && opam update && opam update --depexts && "
            );
        }
        // What is said of tests is meant for all packages of a command, so what has them is installed by itself.
        let tested = |build: &&BuildId| self.builds.builds[**build as usize].flags.with_test;
        let (with_test, without): (Vec<BuildId>, Vec<BuildId>) = builds.iter().partition(tested);
        let install = |options: &str, builds: &[BuildId]| {
            let names = packages(builds).into_iter().map(|package| self.index.package_text(package));
            (!builds.is_empty()).then(|| format!("opam install {options}{}", names.collect::<Vec<_>>().join(" ")))
        };
        let commands = [install("", &without), install("--with-test ", &with_test)];
        command.push_str(&commands.into_iter().flatten().collect::<Vec<_>>().join(" && "));
        let home = self.system().home;
        let mut caches = vec![("opam-archives", format!("{home}/.opam/download-cache"))];
        if self.entry.variables.get("os") == Some("macos") {
            caches.push(("homebrew", format!("{home}/Library/Caches/Homebrew")));
        }
        run(&caches, &["host"], &command)
    }

    /// The steps after the beginning that build a job: those of its layers, then its own.
    fn steps(&self, layer: Option<usize>, own: &[BuildId]) -> Vec<Op> {
        let mut before: Vec<BuildId> = Vec::new();
        let mut ops = Vec::new();
        let layers = self.layers.path(layer).into_iter().map(|layer| self.layers.layers[layer].builds.as_slice());
        for builds in layers.chain([own]).filter(|builds| !builds.is_empty()) {
            ops.push(self.install(builds, &before));
            before.extend(builds);
        }
        ops
    }

    /// Every job of the platform, with its name.
    pub fn jobs(&self) -> impl Iterator<Item = (&Job, String)> {
        self.layers.jobs.iter().map(|(place, ..)| {
            let job = &self.builds.jobs[*place];
            (job, self.index.package_text(job.package))
        })
    }

    /// The spec of one job, by its place in [`Layers::jobs`].
    pub fn job(&self, place: usize) -> Option<Spec> {
        let (_, layer, own) = self.layers.jobs.get(place)?;
        let mut ops = self.beginning();
        ops.extend(self.steps(*layer, own));
        Some(Spec { nested: vec![], from: self.entry.image.clone(), ops })
    }

    /// One spec for all jobs: each a nested build, which leaves a file that says whether it was possible,
    /// `results/NAME.VERSION`; at the end all of them are together.
    pub fn all(&self) -> Spec {
        let home = self.system().home;
        let mut whole = Spec { nested: vec![], from: self.entry.image.clone(), ops: self.beginning() };
        for (place, (_, text)) in self.jobs().enumerate() {
            let Some(mut spec) = self.job(place) else { continue };
            match spec.ops.last_mut().filter(|_| !self.layers.jobs[place].2.is_empty()) {
                Some(Op::Run { command, .. }) => *command = noted(command, &text),
                // All of it is in the layers, which stay as they are.
                _ => spec.ops.push(run(&[], &[], &noted("true", &text))),
            }
            let name = stage_name(place, &text);
            whole.ops.push(Op::Copy {
                from: Some(name.clone()),
                sources: vec![format!("{home}/results/{text}")],
                destination: format!("{home}/results/"),
                exclude: vec![],
            });
            whole.nested.push((name, spec));
        }
        whole
    }

    /// One Dockerfile for all jobs, in which every layer is a stage that later ones continue. As
    /// [`Self::all`], it gathers the results.
    pub fn dockerfile(&self) -> String {
        let home = self.system().home;
        let mut text = String::from("# syntax=docker/dockerfile:1\n");
        let _ = writeln!(text, "FROM {} AS beginning", self.entry.image);
        let mut user = None;
        for op in self.beginning() {
            let _ = writeln!(text, "{}", line(&op, &mut user));
        }
        let layer_name = |layer: Option<usize>| layer.map_or("beginning".to_owned(), |layer| format!("layer-{layer}"));
        for (place, layer) in self.layers.layers.iter().enumerate() {
            let before = self.layers.path(layer.after).into_iter().flat_map(|layer| &self.layers.layers[layer].builds);
            let before: Vec<BuildId> = before.copied().collect();
            let _ = writeln!(text, "\n# {} jobs", layer.jobs);
            let _ = writeln!(text, "FROM {} AS {}", layer_name(layer.after), layer_name(Some(place)));
            let _ = writeln!(text, "{}", line(&self.install(&layer.builds, &before), &mut user));
        }
        let mut gathered = String::new();
        for (place, ((_, job), (_, layer, own))) in self.jobs().zip(&self.layers.jobs).enumerate() {
            let before = self.layers.path(*layer).into_iter().flat_map(|layer| &self.layers.layers[layer].builds);
            let before: Vec<BuildId> = before.copied().collect();
            let name = stage_name(place, &job);
            let _ = writeln!(text, "\nFROM {} AS {name}", layer_name(*layer));
            let last = match own.is_empty() {
                // All of it is in the layers.
                true => run(&[], &[], &noted("true", &job)),
                false => match self.install(own, &before) {
                    Op::Run { caches, network, secrets, command } => {
                        Op::Run { caches, network, secrets, command: noted(&command, &job) }
                    }
                    other => other,
                },
            };
            let _ = writeln!(text, "{}", line(&last, &mut user));
            let copy = Op::Copy {
                from: Some(name),
                sources: vec![format!("{home}/results/{job}")],
                destination: format!("{home}/results/"),
                exclude: vec![],
            };
            let _ = writeln!(gathered, "{}", line(&copy, &mut user));
        }
        let _ = write!(text, "\nFROM beginning\n{gathered}");
        text
    }
}

/// A command that never fails, but notes whether it would have.
fn noted(command: &str, job: &str) -> String {
    format!("mkdir -p results; if {command}; then echo good; else echo bad; fi > results/{job}")
}

fn stage_name(place: usize, job: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c.to_ascii_lowercase() } else { '-' };
    format!("job-{place}-{}", job.chars().map(plain).collect::<String>())
}

fn run(caches: &[(&str, String)], network: &[&str], command: &str) -> Op {
    let mount = |(name, target): &(&str, String)| Mount { name: (*name).to_owned(), target: Some(target.clone()) };
    Op::Run {
        caches: caches.iter().map(mount).collect(),
        network: network.iter().map(|network| (*network).to_owned()).collect(),
        secrets: vec![],
        command: command.to_owned(),
    }
}
