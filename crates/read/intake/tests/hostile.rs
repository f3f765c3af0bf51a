//! Messages that were written to do harm (made by a script beside the repository, where it is there): each gives what it
//! is, within bounds, and none stops the reading.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use place::Folder;
use redeliver_intake::{Content, Options, Taken, items};
use redeliver_message::{Mail, archive, prepare};

/// Most memory above the start, in KiB. The largest mail is 8 MiB, and so is what its text takes.
const MOST_MEMORY: u64 = 64 * 1024;

fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    std::env::var_os("REDELIVER_SHARED").map_or(beside, PathBuf::from)
}

/// A value of /proc/self/status in KiB; none on other systems.
fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn hostile_messages_take_little_and_stop_nothing() {
    let script = shared().join("attacks/mime_bombs.py");
    let folder = Folder::new("hostile");
    if !script.is_file() {
        println!("SKIPPED: {} is not there; set REDELIVER_SHARED", script.display());
        return;
    }
    match Command::new("python3").arg(&script).arg(&folder.path).output() {
        Ok(output) if output.status.success() => {}
        other => {
            println!("SKIPPED: python3 could not run {}: {other:?}", script.display());
            return;
        }
    }
    let files = fs::read_dir(&folder.path).unwrap().count();
    assert!(files >= 20);
    let idle = memory("VmRSS:");
    let mut read = 0;
    for taken in items(std::slice::from_ref(&folder.path), Options::default()) {
        match taken {
            Taken::Item(item) => match item.content {
                Content::Mail(bytes) => {
                    let bytes = prepare(&bytes);
                    for part in Mail::read(&bytes).parts.iter().filter(|part| !part.is_container()) {
                        let _ = archive::list(&part.decoded());
                        let _ = part.text();
                    }
                }
                Content::Text(_) => {}
                Content::Lines(_) => unreachable!("none of them is a log"),
            },
            Taken::Fault(fault) => unreachable!("{fault:?}"),
        }
        read += 1;
    }
    assert_eq!(read, files);
    if let (Some(idle), Some(peak)) = (idle, memory("VmHWM:")) {
        assert!(peak.saturating_sub(idle) <= MOST_MEMORY, "{} KiB", peak - idle);
    }
}
