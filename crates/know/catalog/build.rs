//! Packs `catalog/` into the binary. Everything wrong in it stops the build, with file, line and reason.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "the build uses a part of the crate's modules")]

use std::path::Path;

#[path = "src/compile.rs"]
mod compile;
#[path = "src/completeness.rs"]
mod completeness;
#[path = "src/entries.rs"]
mod entries;
#[path = "src/generated.rs"]
mod generated;
#[path = "src/problem.rs"]
mod problem;
#[path = "src/sentence.rs"]
mod sentence;
#[path = "src/source.rs"]
mod source;
#[path = "src/texts.rs"]
mod texts;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../../catalog");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=src");
    let mut problems = Vec::new();
    let files = source::read_folder(&root, &mut problems);
    let catalog = compile::compile(entries::Catalog::default(), files, &mut problems);
    completeness::check_complete(&catalog, &mut problems);
    if !problems.is_empty() {
        for problem in &problems {
            println!("cargo::error=catalog/{problem}");
        }
        return Err(format!("{} problems in the catalog", problems.len()).into());
    }
    let packed = postcard::to_stdvec(&catalog)?;
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("catalog.bin"), packed)?;
    Ok(())
}
