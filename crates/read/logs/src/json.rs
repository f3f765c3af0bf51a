//! Reading fields out of an object of JSON, with the few types that events use.
//!
//! Depth is bounded by the parser (128), size by the record; a field of another type counts as absent.

use redeliver_model::{EnhancedStatus, Timestamp};
use serde_json::{Map, Value};

use crate::when::{YearRule, epoch};

/// An object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes).ok()? {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A number, or a text that is one.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// An object inside.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        match self.0.get(name)? {
            Value::Object(map) => Some(Self(map.clone())),
            _ => None,
        }
    }

    /// The objects of a list.
    pub(crate) fn objects(&self, name: &str) -> Vec<Self> {
        let list = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|value| value.as_object().cloned().map(Self)).collect()
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).collect()
    }

    /// A time: seconds or milliseconds since 1970, or RFC 3339.
    pub(crate) fn time(&self, name: &str, rule: YearRule) -> Option<Timestamp> {
        self.number(name).and_then(epoch).or_else(|| rule.iso_field(self.text(name)?))
    }

    pub(crate) fn status(&self, name: &str) -> Option<EnhancedStatus> {
        EnhancedStatus::read(self.text(name)?.trim()).map(|(status, _)| status)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
