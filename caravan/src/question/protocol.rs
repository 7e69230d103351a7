//! Requests of the protocols of CI services, with what a service adds to them.

use crate::protocols::docs_ci;
use crate::repository::{CloneName, RepositoryName};
use serde::{Deserialize, Serialize};

/// A request of ocaml-docs-ci. It names a commit but no repository, which is a setting of the service that it is sent
/// to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DocsCi {
    /// The URL of the repository that has the commit; or the folder of a clone on this machine, if it begins with `/` or
    /// `.`.
    pub repository: String,
    /// The request as ocaml-docs-ci sends it.
    pub request: docs_ci::SolveRequest,
}

impl DocsCi {
    /// The clone on this machine that has the commit, if it is named by its folder.
    pub(crate) fn clone_name(&self) -> Option<CloneName> {
        let name = CloneName { folder: self.repository.clone(), commit: self.request.opam_repository_commit.clone() };
        self.repository.starts_with(['/', '.']).then_some(name)
    }

    /// The repository at the commit.
    pub(crate) fn name(&self) -> RepositoryName {
        RepositoryName { url: self.repository.clone(), commit: self.request.opam_repository_commit.clone() }
    }
}

#[cfg(test)]
mod tests {
    use crate::question::Question;

    #[test]
    fn what_requests_of_ci_services_name() {
        let vars =
            r#"{"arch":"x86_64","os":"linux","os_family":"debian","os_distribution":"debian","os_version":"13"}"#;
        let docs_ci = format!(
            r#"{{"docs-ci":{{"repository":"https://example.org/r","request":{{"opam_repository_commit":"c0ffee",
               "pkgs":["fmt"],"constraints":[["ocaml",["Geq"],"5.0"]],"platforms":[["debian",{vars}]]}}}}}}"#
        );
        let mirage_ci = format!(
            r#"{{"mirage-ci":{{"opam_repos_folders":[["main","/clones/main","c0ffee"],["main","/clones/main","c0ffee"]],
               "pkgs":["fmt"],"constraints":[],"platforms":[["debian",{vars}]]}}}}"#
        );
        let both = format!(r#"{{"batch":[{docs_ci},{mirage_ci},{docs_ci}]}}"#);
        let question: Question = serde_json::from_str(&both).unwrap();
        let [repository] = &question.repositories()[..] else { panic!("{question:?}") };
        assert_eq!((repository.url.as_str(), repository.commit.as_str()), ("https://example.org/r", "c0ffee"));
        let [clone] = &question.clones()[..] else { panic!("{question:?}") };
        assert_eq!((clone.folder.as_str(), clone.commit.as_str()), ("/clones/main", "c0ffee"));
        // What is written is read again.
        let written = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Question>(&written).unwrap()).unwrap(), written);
    }
}
