//! Facts in opam's words: constraints as they are written where all versions say the same, else over
//! the versions that exist.

use super::clause::{Clause, Formula, Key, Kind, from_the_question};
use super::derivation::{Source, choosable};
use super::fact::{Fact, Origin, Statement};
use super::written::{Texts, atoms_of, choices_of, every_atom_of, joined, show};
use crate::mask::Mask;
use crate::question::{PlatformPackage, PlatformQuestion, Question};
use crate::view::{Impossible, Requirement};
use opam_parser::file::Flags;
use opam_parser::index::{Index, NameId, PackageId};

/// The facts that clauses state, nearest to the question first.
pub(super) fn facts(question: &Question<'_, '_>, cycles: &[Vec<PlatformPackage>], clauses: &[Clause]) -> Vec<Fact> {
    let words = Words { question, cycles };
    let mut facts: Vec<Fact> = Vec::new();
    let mut order = from_the_question(clauses);
    // What clashes comes after what led to it.
    order.sort_by_key(|place| matches!(clauses[*place].kind, Kind::Conflicts | Kind::Class | Kind::Cycle));
    for place in order {
        let clause = &clauses[place];
        let fact = Fact { statement: words.statement(clause), origin: words.origin(clause) };
        if !facts.iter().any(|known| known.statement == fact.statement) {
            facts.push(fact);
        }
    }
    facts
}

struct Words<'w, 'q, 'i> {
    question: &'w Question<'q, 'i>,
    cycles: &'w [Vec<PlatformPackage>],
}

