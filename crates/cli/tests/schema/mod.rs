//! The small part of JSON Schema that our contracts use: type, const, enum, required, properties, items, minItems, oneOf, $ref.

#![allow(clippy::panic, reason = "a test that cannot go on fails")]

use serde_json::Value;

/// What is wrong with `value`, with its place.
pub fn faults(schema: &Value, rule: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = rule["$ref"].as_str() {
        let target = schema.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("no {name}"));
        return faults(schema, target, value, place, found);
    }
    if let Some(choices) = rule["oneOf"].as_array() {
        let fits = |choice: &&Value| {
            let mut inner = Vec::new();
            faults(schema, choice, value, place, &mut inner);
            inner.is_empty()
        };
        let count = choices.iter().filter(fits).count();
        if count != 1 {
            found.push(format!("{place}: fits {count} of the choices"));
        }
        return;
    }
    let types: Vec<&str> = match &rule["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = types.contains(&own) || (own == "integer" && types.contains(&"number"));
    if !types.is_empty() && !fits {
        found.push(format!("{place}: {own} instead of {types:?}"));
    }
    if !rule["const"].is_null() && rule["const"] != *value {
        found.push(format!("{place}: not {}", rule["const"]));
    }
    if let Some(words) = rule["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{place}: {value} is not one of the words"));
    }
    if value.is_object() {
        for name in rule["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                found.push(format!("{place}: no {name}"));
            }
        }
        for (name, inner) in rule["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                faults(schema, inner, value, &format!("{place}.{name}"), found);
            }
        }
    }
    if let Some(items) = value.as_array() {
        if rule["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            found.push(format!("{place}: too few"));
        }
        for (number, item) in items.iter().enumerate().filter(|_| !rule["items"].is_null()) {
            faults(schema, &rule["items"], item, &format!("{place}[{number}]"), found);
        }
    }
}
