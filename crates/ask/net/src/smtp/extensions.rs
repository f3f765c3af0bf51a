//! What a server says it can do (RFC 5321 4.1.1.1).

use serde::{Deserialize, Serialize};

/// How many extensions are kept; servers name about fifteen.
const MOST: usize = 64;

/// The extensions of an EHLO reply, in the server's order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extensions(Vec<(String, String)>);

impl Extensions {
    /// Reads the raw lines of an EHLO reply; the first is the greeting.
    pub fn of_reply(lines: &str) -> Self {
        let words = lines.lines().skip(1).filter_map(|line| line.get(4..)).map(str::trim);
        let pair = |line: &str| {
            // "AUTH=LOGIN" was written by servers older than the RFC.
            let (keyword, parameters) = line.split_once([' ', '=']).unwrap_or((line, ""));
            (keyword.to_ascii_uppercase(), parameters.trim().to_owned())
        };
        Self(words.filter(|line| !line.is_empty()).map(pair).take(MOST).collect())
    }

    /// Whether an extension is there.
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// The parameters behind a keyword, as the server wrote them.
    pub fn parameters(&self, keyword: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(keyword));
        found.map(|(_, parameters)| parameters.as_str())
    }

    /// The largest message in octets (RFC 1870 3); none if not said or without limit.
    pub fn size(&self) -> Option<u64> {
        self.parameters("SIZE")?.parse().ok().filter(|size| *size > 0)
    }

    /// All extensions with their parameters.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(keyword, parameters)| (keyword.as_str(), parameters.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_whatever_their_case() {
        let extensions = Extensions::of_reply(
            "250-mx.example.org hello\n250-SIZE 52428800\n250-starttls\n250-AUTH=LOGIN\n250-\n250 8BITMIME",
        );
        assert_eq!(extensions.size(), Some(52_428_800));
        assert!(extensions.has("STARTTLS") && extensions.has("8bitmime") && !extensions.has("PIPELINING"));
        assert_eq!(extensions.parameters("AUTH"), Some("LOGIN"));
        assert_eq!(Extensions::of_reply("250 mx.example.org SIZE 1").iter().count(), 0);
        assert_eq!(Extensions::of_reply("250-x\n250 SIZE 0").size(), None);
    }
}
