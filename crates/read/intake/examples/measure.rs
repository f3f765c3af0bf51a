//! Reads what is named, each mail's structure too, and tells for each path what it gave, the processor's time and the
//! memory it took above the start: `measure PATH ...`. For Linux; a tool for who works on intake.

#![allow(clippy::print_stdout, reason = "its results")]

use std::fs;
use std::io::BufRead as _;
use std::path::PathBuf;

use redeliver_intake::{Content, Options, Taken, items};
use redeliver_message::{Mail, archive, prepare};

/// A value of /proc/self/status in KiB.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Ticks of 10 ms that this process and its threads have used.
fn ticks() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum()
}

fn main() {
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        let (idle, before) = (status("VmRSS"), ticks());
        // Sets the highest memory back to the present one.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let (mut mails, mut parts, mut texts, mut lines, mut bytes) = (0_u64, 0, 0_u64, 0_u64, 0);
        let (mut listed, mut letters) = (0, 0);
        let mut faults: Vec<String> = Vec::new();
        for taken in items(std::slice::from_ref(&path), Options::default()) {
            match taken {
                Taken::Fault(fault) => faults.push(fault.code.to_owned()),
                Taken::Item(item) => match item.content {
                    Content::Mail(mail) => {
                        mails += 1;
                        bytes += mail.len();
                        let mail = prepare(&mail);
                        for part in Mail::read(&mail).parts {
                            parts += 1;
                            if part.is_container() {
                                continue;
                            }
                            listed += archive::list(&part.decoded()).map_or(0, |listing| listing.members.len());
                            letters += part.text().len();
                        }
                    }
                    Content::Text(text) => {
                        texts += 1;
                        bytes += text.len();
                    }
                    Content::Lines(mut reader) => {
                        while let Ok(ready) = reader.fill_buf() {
                            let length = ready.len();
                            if length == 0 {
                                break;
                            }
                            lines += memchr::memchr_iter(b'\n', ready).count() as u64;
                            bytes += length;
                            reader.consume(length);
                        }
                    }
                },
            }
        }
        let (cpu, peak) = ((ticks() - before) * 10, status("VmHWM").saturating_sub(idle));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        faults.truncate(4);
        println!(
            "{name:28} {cpu:6} ms {:6} MB {mails:7} mails {parts:7} parts {texts:3} texts {lines:9} lines {:6} MB, {:3} MB text {listed:4} listed {faults:?}",
            peak / 1024,
            bytes >> 20,
            letters >> 20,
        );
    }
}
