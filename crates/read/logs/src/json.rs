//! Reading fields out of an object of JSON, with the few types that events use.
//!
//! Depth is bounded by the parser (128), size by the record; a field of another type counts as absent.

use redeliver_model::{EnhancedStatus, Timestamp};
use serde_json::{Map, Value};

use crate::when::{YearRule, epoch};

/// What a text of JSON holds, if it is an object.
pub(crate) struct Parsed(Map<String, Value>);

impl Parsed {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes).ok()? {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    pub(crate) fn object(&self) -> Object<'_> {
        Object(Some(&self.0))
    }
}

/// An object, or one that is absent. It borrows: a copy of each that holds another would be the square of the text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Object<'a>(Option<&'a Map<String, Value>>);

impl<'a> Object<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// A number, or a text that is one.
    pub(crate) fn number(self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// An object inside.
    pub(crate) fn object(self, name: &str) -> Option<Self> {
        Some(Self(Some(self.get(name)?.as_object()?)))
    }

    /// The objects of a list.
    pub(crate) fn objects(self, name: &str) -> impl Iterator<Item = Self> {
        self.list(name).iter().filter_map(|value| Some(Self(Some(value.as_object()?))))
    }

    /// The texts of a list.
    pub(crate) fn texts(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.list(name).iter().filter_map(Value::as_str)
    }

    fn list(self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The events of a page, as an events API answers; nothing where it is none.
    pub(crate) fn page(self) -> Option<impl Iterator<Item = Self>> {
        let name = ["items", "results", "events"].into_iter().find(|name| self.objects(name).next().is_some())?;
        Some(self.objects(name))
    }

    /// A time: seconds or milliseconds since 1970, or RFC 3339.
    pub(crate) fn time(self, name: &str, rule: YearRule) -> Option<Timestamp> {
        self.number(name).and_then(epoch).or_else(|| rule.iso_field(self.text(name)?))
    }

    pub(crate) fn status(self, name: &str) -> Option<EnhancedStatus> {
        EnhancedStatus::read(self.text(name)?.trim()).map(|(status, _)| status)
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
