//! `caravan show`

use crate::arguments::{Format, Global, Show};
use crate::failure::Failure;
use crate::output::{BOLD, Cell, Output};
use crate::platform::one_platform;
use crate::session::Session;
use bstr::{BString, ByteSlice};
use caravan_solver::View;
use opam_parser::file::OpamFile;
use opam_parser::index::{FormulaNode, Found, Index, NameId, PackageId};
use opam_parser::syntax::RelOp;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    packages: Vec<Description>,
}

/// What is shown of a package; formulas as they would be written in an opam file.
#[derive(Serialize)]
struct Description {
    name: String,
    version: String,
    all_versions: Vec<String>,
    available: bool,
    synopsis: String,
    description: String,
    authors: Vec<String>,
    maintainer: Vec<String>,
    license: Vec<String>,
    homepage: Vec<String>,
    bug_reports: Vec<String>,
    flags: Vec<&'static str>,
    available_if: String,
    /// The conjuncts.
    depends: Vec<String>,
    depopts: String,
    conflicts: String,
    conflict_class: Vec<String>,
    source: Option<String>,
    file: String,
}

pub(crate) fn run(global: &Global, arguments: &Show, output: &mut Output) -> Result<ExitCode, Failure> {
    let platform = one_platform(&arguments.platform)?;
    let atoms = arguments.packages.iter().map(|text| Session::parse_atom(text)).collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(global, output)?;
    let index = &session.index;
    let view = View::new(index, &platform);
    let mut packages = Vec::new();
    for atom in &atoms {
        let name = session.name(atom.name.as_str())?;
        packages.push(match &atom.constraint {
            Some((RelOp::Eq, version)) => match index.find(name, version.as_str()) {
                Some(Found::Package(package)) => package,
                Some(Found::Broken(file)) => return Err(session.broken(file, output)),
                None => {
                    return Err(Failure::unknown_version(index.name(name), version.as_str(), &session.newest(name)));
                }
            },
            Some(_) => {
                return Err(
                    Failure::usage(format!("`{atom}` names several versions")).hint("write NAME or NAME.VERSION")
                );
            }
            None => newest(&view, name).ok_or_else(|| {
                let broken = index.broken_files().find(|file| index.file_name(*file) == name);
                broken.map_or_else(
                    || Failure::unknown_package(index.name(name), &[]),
                    |file| session.broken(file, output),
                )
            })?,
        });
    }
    if arguments.raw {
        for package in packages {
            output.bytes(&session.text(index.package_file(package))?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let descriptions = packages
        .iter()
        .map(|package| describe(&session, &view, *package, output))
        .collect::<Result<Vec<_>, Failure>>()?;
    if output.format == Format::Json {
        output.json(&Answer { schema: "caravan.show/1", packages: descriptions })?;
    } else {
        for (place, description) in descriptions.iter().enumerate() {
            if place > 0 {
                output.line("")?;
            }
            print(description, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The newest version that is available and not to be avoided, else the newest that is available,
/// else the newest.
fn newest(view: &View<'_>, name: NameId) -> Option<PackageId> {
    let name_view = view.name(name);
    let start = view.index().package_range(name).start;
    let mut preferred = name_view.available.clone();
    preferred.subtract(&name_view.avoided);
    let last = preferred.places().last().or_else(|| name_view.available.places().last());
    last.map(|place| PackageId(start + place as u32)).or_else(|| view.index().versions_of(name).next_back())
}

fn texts(texts: &[BString]) -> Vec<String> {
    texts.iter().map(|text| text.to_str_lossy().into_owned()).collect()
}

fn describe(
    session: &Session,
    view: &View<'_>,
    package: PackageId,
    output: &mut Output,
) -> Result<Description, Failure> {
    let index: &Index = &session.index;
    let file_id = index.package_file(package);
    // The index has what solving needs; the rest is in the file.
    let source = session.text(file_id)?;
    let parsed = OpamFile::parse(&source);
    for found in &parsed.diagnostics {
        output.note(&found.render(&session.file_label(file_id), &source, output.colors_errors()));
    }
    let file = parsed.file.unwrap_or_default();
    let name = index.package_name(package);
    let version = |package| index.version(index.package_version(package)).to_owned();
    let available_if = index.available(package).to_filter().to_string();
    Ok(Description {
        name: index.name(name).to_owned(),
        version: version(package),
        all_versions: index.versions_of(name).map(version).collect(),
        available: view.is_available(package),
        synopsis: index.synopsis(package).to_string(),
        description: file.description.as_ref().map_or(String::new(), |text| text.trim().to_str_lossy().into_owned()),
        authors: texts(&file.authors),
        maintainer: texts(&file.maintainer),
        license: texts(&file.license),
        homepage: texts(&file.homepage),
        bug_reports: texts(&file.bug_reports),
        flags: index.flags(package).names().collect(),
        available_if,
        depends: match index.depends(package).node() {
            FormulaNode::All(parts) => parts.map(|part| index.show_formula(part)).collect(),
            _ => vec![index.show_formula(index.depends(package))],
        },
        depopts: index.show_formula(index.depopts(package)),
        conflicts: index.show_formula(index.conflicts(package)),
        conflict_class: index.conflict_classes(package).map(|class| index.name(class).to_owned()).collect(),
        source: file.url.as_ref().map(|source| source.src.0.to_string()),
        file: session.file_label(file_id),
    })
}

/// Words in lines of some 80 characters.
fn wrapped(words: &[String]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in words {
        if column > 0 && column + 2 + word.len() > 80 {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push_str("  ");
            column += 2;
        }
        text.push_str(word);
        column += word.len();
    }
    text
}

fn print(package: &Description, output: &mut Output) -> Result<(), Failure> {
    let flags = package.flags.join(" ");
    let available = if package.available { "yes" } else { "no, not on this platform" };
    let condition = if package.available_if == "true" { "" } else { package.available_if.as_str() };
    let fields: Vec<(&str, String)> = vec![
        ("name", package.name.clone()),
        ("version", package.version.clone()),
        ("synopsis", package.synopsis.clone()),
        ("all-versions", wrapped(&package.all_versions)),
        ("available", available.to_owned()),
        ("available-if", condition.to_owned()),
        ("flags", flags),
        ("authors", package.authors.join(", ")),
        ("maintainer", package.maintainer.join(", ")),
        ("license", package.license.join(", ")),
        ("homepage", package.homepage.join(", ")),
        ("bug-reports", package.bug_reports.join(", ")),
        ("depends", package.depends.join("\n")),
        ("depopts", package.depopts.clone()),
        ("conflicts", package.conflicts.clone()),
        ("conflict-class", package.conflict_class.join(", ")),
        ("source", package.source.clone().unwrap_or_default()),
        ("file", package.file.clone()),
    ];
    let mut rows = Vec::new();
    for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
        for (place, line) in text.lines().enumerate() {
            let label = if place == 0 { name } else { "" };
            rows.push(vec![Cell::styled(label, BOLD), Cell::new(line)]);
        }
    }
    output.table(&rows)?;
    if !package.description.is_empty() {
        output.line(format_args!("\n{}", package.description))?;
    }
    Ok(())
}
