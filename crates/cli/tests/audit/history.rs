//! `audit verify` and `audit export` as processes, on a history that the real store wrote.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, ChainKey, Checkpoint, Draft, PackHead, SealKey};
use sallyport_model::{Digest, SessionId};
use sallyport_report::handed::{self, Along, Tape, Tapes};
use sallyport_store::{History, Kept, Sealing};
use sallyport_testkit::Ran;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub(super) struct Desk {
    dir: tempfile::TempDir,
    key: SealKey,
    /// How the history was after 20 calls.
    noted: (u64, Digest),
}

impl Desk {
    pub(super) async fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let key = SealKey::new([9; 32]);
        let sealing = Sealing { key: key.clone(), former: None };
        let history = History::open_sealed(&dir.path().join("data"), ChainKey::new([8; 32]), sealing).await?;
        for n in 0..20 {
            history.append(call(n)).await?;
        }
        history.append_durable(Draft::new(Action::SignIn).user(&"oidc:ada".parse()?)).await?;
        let tip = *history.subscribe().borrow();
        for n in 20..40 {
            history.append(call(n)).await?;
        }
        history.close().await?;
        Ok(Self { dir, key, noted: (tip.sequence, tip.root.context("a root")?) })
    }

    /// The history in this folder, begun where there is none, with so many more calls.
    async fn goes_on(&self, data: &str, calls: u64) -> Result<()> {
        let sealing = Sealing { key: self.key.clone(), former: None };
        let history =
            History::open_sealed(&self.dir.path().join(data), ChainKey::new([8; 32]), sealing).await?;
        for n in 0..calls {
            history.append(call(n)).await?;
        }
        Ok(history.close().await?)
    }

    /// The history with one more entry.
    pub(super) async fn note(&self, draft: Draft) -> Result<()> {
        let sealing = Sealing { key: self.key.clone(), former: None };
        let history =
            History::open_sealed(&self.dir.path().join("data"), ChainKey::new([8; 32]), sealing).await?;
        history.append_durable(draft).await?;
        Ok(history.close().await?)
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub(super) fn fingerprint(&self) -> String {
        self.key.public().fingerprint().to_string()
    }

    pub(super) async fn verify(&self, of: &[&str], more: &[&str]) -> Result<(i32, Value)> {
        let ran = audit(&[&["verify", "-o", "json"], of, more].concat()).await?;
        ensure!(!ran.out.is_empty(), "{}", ran.err);
        Ok((ran.code, ran.json()?))
    }

    pub(super) async fn export(&self, name: &str, more: &[&str]) -> Result<Ran> {
        audit(&[&["export", "--history", &self.path("data"), "--to", &self.path(name)], more].concat()).await
    }

    fn sql(&self, sql: &str) -> Result<()> {
        let db = rusqlite::Connection::open(self.path("data/history.db"))?;
        db.execute_batch("DROP TRIGGER entry_is_not_edited; DROP TRIGGER entry_is_not_deleted;")?;
        Ok(db.execute_batch(sql)?)
    }

    /// The file in a pack under this name, changed.
    pub(super) fn change(
        &self,
        pack: &str,
        name: &str,
        change: impl Fn(String) -> String,
    ) -> Result<PathBuf> {
        let mut read = tar::Archive::new(fs::File::open(self.path(pack))?);
        let to = self.dir.path().join(format!("changed-{name}-{pack}"));
        let mut written = tar::Builder::new(fs::File::create(&to)?);
        for member in read.entries()? {
            let mut member = member?;
            let mut text = String::new();
            std::io::Read::read_to_string(&mut member, &mut text)?;
            let path = member.path()?.into_owned();
            if path.ends_with(name) {
                text = change(text);
            }
            let mut header = member.header().clone();
            header.set_size(text.len() as u64);
            written.append_data(&mut header, path, text.as_bytes())?;
        }
        written.into_inner()?;
        Ok(to)
    }
}

fn call(n: u64) -> Draft {
    Draft::new(Action::Call)
        .user(&"oidc:ada".parse().expect("a name"))
        .cluster(&if n.is_multiple_of(2) { "eu-1" } else { "us-1" }.parse().expect("a name"))
        .session(&SessionId::new(format!("s{}", n % 4)))
        .detail("verb", "get")
        .detail("uri", format!("/api/v1/pods/<b>{n}\u{202e}"))
}

