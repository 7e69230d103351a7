//! All black-box tests of the libraries, in one binary: linking is most of what building tests costs.
// A panic is how a test fails, in its helpers too.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod asking;
mod bisect;
mod bounds;
mod cache_files;
mod catalogue;
mod citations;
mod explanations;
mod farm_parts;
mod file_rules;
mod fuzz_regressions;
mod hard_jobs;
mod history;
mod hostile_answers;
mod hostile_archives;
mod hostile_sources;
mod impact_laws;
mod impact_of_history;
mod laws;
mod layouts;
mod licences;
mod matrix_of_opam_repository;
mod module_circles;
mod oracle_filters;
mod oracle_formulas;
mod oracle_opam150;
mod oracle_packages;
mod oracle_quirks;
mod oracle_revdeps;
mod oracle_solve;
mod oracle_solver_service;
mod oracle_syntax;
mod oracle_versions;
mod planning_laws;
mod plans_of_opam_repository;
mod random_repositories;
mod real_files;
mod rebuild_of_2024;
mod rules;
mod schemas;
mod solutions_hold;
mod solver_service;
mod step_limit;
mod structure;
