//! `caravan parse`

use crate::arguments::{Format, Parse};
use crate::failure::{Failure, Kind, NO};
use crate::output::Output;
use opam_parser::diagnostic::{Diagnostic, Severity};
use opam_parser::file::OpamFile;
use opam_parser::syntax;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    files: Vec<JsonFile>,
}

#[derive(Serialize)]
struct JsonFile {
    path: String,
    /// Whether opam would use the file at all.
    accepted: bool,
    diagnostics: Vec<JsonDiagnostic>,
}

#[derive(Serialize)]
struct JsonDiagnostic {
    severity: &'static str,
    message: String,
    hint: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

impl JsonDiagnostic {
    fn new(found: &Diagnostic, source: &[u8]) -> Self {
        let position = found.position(source);
        Self {
            severity: if found.severity == Severity::Error { "error" } else { "warning" },
            message: found.message.clone(),
            hint: found.hint.clone(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
        }
    }
}

pub(crate) fn run(arguments: &Parse, output: &mut Output) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for path in &arguments.files {
        collect(path, &mut files)?;
    }
    let mut answer = Answer { schema: "caravan.parse/1", files: vec![] };
    let mut sound = true;
    for path in files {
        let source = read(&path)?;
        let label = if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() };
        let parsed = OpamFile::parse(&source);
        sound &= parsed.diagnostics.is_empty();
        if output.format == Format::Json {
            let diagnostics = parsed.diagnostics.iter().map(|found| JsonDiagnostic::new(found, &source)).collect();
            answer.files.push(JsonFile { path: label, accepted: parsed.file.is_some(), diagnostics });
            continue;
        }
        for found in &parsed.diagnostics {
            output.note(&found.render(&label, &source, output.colors_errors()));
        }
        if arguments.print && parsed.file.is_some() {
            let (tree, _) = syntax::parse_file(&source);
            output.data(&syntax::print::print(&tree))?;
        }
    }
    if output.format == Format::Json {
        output.json(&answer)?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// A file, or the opam files below a directory.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| Failure::new(Kind::System, error.to_string()))?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && (name == "opam" || name.ends_with(".opam")) {
            files.push(entry.into_path());
        }
    }
    if files.len() == before {
        return Err(Failure::usage(format!("there are no opam files below `{}`", path.display())));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::usage(format!("cannot read `{}`: {error}", path.display()));
    if path == Path::new("-") {
        let mut source = Vec::new();
        std::io::stdin().read_to_end(&mut source).map_err(|error| failed(&error))?;
        return Ok(source);
    }
    std::fs::read(path).map_err(|error| failed(&error))
}