#[tokio::test]
async fn p18_a_history_is_verified_with_the_public_key_alone() -> Result<()> {
    let desk = Desk::new().await?;
    let data = desk.path("data");
    let of = ["--history", &data];

    let (code, told) = desk.verify(&of, &[]).await?;
    ensure!(code == 2 && told["verdict"] == "unknown" && told["key"] == desk.fingerprint(), "{told}");
    let (code, told) = desk.verify(&of, &["--key", &desk.fingerprint()]).await?;
    ensure!(code == 0 && told["verdict"] == "verified" && told["sealedUntil"] == 44, "{told}");
    fs::write(desk.path("key.pem"), desk.key.public().to_pem())?;
    let (code, told) = desk.verify(&of, &["--key", &desk.path("key.pem")]).await?;
    ensure!(code == 0, "{told}");
    let stranger = SealKey::new([1; 32]).public().fingerprint().to_string();
    let (code, told) = desk.verify(&of, &["--key", &stranger]).await?;
    ensure!(code == 1 && told["tampering"] == "resealed", "{told}");

    desk.sql("UPDATE entry SET outcome = 'failed' WHERE sequence = 17")?;
    let (code, told) = desk.verify(&of, &["--key", &desk.fingerprint()]).await?;
    ensure!(code == 1 && told["firstBad"] == 17 && told["tampering"] == "edited", "{told}");
    let refused = desk.export("none.tar", &[]).await?;
    ensure!(refused.code == 1 && !Path::new(&desk.path("none.tar")).exists(), "{}", refused.out);

    for bad in [&["--history", "/nonexistent"][..], &["--key", "x"], &["/nonexistent"], &["Cargo.toml"]] {
        let ran = audit(&[&["verify"], bad].concat()).await?;
        ensure!(ran.code == 2 && !ran.err.is_empty(), "{bad:?} {} {}", ran.code, ran.err);
    }
    Ok(())
}

#[tokio::test]
async fn p18_a_pack_proves_a_selection_where_nothing_of_ours_is() -> Result<()> {
    let desk = Desk::new().await?;
    let key = desk.fingerprint();
    let ran = desk.export("pack.tar", &["--session", "s3", "--cluster", "us-1"]).await?;
    ensure!(ran.code == 0 && ran.out.contains(&key), "{} {}", ran.out, ran.err);
    ensure!(fs::metadata(desk.path("pack.tar"))?.permissions().mode() & 0o77 == 0, "it is its owner's alone");
    let again = desk.export("pack.tar", &[]).await?;
    ensure!(again.code == 2, "nothing is replaced: {}", again.out);
    fs::rename(desk.path("data"), desk.path("gone"))?;

    let (code, told) = desk.verify(&[&desk.path("pack.tar")], &["--key", &key]).await?;
    ensure!(code == 0 && told["entries"] == 11 && told["leftOut"] == 33, "{told}");
    let (code, _) = desk.verify(&[&desk.path("pack.tar")], &[]).await?;
    ensure!(code == 2, "a pack's own key is nobody's");

    for (name, tampering) in [("history.jsonl", "edited"), ("key.pem", "edited"), ("report.html", "edited")] {
        let changed = desk.change("pack.tar", name, |text| match name {
            "key.pem" => SealKey::new([1; 32]).public().to_pem(),
            _ => text.replacen("oidc:ada", "oidc:eve", 1),
        })?;
        let (code, told) = desk.verify(&[&changed.display().to_string()], &["--key", &key]).await?;
        ensure!(code == 1 && told["tampering"] == tampering, "{name}: {told}");
    }
    let report = desk.change("pack.tar", "report.html", |text| {
        assert!(!text.contains("<b>") && !text.contains('\u{202e}') && text.contains("33"), "{text}");
        text
    })?;
    let (code, _) = desk.verify(&[&report.display().to_string()], &["--key", &key]).await?;
    ensure!(code == 0, "what is packed again as it was is what it was");
    Ok(())
}

