//! How jobs are built: as OBuilder specs and Dockerfiles whose beginnings are the same.
//!
//! What seldom changes comes first: image, user, opam, then the layers (`layers`), then the job's own
//! packages. OBuilder and BuildKit keep the result of a step as long as its text and those of all steps before
//! it are the same. So each step puts the repository to the commit that last changed one of the packages so
//! far, and stays the same until one of them changes.

use super::dockerfile::line;
use super::graph::{BuildId, Builds, Job};
use super::layers::{LayeredJob, Layers};
use super::shell::{arguments, word};
use super::spec::{Mount, Op, Spec, User};
use crate::catalogue::CatalogueEntry;
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
    pub entry: &'r CatalogueEntry,
    /// The opam files.
    pub repository: Repository<'r>,
}

/// How the images of an operating system are set up.
struct ImageSetup {
    home: &'static str,
    user: User,
    shell: Option<[&'static str; 3]>,
}

impl Recipe<'_> {
    fn setup(&self) -> ImageSetup {
        let unix = User::Unix { uid: 1000, gid: 1000 };
        match self.entry.variables.get("os") {
            Some("macos") => ImageSetup { home: "/Users/mac1000", user: unix, shell: None },
            Some("win32") => ImageSetup {
                home: "C:/cygwin64/home/opam",
                user: User::Windows { name: "opam".to_owned() },
                shell: Some(["C:/cygwin64/bin/bash.exe", "--login", "-c"]),
            },
            _ => ImageSetup { home: "/home/opam", user: unix, shell: None },
        }
    }

    /// What every job of the platform begins with.
    fn beginning(&self) -> Vec<Op> {
        let ImageSetup { home, user, shell } = self.setup();
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
            (!builds.is_empty()).then(|| format!("opam install{options}{}", arguments(&names.collect::<Vec<_>>())))
        };
        let commands = [install("", &without), install(" --with-test", &with_test)];
        command.push_str(&commands.into_iter().flatten().collect::<Vec<_>>().join(" && "));
        let home = self.setup().home;
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
        self.layers.jobs.iter().map(|layered| {
            let job = &self.builds.jobs[layered.job];
            (job, self.index.package_text(job.package))
        })
    }

    /// The spec of one job, by its place in [`Layers::jobs`].
    pub fn job(&self, place: usize) -> Option<Spec> {
        let LayeredJob { layer, builds, .. } = self.layers.jobs.get(place)?;
        let mut ops = self.beginning();
        ops.extend(self.steps(*layer, builds));
        Some(Spec { nested: vec![], from: self.entry.image.clone(), ops })
    }

    /// One spec for all jobs: each a nested build, which leaves a file that says whether it was possible,
    /// `results/NAME.VERSION`; at the end all of them are together.
    pub fn all(&self) -> Spec {
        let home = self.setup().home;
        let mut whole = Spec { nested: vec![], from: self.entry.image.clone(), ops: self.beginning() };
        for (place, (_, text)) in self.jobs().enumerate() {
            let Some(mut spec) = self.job(place) else { continue };
            match spec.ops.last_mut().filter(|_| !self.layers.jobs[place].builds.is_empty()) {
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
        let home = self.setup().home;
        let mut text = String::from("# syntax=docker/dockerfile:1\n");
        let _ = writeln!(text, "FROM {} AS beginning", self.entry.image);
        let mut user = None;
        for op in self.beginning() {
            let _ = writeln!(text, "{}", line(&op, &mut user));
        }
        for (place, layer) in self.layers.layers.iter().enumerate() {
            let install = self.install(&layer.builds, &self.builds_of(layer.after));
            let _ = writeln!(text, "\n# {} jobs", layer.jobs);
            let _ = writeln!(text, "FROM {} AS {}", layer_name(layer.after), layer_name(Some(place)));
            let _ = writeln!(text, "{}", line(&install, &mut user));
        }
        let mut gathered = String::new();
        for (place, ((_, job), layered)) in self.jobs().zip(&self.layers.jobs).enumerate() {
            let name = stage_name(place, &job);
            let _ = writeln!(text, "\nFROM {} AS {name}", layer_name(layered.layer));
            let _ = writeln!(text, "{}", line(&self.last_step(layered, &job), &mut user));
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

    /// All that is built in a layer and in those before it.
    fn builds_of(&self, layer: Option<usize>) -> Vec<BuildId> {
        let layers = self.layers.path(layer).into_iter().map(|layer| &self.layers.layers[layer]);
        layers.flat_map(|layer| layer.builds.iter().copied()).collect()
    }

    /// What a job adds to its layers, which notes whether it was possible.
    fn last_step(&self, layered: &LayeredJob, job: &str) -> Op {
        // All of it may be in the layers.
        if layered.builds.is_empty() {
            return run(&[], &[], &noted("true", job));
        }
        match self.install(&layered.builds, &self.builds_of(layered.layer)) {
            Op::Run { caches, network, secrets, command } => {
                Op::Run { caches, network, secrets, command: noted(&command, job) }
            }
            other => other,
        }
    }
}

/// The stage of a layer; without one, of what every job begins with.
fn layer_name(layer: Option<usize>) -> String {
    layer.map_or("beginning".to_owned(), |layer| format!("layer-{layer}"))
}

/// A command that never fails, but notes whether it would have.
fn noted(command: &str, job: &str) -> String {
    format!("mkdir -p results; if {command}; then echo good; else echo bad; fi > {}", word(&format!("results/{job}")))
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
