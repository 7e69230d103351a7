//! Makes `farm/src/generated/` from `farm/schema/` again, with the `capnp` compiler; with `--check` it only says
//! whether that would change anything.

use std::path::Path;
use std::process::{Command, ExitCode};

const SCHEMAS: [&str; 3] = ["solver", "sibling", "ocluster"];

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let farm = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = std::env::args().any(|argument| argument == "--check");
    let made = std::env::temp_dir().join(format!("caravan-schemas-{}", std::process::id()));
    std::fs::create_dir_all(&made)?;
    let mut command = capnpc::CompilerCommand::new();
    command.src_prefix(farm.join("schema")).output_path(&made);
    command.default_parent_module(vec!["generated".to_owned()]);
    for schema in SCHEMAS {
        command.file(farm.join("schema").join(format!("{schema}.capnp")));
    }
    command.run()?;
    let mut current = true;
    for schema in SCHEMAS {
        let file = format!("{schema}_capnp.rs");
        let (new, old) = (made.join(&file), farm.join("src/generated").join(&file));
        let formatted = Command::new("rustfmt")
            .args(["--edition", "2024", "--config-path"])
            .args([&farm.join("../rustfmt.toml"), &new])
            .status()?;
        if !formatted.success() {
            return Err("rustfmt failed".into());
        }
        let text = std::fs::read(&new)?;
        if std::fs::read(&old).ok().as_ref() != Some(&text) {
            current = false;
            if !check {
                std::fs::write(&old, text)?;
            }
        }
    }
    std::fs::remove_dir_all(&made)?;
    Ok(if current || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
