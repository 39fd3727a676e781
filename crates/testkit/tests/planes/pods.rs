//! What can be done with a pod: exec, attach, logs, copy, port-forward, all through the API server with real kubectl.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use sallyport_testkit::{Kubectl, Plane, PlaneOptions, Pods};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout};
use tokio::sync::OnceCell;
use tokio::time::timeout;

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "registry.test/web:1.4.2", env: [{name: COLOUR, value: green}], ports: [{containerPort: 9090}]}
        - {name: proxy, image: "nginx:1.29"}
"#;

/// The plane all tests here share, and one of its pods. Ends with the test process.
async fn shared() -> Result<(Kubectl, String)> {
    static SHARED: OnceCell<(Plane, String)> = OnceCell::const_new();
    let (plane, pod) = SHARED
        .get_or_try_init(|| async {
            let start = Instant::now();
            let plane = Plane::start(PlaneOptions::new("pods").pods()).await?;
            println!("plane with pods ready in {} ms", start.elapsed().as_millis());
            let start = Instant::now();
            plane.kubectl().apply(WEB).await?;
            let names = Pods::running(&plane, "default", "app=web", 2, Duration::from_secs(90)).await?;
            println!("deployment to two running pods in {} ms", start.elapsed().as_millis());
            anyhow::Ok((plane, names[0].clone()))
        })
        .await?;
    Ok((plane.kubectl(), pod.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_both_outputs_arrive() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let start = Instant::now();
    let script = "echo out; echo err >&2; exit 7";
    let said = kubectl.run(&["exec", &pod, "-c", "web", "--", "sh", "-c", script]).await?;
    println!("exec in {} ms", start.elapsed().as_millis());
    ensure!(said.code == Some(7), "{said:?}");
    ensure!(said.text() == "out\n" && said.stderr.contains("err\n"), "{said:?}");
    let fine = kubectl.run(&["exec", &pod, "--", "env"]).await?;
    let named = format!("POD_NAME={pod}\n");
    ensure!(
        fine.code == Some(0) && fine.text().contains("COLOUR=green\n") && fine.text().contains(&named),
        "{fine:?}"
    );
    let missing = kubectl.run(&["exec", &pod, "--", "no-such-program"]).await?;
    ensure!(missing.code == Some(127), "{missing:?}");
    let killed = kubectl.run(&["exec", &pod, "--", "sh", "-c", "kill -9 $$"]).await?;
    ensure!(killed.code == Some(137), "{killed:?}");
    let nowhere = kubectl.run(&["exec", &pod, "-c", "nobody", "--", "true"]).await?;
    ensure!(nowhere.code == Some(1) && nowhere.stderr.contains("nobody"), "{nowhere:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sees_the_pod_and_nothing_of_the_machine() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let look = "hostname; id -u; ls /; ls /home 2>&1; cat /etc/shadow 2>&1; ps | wc -l";
    let said = kubectl.ok(&["exec", &pod, "-c", "web", "--", "sh", "-c", look]).await?;
    let mut lines = said.lines();
    ensure!(lines.next() == Some(pod.as_str()), "{said}");
    ensure!(lines.next() == Some("0"), "{said}");
    ensure!(
        said.contains("ls: /home: No such file") && said.contains("/etc/shadow': No such file")
            || said.contains("can't open '/etc/shadow'"),
        "{said}"
    );
    ensure!(!said.contains("\nboot\n") && !said.contains("\nusr\n"), "{said}");
    // Containers of one pod do not share their files.
    kubectl.ok(&["exec", &pod, "-c", "web", "--", "touch", "/data/mine"]).await?;
    kubectl.ok(&["exec", &pod, "-c", "web", "--", "ls", "/data/mine"]).await?;
    let other = kubectl.run(&["exec", &pod, "-c", "proxy", "--", "ls", "/data/mine"]).await?;
    ensure!(other.code == Some(1), "{other:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stdin_is_seen_to_its_end() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let input: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let said = kubectl.run_with_stdin(&["exec", "-i", &pod, "--", "sha256sum"], &input).await?;
    let sum = data_encoding::HEXLOWER.encode(&Sha256::digest(&input));
    ensure!(said.code == Some(0) && said.text().starts_with(&sum), "{said:?}");
    let back = kubectl.run_with_stdin(&["exec", "-i", &pod, "--", "cat"], &input).await?;
    ensure!(back.stdout == input, "{} bytes came back", back.stdout.len());
    // A command that does not read its stdin does not wait for it.
    let start = Instant::now();
    let early = kubectl.run_with_stdin(&["exec", "-i", &pod, "--", "true"], b"x").await?;
    ensure!(early.code == Some(0) && start.elapsed() < Duration::from_secs(60), "{early:?}");
    Ok(())
}

/// A person at a terminal: types, and reads until something shows.
struct Terminal {
    pty: portable_pty::PtyPair,
    keys: Box<dyn Write + Send>,
    screen: std::sync::mpsc::Receiver<Vec<u8>>,
    seen: String,
    child: Box<dyn portable_pty::Child + Send + Sync>,
}

impl Terminal {
    fn open(kubectl: &Kubectl, args: &[&str]) -> Result<Self> {
        let pty =
            native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(kubectl.program());
        command.args(args);
        command.env("KUBECONFIG", kubectl.kubeconfig());
        command.env("TERM", "xterm");
        let child = pty.slave.spawn_command(command)?;
        let mut reader = pty.master.try_clone_reader()?;
        let keys = pty.master.take_writer()?;
        let (send, screen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { pty, keys, screen, seen: String::new(), child })
    }

    fn type_in(&mut self, text: &str) -> Result<()> {
        self.keys.write_all(text.as_bytes())?;
        Ok(self.keys.flush()?)
    }

    fn read_until(&mut self, wanted: &str) -> Result<()> {
        let start = Instant::now();
        while !self.seen.contains(wanted) {
            let left = Duration::from_secs(60).saturating_sub(start.elapsed());
            let bytes = self
                .screen
                .recv_timeout(left)
                .with_context(|| format!("no {wanted:?} in {:?}", self.seen))?;
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_a_size_and_changes_it() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    tokio::task::spawn_blocking(move || {
        let mut terminal = Terminal::open(&kubectl, &["exec", "-it", &pod, "-c", "web", "--", "sh"])?;
        terminal.type_in("test -t 0 && echo is-a-$((1+1))tty; stty size\r")?;
        terminal.read_until("is-a-2tty")?;
        terminal.read_until("24 80")?;
        terminal.pty.master.resize(PtySize { rows: 40, cols: 132, pixel_width: 0, pixel_height: 0 })?;
        let start = Instant::now();
        while !terminal.seen.contains("40 132") {
            ensure!(start.elapsed() < Duration::from_secs(60), "the size never arrived: {}", terminal.seen);
            terminal.type_in("stty size; echo asked-$((2+3))\r")?;
            terminal.read_until("asked-5")?;
            terminal.seen = terminal.seen.replace("asked-5", "");
        }
        // Ctrl-C goes to the command, not to kubectl.
        terminal.type_in("sleep 600\r")?;
        std::thread::sleep(Duration::from_millis(300));
        terminal.type_in("\u{3}")?;
        terminal.type_in("echo still-$((3+4))here\r")?;
        terminal.read_until("still-7here")?;
        terminal.type_in("exit 9\r")?;
        ensure!(terminal.child.wait()?.exit_code() == 9, "the shell's exit code");
        Ok(())
    })
    .await?
}

/// A kubectl that streams lines.
fn streaming(kubectl: &Kubectl, args: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut child = kubectl.command(args).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    Ok((child, lines))
}

async fn next_line(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    timeout(Duration::from_secs(60), lines.next_line()).await??.context("the stream ended")
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_the_same_for_everyone_and_go_on() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let first = kubectl.ok(&["logs", &pod, "-c", "web", "--timestamps"]).await?;
    ensure!(first.lines().count() >= 8 && first.contains("starting registry.test/web:1.4.2"), "{first}");
    let (_child, mut lines) = streaming(&kubectl, &["logs", "-f", &pod, "-c", "web", "--timestamps"])?;
    for line in first.lines() {
        ensure!(next_line(&mut lines).await? == line, "the beginning of the log changed");
    }
    let start = Instant::now();
    for _ in 0..3 {
        next_line(&mut lines).await?;
    }
    ensure!(start.elapsed() < Duration::from_secs(60), "three more lines took {:?}", start.elapsed());
    let tail = kubectl.ok(&["logs", &pod, "-c", "web", "--tail=3"]).await?;
    ensure!(tail.lines().count() == 3, "{tail}");
    let nothing = kubectl.ok(&["logs", &pod, "-c", "web", "--since-time=2100-01-01T00:00:00Z"]).await?;
    ensure!(nothing.is_empty(), "{nothing}");
    let limited = kubectl.ok(&["logs", &pod, "-c", "web", "--limit-bytes=100"]).await?;
    ensure!(limited.len() == 100, "{} bytes", limited.len());
    let other = kubectl.ok(&["logs", &pod, "-c", "proxy"]).await?;
    ensure!(other.contains("starting nginx:1.29"), "{other}");
    let before = kubectl.run(&["logs", &pod, "-c", "web", "--previous"]).await?;
    ensure!(before.code == Some(1) && before.stderr.contains("not found"), "{before:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attach_shows_what_the_container_writes() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let (_child, mut lines) = streaming(&kubectl, &["attach", &pod, "-c", "web"])?;
    let one = next_line(&mut lines).await?;
    next_line(&mut lines).await?;
    let log = kubectl.ok(&["logs", &pod, "-c", "web"]).await?;
    ensure!(log.lines().any(|line| line == one), "{one:?} is not in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_gives_a_shell_in_the_pod() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    tokio::task::spawn_blocking(move || {
        let args = ["debug", "-it", &pod, "--image=busybox", "--container=look", "--", "sh"];
        let mut terminal = Terminal::open(&kubectl, &args)?;
        // What is typed before the attachment is not lost, but kubectl may also ask for Enter first.
        terminal.read_until("If you don't see a command prompt")?;
        terminal.type_in("\recho debugging-$((40+2))\r")?;
        terminal.read_until("debugging-42")?;
        terminal.type_in("exit\r")?;
        terminal.child.wait()?;
        Ok(())
    })
    .await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_are_copied_both_ways() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let dir = tempfile::tempdir()?;
    let (there, back) = (dir.path().join("there"), dir.path().join("back"));
    let mut content = vec![0_u8; 100 << 20];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut content);
    tokio::fs::write(&there, &content).await?;
    let [there, back] = [&there, &back].map(|path| path.display().to_string());
    let inside = format!("{pod}:/data/copied");
    let start = Instant::now();
    kubectl.ok(&["cp", "-c", "web", &there, &inside]).await?;
    println!("cp of 100 MB in: {} ms", start.elapsed().as_millis());
    let start = Instant::now();
    kubectl.ok(&["cp", "-c", "web", &inside, &back]).await?;
    println!("cp of 100 MB out: {} ms", start.elapsed().as_millis());
    let returned = tokio::fs::read(&back).await?;
    ensure!(returned == content, "{} of {} bytes, not the same", returned.len(), content.len());
    kubectl.ok(&["exec", &pod, "-c", "web", "--", "rm", "/data/copied"]).await?;
    Ok(())
}

async fn forwarded_port(lines: &mut Lines<BufReader<ChildStdout>>, inside: u16) -> Result<u16> {
    let line = next_line(lines).await?;
    let (_, rest) = line.split_once("127.0.0.1:").with_context(|| line.clone())?;
    let (port, target) = rest.split_once(" -> ").with_context(|| line.clone())?;
    ensure!(target == inside.to_string(), "{line}");
    Ok(port.parse()?)
}

/// One HTTP/1.1 request, answer read to the end.
async fn get(port: u16, path: &str) -> Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await??;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("a header")?;
    Ok((String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end + 4..].to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_forwarded_in_parallel_byte_for_byte() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let target = format!("pod/{pod}");
    let args = ["port-forward", "--address=127.0.0.1", &target, ":8080", ":7", ":9090"];
    let (_child, mut lines) = streaming(&kubectl, &args)?;
    let web = forwarded_port(&mut lines, 8080).await?;
    let echo = forwarded_port(&mut lines, 7).await?;
    let declared = forwarded_port(&mut lines, 9090).await?;
    let (head, body) = get(web, "/").await?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    ensure!(String::from_utf8_lossy(&body).contains(&pod), "{body:?}");
    ensure!(get(declared, "/healthz").await?.1 == b"ok\n");
    ensure!(get(web, "/nothing").await?.0.starts_with("HTTP/1.1 404"));
    let expected: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    ensure!(get(web, "/bytes/5000000").await?.1 == expected, "5 MB of pattern");
    let start = Instant::now();
    let streams = (0..8).map(|seed: u8| async move {
        let sent: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 253) as u8 ^ seed).collect();
        let mut stream = TcpStream::connect(("127.0.0.1", echo)).await?;
        let (mut read, mut write) = stream.split();
        let mut got = vec![0; sent.len()];
        let (wrote, came) =
            tokio::join!(write.write_all(&sent), timeout(Duration::from_secs(90), read.read_exact(&mut got)));
        wrote?;
        came??;
        ensure!(got == sent, "stream {seed} came back different");
        Ok(())
    });
    futures::future::try_join_all(streams).await?;
    println!("8 parallel echoes of 1 MB in {} ms", start.elapsed().as_millis());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pod_host_answers_the_api_server_alone() -> Result<()> {
    let (kubectl, pod) = shared().await?;
    let node = kubectl
        .ok(&["get", "node", "node-a", "-o", "jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}"])
        .await?;
    let url = format!("https://127.0.0.1:{node}/containerLogs/default/{pod}/web");
    let strangers =
        reqwest::Client::builder().danger_accept_invalid_certs(true).timeout(Duration::from_secs(60));
    ensure!(strangers.build()?.get(&url).send().await.is_err(), "no certificate, no answer");
    // The cluster's admin has a certificate of the same authority, under another name.
    let admin: serde_json::Value = serde_json::from_slice(&tokio::fs::read(kubectl.kubeconfig()).await?)?;
    let part = |name: &str| -> Result<Vec<u8>> {
        let text = admin["users"][0]["user"][name].as_str().context("in the kubeconfig")?;
        Ok(data_encoding::BASE64.decode(text.as_bytes())?)
    };
    let pem = [part("client-certificate-data")?, part("client-key-data")?].concat();
    let known = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(60))
        .identity(reqwest::Identity::from_pem(&pem)?)
        .build()?;
    ensure!(known.get(&url).send().await?.status() == 403, "another name is refused");
    Ok(())
}