impl Words<'_, '_, '_> {
    fn platform(&self) -> &PlatformQuestion<'_, '_> {
        &self.question.platforms[0]
    }

    fn index(&self) -> &Index {
        self.platform().view.index()
    }

    fn statement(&self, clause: &Clause) -> Statement {
        let subject = clause.subject.as_ref();
        let package = subject.map(|(name, mask)| self.versions(*name, mask)).unwrap_or_default();
        match clause.kind {
            Kind::Root => match clause.sources.first() {
                Some(Source::Root(place)) => {
                    let platform = self.platform();
                    let text = platform.as_asked(*place as usize);
                    match platform.roots[*place as usize].selected {
                        true => Statement::Selected { package: text },
                        false => Statement::Asked { package: text, but: self.why_nothing(&clause.formula) },
                    }
                }
                _ => Statement::Asked { package, but: None },
            },
            Kind::Requires => {
                let dependency = self.as_written(&clause.sources).unwrap_or_else(|| self.formula(&clause.formula));
                Statement::Requires { package, dependency, but: self.why_nothing(&clause.formula) }
            }
            Kind::Conflicts => {
                let with = self.as_written(&clause.sources).unwrap_or_else(|| match &clause.formula {
                    Formula::Atom(Key::Name(name), rest) => {
                        let versions = self.index().package_range(*name).len();
                        self.versions(*name, &rest.complement(versions))
                    }
                    other => self.formula(other),
                });
                Statement::Conflicts { package, with }
            }
            Kind::Class => {
                let class = match &clause.formula {
                    Formula::Atom(Key::Class(class), _) => self.index().name(*class).to_owned(),
                    _ => String::new(),
                };
                Statement::Class { package, class }
            }
            Kind::Impossible => Statement::Impossible { package, reason: self.why_impossible(&clause.sources) },
            Kind::Unavailable => {
                let reason = subject.map(|(name, mask)| self.why_unavailable(*name, mask)).unwrap_or_default();
                Statement::Unavailable { package, reason }
            }
            Kind::Cycle => {
                let cycle = clause.sources.iter().find_map(|source| match source {
                    Source::Cycle(cycle) => self.cycles.get(*cycle as usize),
                    _ => None,
                });
                let packages = cycle.into_iter().flatten().map(|(_, package)| self.index().package_text(*package));
                Statement::Cycle { packages: packages.collect() }
            }
        }
    }

    /// The newest version that says it.
    fn origin(&self, clause: &Clause) -> Option<Origin> {
        let package = |source: &Source| match source {
            Source::Requires(package, _) => Some((*package, "depends")),
            Source::Conflicts(package, _) => Some((*package, "conflicts")),
            Source::Class(package, _) => Some((*package, "conflict-class")),
            Source::Impossible(package) => Some((*package, "conflicts")),
            Source::Unavailable(package) => Some((*package, "available")),
            Source::Root(_) | Source::Cycle(_) => None,
        };
        let spoken_of = |(package, _): &(PackageId, &str)| {
            clause.subject.as_ref().is_none_or(|(name, mask)| {
                let position = self.index().package_range(*name).position(*package);
                position.is_some_and(|position| mask.contains(position))
            })
        };
        let (package, field) = clause.sources.iter().filter_map(package).filter(spoken_of).max()?;
        let field = match self.platform().compiled(package).impossible {
            Some(Impossible::RequiresAnotherVersion) if clause.kind == Kind::Impossible => "depends",
            _ => field,
        };
        let avoided = clause.kind == Kind::Unavailable && self.platform().view.is_available(package);
        let mut mention = None;
        clause.formula.each_atom(&mut |key, _| {
            if let (Key::Name(name), None) = (key, &mention) {
                mention = Some(self.index().name(name).to_owned());
            }
        });
        Some(Origin {
            package: self.index().package_text(package),
            field: if avoided { "flags" } else { field },
            mention: mention.filter(|_| matches!(clause.kind, Kind::Requires | Kind::Conflicts)),
        })
    }

    /// A name with some of its versions: `dune >= 3.0 & < 3.12`.
    fn versions(&self, name: NameId, mask: &Mask) -> String {
        let index = self.index();
        let text = index.name(name);
        let texts: Vec<&str> =
            index.versions_of(name).map(|package| index.version(index.package_version(package))).collect();
        // Those that cannot be chosen anyway are counted in or out as it is shorter to say.
        let choosable = choosable(self.question, name);
        let excluded = (0..texts.len()).all(|place| !mask.contains(place) || !choosable.contains(place));
        let of_interest: Vec<usize> =
            (0..texts.len()).filter(|place| excluded || choosable.contains(*place) || mask.contains(*place)).collect();
        if texts.is_empty() {
            return text.to_owned();
        }
        if of_interest.iter().all(|place| mask.contains(*place)) {
            return match of_interest.len() {
                1 => format!("{text}.{}", texts[of_interest[0]]),
                _ => text.to_owned(),
            };
        }
        let mut runs: Vec<String> = Vec::new();
        let mut rest = of_interest.as_slice();
        while let Some(start) = rest.iter().position(|place| mask.contains(*place)) {
            let length = rest[start..].iter().take_while(|place| mask.contains(**place)).count();
            let (first, last) = (texts[rest[start]], texts[rest[start + length - 1]]);
            let from_oldest = rest[start] == of_interest[0];
            rest = &rest[start + length..];
            runs.push(match (from_oldest, rest.is_empty()) {
                _ if length == 1 => format!("= {first}"),
                (true, _) => format!("<= {last}"),
                (_, true) => format!(">= {first}"),
                _ => format!(">= {first} & <= {last}"),
            });
        }
        match runs.as_slice() {
            [] => text.to_owned(),
            [one] if one.starts_with("= ") => format!("{text}.{}", &one[2..]),
            _ => format!("{text} {}", runs.join(" | ")),
        }
    }

    fn formula(&self, formula: &Formula) -> String {
        let join = |parts: &[Formula], with: &str| {
            let part = |part: &Formula| match part {
                Formula::All(inner) | Formula::Any(inner) if inner.len() > 1 => format!("({})", self.formula(part)),
                part => self.formula(part),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(with)
        };
        match formula {
            Formula::Atom(Key::Name(name), mask) => self.versions(*name, mask),
            Formula::Atom(Key::Class(class), _) => self.index().name(*class).to_owned(),
            Formula::All(parts) => join(parts, " and "),
            Formula::Any(parts) => join(parts, " or "),
        }
    }

    /// The clause as all of these facts write it.
    fn as_written(&self, sources: &[Source]) -> Option<String> {
        let mut texts = sources.iter().map(|source| self.text(*source));
        let first = texts.next()??;
        texts.all(|text| text.as_ref() == Some(&first)).then_some(first)
    }

    fn text(&self, source: Source) -> Option<String> {
        let index = self.index();
        let platform = self.platform();
        let (package, formula) = match source {
            Source::Requires(package, _) => {
                (package, platform.view.depends(package, platform.flags(package), &Texts(index))?)
            }
            Source::Conflicts(package, _) => {
                (package, platform.view.conflicts(package, platform.flags(package), &Texts(index))?)
            }
            _ => return None,
        };
        let compiled = platform.compiled(package);
        match source {
            Source::Requires(_, place) => match compiled.requires.get(place as usize)? {
                // What is said then is the branch that was chosen.
                Requirement::Choice(choice) if self.question.branches.contains_key(&(package, *choice)) => None,
                Requirement::Package(name, _) => {
                    let mut parts = Vec::new();
                    atoms_of(&formula, *name, &mut parts);
                    Some(joined(index.name(*name), &parts, " & "))
                }
                Requirement::Choice(_) => {
                    let before = compiled.requires[..place as usize].iter();
                    let nth = before.filter(|other| matches!(other, Requirement::Choice(_))).count();
                    let mut choices = Vec::new();
                    choices_of(&formula, &mut choices);
                    Some(show(index, choices.get(nth)?, true))
                }
            },
            Source::Conflicts(_, place) => {
                let (name, _) = compiled.conflicts.get(place as usize)?;
                let mut parts = Vec::new();
                every_atom_of(&formula, *name, &mut parts);
                Some(joined(index.name(*name), &parts, " | "))
            }
            _ => None,
        }
    }

    /// Why nothing fulfils a requirement by itself.
    fn why_nothing(&self, formula: &Formula) -> Option<String> {
        let index = self.index();
        let (name, mask) = match formula {
            Formula::Atom(Key::Name(name), mask) => (name, mask),
            Formula::Any(parts) => {
                let none = |part: &Formula| match part {
                    Formula::Atom(Key::Name(name), mask) if mask.is_empty() => Some(index.name(*name)),
                    _ => None,
                };
                let none: Vec<&str> = parts.iter().filter_map(none).collect();
                return (!none.is_empty()).then(|| format!("but there is no such {}", none.join(" or ")));
            }
            _ => return None,
        };
        if !mask.is_empty() {
            return None;
        }
        let text = index.name(*name);
        let Some(newest) = index.versions_of(*name).next_back() else {
            let near: Vec<String> =
                index.near_names(text, 2).into_iter().map(|near| format!("`{}`", index.name(near))).collect();
            let near = if near.is_empty() { String::new() } else { format!(" (nearest: {})", near.join(", ")) };
            return Some(format!("but there is no package `{text}`{near}"));
        };
        Some(format!("but there is no such version (the newest is {})", index.version(index.package_version(newest))))
    }

    fn why_impossible(&self, sources: &[Source]) -> String {
        let why = sources.iter().find_map(|source| match source {
            Source::Impossible(package) => self.platform().compiled(*package).impossible,
            _ => None,
        });
        match why {
            Some(Impossible::ConflictsWithItself) => "conflicts with itself".to_owned(),
            Some(Impossible::RequiresAnotherVersion) => "requires another version of itself".to_owned(),
            None => "cannot be installed".to_owned(),
        }
    }

    /// Why no version of the mask can be chosen.
    fn why_unavailable(&self, name: NameId, mask: &Mask) -> String {
        let index = self.index();
        let view = self.platform().view;
        let packages: Vec<PackageId> =
            index.versions_of(name).enumerate().filter(|(place, _)| mask.contains(*place)).map(|(_, p)| p).collect();
        if packages.iter().all(|package| view.is_available(*package)) {
            let flags = [Flags::AVOID_VERSION, Flags::DEPRECATED];
            let flags = flags.into_iter().filter(|flag| packages.iter().any(|p| index.flags(*p).contains(*flag)));
            let names: Vec<&str> = flags.flat_map(Flags::names).collect();
            return format!("is to be avoided ({})", names.join(", "));
        }
        let mut filters: Vec<String> = packages
            .iter()
            .filter(|package| !view.is_available(**package))
            .map(|package| index.available(*package).to_filter().to_string())
            .collect();
        filters.dedup();
        match filters.as_slice() {
            [filter] => format!("is not available on this platform: {filter}"),
            [.., newest] => format!("is not available on this platform; the newest needs {newest}"),
            [] => "is not available on this platform".to_owned(),
        }
    }
}

impl PlatformQuestion<'_, '_> {
    /// A root as it was asked for.
    pub(crate) fn as_asked(&self, place: usize) -> String {
        let root = &self.roots[place];
        let flags = [
            (root.flags.with_test, "tests"),
            (root.flags.with_doc, "documentation"),
            (root.flags.with_dev_setup, "development tools"),
        ];
        let with: Vec<&str> = flags.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name).collect();
        let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
        format!("{}{with}", root.text)
    }
}
