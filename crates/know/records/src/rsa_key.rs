//! The length of an RSA public key in DER (RFC 3279 2.3.1, RFC 8017 A.1.1). Reads no more than it must; None if it is no key.

/// Object identifier 1.2.840.113549.1.1.1, `rsaEncryption`.
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;

/// What was found about an RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RsaKey {
    /// Bits of the modulus.
    pub(crate) bits: usize,
    /// Whether the key stands without the wrapping that names the algorithm.
    pub(crate) bare: bool,
}

/// Reads a `SubjectPublicKeyInfo` or a bare `RSAPublicKey`.
pub(crate) fn read(der: &[u8]) -> Option<RsaKey> {
    let (body, _) = element(der, SEQUENCE)?;
    if let Some(bits) = modulus_bits(body) {
        return Some(RsaKey { bits, bare: true });
    }
    let (algorithm, rest) = element(body, SEQUENCE)?;
    let (object, _) = element(algorithm, OBJECT)?;
    let (key, _) = element(rest, BIT_STRING)?;
    // The first octet of a BIT STRING counts the unused bits.
    let (key, _) = element(key.strip_prefix(&[0])?, SEQUENCE)?;
    if object != RSA_ENCRYPTION {
        return None;
    }
    Some(RsaKey { bits: modulus_bits(key)?, bare: false })
}

/// `modulus INTEGER, publicExponent INTEGER`: the bits of the first.
fn modulus_bits(body: &[u8]) -> Option<usize> {
    let (modulus, rest) = element(body, INTEGER)?;
    element(rest, INTEGER)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let significant = &modulus[zeros..];
    let first = significant.first()?;
    Some(significant.len() * 8 - first.leading_zeros() as usize)
}

/// One DER element of that type: its content, and what follows.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let octets = usize::from(first & 0x7f);
        // Two octets of length are enough for what fits into DNS.
        if octets == 0 || octets > 2 || octets > rest.len() {
            return None;
        }
        let length = rest[..octets].iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        (length, &rest[octets..])
    };
    (length <= rest.len()).then(|| rest.split_at(length))
}
