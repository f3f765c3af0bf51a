//! The fuzz targets of redeliver in one program: `FUZZ_TARGET=name fuzz [libFuzzer's options] CORPUS...`.
//!
//! One program and not one each, because linking is most of the work of building them. Each target holds what it reads to
//! more than "no panic": same input same output, output bounded by the input, what is quoted lies inside the input. The
//! bounds stand in the targets as they are; whoever changes a limit changes it here too.

#![no_main]

mod archive;
mod catalog;
mod hold;
mod intake;
mod log;
mod mail;
mod output;
mod policy;
mod record;
mod reply;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// Every target by its name; `run.sh` reads this table too.
const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("reply", reply::parse),
    ("locate", reply::locate),
    ("diagnose", reply::diagnose),
    ("headers", mail::headers),
    ("mail", mail::structure),
    ("text", mail::text),
    ("bounce", mail::bounce),
    ("archive", archive::members),
    ("intake", intake::stream),
    ("overlay", catalog::overlay),
    ("sentence", catalog::sentence),
    ("output", output::escapes),
    ("log", log::events),
    ("submissions", log::submissions),
    ("spf", record::spf),
    ("dkim", record::dkim),
    ("dmarc", record::dmarc),
    ("sts", record::sts),
    ("tlsrpt", record::tlsrpt),
    ("bimi", record::bimi),
    ("tlsa", record::tlsa),
    ("organisation", record::organisation),
    ("policy", policy::walk),
];

fn target() -> fn(&[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(known, _)| *known == name);
        let names: Vec<&str> = TARGETS.iter().map(|(known, _)| *known).collect();
        found.unwrap_or_else(|| panic!("FUZZ_TARGET is one of {names:?}")).1
    })
}

fuzz_target!(|bytes: &[u8]| target()(bytes));