#[tokio::test]
async fn requests_on_the_hub_say_how_a_history_was() -> Result<()> {
    let desk = Desk::new().await?;
    let data = desk.path("data");
    let of = ["--history", &data];
    let requests = |history: Value| {
        json!({"apiVersion": "v1", "kind": "List", "items": [{
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"namespace": "team", "name": "ask-1", "creationTimestamp": "2026-11-30T01:00:00Z"},
            "spec": {"user": "oidc:ada", "history": history},
        }]})
        .to_string()
    };
    let path = desk.path("requests.json");
    let (sequence, root) = desk.noted;
    let key = desk.fingerprint();
    fs::write(&path, requests(json!({"sequence": sequence, "root": root, "key": key})))?;
    let (code, told) = desk.verify(&of, &["--anchors", &path]).await?;
    ensure!(code == 2 && told["anchorsMet"] == 1, "anybody may name any key in a request: {told}");
    let of_ada = ["--anchors", &path, "--user", "oidc:ada"];
    let (code, told) = desk.verify(&of, &of_ada).await?;
    ensure!(code == 0 && told["anchorsMet"] == 1, "their own requests on the hub vouch for it: {told}");
    let ran =
        desk.export("pack.jsonl", &["--format", "jsonl", "--session", "s1", "--anchors", &path]).await?;
    ensure!(ran.code == 0, "{}", ran.err);
    let (code, told) = desk.verify(&[&desk.path("pack.jsonl")], &of_ada).await?;
    ensure!(code == 0 && told["anchorsMet"] == 1, "{told}");

    for (history, tampering) in [
        (json!({"sequence": 412, "root": root, "key": key}), "truncated"),
        (json!({"sequence": sequence + 1, "root": root, "key": key}), "not_as_anchored"),
    ] {
        fs::write(&path, requests(history))?;
        let (code, told) = desk.verify(&of, &of_ada).await?;
        ensure!(code == 1 && told["tampering"] == tampering, "{told}");
        let said = told["notes"][0].as_str().unwrap_or_default();
        ensure!(said.contains("request team/ask-1"), "{told}");
        // Without a name nobody knows whether whoever asked may say so: eve may write what she likes.
        let (code, told) = desk.verify(&of, &["--anchors", &path, "--key", &key]).await?;
        ensure!(code == 2 && told["tampering"].is_null(), "{told}");
        let said = told["notes"].to_string();
        ensure!(
            said.contains("request team/ask-1 of oidc:ada says that this history was another one"),
            "{told}"
        );
    }
    // Under another key: somebody else's, unless one asks for all of a person's.
    fs::write(&path, requests(json!({"sequence": 412, "root": root, "key": "ab".repeat(32)})))?;
    let (code, told) = desk.verify(&of, &["--anchors", &path, "--key", &key]).await?;
    ensure!(code == 2, "{told}");
    let (code, told) = desk.verify(&of, &["--anchors", &path, "--key", &key, "--user", "oidc:ada"]).await?;
    ensure!(code == 1 && told["tampering"] == "truncated", "{told}");
    Ok(())
}

/// Whoever breaks the last checkpoint must not have the next anchor pass for one that there never was.
#[tokio::test]
async fn p18_a_broken_last_checkpoint_is_named_and_nothing_is_anchored_of_it() -> Result<()> {
    let desk = Desk::new().await?;
    let last = "WHERE id = (SELECT max(id) FROM checkpoint)";
    for (name, sql, why) in [
        (
            "edited",
            format!("UPDATE checkpoint SET signed = replace(signed, '\"last\":44', '\"last\":43') {last}"),
            "is not signed by the key that it names",
        ),
        (
            "unreadable",
            format!("UPDATE checkpoint SET signed = '\u{202e}' {last}"),
            "is not readable as a checkpoint",
        ),
        (
            "removed",
            format!("DELETE FROM checkpoint {last}"),
            "its head says that it was sealed up to entry 44",
        ),
        ("emptied", "DELETE FROM checkpoint".to_owned(), "all of them are gone"),
    ] {
        let data = desk.path(name);
        fs::create_dir(&data)?;
        for file in fs::read_dir(desk.path("data"))? {
            let file = file?;
            fs::copy(file.path(), Path::new(&data).join(file.file_name()))?;
        }
        let db = rusqlite::Connection::open(Path::new(&data).join("history.db"))?;
        db.execute_batch("DROP TRIGGER checkpoint_is_not_edited; DROP TRIGGER checkpoint_is_not_deleted;")?;
        db.execute_batch(&sql)?;
        drop(db);
        let to = desk.path(&format!("{name}.jsonl"));
        for more in [&["--to", to.as_str()][..], &[]] {
            let ran = audit(&[&["anchor", "--history", &data], more].concat()).await?;
            ensure!(ran.code == 2 && ran.out.is_empty(), "{name}: {} {}", ran.out, ran.err);
            ensure!(ran.err.contains("is broken: ") && ran.err.contains(why), "{name}: {}", ran.err);
            ensure!(ran.err.contains("sallyport audit verify --history"), "what to do: {}", ran.err);
            ensure!(!ran.err.contains("without a key"), "{name}: {}", ran.err);
        }
        ensure!(!Path::new(&to).exists(), "{name}");
    }
    Ok(())
}

