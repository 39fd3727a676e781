//! What there is of an entry that is no JSON as a whole: cut, or with something in it that goes too deep.

use crate::clean::left_out;
use crate::scan::{Scan, Step, Stop};
use serde_json::{Map, Value};

/// An entry as far as it can be read.
pub(super) struct Less {
    /// Its fields; in place of what can't be looked through, that it was left out.
    pub(super) entry: Value,
    /// Bytes of the request and of the response, where those were left out.
    pub(super) bodies: [Option<u64>; 2],
    /// Bytes that are missing behind what could be read, if it was cut.
    pub(super) cut: Option<usize>,
}

/// Reads what can be read.
pub(super) fn read(text: &str) -> Less {
    let mut scan = Scan::new(text);
    let mut entry = Map::new();
    let mut bodies = [None; 2];
    let good = fields(&mut scan, text, &mut entry, &mut bodies, true);
    let cut = good.err().map(|Stop| text.len() - scan.at().min(text.len()));
    Less { entry: Value::Object(entry), bodies, cut }
}

fn fields(
    scan: &mut Scan<'_>,
    text: &str,
    into: &mut Map<String, Value>,
    bodies: &mut [Option<u64>; 2],
    is_top: bool,
) -> Step<()> {
    let mut first = true;
    if !scan.object()? {
        return Err(Stop);
    }
    while let Some(key) = scan.key(&mut first)? {
        if is_top && key == "protoPayload" && scan.peek()? == b'{' {
            let mut payload = Map::new();
            let read = fields(scan, text, &mut payload, bodies, false);
            into.insert(key.into_owned(), Value::Object(payload));
            read?;
            continue;
        }
        let body = match &*key {
            "request" if !is_top => Some(0),
            "response" if !is_top => Some(1),
            _ => None,
        };
        scan.peek()?;
        let start = scan.at();
        let read = scan.skip();
        let end = read.as_ref().map_or(text.len(), |range| range.end);
        let value =
            read.as_ref().ok().and_then(|range| serde_json::from_str::<Value>(&text[range.clone()]).ok());
        if value.is_none()
            && let Some(body) = body
        {
            bodies[body] = Some((end - start) as u64);
        }
        // A word that was cut is another one.
        if value.is_some() || read.is_ok() || body.is_some() {
            into.insert(key.into_owned(), value.unwrap_or_else(|| Value::from(left_out(end - start))));
        }
        read?;
    }
    Ok(())
}
