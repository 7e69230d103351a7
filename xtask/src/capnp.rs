//! The code of the Cap'n Proto interfaces. Needs the `capnp` compiler and rustfmt.

use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;
use xtask::Files;

const SCHEMAS: [&str; 3] = ["solver", "named_roots", "ocluster"];

/// Makes `farm/src/generated/*_capnp.rs` from `farm/schema/*.capnp`, formatted as the rest.
pub(crate) fn make(root: &Path, files: &mut Files) -> anyhow::Result<()> {
    let farm = root.join("farm");
    let made = tempfile::tempdir()?;
    let mut command = capnpc::CompilerCommand::new();
    command.src_prefix(farm.join("schema")).output_path(made.path());
    command.default_parent_module(vec!["generated".to_owned()]);
    for schema in SCHEMAS {
        command.file(farm.join("schema").join(format!("{schema}.capnp")));
    }
    command.run().context("the Cap'n Proto compiler `capnp` failed")?;
    for schema in SCHEMAS {
        let name = format!("{schema}_capnp.rs");
        let new = made.path().join(&name);
        let formatted = Command::new("rustfmt")
            .args(["--edition", "2024", "--config-path"])
            .args([&root.join("rustfmt.toml"), &new])
            .status()
            .context("rustfmt cannot be run")?;
        ensure!(formatted.success(), "rustfmt failed");
        files.put(&farm.join("src/generated").join(name), &fs_err::read(new)?)?;
    }
    Ok(())
}
