# The commands of a working day; `just` lists them. https://just.systems

# Lists the commands.
default:
    @{{ just_executable() }} --list --unsorted

# Type-checks one crate with its tests, or all: `just check caravan-solver`
check crate="":
    cargo check {{ if crate == "" { "--workspace" } else { "--package " + crate } }} --all-targets

# Tests without the shared data and with few random repositories, in debug: half a minute.
test-fast:
    cargo test --lib -p opam-parser -p caravan-solver -p caravan-revdeps -p caravan-planning -p opam-caravan -p caravan-farm
    cargo test -p xtask
    PROPTEST_CASES=64 cargo test -p caravan-tests -- laws random_repositories rules layouts citations schemas structure

# Tests by name in one crate, in debug: `just test-one caravan-tests oracle_syntax`
test-one crate filter="":
    cargo test --package {{ crate }} -- {{ filter }}

# All tests.
test:
    cargo test --locked --workspace --all-features --release

# What CI says about the code itself.
lint:
    cargo fmt --check
    cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

# Formats everything.
fmt:
    cargo fmt

# The documentation of all crates; `just docs --open` shows it.
docs *arguments:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps {{ arguments }}

# Criterion's benchmarks, all or of one file: `just bench indexing`
bench file="":
    cargo bench -p caravan-benches {{ if file == "" { "" } else { "--bench " + file } }}

# The figures of reading, indexing and whole commands, beside their limits.
bench-figures:
    cargo run --profile dist -p caravan-benches --bin figures

# The figures of solving.
bench-solving:
    cargo run --profile dist -p caravan-benches --bin solving

# The figures of impact and bisect.
bench-impact:
    cargo run --profile dist -p caravan-benches --bin impact

# The figures of health checks, builds and documentation.
bench-planning:
    cargo run --profile dist -p caravan-benches --bin planning

# The figures of the services.
bench-farm:
    cargo run --profile dist -p caravan-benches --bin farm

# Makes what is generated; `just generate --check` only compares.
generate *arguments:
    cargo xtask generate {{ arguments }}

# Everything that guards main.
ci:
    .ci/run