/// What was noted elsewhere is its key's own word: a history that is shorter, or another, is named as that, whoever is asked
/// about and whoever kept it; and nobody else can say so.
#[tokio::test]
async fn p18_a_history_is_held_to_what_was_noted_of_it_elsewhere() -> Result<()> {
    let desk = Desk::new().await?;
    let (data, file, key) = (desk.path("data"), desk.path("anchors.jsonl"), desk.fingerprint());
    let note = async |data: &str| {
        let ran = audit(&["anchor", "--history", data, "--to", &file]).await?;
        ensure!(ran.code == 0, "{} {}", ran.out, ran.err);
        anyhow::Ok(ran.out)
    };
    let of = async |data: &str, more: &[&str]| {
        let all = [&["--anchors", &file], more].concat();
        desk.verify(&["--history", data], &all).await
    };
    let known = ["--key", key.as_str()];
    ensure!(note(&data).await?.contains("entry 44 of the history is noted"));
    ensure!(note(&data).await?.contains("was noted before"));
    let (code, told) = of(&data, &known).await?;
    ensure!(code == 0 && told["anchorsMet"] == 1, "{told}");
    let (code, told) = of(&data, &[]).await?;
    ensure!(code == 2 && told["anchorsMet"] == 1, "a key does not vouch for itself: {told}");
    let (code, told) = of(&data, &["--user", "oidc:ada"]).await?;
    ensure!(code == 2 && told["anchorsMet"] == 1, "nor for whoever is named: {told}");

    // It goes on, and a copy of before is passed off as all there is.
    let before = desk.path("before");
    fs::create_dir(&before)?;
    for file in fs::read_dir(&data)? {
        let file = file?;
        fs::copy(file.path(), Path::new(&before).join(file.file_name()))?;
    }
    desk.goes_on("data", 30).await?;
    note(&data).await?;
    let (code, told) = of(&data, &known).await?;
    ensure!(code == 0 && told["anchorsMet"] == 2, "{told}");
    for more in [&known[..], &[]] {
        let (code, told) = of(&before, more).await?;
        ensure!(code == 1 && told["tampering"] == "truncated" && told["firstBad"] == 45, "{told}");
        let said = told["notes"][0].as_str().unwrap_or_default();
        ensure!(said.contains("the anchor of") && said.contains("anchors.jsonl"), "{told}");
    }
    let (code, _) = desk.verify(&["--history", &before], &known).await?;
    ensure!(code == 0, "nothing else tells");

    // Written anew and longer, by whoever has the key.
    desk.goes_on("anew", 200).await?;
    let (code, told) = of(&desk.path("anew"), &[]).await?;
    ensure!(code == 1 && told["tampering"] == "not_as_anchored", "{told}");
    let (code, _) = desk.verify(&["--history", &desk.path("anew")], &known).await?;
    ensure!(code == 0, "nothing else tells");

    // Another pack of it is one as well, and a store's answer.
    let ran = desk.export("pack.jsonl", &["--format", "jsonl", "--session", "s1"]).await?;
    ensure!(ran.code == 0, "{}", ran.err);
    let packed = desk.path("pack.jsonl");
    let (code, told) = desk.verify(&["--history", &before], &["--anchors", &packed]).await?;
    ensure!(code == 1 && told["tampering"] == "truncated", "{told}");
    let noted = fs::read_to_string(&file)?;
    let values: Vec<Value> = noted.lines().map(|line| json!(["1", line])).collect();
    let loki = json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {}, "values": values}]}});
    fs::write(&file, loki.to_string())?;
    let (code, told) = of(&data, &known).await?;
    ensure!(code == 0 && told["anchorsMet"] == 2, "{told}");

    // Made up by somebody else: under this key it has no signature, under their own it is of another history.
    let forged = noted.replace("\\\"last\\\":44", "\\\"last\\\":43");
    ensure!(forged != noted);
    let stranger = Checkpoint::sign(&SealKey::new([1; 32]), desk.noted.1, (1, 412), desk.noted.1, 1, None);
    fs::write(&file, format!("{forged}{}\n{{\"breaks of", stranger.handed_on()))?;
    let (code, told) = of(&data, &known).await?;
    ensure!(code == 0 && told["anchorsMet"] == 1, "{told}");
    let said = told["notes"].to_string();
    ensure!(
        said.contains("1 checkpoints were not signed") && said.contains("1 anchors tell of other"),
        "{told}"
    );
    ensure!(said.contains("1 objects are no anchors"), "{told}");

    let none = audit(&["anchor", "--history", &desk.path("nowhere")]).await?;
    ensure!(none.code == 2, "{}", none.err);
    History::open(Path::new(&desk.path("keyless")), None).await?.close().await?;
    let none = audit(&["anchor", "--history", &desk.path("keyless")]).await?;
    ensure!(none.code == 2 && none.err.contains("without a key"), "{}", none.err);
    Ok(())
}

