//! Whether a body has nothing in it that any rule could find, in one pass and without building it: most have nothing.

use super::suspect::{begins_json, in_text, is_flag, is_key, names_a_secret};
use super::{Holds, unquoted};
use crate::Body;
use crate::scan::{Scan, Step, Stop};

/// How deep a body is looked at here; deeper ones are looked through in full.
const DEEP: u32 = 48;

/// The facts of a body that may stay as it is; `None` where it has to be looked through.
pub(super) fn plain(key: Option<&str>, text: &str, holds: Holds) -> Option<Body> {
    let mut scan = Scan::new(text);
    let mut look = Look { holds, facts: Body { bytes: text.len() as u64, ..Body::default() } };
    // A patch is a list of operations, whose facts are in what belongs together.
    if scan.peek() == Ok(b'[') {
        return None;
    }
    look.value(&mut scan, key.unwrap_or_default(), Place::Top, 0).ok()?;
    (scan.is_over() && scan.flaws.bits() == 0).then_some(look.facts)
}

/// Where facts are.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    Metadata,
    Spec,
    Kind,
    Name,
    Replicas,
    Else,
}

struct Look {
    holds: Holds,
    facts: Body,
}

impl Look {
    /// Goes over one value; stops at anything that a rule could find.
    fn value(&mut self, scan: &mut Scan<'_>, key: &str, place: Place, depth: u32) -> Step<()> {
        if depth > DEEP {
            return Err(Stop);
        }
        match scan.peek()? {
            b'{' => {
                scan.object()?;
                let mut first = true;
                while let Some(inner) = scan.key(&mut first)? {
                    let is_data = matches!(&*inner, "data" | "stringData" | "binaryData");
                    if self.holds == Holds::Data && (is_data || inner == "value") {
                        return Err(Stop);
                    }
                    let inside = match (place, &*inner) {
                        (Place::Top, "metadata") => Place::Metadata,
                        (Place::Top, "spec") => Place::Spec,
                        (Place::Top, "kind") => Place::Kind,
                        (Place::Metadata, "name") => Place::Name,
                        (Place::Spec, "replicas") => Place::Replicas,
                        _ => Place::Else,
                    };
                    self.value(scan, &inner, inside, depth + 1)?;
                }
                Ok(())
            }
            b'[' => {
                scan.array()?;
                let mut first = true;
                while scan.element(&mut first)? {
                    self.value(scan, key, Place::Else, depth + 1)?;
                }
                Ok(())
            }
            b'"' => {
                let text = scan.text()?.unwrap_or_default();
                if is_suspect(key, &text) || self.holds == Holds::Data && unquoted(&text).is_some() {
                    return Err(Stop);
                }
                match place {
                    Place::Kind => self.facts.kind = Some(sallyport_model::clip(&text, 253)),
                    Place::Name => self.facts.name = Some(sallyport_model::clip(&text, 253)),
                    _ => {}
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' if is_key(key) => Err(Stop),
            b'-' | b'0'..=b'9' if place == Place::Replicas => {
                self.facts.replicas = scan.number()?;
                Ok(())
            }
            _ => scan.skip().map(drop),
        }
    }
}

fn is_suspect(key: &str, text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let names_another = matches!(key, "name" | "path" | "key");
    let is_named_secret = names_another && names_a_secret(text);
    let is_object = matches!(text, "Secret" | "SecretList" | "ConfigMap" | "ConfigMapList");
    is_object && key == "kind"
        || is_named_secret
        || is_key(key)
        || begins_json(text)
        || text.contains('?') && (text.starts_with('/') || text.starts_with("http"))
        || if text.starts_with('-') { is_flag(text) } else { in_text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::body::{facts_of, tree};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_plain_has_its_facts() {
        let scale = json!({"kind": "Scale", "metadata": {"name": "web", "labels": {"a": "b"}}, "spec": {"replicas": 3,
            "template": {"kind": "x", "metadata": {"name": "inner"}, "args": ["a", "b"]}}});
        let facts = plain(None, &scale.to_string(), Holds::Other).unwrap();
        let want = Body { bytes: scale.to_string().len() as u64, ..facts_of(&scale) };
        assert_eq!(facts, want);
        assert_eq!(facts.replicas, Some(3));
    }

    fn values() -> impl Strategy<Value = Value> {
        let word = proptest::sample::select(vec![
            "hunter2",
            "Secret",
            "--password",
            "-phunter2",
            "mysql",
            "DB_PASSWORD",
            "/spec/token",
            "/spec/tokens/-",
            "/spec/env/2/value",
            " {\"kind\":\"Secret\",\"data\":{\"a\":\"b\"}}",
            "bad, error found in #1 byte of ...|x|...",
            "Bearer",
            "a b",
            "",
            "/x?token=hunter2",
            "{\"password\":\"x\"}",
            "token: x",
            "https://a:b@c",
            "plain",
            "[redacted]",
            "basic",
            "--listen",
            "--user",
            "--user=a:b",
            "-u",
            "-a",
            "--a b",
            "--x=token=y",
            "redis-cli",
            "--proxy-user=a:b",
            "-----BEGIN PRIVATE KEY-----",
            "--",
            "--listen=0.0.0.0:80",
        ]);
        let leaf = prop_oneof![
            word.prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            Just(Value::Null),
            Just(json!(true)),
        ];
        let key = proptest::sample::select(vec![
            "name",
            "value",
            "password",
            "adminPass",
            "data",
            "stringData",
            "kind",
            "op",
            "path",
            "metadata",
            "spec",
            "replicas",
            "args",
            "env",
            "token",
            "secretName",
            "key",
            "a",
        ]);
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn p20_what_is_plain_has_nothing_to_take_out(value in values(), holds_data: bool) {
            let holds = if holds_data { Holds::Data } else { Holds::Other };
            let text = value.to_string();
            if let Some(facts) = plain(None, &text, holds) {
                let mut walked = value.clone();
                prop_assert_eq!(tree(&mut walked, holds), 0);
                prop_assert_eq!(&walked, &value);
                prop_assert_eq!(facts, Body { bytes: text.len() as u64, ..facts_of(&value) });
            }
        }
    }
}
