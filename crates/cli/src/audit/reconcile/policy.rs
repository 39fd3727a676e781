//! The audit policy that a cluster runs, from a file.

use crate::end::Stop;
use crate::read::text;
use sallyport_events::Policy;
use sallyport_model::visible;
use sallyport_report::words::shown;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use std::path::Path;

/// The longest file that is read, in bytes.
const MOST: u64 = 4 << 20;

pub(super) fn read(path: &Path) -> Result<Policy, Stop> {
    let name = shown(&path.display().to_string());
    let text = text(path, MOST).map_err(|why| Stop(visible(&format!("{name} can't be read: {why}"))))?;
    parse(&text).map_err(|why| Stop(visible(&format!("{name} says nothing of what is told: {why}"))))
}

fn parse(text: &str) -> Result<Policy, String> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: 32, max_nodes: 1_000_000 },
    };
    let value: serde_json::Value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| format!("it is no audit policy: {error}"))?;
    Policy::of(&value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_policy_is_read_and_what_is_none_says_why() {
        let policy = parse(super::super::super::POLICY).unwrap();
        assert!(policy.omits().has(sallyport_events::Stage::RequestReceived));
        for (wrong, want) in [
            ("", "no object"),
            ("kind: Policy", "no audit policy"),
            ("a: &x 1\nb: *x", ""),
            ("{", ""),
            ("kind: Policy\nkind: Policy", "uplicate"),
        ] {
            let why = parse(wrong).unwrap_err();
            assert!(why.contains(want), "{wrong}: {why}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