#[tokio::test]
async fn other_programs_get_every_entry() -> Result<()> {
    let desk = Desk::new().await?;
    for (form, lines) in [("csv", 45), ("ocsf", 44)] {
        let ran = desk.export(form, &["--format", form]).await?;
        ensure!(ran.code == 0 && ran.out.starts_with("44 entries"), "{} {}", ran.out, ran.err);
        let text = fs::read_to_string(desk.path(form))?;
        ensure!(text.lines().count() == lines, "{form}");
        if form == "ocsf" {
            for line in text.lines() {
                let event: Value = serde_json::from_str(line)?;
                let entry = event["unmapped"]["sallyport"].as_str().context("the entry")?;
                sallyport_audit::parse_entry_json(entry)?;
            }
        }
    }
    let ran = desk.export("some.csv", &["--format", "csv", "--cluster", "eu-1", "--since", "1h"]).await?;
    ensure!(ran.out.starts_with("20 entries"), "{} {}", ran.out, ran.err);
    Ok(())
}

/// As the window writes it, which alone can open what is sealed.
#[tokio::test]
async fn a_pack_with_recordings_is_verified_by_what_its_entries_say_of_them() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let key = SealKey::new([9; 32]);
    let sealing = Sealing { key: key.clone(), former: None };
    let data = dir.path().join("data");
    let history = History::open_sealed(&data, ChainKey::new([8; 32]), sealing).await?;
    let cast = |n: u32| format!("{{\"version\":2,\"width\":80,\"height\":24}}\n[0.1,\"o\",\"part {n}\"]\n");
    for n in [1, 2] {
        let draft = Draft::new(Action::Recorded).session(&SessionId::new("s1")).detail("terminal", "t1");
        let draft = draft.detail("segment", n).detail("sha256", Digest::of(cast(n).as_bytes()).to_string());
        history.append_durable(draft).await?;
    }
    history.close().await?;
    let kept = Kept::open(&data)?;
    let checkpoints: Vec<Checkpoint> =
        kept.checkpoints()?.into_iter().filter_map(|one| one.checkpoint.ok()).collect();
    let origin = checkpoints.last().context("a checkpoint")?.origin;
    let head =
        PackHead { version: 1, origin, made: 0, by: handed::BY.to_owned(), selection: "all".to_owned() };
    let mut lines = tempfile::tempfile()?;
    kept.walk(|entries| {
        let entries = entries.filter_map(|next| next.ok().map(|linked| linked.entry));
        handed::history(&mut lines, head, checkpoints, &[], entries, |_| true)
    })??;
    let path = dir.path().join("a.tar");
    let mut read = |segment: &handed::Segment| {
        Ok(match segment.number {
            1 => Tape::Here(cast(1).into_bytes()),
            _ => Tape::Missing("it is not kept\u{202e} any more".to_owned()),
        })
    };
    let tapes = Tapes { sessions: ["s1".to_owned()].into(), read: &mut read };
    let along = Along { tapes: Some(tapes), events: None };
    handed::pack(&mut fs::File::create(&path)?, &mut lines, key.public(), along)?;

    let fingerprint = key.public().fingerprint().to_string();
    let verify = async |path: &Path, more: &[&str]| {
        audit(&[&["verify", &path.display().to_string(), "--key", &fingerprint], more].concat()).await
    };
    let ran = verify(&path, &[]).await?;
    ensure!(ran.code == 0, "{} {}", ran.out, ran.err);
    ensure!(ran.out.contains("1 segments of recordings are what was recorded"), "{}", ran.out);
    ensure!(
        ran.out.contains("t1-00002.cast is on record and not in the pack") && !ran.out.contains('\u{202e}'),
        "{}",
        ran.out
    );
    let told: Value = verify(&path, &["-o", "json"]).await?.json()?;
    ensure!(told["recordings"] == 1 && told["verdict"] == "verified", "{told}");

    let whole = fs::read(&path)?;
    let place = whole.windows(6).position(|at| at == b"part 1").context("the recording")?;
    let mut changed = whole.clone();
    changed[place + 5] = b'7';
    fs::write(&path, changed)?;
    let told: Value = verify(&path, &["-o", "json"]).await?.json()?;
    ensure!(told["tampering"] == "edited" && told["recordings"] == 0, "{told}");
    ensure!(verify(&path, &[]).await?.code == 1);
    Ok(())
}
