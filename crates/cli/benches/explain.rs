//! `cargo bench`: replies and bounce mails explained per CPU-second, with the JSON written; a log's refusals told as one screen; and
//! what one start costs.
//!
//! The whole binary is measured from outside, by the CPU time that the kernel books for it (Linux: `/proc/self/stat`), so
//! that other work on the machine counts little. No result is remembered between replies, but for the refusals of the log, which
//! repeat their texts as logs do. Bounce mails are those of the
//! outside corpus where it lies beside the repository (`REDELIVER_SHARED`, or `../shared`), else this repository's own.
//! Beside them runs flufl.bounce (pip), which finds addresses only, if Python has it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../../read/logs/benches/made/mod.rs"]
mod made;

const REPLIES: usize = 200_000;
/// Bytes of the made Postfix log from which the lines of refusals are taken: some 400,000.
const LOG: u64 = 500_000_000;
const MAILS: usize = 10_000;
const ROUNDS: usize = 5;
const STARTS: u32 = 40;

/// What the peer does with a folder of mails: parse each, and look for addresses.
const PEER: &str = "import sys, os, email, resource
from flufl.bounce import scan_message
n = 0
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), 'rb') as file:
        try:
            scan_message(email.message_from_bytes(file.read()))
        except Exception:
            pass
        n += 1
used = resource.getrusage(resource.RUSAGE_SELF)
print(n / (used.ru_utime + used.ru_stime))
";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let binary = env!("CARGO_BIN_EXE_redeliver");
    let folder = std::env::temp_dir().join(format!("redeliver-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (list, mailbox) = (folder.join("replies.txt"), folder.join("mails.mbox"));
    let bytes = write_replies(&list)?;
    let source = mails_folder();
    let mail_bytes = write_mails(&source, &mailbox)?;
    let mut out = std::io::stdout();
    let arguments = ["explain", "--format", "jsonl", "--replies", &list.to_string_lossy()].map(str::to_owned);
    let rate = rate(binary, &arguments, REPLIES)?;
    writeln!(
        out,
        "distinct replies: {REPLIES}, {} bytes on average, JSON lines written to /dev/null",
        bytes / REPLIES
    )?;
    writeln!(out, "replies per CPU-second: {rate}")?;
    let arguments = ["explain", "--format", "jsonl", &mailbox.to_string_lossy()].map(str::to_owned);
    let rate = self::rate(binary, &arguments, MAILS)?;
    writeln!(
        out,
        "bounce mails: {MAILS} from {}, {} bytes on average, in one mailbox",
        source.display(),
        mail_bytes / MAILS
    )?;
    writeln!(out, "bounce mails per CPU-second: {rate}")?;
    match peer(&source) {
        Some(rate) => writeln!(out, "flufl.bounce (addresses only), mails per CPU-second: {rate}")?,
        None => writeln!(out, "SKIPPED: no python3 with flufl.bounce, so no peer was measured")?,
    }
    let log = folder.join("refusals.log");
    let lines = write_refusals(&log)?;
    let arguments = ["explain", "--summary", &log.to_string_lossy()].map(str::to_owned);
    let rate = self::rate(binary, &arguments, lines)?;
    writeln!(out, "refusals of a log: {lines} lines and no others, told as one screen")?;
    writeln!(out, "refusals per CPU-second, texts repeat: {rate}")?;
    let start = cpu_of(
        Command::new(binary).args(["explain", "--format", "jsonl", "--reply", "550 5.1.1 User unknown"]),
        STARTS,
    )?;
    writeln!(out, "one start with one reply: {:.1} ms of CPU (mean of {STARTS})", start * 1000.0 / f64::from(STARTS))?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Runs the command several times over `count` things; things per CPU-second, in words.
fn rate(binary: &str, arguments: &[String], count: usize) -> Outcome<String> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(count as f64 / cpu_of(Command::new(binary).args(arguments), 1)?);
    }
    rates.sort_by(f64::total_cmp);
    Ok(format!("median {:.0} (from {:.0} to {:.0}, {ROUNDS} runs)", rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]))
}

fn mails_folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("REDELIVER_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let corpus = shared.join("corpus/bounces");
    if corpus.is_dir() { corpus } else { root.join("testdata/mails") }
}

/// Writes the mails of a folder, again and again, into one mailbox. Returns the bytes.
fn write_mails(folder: &Path, file: &Path) -> Outcome<usize> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_none_or(|ending| ending != "jsonl"));
    paths.sort();
    let mut mails = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path)?;
        // A mailbox's own line in front would make two of one mail.
        let start = if bytes.starts_with(b"From ") {
            bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1)
        } else {
            0
        };
        mails.push(bytes[start..].to_vec());
    }
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut total = 0;
    for mail in mails.iter().cycle().take(MAILS) {
        out.write_all(b"From bench@example.org Sat Nov 21 10:00:00 2026\n")?;
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b"From ") {
                out.write_all(b">")?;
            }
            out.write_all(line)?;
        }
        out.write_all(b"\n\n")?;
        total += mail.len();
    }
    out.flush()?;
    Ok(total)
}

/// Mails per CPU-second of the peer, by its own account.
fn peer(folder: &Path) -> Option<String> {
    let output = Command::new("python3").args(["-c", PEER]).arg(folder).output().ok()?;
    let rate: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(format!("{rate:.0}"))
}

/// Lets through the lines that refuse.
struct Refusals<W> {
    out: W,
    lines: usize,
}

impl<W: Write> Write for Refusals<W> {
    fn write(&mut self, lines: &[u8]) -> std::io::Result<usize> {
        let says = |line: &[u8], words: &[u8]| memchr::memmem::find(line, words).is_some();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if says(line, b" status=bounced ") || says(line, b" status=deferred ") {
                self.out.write_all(line)?;
                self.lines += 1;
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Writes the refusals of a made Postfix log, without what stands between them. Returns how many there are.
fn write_refusals(file: &Path) -> Outcome<usize> {
    let out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let mut out = Refusals { out, lines: 0 };
    made::write(&mut out, LOG, 100)?;
    out.flush()?;
    Ok(out.lines)
}

/// Writes different replies: the catalog's own examples, each time with another address, IP and reference. Returns the bytes.
fn write_replies(file: &Path) -> Outcome<usize> {
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
fn cpu_of(command: &mut Command, times: u32) -> Outcome<f64> {
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
fn children_ticks() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = behind_name.split(' ').skip(13);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok()).ok_or("no such field");
    Ok(next()? + next()?)
}
