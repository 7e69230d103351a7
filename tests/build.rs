//! Sets `cfg(shared_data)` where the shared folder is there (`tests/src/lib.rs`), so that tests that need it are counted
//! as ignored where it is not. `cli` has the same build script.

use std::env::var_os;
use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(shared_data)");
    println!("cargo::rerun-if-changed=../tests/build.rs");
    println!("cargo::rerun-if-env-changed=CARAVAN_SHARED");
    let beside = "../../shared";
    let named = var_os("CARAVAN_SHARED").is_some_and(|named| !named.is_empty());
    let is_beside = Path::new(beside).is_dir();
    if is_beside {
        // Only where it exists: a path that does not makes cargo build the crate again each time.
        println!("cargo::rerun-if-changed={beside}");
    }
    if named || is_beside {
        println!("cargo::rustc-cfg=shared_data");
    }
}
