//! `cargo bench -p redeliver-spf`: SPF evaluations per CPU-second from answers in memory, beside pyspf with the same zone and the
//! same mails in the same run. Results are compared, so that nobody is fast by being wrong.
//!
//! CPU time is what the kernel books (`/proc/self/stat`; `time.process_time()` in Python), so that other work on the machine
//! counts little. Nothing is remembered between evaluations but the answers of the DNS.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use redeliver_net::dns::{Answer, Asking, Dns, FakeDns, Question};
use redeliver_spf::{Request, evaluate};

type Failure = Box<dyn std::error::Error>;

const PEER: &str = include_str!("pyspf_rate.py");
/// CPU seconds that each side is measured for.
const SECONDS: f64 = 3.0;
const ROUNDS: usize = 5;

/// A zone such as mail meets: a provider with blocks of networks behind includes, hosts, macros, an explanation.
const ZONE: FakeDnsLiteral = FakeDnsLiteral {
    txt: &[
        ("example.org", &["v=spf1 include:_spf.provider.example include:news.example a mx -all"]),
        (
            "_spf.provider.example",
            &[
                "v=spf1 include:_block1.provider.example include:_block2.provider.example include:_block3.provider.example ~all",
            ],
        ),
        (
            "_block1.provider.example",
            &[
                "v=spf1 ip4:192.0.2.0/28 ip4:192.0.2.32/27 ip4:192.0.2.64/26 ip4:192.0.2.128/25 ip4:198.51.100.0/26 ~all",
            ],
        ),
        (
            "_block2.provider.example",
            &[
                "v=spf1 ip6:2001:db8:4000::/36 ip6:2001:db8:6000::/36 ip6:2001:db8:8000::/36 ip6:2001:db8:a000::/36 ~all",
            ],
        ),
        ("_block3.provider.example", &["v=spf1 ip4:198.51.100.128/26 ip4:203.0.113.192/27 ~all"]),
        ("news.example", &["v=spf1 exists:%{ir}.list.news.example ip4:203.0.113.224/28 ~all"]),
        ("small.example", &["v=spf1 ip4:192.0.2.7 -all"]),
        ("mail.example", &["v=spf1 mx a:out.mail.example -all exp=why.mail.example"]),
        ("why.mail.example", &["%{i} may not send for %{d}, see http://mail.example/?s=%{S}"]),
        ("moved.example", &["v=spf1 redirect=example.org"]),
        ("eleven.example", &["v=spf1 a a a a a a a a a a a -all"]),
    ],
    a: &[
        ("example.org", "203.0.113.1"),
        ("mx.example.org", "203.0.113.2"),
        ("out.mail.example", "203.0.113.3"),
        ("eleven.example", "203.0.113.4"),
        ("9.113.0.203.list.news.example", "127.0.0.2"),
    ],
    mx: &[("example.org", (10, "mx.example.org")), ("mail.example", (10, "mx.example.org"))],
};

struct FakeDnsLiteral {
    txt: &'static [(&'static str, &'static [&'static str])],
    a: &'static [(&'static str, &'static str)],
    mx: &'static [(&'static str, (u16, &'static str))],
}

/// Client, sender, result.
const MAILS: &[(&str, &str, &str)] = &[
    ("192.0.2.7", "ann@small.example", "pass"),
    ("192.0.2.8", "ann@small.example", "fail"),
    ("192.0.2.200", "ann@example.org", "pass"),
    ("2001:db8:8123::5", "ann@example.org", "pass"),
    ("203.0.113.200", "ann@example.org", "pass"),
    ("203.0.113.9", "ann@example.org", "pass"),
    ("203.0.113.2", "ann@example.org", "pass"),
    ("203.0.113.99", "ann@example.org", "fail"),
    ("203.0.113.3", "ann@mail.example", "pass"),
    ("203.0.113.99", "ann@mail.example", "fail"),
    ("203.0.113.1", "ann@moved.example", "pass"),
    ("203.0.113.99", "ann@eleven.example", "permerror"),
];

/// Answers remembered after the first time, as a warm cache has them.
struct Warm {
    world: FakeDns,
    answers: Mutex<HashMap<Question, Answer>>,
}

impl Dns for Warm {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned();
        if let Some(answer) = known {
            return Box::pin(std::future::ready(answer));
        }
        Box::pin(async move {
            let answer = self.world.ask(question).await;
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(question.clone(), answer.clone());
            answer
        })
    }

    fn ask_server<'a>(&'a self, _: SocketAddr, question: &'a Question) -> Asking<'a> {
        self.ask(question)
    }
}

fn main() -> Result<(), Failure> {
    let mut out = std::io::stdout();
    let world = FakeDns { txt: ZONE.txt, a: ZONE.a, mx: ZONE.mx, ..FakeDns::default() };
    let dns = Warm { world, answers: Mutex::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let requests: Vec<Request> = MAILS
        .iter()
        .map(|(ip, sender, _)| Ok(Request::new(ip.parse()?, "client.example", *sender)))
        .collect::<Result<_, Failure>>()?;
    for (request, (_, _, want)) in requests.iter().zip(MAILS) {
        let got = runtime.block_on(evaluate(&dns, request)).result;
        if got.as_str() != *want {
            return Err(format!("{request:?}: {got} instead of {want}").into());
        }
    }
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(rate(&runtime, &dns, &requests)?);
    }
    rates.sort_by(f64::total_cmp);
    writeln!(out, "{} kinds of mail, answers in memory, results compared", MAILS.len())?;
    writeln!(
        out,
        "redeliver-spf, with its trace: {:.0} evaluations per CPU-second (from {:.0} to {:.0}, {ROUNDS} runs)",
        rates[ROUNDS / 2],
        rates[0],
        rates[ROUNDS - 1]
    )?;
    match peer() {
        Ok(peer) => writeln!(
            out,
            "pyspf: {peer:.0} evaluations per CPU-second; redeliver-spf does {:.0} times as many",
            rates[ROUNDS / 2] / peer
        )?,
        Err(why) => writeln!(out, "SKIPPED: pyspf was NOT measured beside it: {why}")?,
    }
    Ok(())
}

fn rate(runtime: &tokio::runtime::Runtime, dns: &Warm, requests: &[Request]) -> Result<f64, Failure> {
    let start = cpu_seconds()?;
    let mut evaluations = 0_u32;
    loop {
        runtime.block_on(async {
            for _ in 0..200 {
                for request in requests {
                    std::hint::black_box(evaluate(dns, request).await);
                    evaluations += 1;
                }
            }
        });
        let spent = cpu_seconds()? - start;
        if spent >= SECONDS / ROUNDS as f64 {
            return Ok(f64::from(evaluations) / spent);
        }
    }
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in ticks of 1/100 s (proc(5)).
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).ok_or("stat has no name")?;
    let ticks = |field: usize| fields.split_whitespace().nth(field).and_then(|word| word.parse::<f64>().ok());
    Ok((ticks(11).ok_or("no utime")? + ticks(12).ok_or("no stime")?) / 100.0)
}

/// The peer's rate with the same zone and mails.
fn peer() -> Result<f64, Failure> {
    let input = serde_json::json!({ "txt": ZONE.txt, "a": ZONE.a, "mx": ZONE.mx, "mails": MAILS, "seconds": SECONDS });
    let mut child = Command::new("python3")
        .args(["-c", PEER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    child.stdin.take().ok_or("no standard input")?.write_all(input.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = words.lines().last().unwrap_or_default();
        return Err(format!("{last} (pip install pyspf dnspython)").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
