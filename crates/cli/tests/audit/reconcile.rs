//! What a cluster saw of a session's token beside what its gateway sent: the history of a desktop, and a log as an API
//! server writes it.

use super::audit;
use anyhow::{Context as _, Result, ensure};
use sallyport_audit::{Action, Draft};
use sallyport_model::{AuditId, Jti, RequestUid, SessionAccount, SessionId};
use sallyport_store::History;
use sallyport_testkit::Ran;
use std::fs;
use std::path::PathBuf;

const SECOND: i64 = 1_000_000;
const CALLS: i64 = 411;
const URI: &str = "/api/v1/namespaces/payments/pods";

struct Desk {
    dir: tempfile::TempDir,
    /// When the first call was, in microseconds.
    begin: i64,
}

fn request() -> RequestUid {
    RequestUid::new("0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11")
}

fn account(request: &RequestUid) -> String {
    SessionAccount::derive(request, 1_796_000_000).to_string()
}

fn id(n: i64) -> String {
    format!("{n:08x}-0000-7000-8000-000000000000")
}

/// A line of an API server.
struct Line {
    at: i64,
    id: String,
    account: String,
    jti: String,
    uri: String,
    client: String,
}

impl Line {
    fn written(&self) -> String {
        let at = jiff::Timestamp::from_microsecond(self.at).expect("a time of this century");
        let at = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
        let (id, jti, uri, client) = (&self.id, &self.jti, &self.uri, &self.client);
        let user = match &*self.account {
            person if person.starts_with("oidc:") => person.to_owned(),
            account => format!("system:serviceaccount:sallyport-sessions:{account}"),
        };
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"{uri}","verb":"list","user":{{"username":"{user}","uid":"u","extra":{{"authentication.kubernetes.io/credential-id":["JTI={jti}"]}}}},"sourceIPs":["10.0.0.7"],"userAgent":"{client}","objectRef":{{"resource":"pods","namespace":"payments","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"{at}","stageTimestamp":"{at}"}}"#
        )
    }
}

impl Desk {
    fn new() -> Result<Self> {
        let now = jiff::Timestamp::now().as_microsecond();
        Ok(Self { dir: tempfile::tempdir()?, begin: now - 1800 * SECOND })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A session with so many calls, as the app writes it.
    async fn history(&self, calls: i64) -> Result<History> {
        let history = History::open(&self.path("data"), None).await?;
        let of = |action, at: i64| {
            Draft::new(action)
                .at(self.begin + at * SECOND)
                .cluster(&"eu-1".parse().expect("a name"))
                .user(&"oidc:dana".parse().expect("a name"))
                .request(&request())
                .session(&SessionId::new("session-1"))
        };
        // The history begins before the session does.
        history.append(Draft::new(Action::SignIn).at(self.begin - 600 * SECOND)).await?;
        history.append(of(Action::Approved, -2).detail("by", "by oidc:lee")).await?;
        for n in 0..calls {
            let call = of(Action::Call, n)
                .jti(&Jti::new("token-1"))
                .audit_id(&AuditId::new(id(n)))
                .detail("method", "GET")
                .detail("uri", URI)
                .detail("status", 200)
                .detail("kubectl_session", format!("4d5e6f70-0000-4000-8000-{:012}", n / 3))
                .detail("kubectl_command", "kubectl get");
            history.append(call).await?;
        }
        history.append_durable(of(Action::Leave, calls)).await?;
        Ok(history)
    }

    fn line(&self, n: i64) -> Line {
        Line {
            at: self.begin + n * SECOND + 5000,
            id: id(n),
            account: account(&request()),
            jti: "token-1".into(),
            uri: URI.into(),
            client: "kubectl/v1.37.2".into(),
        }
    }

    /// What the log has besides: somebody else's calls, up to now.
    fn people(&self) -> Vec<Line> {
        let person = |n: i64| Line {
            account: "oidc:ada".into(),
            jti: "of-ada".into(),
            id: id(100_000 + n),
            ..self.line(n * 10 - 700)
        };
        (0..250).map(person).collect()
    }

    /// Reads a log into an archive of this name, and compares.
    async fn reconcile(&self, archive: &str, lines: &[Line], args: &[&str]) -> Result<Ran> {
        let log = self.path(&format!("{archive}.log"));
        let text: String = lines.iter().map(|line| line.written() + "\n").collect();
        fs::write(&log, text)?;
        let (archive, log) = (self.text(archive), log.display().to_string());
        let import = audit(&["import", "--archive", &archive, "--cluster", "eu-1", &log]).await?;
        ensure!(import.code == 0, "{} {}", import.out, import.err);
        self.again(&archive, args).await
    }

    async fn again(&self, archive: &str, args: &[&str]) -> Result<Ran> {
        let data = self.text("data");
        audit(&[&["reconcile", "--archive", archive, "--history", &data][..], args].concat()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_around_the_gateway_is_said_and_nothing_else_is_held_to_be_one() -> Result<()> {
    let desk = Desk::new()?;
    // The app runs and goes on writing.
    let history = desk.history(CALLS).await?;
    let all = || -> Vec<Line> { desk.people().into_iter().chain((0..CALLS).map(|n| desk.line(n))).collect() };
    let matched = desk.reconcile("matched", &all(), &["--calls"]).await?;
    ensure!(matched.code == 0, "{} {} {}", matched.code, matched.out, matched.err);
    for said in [
        "Session of oidc:dana, request 0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11, approved by oidc:lee",
        "The cluster saw 411 calls by this token, the gateway 411.",
        "411 calls tied to its entry: 137 commands of kubectl, 0 other calls.",
        "kubectl get\n",
        "Every call that was seen of a session's token was its gateway's.",
    ] {
        ensure!(matched.out.contains(said), "{said}: {}", &matched.out[..matched.out.len().min(4000)]);
    }
    ensure!(!matched.out.contains("ELSEWHERE"), "{}", matched.out);

    let mut lines = all();
    lines.push(Line { id: id(900_000), client: "curl/8\\u001b[2J".into(), ..desk.line(200) });
    let bypass = desk.reconcile("bypass", &lines, &[]).await?;
    ensure!(bypass.code == 1, "{} {} {}", bypass.code, bypass.out, bypass.err);
    let said = "The cluster saw 412 calls by this token, the gateway 411: this one came from elsewhere.";
    ensure!(bypass.out.contains(said), "{}", bypass.out);
    ensure!(
        bypass.out.contains("list pods in payments from 10.0.0.7 by curl/8")
            && bypass.out.contains("the gateway minted no such Audit-ID")
            && !bypass.out.contains('\u{1b}'),
        "{:?}",
        bypass.out
    );
    // Before that time, and after it, nothing came from elsewhere.
    let archive = desk.text("bypass");
    let until = jiff::Timestamp::from_microsecond(desk.begin + 190 * SECOND)?.to_string();
    let before = desk.again(&archive, &["--until", &until, "-o", "json"]).await?;
    ensure!(before.code == 0, "{} {}", before.code, before.out);
    ensure!(before.json()?["clusters"][0]["sessions"][0]["gateway"] == 190, "{}", before.out);
    let since = jiff::Timestamp::from_microsecond(desk.begin + 210 * SECOND)?.to_string();
    let after = desk.again(&archive, &["--since", &since, "-o", "json"]).await?.json()?;
    ensure!(after["verdict"] == "matched" && after["clusters"][0]["sessions"][0]["both"] == 201, "{after}");

    // The id of a call of the gateway: for something else it is found, by somebody else it ties nothing.
    let mut lines = all();
    lines.push(Line {
        uri: "/api/v1/namespaces/payments/secrets".into(),
        at: desk.begin + 9 * SECOND,
        ..desk.line(7)
    });
    lines.push(Line { account: "oidc:mallory".into(), jti: "of-mallory".into(), ..desk.line(8) });
    let other = RequestUid::new("11111111-4f52-4b2e-8c57-2f6a7d4b9a11");
    lines.extend((0..17).map(|n| Line {
        account: account(&other),
        jti: "another-desktops".into(),
        id: id(800_000 + n),
        ..desk.line(n)
    }));
    let reused = desk.reconcile("reused", &lines, &["-o", "json"]).await?;
    ensure!(reused.code == 1, "{} {}", reused.code, reused.out);
    let reused = reused.json()?;
    let cluster = &reused["clusters"][0];
    ensure!(cluster["sessions"][0]["bypass"][0]["why"] == "reusedId", "{cluster}");
    ensure!(cluster["sessions"][0]["bypass"].as_array().is_some_and(|all| all.len() == 1), "{cluster}");
    ensure!(
        cluster["borrowed"][0]["person"] == "oidc:mallory" && cluster["borrowed"][1].is_null(),
        "{cluster}"
    );
    ensure!(
        cluster["others"][0]["account"] == account(&other) && cluster["others"][0]["calls"] == 17,
        "another desktop's calls are said and are no bypass: {cluster}"
    );
    history.close().await?;
    let again = desk.again(&desk.text("matched"), &["--cluster", "eu-1"]).await?;
    ensure!(again.code == 0, "after a stop in order: {} {}", again.code, again.out);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_said_and_is_no_tampering() -> Result<()> {
    let desk = Desk::new()?;
    desk.history(20).await?.close().await?;
    let all = || -> Vec<Line> { desk.people().into_iter().chain((0..20).map(|n| desk.line(n))).collect() };
    // One call that the log does not have: nobody knows the policy, nor whether it is of every API server.
    let lines: Vec<Line> = all().into_iter().filter(|line| line.id != id(5)).collect();
    let unseen = desk.reconcile("unseen", &lines, &[]).await?;
    ensure!(unseen.code == 0, "{} {}", unseen.code, unseen.out);
    ensure!(
        unseen.out.contains("No event was found of 1 call: it may be that the audit policy leaves them out")
            && !unseen.out.contains("amper"),
        "{}",
        unseen.out
    );
    let archive = desk.text("unseen");
    fs::write(desk.path("policy.yaml"), audit(&["policy"]).await?.out)?;
    let policy = desk.text("policy.yaml");
    let told = desk.again(&archive, &["--policy", &policy, "--every-server"]).await?;
    ensure!(told.code == 2 && told.out.contains("nothing that is known here explains it"), "{}", told.out);
    let none = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: None, verbs: [list]}\n";
    fs::write(desk.path("none.yaml"), none)?;
    let told = desk.again(&archive, &["--policy", &desk.text("none.yaml"), "--every-server"]).await?;
    ensure!(
        told.code == 0 && told.out.contains("the audit policy tells nothing of such calls"),
        "{}",
        told.out
    );

    // A log that ends before the calls do.
    let lines: Vec<Line> = all().into_iter().filter(|line| line.at < desk.begin - 100 * SECOND).collect();
    let short = desk.reconcile("short", &lines, &[]).await?;
    ensure!(short.code == 2, "{} {}", short.code, short.out);
    ensure!(short.out.contains("before or after what the archive has"), "{}", short.out);
    // None at all of a cluster that was named.
    let named = desk.again(&archive, &["--cluster", "us-1"]).await?;
    ensure!(
        named.code == 2 && named.out.contains("the archive has no event of this cluster"),
        "{}",
        named.out
    );

    // An app that died: a call with its token that came later may have been its gateway's.
    let db = desk.path("data/history.db");
    let bytes = fs::read(&db)?;
    let dead = Desk { dir: tempfile::tempdir()?, begin: desk.begin };
    let history = dead.history(20).await?;
    fs::create_dir(dead.path("copy"))?;
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::copy(dead.path("data").join(name), dead.path("copy").join(name))?;
    }
    history.close().await?;
    fs::remove_dir_all(dead.path("data"))?;
    fs::rename(dead.path("copy"), dead.path("data"))?;
    let mut lines = all();
    lines.push(Line { id: id(900_000), ..dead.line(600) });
    let unclear = dead.reconcile("unclear", &lines, &[]).await?;
    ensure!(unclear.code == 2, "{} {}", unclear.code, unclear.out);
    ensure!(
        unclear.out.contains("did not stop in order") && unclear.out.contains("not known"),
        "{}",
        unclear.out
    );

    ensure!(
        unclear.out.contains("not known") && !unclear.out.contains("end without notice"),
        "{}",
        unclear.out
    );
    // Somebody who goes on with its token for a while is told of: the app's last calls are of one moment.
    for n in 0..5 {
        lines.push(Line { id: id(900_001 + n), ..dead.line(610 + n * 30) });
    }
    let after = dead.reconcile("after", &lines, &[]).await?;
    ensure!(
        after.code == 2 && after.out.contains("6 of them lie after an end without notice, up to 130 s apart"),
        "{} {}",
        after.code,
        after.out
    );
    let after = dead.again(&dead.text("after"), &["-o", "json"]).await?.json()?;
    ensure!(after["clusters"][0]["afterStop"] == 6, "{after}");

    // A history that can't be read.
    for (change, want) in [
        (None, "there is no history in"),
        (Some(b"no database".repeat(1000)), "could not be"),
        (Some(bytes[..bytes.len() / 2].to_vec()), "could not be"),
    ] {
        match change {
            None => fs::remove_file(&db)?,
            Some(bytes) => fs::write(&db, bytes)?,
        }
        let ran = desk.again(&archive, &[]).await?;
        ensure!(ran.code == 2 && ran.err.contains(want), "{want}: {} {} {}", ran.code, ran.out, ran.err);
        ensure!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    let left: Vec<_> = fs::read_dir(desk.path("data"))?.collect::<Result<_, _>>()?;
    let left: Vec<_> = left.iter().map(|entry| entry.file_name()).collect();
    ensure!(left.iter().all(|name| name.to_str().is_some_and(|name| !name.contains("wal"))), "{left:?}");
    let wrong = desk.again(&archive, &["--since", "1h", "--until", "2h"]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("--until"), "{}", wrong.err);
    let wrong = desk.again(&archive, &["--policy", &desk.text("unseen.log")]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("policy"), "{}", wrong.err);
    desk.again(&desk.text("none"), &[]).await.map(drop).context("an archive that is not there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_a_recording_hides_no_call_and_neither_does_an_id_without_its_event() -> Result<()> {
    let desk = Desk::new()?;
    let history = desk.history(20).await?;
    // As a recording that could not be written left it: milliseconds, and no end.
    let gap = |from: i64| Draft::new(Action::Gap).detail("terminal", "t1").detail("from", from);
    history.append_durable(gap(desk.begin / 1000)).await?;
    let all = || desk.people().into_iter().chain((0..20).map(|n| desk.line(n)));
    let matched = desk.reconcile("matched", &all().collect::<Vec<_>>(), &[]).await?;
    ensure!(matched.code == 0, "innocent calls are clear: {} {}", matched.code, matched.out);
    let mut lines: Vec<Line> = all().collect();
    lines.push(Line { id: id(900_000), ..desk.line(7) });
    let bypass = desk.reconcile("bypass", &lines, &[]).await?;
    ensure!(bypass.code == 1 && bypass.out.contains("ELSEWHERE"), "{} {}", bypass.code, bypass.out);

    // The cluster told nothing of call 5; somebody with the token sends its id along ten minutes later.
    let without = || all().filter(|line| line.id != id(5));
    let mut lines: Vec<Line> = without().collect();
    lines.push(Line { at: desk.begin + 605 * SECOND, ..desk.line(5) });
    let later = desk.reconcile("later", &lines, &["-o", "json"]).await?;
    ensure!(later.code == 1, "{} {}", later.code, later.out);
    let later = later.json()?;
    ensure!(later["clusters"][0]["sessions"][0]["bypass"][0]["why"] == "reusedId", "{later}");
    // At once, on another path behind which a question is too long to be kept.
    let mut lines: Vec<Line> = without().collect();
    let long = format!("/api/v1/namespaces/payments/secrets?x={}", "y".repeat(2100));
    lines.push(Line { uri: long, ..desk.line(5) });
    let clipped = desk.reconcile("clipped", &lines, &[]).await?;
    ensure!(clipped.code == 1, "{} {}", clipped.code, clipped.out);
    history.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_another_name_or_ends_too_early_is_not_matched() -> Result<()> {
    let desk = Desk::new()?;
    let history = desk.history(20).await?;
    let lines: Vec<Line> = desk.people().into_iter().chain((0..20).map(|n| desk.line(n))).collect();
    let first = desk.reconcile("first", &lines, &[]).await?;
    ensure!(first.code == 0, "{} {}", first.code, first.out);
    // The same log under a name that the inventory does not have.
    let (archive, log) = (desk.text("renamed"), desk.text("first.log"));
    let import = audit(&["import", "--archive", &archive, "--cluster", "prod", &log]).await?;
    ensure!(import.code == 0, "{} {}", import.out, import.err);
    let renamed = desk.again(&archive, &["--cluster", "prod"]).await?;
    ensure!(renamed.code == 2, "{} {}", renamed.code, renamed.out);
    let said = "20 calls are by sessions that the history has on eu-1";
    ensure!(renamed.out.contains(said), "{}", renamed.out);
    ensure!(!renamed.out.contains("another desktop"), "{}", renamed.out);

    // A log that ends ten minutes before the time that is asked for does, and whose calls are all there.
    let until = desk.begin + 1200 * SECOND;
    let lines: Vec<Line> = lines.into_iter().filter(|line| line.at < until).collect();
    let short = desk.reconcile("short", &lines, &[]).await?;
    ensure!(short.code == 2, "{} {}", short.code, short.out);
    ensure!(short.out.contains("the archive's events of this cluster end at"), "{}", short.out);
    let until = jiff::Timestamp::from_microsecond(until)?.to_string();
    let asked = desk.again(&desk.text("short"), &["--until", &until]).await?;
    ensure!(asked.code == 0, "as far as it goes it is so: {} {}", asked.code, asked.out);
    history.close().await?;
    Ok(())
}
