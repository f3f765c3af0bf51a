//! The Public Suffix List, for receivers that still find the organisational domain by it (RFC 7489 3.2). The list is compiled in.

/// The longest name that is looked at (RFC 1035 2.3.4).
const LONGEST_NAME: usize = 253;

/// The public suffix of a name, `co.uk` of `mail.example.co.uk`, in lower case; none if the name has an empty label.
pub fn public_suffix(name: &str) -> Option<String> {
    let name = folded(name)?;
    psl::suffix_str(&name).map(str::to_owned)
}

/// The name below the public suffix, `example.co.uk` of `mail.example.co.uk`, in lower case.
///
/// None if the name is a public suffix itself, or has an empty label.
pub fn registrable_domain(name: &str) -> Option<String> {
    let name = folded(name)?;
    psl::domain_str(&name).map(str::to_owned)
}

fn folded(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let good = !name.is_empty() && name.len() <= LONGEST_NAME && name.split('.').all(|label| !label.is_empty());
    good.then(|| name.to_lowercase())
}
