//! The RFC 7208 test suite, which lies outside this repository: read, served from memory, compared.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    reason = "a test that cannot go on fails, and one that is left out says so"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use redeliver_net::dns::{Absence, Answer, Asking, Data, Dns, Name, Origin, Question, Record, RecordType, Text, Why};
use redeliver_spf::{Evaluation, Request};
use serde_json::Value;

/// Longest chain of aliases that is followed.
const MOST_ALIASES: usize = 8;

/// One test.
pub struct Case {
    pub name: String,
    pub request: Request,
    pub results: Vec<String>,
    pub explanation: Option<String>,
}

/// Tests over one zone.
pub struct Scenario {
    pub zone: Zone,
    pub cases: Vec<Case>,
}

/// A file of the suite.
pub fn suite_file(name: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    std::env::var_os("REDELIVER_SHARED").map_or(beside, PathBuf::from).join("suites/spf").join(name)
}

/// The suite as JSON; none, with loud words, if it or Python is not there.
pub fn json() -> Option<Value> {
    let script = suite_file("suite2json.py");
    let output = Command::new("python3").arg(&script).arg(suite_file("rfc7208-tests.yml")).output();
    match output {
        Ok(output) if output.status.success() => Some(serde_json::from_slice(&output.stdout).unwrap()),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            eprintln!("SKIPPED: the RFC 7208 suite was NOT run: {} says {words}", script.display());
            None
        }
        Err(error) => {
            eprintln!("SKIPPED: the RFC 7208 suite was NOT run: python3: {error}");
            None
        }
    }
}

pub fn scenarios(suite: &Value) -> Vec<Scenario> {
    let read = |zone_and_tests: &Value| Scenario {
        zone: Zone::of(&zone_and_tests["zonedata"]),
        cases: zone_and_tests["tests"].as_array().unwrap().iter().map(case).collect(),
    };
    suite.as_array().unwrap().iter().map(read).collect()
}

fn case(test: &Value) -> Case {
    let word = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
    Case {
        name: word("name"),
        request: Request::new(word("host").parse().unwrap(), word("helo"), word("mailfrom")),
        results: test["result"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect(),
        explanation: test["explanation"].as_str().map(str::to_owned),
    }
}

/// What is wrong with a result; nothing if it is right.
pub fn mismatch(case: &Case, got: &Evaluation) -> Option<String> {
    if !case.results.iter().any(|result| result == got.result.as_str()) {
        return Some(format!("{}: {} instead of {:?}: {:?}", case.name, got.result, case.results, got.problem()));
    }
    // The suite writes DEFAULT where the domain gives no explanation of its own.
    let words = got.explanation.as_deref().unwrap_or("DEFAULT");
    match &case.explanation {
        Some(want) if want != words => Some(format!("{}: explained `{words}` instead of `{want}`", case.name)),
        _ => None,
    }
}

/// A zone in memory. A name may be silent for some types, or for all it has no record of.
#[derive(Default)]
pub struct Zone {
    records: HashMap<Name, Vec<Data>>,
    silent: HashMap<Name, Vec<Option<RecordType>>>,
}

impl Zone {
    pub fn of(zonedata: &Value) -> Self {
        let mut zone = Self::default();
        for (name, entries) in zonedata.as_object().unwrap() {
            let name = Name::from_labels(name.trim_end_matches('.').split('.')).unwrap();
            let entries = entries.as_array().unwrap();
            let says = |key: &str| entries.iter().any(|entry| entry.get(key).is_some());
            let explicit = says("TXT");
            zone.records.entry(name.clone()).or_default();
            for entry in entries {
                let Some((key, value)) = entry.as_object().and_then(|entry| entry.iter().next()) else {
                    assert_eq!(entry.as_str(), Some("TIMEOUT"));
                    zone.silent.entry(name.clone()).or_default().push(None);
                    continue;
                };
                zone.entry(&name, key, value);
                // A record of type SPF also stands as TXT, unless the name has TXT records of its own.
                if key == "SPF" && !explicit {
                    zone.entry(&name, "TXT", value);
                }
            }
        }
        zone
    }

    fn entry(&mut self, name: &Name, key: &str, value: &Value) {
        let record_type = RecordType::ALL.iter().copied().find(|known| known.as_str() == key).unwrap();
        if value == "TIMEOUT" {
            self.silent.entry(name.clone()).or_default().push(Some(record_type));
            return;
        }
        if value == "NONE" {
            return;
        }
        let word = || value.as_str().unwrap();
        let target = |word: &str| {
            if word.is_empty() {
                Name::root()
            } else {
                Name::from_labels(word.trim_end_matches('.').split('.')).unwrap()
            }
        };
        let data = match record_type {
            RecordType::A => Data::A(word().parse().unwrap()),
            RecordType::Aaaa => Data::Aaaa(word().parse().unwrap()),
            RecordType::Mx => Data::Mx {
                preference: value[0].as_u64().unwrap().try_into().unwrap(),
                exchange: target(value[1].as_str().unwrap()),
            },
            RecordType::Ptr => Data::Ptr(target(word())),
            RecordType::Cname => Data::Cname(target(word())),
            RecordType::Txt => Data::Txt(text(value)),
            RecordType::Spf => Data::Spf(text(value)),
            _ => unreachable!("{key}"),
        };
        self.records.entry(name.clone()).or_default().push(data);
    }

    fn answer(&self, question: &Question) -> Answer {
        let mut name = question.name.clone();
        let mut aliases = Vec::new();
        loop {
            let empty = Vec::new();
            let here = self.records.get(&name);
            let found = |kind| here.unwrap_or(&empty).iter().filter(move |data| data.record_type() == kind);
            let records: Vec<Record> = found(question.record_type)
                .map(|data| Record { name: name.clone(), ttl: 300, data: data.clone() })
                .collect();
            let alias = found(RecordType::Cname).find_map(Data::target).cloned();
            if let Some(silent) = self.silent.get(&name) {
                let for_type = silent.contains(&Some(question.record_type));
                if for_type || (silent.contains(&None) && records.is_empty() && alias.is_none()) {
                    return Answer::unasked(Why::Timeout);
                }
            }
            let origin = Origin { aliases: aliases.clone(), ttl: 300, ..Origin::default() };
            if !records.is_empty() {
                return Answer::Present { records, origin };
            }
            let Some(alias) = alias else {
                let exists = here.is_some() || self.records.keys().any(|known| known.is_within(&name));
                let absence = if exists { Absence::NoSuchType } else { Absence::NoSuchName };
                return Answer::Absent { absence, origin };
            };
            aliases.push(std::mem::replace(&mut name, alias));
            if aliases.len() > MOST_ALIASES {
                return Answer::unasked(Why::ServerFailure);
            }
        }
    }
}

/// Strings whose characters are octets.
fn text(value: &Value) -> Text {
    let octets = |word: &str| word.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect::<Vec<u8>>();
    match value {
        Value::Array(strings) => Text(strings.iter().map(|string| octets(string.as_str().unwrap())).collect()),
        one => Text(octets(one.as_str().unwrap()).chunks(255).map(<[u8]>::to_vec).collect()),
    }
}

impl Dns for Zone {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(std::future::ready(self.answer(question)))
    }

    fn ask_server<'a>(&'a self, _: SocketAddr, question: &'a Question) -> Asking<'a> {
        self.ask(question)
    }
}
