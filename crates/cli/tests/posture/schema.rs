//! A validator of the part of JSON Schema that our schemas use; a keyword that it does not know is a failure, so that it
//! never passes over one.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// Whether an output is what its committed schema says.
pub(crate) fn holds(name: &str, value: &Value) -> Result<()> {
    let path = format!("schema/{name}.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    check(&schema, &schema, value, name)
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<()> {
    let Value::Object(keywords) = schema else {
        ensure!(schema == &Value::Bool(true), "{at}: {schema} allows nothing");
        return Ok(());
    };
    for (keyword, wanted) in keywords {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" | "format" | "default" => {}
            "$ref" => {
                let place = wanted.as_str().and_then(|text| text.strip_prefix('#')).context("a $ref")?;
                check(root, root.pointer(place).context("a $ref to nothing")?, value, at)?;
            }
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                ensure!(types.iter().any(|one| is(one, value)), "{at}: {value} is not {wanted}");
            }
            "const" => ensure!(value == wanted, "{at}: {value} is not {wanted}"),
            "enum" => {
                ensure!(
                    wanted.as_array().is_some_and(|all| all.contains(value)),
                    "{at}: {value} is not in {wanted}"
                );
            }
            "minimum" => ensure!(value.as_f64() >= wanted.as_f64(), "{at}: {value} is below {wanted}"),
            "oneOf" | "anyOf" => {
                let all = wanted.as_array().context("a list")?;
                let fit = all.iter().filter(|one| check(root, one, value, at).is_ok()).count();
                ensure!(fit == 1 || (fit > 1 && keyword == "anyOf"), "{at}: {value} fits {fit} of {wanted}");
            }
            "items" => {
                for (place, one) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, one, &format!("{at}[{place}]"))?;
                }
            }
            "required" => {
                for field in wanted.as_array().context("a list")?.iter().filter_map(Value::as_str) {
                    ensure!(value.get(field).is_some(), "{at}: {field} is missing in {value}");
                }
            }
            "properties" => {
                for (field, own) in wanted.as_object().context("an object")? {
                    if let Some(one) = value.get(field) {
                        check(root, own, one, &format!("{at}.{field}"))?;
                    }
                }
            }
            "additionalProperties" => {
                ensure!(wanted == &Value::Bool(false), "{at}: additionalProperties is {wanted}");
                let known = schema["properties"].as_object().context("properties")?;
                for field in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
                    ensure!(known.contains_key(field), "{at}: {field} is in no schema");
                }
            }
            other => bail!("{at}: the validator does not know {other}"),
        }
    }
    Ok(())
}

fn is(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

#[test]
fn the_validator_can_fail() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"type": "integer", "minimum": 0}, "b": {"enum": ["x"]}}
    });
    let fits = |value: Value| check(&schema, &schema, &value, "it").is_ok();
    assert!(fits(serde_json::json!({"a": 1, "b": "x"})));
    for wrong in
        ["{}", "{\"a\": -1}", "{\"a\": \"1\"}", "{\"a\": 1, \"b\": \"y\"}", "{\"a\": 1, \"c\": 1}", "[]"]
    {
        assert!(!fits(serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
    assert!(
        check(&schema, &serde_json::json!({"pattern": "x"}), &Value::Null, "it").is_err(),
        "unknown keyword"
    );
}
