//! OTLP over HTTP with protobuf (opentelemetry.io/docs/specs/otlp, opentelemetry-proto `logs/v1`). The few messages that
//! are needed are written by hand: a tag, a length, and what follows.

use crate::EngineError;
use crate::http::Http;
use crate::push::Pushed;
use crate::record::Record;
use crate::target::Target;

pub(crate) async fn push(http: &Http, target: &Target, records: &[Record]) -> Result<Pushed, EngineError> {
    let body = request(records);
    let answer = http.post(target.at("/v1/logs"), "application/x-protobuf", body).await?;
    let rejected = rejected(&answer)
        .ok_or_else(|| http.unfit("what is no answer to an export of logs"))?
        .min(records.len() as u64);
    let mut pushed = Pushed::all(records);
    pushed.records -= rejected;
    pushed.rejected = rejected;
    Ok(pushed)
}

/// `ExportLogsServiceRequest`.
fn request(records: &[Record]) -> Vec<u8> {
    let mut all = Vec::new();
    // One resource for each run of records of one cluster.
    for run in records.chunk_by(|one, other| one.cluster == other.cluster) {
        let mut resource = Vec::new();
        attribute(&mut resource, 1, "service.name", "kube-apiserver");
        attribute(&mut resource, 1, "k8s.cluster.name", &run[0].cluster);
        let mut scope = Vec::new();
        bytes(&mut scope, 1, b"sallyport");
        let mut scope_logs = Vec::new();
        bytes(&mut scope_logs, 1, &scope);
        for record in run {
            bytes(&mut scope_logs, 2, &log_record(record));
        }
        let mut resource_logs = Vec::new();
        bytes(&mut resource_logs, 1, &resource);
        bytes(&mut resource_logs, 2, &scope_logs);
        bytes(&mut all, 1, &resource_logs);
    }
    all
}

fn log_record(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    // 1: time_unix_nano, fixed64.
    out.push(1 << 3 | 1);
    out.extend_from_slice(&record.at.to_le_bytes());
    // 2: severity_number, INFO.
    out.extend_from_slice(&[2 << 3, 9]);
    // 5: body.
    bytes(&mut out, 5, &any(&record.event));
    attribute(&mut out, 6, "log.record.uid", &record.id);
    attribute(&mut out, 6, "cluster", &record.cluster);
    for (name, text) in &record.fields {
        attribute(&mut out, 6, name, text);
    }
    out
}

/// A `KeyValue` of a text, as this field.
fn attribute(out: &mut Vec<u8>, field: u8, key: &str, value: &str) {
    let mut pair = Vec::new();
    bytes(&mut pair, 1, key.as_bytes());
    bytes(&mut pair, 2, &any(value));
    bytes(out, field, &pair);
}

/// `AnyValue` of a text.
fn any(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, text.as_bytes());
    out
}

fn bytes(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    out.push(field << 3 | 2);
    let mut length = content.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
}

/// `ExportLogsServiceResponse.partial_success.rejected_log_records`; `None` of what is no protobuf.
fn rejected(answer: &[u8]) -> Option<u64> {
    let mut rejected = 0;
    for_each(answer, &mut |field, value| {
        if let (1, Value::Bytes(partial)) = (field, value) {
            let _ = for_each(partial, &mut |field, value| {
                if let (1, Value::Number(number)) = (field, value) {
                    rejected = number;
                }
            });
        }
    })?;
    Some(rejected)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn for_each<'a>(mut message: &'a [u8], each: &mut dyn FnMut(u64, Value<'a>)) -> Option<()> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)?),
            1 => Value::Bytes(take(&mut message, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                Value::Bytes(take(&mut message, length)?)
            }
            5 => Value::Bytes(take(&mut message, 4)?),
            _ => return None,
        };
        each(tag >> 3, value);
    }
    Some(())
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = message.split_at_checked(length)?;
    *message = tail;
    Some(head)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *take(message, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_collector_rejects_is_read_and_noise_is_no_answer() {
        assert_eq!(rejected(&[]), Some(0));
        // partial_success { rejected_log_records: 300, error_message: "no" }
        assert_eq!(rejected(&[0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, b'n', b'o']), Some(300));
        for noise in [&b"<html>"[..], b"{}", &[0x0a, 0xff], &[0xff; 12], &[0x0a]] {
            assert_eq!(rejected(noise), None, "{noise:?}");
        }
    }
}
