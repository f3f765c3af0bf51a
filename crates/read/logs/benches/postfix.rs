//! A generated Postfix log, read beside `grep -c 'status=bounced'` over the same file in the same run.
//!
//! `cargo bench -p redeliver-logs`. Environment: `REDELIVER_BENCH_MB` (size, 256), `REDELIVER_BENCH_PERCENT` (refused of all
//! deliveries, 8), `REDELIVER_BENCH_RUNS` (5), `REDELIVER_BENCH_DIR` (where the file is made, the system's temporary folder).
//! Only this measures; no test depends on it.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench shows and may fail")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use redeliver_logs::{Event, Format, Reader, YearRule};
use redeliver_model::Timestamp;

mod made;

fn setting(name: &str, standard: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(standard)
}

/// Seconds of CPU of this process, or of the children it waited for (`/proc/self/stat`, hundredths).
fn cpu(children: bool) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let at = if children { 13 } else { 11 };
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(at) + ticks(at + 1)) / 100.0
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    line["VmHWM:".len()..].trim().to_owned()
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", name.trim_start_matches([' ', '\t', ':']))
}

#[derive(Default)]
struct Counts {
    refused: u64,
    delivered: u64,
    submitted: u64,
    unreadable: u64,
    with_sender: u64,
}

impl Counts {
    fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Refused(refused) => {
                self.refused += 1;
                self.with_sender += u64::from(refused.refusal.sender.is_some());
            }
            Event::Delivered(_) => self.delivered += 1,
            Event::Submitted(_) => self.submitted += 1,
            Event::Unreadable(_) => self.unreadable += 1,
        }
        ControlFlow::Continue(())
    }
}

fn read(path: &Path, parallel: bool) -> Counts {
    let rule = YearRule::utc(Timestamp::from_date(2026, 12, 1));
    let mut reader = Reader::new(Format::Postfix, rule);
    let mut file = File::open(path).unwrap();
    let mut counts = Counts::default();
    let mut receiver = |event: &Event<'_>| counts.take(event);
    if parallel {
        let _ = reader.read_parallel(&mut file, &mut receiver).unwrap();
    } else {
        let _ = reader.read(&mut file, &mut receiver).unwrap();
    }
    counts
}

/// Wall and CPU seconds, the median of several runs by wall time.
fn measure(runs: u64, children: bool, mut work: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<(f64, f64)> = (0..runs)
        .map(|_| {
            let (start, used) = (Instant::now(), cpu(children));
            work();
            (start.elapsed().as_secs_f64(), cpu(children) - used)
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times[times.len() / 2]
}

fn made_log(bytes: u64, percent: u64) -> (PathBuf, made::Written) {
    let folder = std::env::var_os("REDELIVER_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join(format!("redeliver-bench-{}.log", std::process::id()));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
    let written = made::write(&mut out, bytes, percent).unwrap();
    out.flush().unwrap();
    (path, written)
}

fn main() {
    let (megabytes, percent) = (setting("REDELIVER_BENCH_MB", 256), setting("REDELIVER_BENCH_PERCENT", 8));
    let runs = setting("REDELIVER_BENCH_RUNS", 5).max(1);
    let (path, written) = made_log(megabytes * 1_000_000, percent);
    println!("{}", machine());
    let share = written.refused as f64 * 100.0 / written.lines as f64;
    println!("{written:?}: {percent} % of deliveries refused, {share:.1} % of lines");
    let size = written.bytes as f64;
    let row = |name: &str, (wall, cpu): (f64, f64), peer: f64| {
        let rate = size / 1e6 / cpu.max(0.001);
        println!(
            "{name:<28} wall {wall:.3} s  cpu {cpu:.2} s  {rate:>6.0} MB per CPU-second  {:.2} x grep",
            wall / peer
        );
    };
    let grep = measure(runs, true, || {
        let mut command = Command::new("grep");
        // Into a pipe: into `/dev/null` grep would stop at the first hit.
        command.args(["-c", "status=bounced"]).arg(&path).stdout(Stdio::piped());
        let _ = command.output().unwrap();
    });
    row("grep -c 'status=bounced'", grep, grep.0);
    for parallel in [false, true] {
        let mut counts = Counts::default();
        let times = measure(runs, false, || counts = read(&path, parallel));
        row(if parallel { "read, two threads" } else { "read, one thread" }, times, grep.0);
        assert_eq!((counts.refused, counts.delivered), (written.refused, written.delivered));
        assert_eq!((counts.unreadable, counts.with_sender), (0, counts.refused));
    }
    println!("peak memory {}", peak_memory());
    let _ = std::fs::remove_file(path);
}
