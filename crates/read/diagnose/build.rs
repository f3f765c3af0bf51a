//! Compiles the phrases of the built-in catalog into the index that the binary carries, and learns its words.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "the build uses a part of the crate's modules")]

use std::path::Path;

#[path = "src/automaton.rs"]
mod automaton;
#[path = "src/classifier.rs"]
mod classifier;
#[path = "src/fold.rs"]
mod fold;
#[path = "src/index.rs"]
mod index;
#[path = "src/packed.rs"]
mod packed;
#[path = "src/phrase.rs"]
mod phrase;
#[path = "src/words.rs"]
mod words;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src");
    let catalog = redeliver_catalog::Catalog::builtin()?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("index.bin"), index::Index::new(&catalog).pack())?;
    std::fs::write(Path::new(&out).join("weights.bin"), classifier::Classifier::learn(&catalog).bytes())?;
    Ok(())
}
