//! Rotated logs in the order of time: `mail.log` is the newest, `mail.log.1` older, `mail.log.2.gz` older still; with dates,
//! `mail.log-20261118` before `mail.log-20261125` before `mail.log`. By name alone the newest would come first, and a message put
//! off in one file and taken in the next could not be followed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Endings that logrotate and newsyslog add when they pack a file.
const PACKED: [&str; 4] = [".gz", ".zst", ".bz2", ".xz"];

/// How old a rotated log is, the oldest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// By its day or moment, as digits.
    Dated(String),
    /// By its number.
    Numbered(Reverse<u32>),
    /// The one that is being written.
    Present,
}

/// The paths, with those that are parts of one log in the order of time, each in a place of theirs; all others stay where they are.
pub fn in_order_of_time(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut logs: BTreeMap<PathBuf, Vec<(Age, usize)>> = BTreeMap::new();
    for (place, path) in paths.iter().enumerate() {
        let (log, age) = part(path);
        logs.entry(log).or_default().push((age, place));
    }
    let mut ordered = paths.to_vec();
    for mut parts in logs.into_values().filter(|parts| parts.len() > 1) {
        let mut places: Vec<usize> = parts.iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        parts.sort();
        for (to, (_, from)) in places.into_iter().zip(parts) {
            ordered[to].clone_from(&paths[from]);
        }
    }
    ordered
}

/// Whether a name is one that logs have; `bounce.1` and `bounce.2` are two mails, and no parts of one log.
fn is_a_log(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("log") || [".info", ".warn", ".err", "messages"].iter().any(|ending| name.ends_with(ending))
}

/// Of which log a file is a part, and of what age.
fn part(path: &Path) -> (PathBuf, Age) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return (path.to_owned(), Age::Present) };
    let name = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let cut = name.rsplit_once(['.', '-']).filter(|(log, age)| {
        is_a_log(log) && !age.is_empty() && age.len() <= 14 && age.bytes().all(|byte| byte.is_ascii_digit())
    });
    match cut {
        Some((log, age)) if age.len() >= 8 => (path.with_file_name(log), Age::Dated(age.to_owned())),
        Some((log, age)) => (path.with_file_name(log), Age::Numbered(Reverse(age.parse().unwrap_or(u32::MAX)))),
        None => (path.with_file_name(name), Age::Present),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(names: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        in_order_of_time(&paths).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn rotated_logs_come_oldest_first() {
        assert_eq!(
            ordered(&["/l/mail.log", "/l/mail.log.1", "/l/mail.log.10.gz", "/l/mail.log.2.gz"]),
            ["/l/mail.log.10.gz", "/l/mail.log.2.gz", "/l/mail.log.1", "/l/mail.log"]
        );
        assert_eq!(
            ordered(&["maillog", "maillog-20261118.gz", "maillog-20261125"]),
            ["maillog-20261118.gz", "maillog-20261125", "maillog"]
        );
    }

    #[test]
    fn other_files_stay_where_they_are() {
        assert_eq!(
            ordered(&["b.eml", "mail.log", "a.eml", "mail.log.1"]),
            ["b.eml", "mail.log.1", "a.eml", "mail.log"]
        );
        assert_eq!(ordered(&["x/mail.log", "y/mail.log.1"]), ["x/mail.log", "y/mail.log.1"]);
        assert_eq!(ordered(&["2", "10", "1", "bounce.1", "bounce.2"]), ["2", "10", "1", "bounce.1", "bounce.2"]);
    }
}
