//! Requests as the OCaml service reads them: what it accepts, and what it says about what it does not.
//!
//! ```text
//! bytes ── yojson ──> members ── members of each type, the last of a name ──> SolveRequest
//!                                                      └──> BadRequest: the exception that the client gets
//! ```

use super::json::{OpamText, SolveRequest, Vars};
use crate::protocols::yojson::{self, Json, write_string};
use opam_parser::name::split_package;
use std::borrow::Cow;

/// A request that the OCaml service does not take. It is the text of the exception that a client gets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It is no JSON, or it names something that cannot be. The client is told nothing else; `reason` is for the log of
    /// whoever runs the service.
    #[error("Internal error")]
    Internal {
        /// What is wrong.
        reason: String,
    },
    /// A member is missing, unknown or of the wrong type: `Worker.Vars.t.os`.
    #[error("Bad JSON in request: {place}")]
    Shape {
        /// Where, as the OCaml service names it.
        place: String,
    },
}

impl BadRequest {
    fn internal(reason: impl Into<String>) -> Self {
        Self::Internal { reason: reason.into() }
    }

    fn shape(place: impl Into<String>) -> Self {
        Self::Shape { place: place.into() }
    }

    /// What is wrong, for whoever runs the service.
    pub fn reason(&self) -> &str {
        match self {
            Self::Internal { reason } => reason,
            Self::Shape { place } => place,
        }
    }
}

impl SolveRequest {
    /// Reads a request as the OCaml service does (rule C12); also gives its text, written anew where other readers of JSON would
    /// not read it so.
    ///
    /// # Errors
    /// See [`BadRequest`].
    pub fn from_ocaml(text: &[u8]) -> Result<(Self, Cow<'_, [u8]>), BadRequest> {
        let (json, is_plain) = yojson::read(text).map_err(|error| BadRequest::internal(error.to_string()))?;
        let request = request(json)?;
        request.check()?;
        let text = if is_plain { Cow::Borrowed(text) } else { Cow::Owned(request.to_json()) };
        Ok((request, text))
    }

    /// Refuses what ends the OCaml service's work with an exception: packages that are none, ids that are none of
    /// commits, versions that are none of OCaml.
    fn check(&self) -> Result<(), BadRequest> {
        let packages = self.root_pkgs.iter().chain(&self.pinned_pkgs);
        if let Some((package, _)) = packages.into_iter().find(|(package, _)| split_package(package).is_none()) {
            return Err(BadRequest::internal(format!("`{package}` is not NAME.VERSION")));
        }
        let is_id = |id: &str| [40, 64].contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some((_, commit)) = self.opam_repository_commits.iter().find(|(_, commit)| !is_id(commit)) {
            return Err(BadRequest::internal(format!("`{commit}` is not the id of a commit")));
        }
        let versions = self.platforms.iter().map(|(_, vars)| vars.ocaml_version.as_str());
        if let Some(version) = versions.into_iter().find(|version| !is_ocaml_version(version)) {
            return Err(BadRequest::internal(format!("`{version}` is not a version of OCaml")));
        }
        Ok(())
    }

    /// As JSON for every reader. Opam files that are no UTF-8 stay as they are.
    fn to_json(&self) -> Vec<u8> {
        let mut text = b"{\"opam_repository_commits\":[".to_vec();
        let commits = self.opam_repository_commits.iter().map(|(url, commit)| [url.as_bytes(), commit.as_bytes()]);
        write_pairs(commits, &mut text);
        for (name, packages) in [("root_pkgs", &self.root_pkgs), ("pinned_pkgs", &self.pinned_pkgs)] {
            text.extend(format!("],\"{name}\":[").bytes());
            write_pairs(packages.iter().map(|(package, file)| [package.as_bytes(), &file.0]), &mut text);
        }
        text.extend(b"],\"platforms\":");
        // Strings and booleans only: nothing in it can fail to be written.
        text.extend(serde_json::to_vec(&self.platforms).unwrap_or_default());
        text.push(b'}');
        text
    }
}

fn write_pairs<'b>(pairs: impl Iterator<Item = [&'b [u8]; 2]>, text: &mut Vec<u8>) {
    for (place, [first, second]) in pairs.enumerate() {
        text.extend(if place > 0 { &b",["[..] } else { b"[" });
        write_string(first, text);
        text.push(b',');
        write_string(second, text);
        text.push(b']');
    }
}

