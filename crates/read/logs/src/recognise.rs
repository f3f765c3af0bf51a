//! Telling a format by content.
use crate::format::Format;
/// todo
pub fn recognise(_head: &[u8]) -> Option<Format> { None }
