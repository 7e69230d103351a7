//! Specs as Dockerfiles, for BuildKit: nested builds are stages, caches and secrets are mounts of `RUN`.

use super::spec::{Mount, Op, Spec, User};
use std::fmt::Write;

/// The Dockerfile of a spec. Networks and what a copy excludes cannot be said in one.
pub fn dockerfile(spec: &Spec) -> String {
    let mut text = String::from("# syntax=docker/dockerfile:1\n");
    for (name, nested) in &spec.nested {
        stage(&mut text, nested, Some(name));
    }
    stage(&mut text, spec, None);
    text
}

fn stage(text: &mut String, spec: &Spec, name: Option<&str>) {
    spec.nested.iter().for_each(|(name, nested)| stage(text, nested, Some(name)));
    let label = name.map(|name| format!(" AS {name}")).unwrap_or_default();
    let _ = writeln!(text, "FROM {}{label}", spec.from);
    let mut user = None;
    for op in &spec.ops {
        let _ = writeln!(text, "{}", line(op, &mut user));
    }
}

/// The line of a step; `user` is who runs it.
pub(super) fn line(op: &Op, user: &mut Option<(u32, u32)>) -> String {
    match op {
        Op::Comment(comment) => format!("# {}", comment.replace('\n', "\n# ")),
        Op::Workdir(path) => format!("WORKDIR {path}"),
        Op::Shell(arguments) => {
            let quoted: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
            format!("SHELL [{}]", quoted.join(", "))
        }
        Op::Env(name, value) => format!("ENV {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        Op::Run { caches, secrets, command, .. } => {
            let owner = user.map(|(uid, gid)| format!(",uid={uid},gid={gid}")).unwrap_or_default();
            let cache = |mount: &Mount| {
                let target = mount.target.as_deref().unwrap_or_default();
                format!("--mount=type=cache,id={},target={target},sharing=locked{owner} ", mount.name)
            };
            let secret = |mount: &Mount| {
                let target = mount.target.as_ref().map(|target| format!(",target={target}")).unwrap_or_default();
                format!("--mount=type=secret,id={}{target}{owner} ", mount.name)
            };
            let mounts: String = caches.iter().map(cache).chain(secrets.iter().map(secret)).collect();
            format!("RUN {mounts}{}", command.replace('\n', " \\\n  "))
        }
        Op::Copy { from, sources, destination, .. } => {
            let from = from.as_ref().map(|from| format!("--from={from} ")).unwrap_or_default();
            let owner = user.map(|(uid, gid)| format!("--chown={uid}:{gid} ")).unwrap_or_default();
            format!("COPY {from}{owner}{} {destination}", sources.join(" "))
        }
        Op::User(User::Unix { uid, gid }) => {
            *user = Some((*uid, *gid)).filter(|user| *user != (0, 0));
            format!("USER {uid}:{gid}")
        }
        Op::User(User::Windows { name }) => {
            *user = None;
            format!("USER {name}")
        }
    }
}
