//! The RFC 7208 suite of openspf.org, with its explanation texts: over a zone in memory, and over DNS on loopback through the
//! resolver of `net`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is left out says so"
)]

mod suite;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use redeliver_net::Guard;
use redeliver_net::dns::{Patience, Resolver};
use tokio::task::JoinSet;

/// How many tests there are; a smaller number would be a suite half read.
const TESTS: usize = 203;

#[tokio::test]
async fn the_whole_suite_in_memory() {
    let Some(json) = suite::json() else { return };
    let (mut run, mut wrong) = (0, Vec::new());
    for scenario in suite::scenarios(&json) {
        for case in &scenario.cases {
            run += 1;
            let got = redeliver_spf::evaluate(&scenario.zone, &case.request).await;
            wrong.extend(suite::mismatch(case, &got));
        }
    }
    report("in memory", run, &wrong);
}

#[tokio::test]
async fn the_whole_suite_over_loopback_dns() {
    let Some(json) = suite::json() else { return };
    let Some(server) = Server::start(&json) else { return };
    let guard = Guard::default().allow_only(vec!["127.0.0.0/8".parse().unwrap()]);
    // Long enough for a slow server on a busy machine; the names that are silent on purpose wait side by side.
    let patience = Patience { one_try: Duration::from_millis(1500), question: Duration::from_secs(4) };
    let mut tasks = JoinSet::new();
    for (number, scenario) in suite::scenarios(&json).into_iter().enumerate() {
        let port = server.first_port + u16::try_from(number).unwrap();
        let address = SocketAddr::from((server.address, port));
        let resolver = Arc::new(Resolver::new(vec![address], guard.clone()).with_patience(patience));
        for case in scenario.cases {
            let resolver = Arc::clone(&resolver);
            tasks.spawn(async move {
                let got = redeliver_spf::evaluate(&*resolver, &case.request).await;
                suite::mismatch(&case, &got)
            });
        }
    }
    let answers = tasks.join_all().await;
    let run = answers.len();
    report("over loopback DNS", run, &answers.into_iter().flatten().collect::<Vec<_>>());
}

fn report(how: &str, run: usize, wrong: &[String]) {
    eprintln!("RFC 7208 suite {how}: {} of {run}", run - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(run, TESTS);
}

/// The suite's own DNS server: one port a scenario.
struct Server {
    child: Child,
    address: Ipv4Addr,
    first_port: u16,
    file: std::path::PathBuf,
}

impl Server {
    /// Starts it on an address of this process's own; none, with loud words, if it cannot start.
    fn start(json: &serde_json::Value) -> Option<Self> {
        let [high, low] = u16::try_from(std::process::id() % 65_536).unwrap().to_be_bytes();
        let address = Ipv4Addr::new(127, 53, high, low.max(1));
        let free = UdpSocket::bind((address, 0)).unwrap().local_addr().unwrap().port();
        // The ports that follow must exist.
        let first_port = free.min(65_000);
        let file = std::env::temp_dir().join(format!("redeliver-spf-suite-{}.json", std::process::id()));
        std::fs::write(&file, json.to_string()).unwrap();
        let mut child = Command::new("python3")
            .arg(suite::suite_file("dnsserve.py"))
            .args([file.as_os_str(), first_port.to_string().as_ref(), address.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let server = Self { child, address, first_port, file };
        if line.starts_with("ready") {
            return Some(server);
        }
        eprintln!("SKIPPED: the RFC 7208 suite was NOT run over DNS: dnsserve.py did not start (is dnspython there?)");
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}