/// `MAJOR.MINOR`, perhaps with a patch, perhaps with more after `~` or `+`.
fn is_ocaml_version(text: &str) -> bool {
    let numbers = text.split(['~', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&numbers.split('.').count()) && numbers.split('.').all(is_number)
}

/// The members of an object. The OCaml service looks at the last member first, which decides what it complains about.
struct Members {
    /// `Worker.Vars.t`
    of: &'static str,
    members: Vec<(Vec<u8>, Json)>,
}

impl Members {
    fn new(json: Json, of: &'static str, known: &[&str]) -> Result<Self, BadRequest> {
        let Json::Object(members) = json else { return Err(BadRequest::shape(of)) };
        let is_known = |name: &[u8]| known.iter().any(|known| known.as_bytes() == name);
        match members.iter().all(|(name, _)| is_known(name)) {
            true => Ok(Self { of, members }),
            false => Err(BadRequest::shape(of)),
        }
    }

    /// The last member of a name.
    fn take(&mut self, name: &str) -> Result<(Json, String), BadRequest> {
        let place = format!("{}.{name}", self.of);
        match self.members.iter().rposition(|(known, _)| known == name.as_bytes()) {
            Some(found) => Ok((self.members.remove(found).1, place)),
            None => Err(BadRequest::shape(place)),
        }
    }

    fn string(&mut self, name: &str) -> Result<String, BadRequest> {
        let (value, place) = self.take(name)?;
        string(value, &place)
    }

    fn list<T>(
        &mut self,
        name: &str,
        element: impl Fn(Json, &str) -> Result<T, BadRequest>,
    ) -> Result<Vec<T>, BadRequest> {
        let (value, place) = self.take(name)?;
        let Json::List(values) = value else { return Err(BadRequest::shape(place)) };
        values.into_iter().map(|value| element(value, &place)).collect()
    }
}

fn bytes(json: Json, place: &str) -> Result<Vec<u8>, BadRequest> {
    match json {
        Json::String(bytes) => Ok(bytes),
        _ => Err(BadRequest::shape(place)),
    }
}

fn string(json: Json, place: &str) -> Result<String, BadRequest> {
    String::from_utf8(bytes(json, place)?).map_err(|_| BadRequest::internal(format!("{place} is not UTF-8")))
}

fn pair(json: Json, place: &str) -> Result<[Json; 2], BadRequest> {
    match json {
        Json::List(values) => <[Json; 2]>::try_from(values).map_err(|_| BadRequest::shape(place)),
        _ => Err(BadRequest::shape(place)),
    }
}

fn package(json: Json, place: &str) -> Result<(String, OpamText), BadRequest> {
    let [package, text] = pair(json, place)?;
    let text = bytes(text, place)?;
    Ok((string(package, place)?, OpamText(text)))
}

fn commit(json: Json, place: &str) -> Result<(String, String), BadRequest> {
    let [url, commit] = pair(json, place)?;
    let commit = string(commit, place)?;
    Ok((string(url, place)?, commit))
}

fn platform(json: Json, place: &str) -> Result<(String, Vars), BadRequest> {
    let [id, vars] = pair(json, place)?;
    let vars = self::vars(vars)?;
    Ok((string(id, place)?, vars))
}

fn request(json: Json) -> Result<SolveRequest, BadRequest> {
    let known = ["opam_repository_commits", "root_pkgs", "pinned_pkgs", "platforms"];
    let mut members = Members::new(json, "Worker.Solve_request.t", &known)?;
    let platforms = members.list("platforms", platform)?;
    let pinned_pkgs = members.list("pinned_pkgs", package)?;
    let root_pkgs = members.list("root_pkgs", package)?;
    let opam_repository_commits = members.list("opam_repository_commits", commit)?;
    Ok(SolveRequest { opam_repository_commits, root_pkgs, pinned_pkgs, platforms })
}

fn vars(json: Json) -> Result<Vars, BadRequest> {
    let known = [
        "arch",
        "os",
        "os_family",
        "os_distribution",
        "os_version",
        "ocaml_package",
        "ocaml_version",
        "opam_version",
        "lower_bound",
    ];
    let mut members = Members::new(json, "Worker.Vars.t", &known)?;
    let (lower_bound, place) = members.take("lower_bound")?;
    let Json::Bool(lower_bound) = lower_bound else { return Err(BadRequest::shape(place)) };
    let opam_version = members.string("opam_version")?;
    let ocaml_version = members.string("ocaml_version")?;
    let ocaml_package = members.string("ocaml_package")?;
    let os_version = members.string("os_version")?;
    let os_distribution = members.string("os_distribution")?;
    let os_family = members.string("os_family")?;
    let os = members.string("os")?;
    let arch = members.string("arch")?;
    Ok(Vars {
        arch,
        os,
        os_family,
        os_distribution,
        os_version,
        ocaml_package,
        ocaml_version,
        opam_version,
        lower_bound,
    })
}
