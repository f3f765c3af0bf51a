//! `cargo bench`: replies explained per CPU-second, every one different, with the JSON written; and what one start costs.
//!
//! The whole binary is measured from outside, by the CPU time that the kernel books for it (Linux: `/proc/self/stat`), so
//! that other work on the machine counts little. No result is remembered between replies.

use std::io::Write;
use std::process::{Command, Stdio};

const REPLIES: usize = 200_000;
const ROUNDS: usize = 5;
const STARTS: u32 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let binary = env!("CARGO_BIN_EXE_redeliver");
    let file = std::env::temp_dir().join(format!("redeliver-bench-{}.txt", std::process::id()));
    let bytes = write_replies(&file)?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let list = file.to_string_lossy().into_owned();
        let seconds = cpu_of(Command::new(binary).args(["explain", "--format", "jsonl", "--replies", &list]), 1)?;
        rates.push(REPLIES as f64 / seconds);
    }
    let start = cpu_of(
        Command::new(binary).args(["explain", "--format", "jsonl", "--reply", "550 5.1.1 User unknown"]),
        STARTS,
    )?;
    std::fs::remove_file(&file)?;
    rates.sort_by(f64::total_cmp);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "distinct replies: {REPLIES}, {} bytes on average, JSON lines written to /dev/null",
        bytes / REPLIES
    )?;
    writeln!(
        out,
        "replies per CPU-second: median {:.0} (from {:.0} to {:.0}, {ROUNDS} runs)",
        rates[ROUNDS / 2],
        rates[0],
        rates[ROUNDS - 1]
    )?;
    writeln!(out, "one start with one reply: {:.1} ms of CPU (mean of {STARTS})", start * 1000.0 / f64::from(STARTS))?;
    Ok(())
}

/// Writes different replies: the catalog's own examples, each time with another address, IP and reference. Returns the bytes.
fn write_replies(file: &std::path::Path) -> Result<usize, Box<dyn std::error::Error>> {
    let catalog = redeliver_catalog::Catalog::builtin()?;
    let examples: Vec<&str> = catalog.rules.iter().flat_map(|rule| &rule.examples).copied().collect();
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut bytes = 0;
    for number in 0..REPLIES {
        let example = examples[number * 7919 % examples.len()].replace(['\r', '\n'], " ");
        let (high, low) = (number / 250 % 250, number % 250);
        let line =
            example.replace("192.0.2.7", &format!("198.51.{high}.{low}")).replace("user@", &format!("user{number}@"));
        let line = format!("{line} [ref {number:x}]\n");
        bytes += line.len();
        out.write_all(line.as_bytes())?;
    }
    out.flush()?;
    Ok(bytes)
}

/// CPU seconds that `times` runs of a command take.
fn cpu_of(command: &mut Command, times: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let before = children_ticks()?;
    for _ in 0..times {
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("the command ended with {status}").into());
        }
    }
    // The kernel counts in ticks of 1/100 s (proc(5), sysconf(_SC_CLK_TCK)).
    Ok((children_ticks()? - before) as f64 / 100.0)
}

/// User and system time of the children that have ended: fields 16 and 17 of `/proc/self/stat`.
fn children_ticks() -> Result<u64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = behind_name.split(' ').skip(13);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok()).ok_or("no such field");
    Ok(next()? + next()?)
}
