//! Every verb of kubectl that an incident may need.

use super::{NAMESPACE, Tool, verb};
use crate::lines::Lines;
use anyhow::{Context, Result, ensure};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout};

/// A path behind a Service's proxy, with what the gateway must not read anything into.
const BEHIND_PROXY: &str = "/api/v1/namespaces/payments/services/http:api:8080/proxy/a%2Fb//c%252e?d=%2F";

pub(super) async fn verbs(tool: &Tool, lines: &mut Lines) {
    let version = tool.kubectl.run(&["version", "--client", "-o=yaml"]).await.map(|v| v.text());
    let version = version.unwrap_or_default();
    let version = version.lines().find_map(|l| l.trim().strip_prefix("gitVersion: ")).unwrap_or("?");
    let name = format!("kubectl {version}");
    let name = name.as_str();
    let minor = version.split('.').nth(1).unwrap_or("?");
    if let Some(wanted) = tool.name.strip_prefix("kubectl 1.") {
        lines.check(&format!("{}: is what it is called", tool.name), wanted == minor, version);
    }
    verb(lines, name, "fault_c1 get --raw /readyz", ready(tool)).await;
    verb(lines, name, "fault_c1 get --raw of a path behind a Service's proxy", behind_proxy(tool)).await;
    verb(lines, name, "fault_c1 proxy", proxy(tool)).await;
    verb(lines, name, "get", get(tool)).await;
    verb(lines, name, "get --watch", watch(tool)).await;
    verb(lines, name, "explain", explain(tool)).await;
    verb(lines, name, "exec", exec(tool)).await;
    verb(lines, name, "cp there and back", cp(tool)).await;
    verb(lines, name, "port-forward", forward(tool)).await;
    verb(lines, name, "logs", logs(tool)).await;
    verb(lines, name, "attach", attach(tool)).await;
    verb(lines, name, "debug", debug(tool, minor)).await;
    verb(lines, name, "diff", diff(tool)).await;
    verb(lines, name, "rollout history, restart, status, undo", rollout(tool)).await;
    verb(lines, name, "auth can-i", can_i(tool)).await;
}

impl Tool {
    /// Runs it in the story's namespace; anything but exit code 0 is an error.
    async fn ok(&self, args: &[&str]) -> Result<String> {
        let mut all = vec!["-n", NAMESPACE];
        all.extend_from_slice(args);
        self.kubectl.ok(&all).await
    }

    /// Starts it, for what goes on; ends when dropped.
    fn going_on(&self, args: &[&str]) -> Result<(Child, tokio::io::Lines<BufReader<ChildStdout>>)> {
        let mut all = vec!["-n", NAMESPACE];
        all.extend_from_slice(args);
        let mut child = self.kubectl.command(all).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("piped")?).lines();
        Ok((child, lines))
    }
}

async fn ready(tool: &Tool) -> Result<String> {
    let said = tool.ok(&["get", "--raw", "/readyz"]).await?;
    ensure!(said.trim() == "ok", "it said {said}");
    Ok(said)
}

/// No session may reach a Service this way; that it is the API server who says so shows that the call came there.
async fn behind_proxy(tool: &Tool) -> Result<String> {
    let refused = tool.kubectl.run(&["get", "--raw", BEHIND_PROXY]).await?;
    let said = refused.stderr.trim().to_owned();
    ensure!(refused.code == Some(1) && said.contains("services/proxy"), "{:?}: {said}", refused.code);
    Ok("refused by the API server".to_owned())
}

async fn proxy(tool: &Tool) -> Result<String> {
    let (_proxy, mut said) = tool.going_on(&["proxy", "--port=0"])?;
    let line = said.next_line().await?.context("it ended without a word")?;
    let port = line.rsplit(':').next().and_then(|p| p.trim().parse().ok());
    let port: u16 = port.with_context(|| format!("no port in {line:?}"))?;
    let ready = http(port, "/readyz").await?;
    ensure!(ready.starts_with("HTTP/1.0 200") || ready.starts_with("HTTP/1.1 200"), "/readyz: {ready}");
    let pods = http(port, &format!("/api/v1/namespaces/{NAMESPACE}/pods?limit=1")).await?;
    ensure!(pods.contains("\"kind\":\"PodList\"") || pods.contains("\"kind\": \"PodList\""), "pods: {pods}");
    Ok("readyz and pods".to_owned())
}

async fn get(tool: &Tool) -> Result<String> {
    let said = tool.ok(&["get", "pods", "-o", "name"]).await?;
    ensure!(said.contains(&tool.pod), "{said}");
    Ok(format!("{} pods", said.lines().count()))
}

async fn watch(tool: &Tool) -> Result<String> {
    let name = format!("seen-by-{}", tool.name.replace([' ', '.'], "-"));
    let (_watch, mut said) = tool.going_on(&["get", "configmaps", "--watch", "-o", "name"])?;
    said.next_line().await?.context("nothing is there to begin with")?;
    tool.ok(&["create", "configmap", &name]).await?;
    loop {
        let line = said.next_line().await?.context("the watch ended")?;
        if line == format!("configmap/{name}") {
            break;
        }
    }
    tool.ok(&["delete", "configmap", &name]).await?;
    Ok("what was made while it watched".to_owned())
}

