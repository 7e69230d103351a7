@0xb253d50afc6d7304;
# The interface of ocaml-docs-ci's and mirage-ci's solvers: the same shape as solver-service's, with ids of its own.

interface Log @0xfdca885ccf8cab6a {
  write @0 (msg :Text);
}

interface Solver @0xb9a9548d00ce203a {
  solve @0 (request :Text, log :Log) -> (response :Text);
}