async fn explain(tool: &Tool) -> Result<String> {
    let said = tool.ok(&["explain", "deployment.spec.strategy"]).await?;
    ensure!(said.contains("rollingUpdate"), "{said}");
    Ok(String::new())
}

async fn exec(tool: &Tool) -> Result<String> {
    let all = ["-n", NAMESPACE, "exec", "-i", &tool.pod, "--", "sh", "-c", "cat; echo err >&2; exit 7"];
    let said = tool.kubectl.run_with_stdin(&all, b"through stdin").await?;
    ensure!(
        said.code == Some(7) && said.text() == "through stdin" && said.stderr.contains("err"),
        "{:?}: {} {}",
        said.code,
        said.text(),
        said.stderr
    );
    Ok("stdin, both outputs, exit code 7".to_owned())
}

async fn cp(tool: &Tool) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let content: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 251) as u8).collect();
    tokio::fs::write(dir.path().join("there"), &content).await?;
    let [there, back] = ["there", "back"].map(|name| dir.path().join(name).display().to_string());
    let inside = format!("{}:/tmp/copied", tool.pod);
    tool.ok(&["cp", &there, &inside]).await?;
    tool.ok(&["cp", &inside, &back]).await?;
    let returned = tokio::fs::read(&back).await?;
    ensure!(returned == content, "{} of {} bytes came back, or others", returned.len(), content.len());
    Ok(format!("{} bytes", returned.len()))
}

async fn forward(tool: &Tool) -> Result<String> {
    let (_forward, mut said) = tool.going_on(&["port-forward", &tool.pod, ":8080"])?;
    let line = said.next_line().await?.context("it ended without a word")?;
    let port = line.split_once("127.0.0.1:").and_then(|(_, rest)| rest.split_once(" -> "));
    let port: u16 = port.with_context(|| format!("no port in {line:?}"))?.0.parse()?;
    for _ in 0..2 {
        let answer = http(port, "/healthz").await?;
        ensure!(answer.contains("200 OK") && answer.ends_with("ok\n"), "{answer}");
    }
    Ok("two connections".to_owned())
}

async fn logs(tool: &Tool) -> Result<String> {
    let some = tool.ok(&["logs", &tool.pod, "--tail=2"]).await?;
    ensure!(!some.is_empty() && some.lines().count() <= 2, "{some}");
    let (_logs, mut said) = tool.going_on(&["logs", "--follow", &tool.pod])?;
    said.next_line().await?.context("nothing follows")?;
    Ok("the last two lines, and --follow".to_owned())
}

async fn attach(tool: &Tool) -> Result<String> {
    let (_attach, mut said) = tool.going_on(&["attach", &tool.pod])?;
    said.next_line().await?.context("the container says nothing")?;
    Ok(String::new())
}

async fn debug(tool: &Tool, minor: &str) -> Result<String> {
    let container = format!("look-{minor}-{}", rand::random::<u16>());
    let named = format!("--container={container}");
    let all = ["-n", NAMESPACE, "debug", "-i", &tool.pod, "--image=busybox", &named, "--", "sh"];
    let said = tool.kubectl.run_with_stdin(&all, b"echo debugging-$((40+2)); exit\n").await?;
    let names =
        tool.ok(&["get", "pod", &tool.pod, "-o=jsonpath={.spec.ephemeralContainers[*].name}"]).await?;
    ensure!(names.contains(&container), "no {container} in the pod: {}", said.stderr);
    ensure!(said.text().contains("debugging-42"), "{:?}: {} {}", said.code, said.text(), said.stderr);
    Ok("a container that looks around, and its shell".to_owned())
}

async fn diff(tool: &Tool) -> Result<String> {
    let now = tool.ok(&["get", "configmap", "api", "-o", "json"]).await?;
    let mut changed: serde_json::Value = serde_json::from_str(&now)?;
    changed["data"]["LOG_LEVEL"] = "debug".into();
    changed["metadata"] = serde_json::json!({"name": "api", "namespace": NAMESPACE});
    let said = tool.kubectl.run_with_stdin(&["diff", "-f", "-"], changed.to_string().as_bytes()).await?;
    ensure!(said.code == Some(1), "{:?}: {}", said.code, said.stderr);
    ensure!(said.text().contains("LOG_LEVEL: debug"), "{}", said.text());
    Ok("exit code 1, the line that differs".to_owned())
}

async fn rollout(tool: &Tool) -> Result<String> {
    let history = tool.ok(&["rollout", "history", "deployment/worker"]).await?;
    ensure!(history.contains("REVISION"), "{history}");
    tool.ok(&["rollout", "restart", "deployment/worker"]).await?;
    tool.ok(&["rollout", "status", "deployment/worker", "--timeout=40s"]).await?;
    tool.ok(&["rollout", "undo", "deployment/worker"]).await?;
    tool.ok(&["rollout", "status", "deployment/worker", "--timeout=40s"]).await?;
    Ok("restarted and rolled back".to_owned())
}

async fn can_i(tool: &Tool) -> Result<String> {
    let yes = tool.ok(&["auth", "can-i", "list", "pods"]).await?;
    ensure!(yes.trim() == "yes", "{yes}");
    Ok(String::new())
}

/// A plain HTTP request to this machine; the whole answer.
async fn http(port: u16, path: &str) -> Result<String> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    tokio::time::timeout(Duration::from_secs(60), ask).await.context("no answer within a minute")?
}
