//! Shells that are led elsewhere, and what is started in a terminal: seen, said, ended. Real shells, a real tmux, real
//! system-wide files in a mount namespace of their own.

mod common;

use common::{
    Child, KUBECTL, Screen, Session, alive, guard_is, is_not_guarded, runs, session_with_kubectl, take,
};
use sallyport_terminal::{Guard, Remark, Terminal, TerminalError, TerminalOptions, sweep};
use std::time::{Duration, Instant};

/// It is marked within two seconds and a little, runs no line, and runs them once the person wants it so.
async fn assert_marked_and_mute(terminal: &Terminal, shell: &str) {
    let start = Instant::now();
    // Typed ahead: it must not run in a shell that is not known to be guarded.
    let typed = terminal.write(b"touch $HOME/ran-unguarded\n").await;
    assert!(matches!(typed, Err(TerminalError::NotGuarded(_))), "{typed:?}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    let Guard::NotGuarded(why) = terminal.guard() else { panic!("{:?}", terminal.guard()) };
    assert!(why.contains("did not load Sallyport's start-up file") && why.contains(shell), "{why}");
    assert!(why.contains("another cluster than eu-1"), "{why}");
    assert!(terminal.take_unguarded(&why));
    assert_eq!(terminal.guard(), Guard::Taken(why));
    let mut screen = Screen::from_now(terminal);
    assert!(screen.run("echo usable=$((40 + 2))=").await.contains("usable=42="));
}

#[tokio::test]
async fn fault_d1_guarded_shells_give_their_sign() {
    // At once, since they sleep.
    tokio::join!(
        gives_its_sign("/bin/bash"),
        gives_its_sign("/usr/bin/zsh"),
        gives_its_sign("/usr/bin/fish"),
        gives_its_sign("/bin/dash"),
    );
}

async fn gives_its_sign(shell: &str) {
    let session = session_with_kubectl();
    let terminal = session.open(shell).await;
    guard_is(&terminal, |guard| *guard == Guard::Guarded).await;
    let mut screen = Screen::of(&terminal);
    // Forks, pipes, scripts and commands of other shells are no shells that read the terminal.
    let busy = "sh -c 'sleep 2.6; :' & bash -c 'sleep 2.6; true' & sleep 2.6; true";
    screen.run(busy).await;
    screen.run("echo x | sh -c 'read a; sleep 2.6; echo $a'").await;
    if shell != "/usr/bin/fish" {
        screen.run("(sleep 2.6; true); for i in 1; do sleep 0.1; done | cat").await;
    }
    assert_eq!(terminal.guard(), Guard::Guarded, "{shell}");
    terminal.close().await;
}

#[test]
fn fault_d1_a_system_wide_zdotdir_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    for zshenv in ["export ZDOTDIR=$HOME/z\n", "setopt no_rcs\n"] {
        let file = dir.path().join("zshenv");
        std::fs::write(&file, zshenv).unwrap();
        let wrapper =
            ["bwrap", "--dev-bind", "/", "/", "--bind", file.to_str().unwrap(), "/etc/zsh/zshenv", "--"];
        Child::inside(&wrapper, "diverted_zsh").passes();
    }
}

#[tokio::test]
#[ignore = "run where /etc/zsh/zshenv diverts"]
async fn diverted_zsh() {
    let session = session_with_kubectl();
    session.home_file("z/.zshrc", "PATH=$HOME/tools:$PATH\nexport KUBECONFIG=/prod\n", 0o644);
    let terminal = session.open("/usr/bin/zsh").await;
    assert_marked_and_mute(&terminal, "zsh").await;
    assert!(!std::path::Path::new(&session.home()).join("ran-unguarded").exists());
    terminal.close().await;
}

#[tokio::test]
async fn fault_d1_a_start_up_file_that_starts_another_shell_is_guarded_or_seen() {
    for (rc, inner, guarded) in [
        ("exec zsh", "zsh", true),
        ("exec zsh -l", "zsh", true),
        ("exec fish", "fish", true),
        ("exec sh -i", "sh", true),
        ("exec bash", "bash", true),
        ("exec /usr/bin/zsh", "zsh", false),
        ("exec bash --norc", "bash", false),
        ("exec env -u ENV dash", "dash", false),
        ("PATH=/usr/bin:/bin; exec fish", "fish", false),
        ("exec python3 -q", "bash", false),
    ] {
        println!("{rc}");
        let session = session_with_kubectl();
        // Only the outermost: the inner bash reads it too.
        session.home_file(".bashrc", &format!("[ -n \"$SEEN\" ] || {{ export SEEN=1; {rc}; }}\n"), 0o644);
        let terminal = session.open("/bin/bash").await;
        if guarded {
            guard_is(&terminal, |guard| *guard != Guard::Starting).await;
            assert_eq!(terminal.guard(), Guard::Guarded, "{rc}");
            let mut screen = Screen::of(&terminal);
            let said = screen.run("kubectl get pods").await;
            assert!(
                said.contains(&format!("kubectl:{}:", session.kubeconfig.path().display())),
                "{rc}: {said}"
            );
        } else {
            let guard = guard_is(&terminal, is_not_guarded).await;
            assert!(matches!(&guard, Guard::NotGuarded(why) if why.contains(inner)), "{rc}: {guard:?}");
        }
        terminal.close().await;
    }
}

#[tokio::test]
async fn fault_d1_an_inner_shell_takes_the_mark_away_when_it_ends() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    terminal.write(b"/usr/bin/zsh -f\n").await.unwrap();
    guard_is(&terminal, |guard| *guard != Guard::Guarded).await;
    assert_marked_and_mute(&terminal, "zsh").await;
    let other = "bash --norc -i\n";
    terminal.write(other.as_bytes()).await.unwrap();
    // What the person took was the one shell, and not whatever comes.
    guard_is(&terminal, |guard| matches!(guard, Guard::NotGuarded(why) if why.contains("(bash"))).await;
    take(&terminal);
    terminal.write(b"exit\nexit\n").await.unwrap();
    guard_is(&terminal, |guard| *guard == Guard::Guarded).await;
    terminal.close().await;
}

#[tokio::test]
async fn fault_d1_output_can_not_forge_a_sign() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    terminal.write(b"/usr/bin/zsh -f\n").await.unwrap();
    guard_is(&terminal, is_not_guarded).await;
    take(&terminal);
    // Whatever it prints, and a sign that is another shell's.
    screen.run("d=$(echo $HOME/../run/t-*/signs); cat $d/*; cp $d/* $d/$$; ls $d").await;
    assert!(matches!(terminal.guard(), Guard::Taken(_)));
    terminal.close().await;
}

#[tokio::test]
async fn fault_d1_a_kubeconfig_that_a_tool_pointed_elsewhere_is_seen() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    terminal.write(b"sed -i s/eu-1/prod/ $KUBECONFIG\n").await.unwrap();
    let guard = guard_is(&terminal, is_not_guarded).await;
    assert!(
        matches!(&guard, Guard::NotGuarded(why) if why.contains("names prod, and not eu-1 alone")),
        "{guard:?}"
    );
    terminal.close().await;
}

#[tokio::test]
async fn fault_d1_a_kubeconfig_that_cant_be_read_any_more_is_seen() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    terminal.write(b"rm $KUBECONFIG; mkdir $KUBECONFIG\n").await.unwrap();
    let guard = guard_is(&terminal, is_not_guarded).await;
    assert!(matches!(&guard, Guard::NotGuarded(why) if why.contains("can't be read")), "{guard:?}");
    terminal.close().await;
}

/// Starts a tmux server in the terminal, which leaves its session, and returns its process id.
async fn tmux_server(screen: &mut Screen<'_>) -> u32 {
    let said = screen
        .run("tmux -f /dev/null new-session -d 'sleep 300'; echo tmux=$(tmux display -p '#{pid}')=")
        .await;
    said.rsplit("tmux=")
        .next()
        .unwrap()
        .split('=')
        .next()
        .unwrap()
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("{said}"))
}

#[tokio::test]
async fn fault_d2_p13_a_tmux_server_is_its_terminals_own_and_ends_with_it() {
    let session = session_with_kubectl();
    session.home_file(".bashrc", "export TMUX_TMPDIR=$HOME SCREENDIR=$HOME ZELLIJ_SOCKET_DIR=$HOME\n", 0o644);
    let (one, two) = (session.open("/bin/bash").await, session.open("/bin/bash").await);
    let (mut first, mut second) = (Screen::of(&one), Screen::of(&two));
    first.prompt().await;
    second.prompt().await;
    let server = tmux_server(&mut first).await;
    assert!(alive(server));
    let joined = second.run("tmux ls").await;
    assert!(joined.contains("no server running") || joined.contains("error connecting"), "{joined}");
    let sockets = second.run("echo s=$SCREENDIR=$ZELLIJ_SOCKET_DIR=").await;
    assert!(
        sockets.contains("/screen=") && sockets.contains("/zellij=") && !sockets.contains("home="),
        "{sockets}"
    );
    // What wiped its environment and left the session is found by its parent.
    // A number that no other run has left behind.
    let long = format!("6161.{}", std::process::id());
    // And what hears no hangup is not lost when its parent hears one.
    let deaf = format!("6162.{}", std::process::id());
    let said = first
        .run(&format!(
            "setsid sh -c 'echo left=$$=; touch $HOME/left; exec sleep 60' & \
             env -i /usr/bin/setsid --wait /bin/sleep {long} & \
             env -i /usr/bin/setsid --wait /usr/bin/nohup /bin/sleep {deaf} > /dev/null & \
             until test -e $HOME/left; do sleep 0.1; done; sleep 0.4"
        ))
        .await;
    let left: u32 = said.split("left=").find_map(|part| part.split('=').next()?.parse().ok()).unwrap();
    let sleeps = |number: &str| runs(&format!("/bin/sleep\x00{number}"));
    let began = Instant::now();
    while !(sleeps(&long) && sleeps(&deaf)) {
        assert!(began.elapsed() < common::DEADLINE, "they do not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let start = Instant::now();
    let closed = one.close().await;
    println!("closed in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    common::gone(&[server, left], Duration::from_millis(1));
    assert_eq!(closed.left, Vec::<String>::new());
    assert!(!runs(&format!("/bin/sleep\x00{long}")), "what wiped its environment is left");
    assert!(
        !runs(&format!("/bin/sleep\x00{deaf}")),
        "what wiped its environment and hears no hangup is left"
    );
    two.close().await;
}

#[tokio::test]
async fn fault_d2_panes_of_tmux_are_guarded_too() {
    let session = session_with_kubectl();
    session.home_file(".zshrc", "export KUBECONFIG=/elsewhere PATH=$HOME/tools:$PATH\n", 0o644);
    let terminal = session.open("/usr/bin/zsh").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    terminal.write(b"tmux -f /dev/null new-session\n").await.unwrap();
    screen.until("[0]").await;
    tokio::time::sleep(Duration::from_millis(2800)).await;
    assert_eq!(terminal.guard(), Guard::Guarded);
    terminal.write(b"clear; kubectl get pods > $HOME/out; printf 'pa%s' ne-done\n").await.unwrap();
    screen.until("pane-done").await;
    let said = std::fs::read_to_string(format!("{}/out", session.home())).unwrap();
    assert!(said.contains(session.kubeconfig.path().to_str().unwrap()), "{said}");
    // A pane with a shell of its own choice is one that reads commands unguarded.
    terminal.write(b"tmux new-window '/usr/bin/zsh -f'\n").await.unwrap();
    guard_is(&terminal, is_not_guarded).await;
    terminal.close().await;
}

#[test]
fn fault_d2_p14_what_a_killed_app_left_running_ends_at_the_next_start() {
    let mut child = Child::start("tmux_until_killed");
    let line = child.line();
    let (runtime, server) = line.rsplit_once(' ').unwrap();
    let server: u32 = server.parse().unwrap();
    child.kill();
    assert!(alive(server), "it outlives the app, or this shows nothing");
    let swept = sweep(std::path::Path::new(runtime)).unwrap();
    common::gone(&[server], Duration::from_secs(10));
    assert_eq!(swept.len(), 2, "{swept:?}");
}

#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn tmux_until_killed() {
    let session = Session::new();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let server = tmux_server(&mut screen).await;
    common::say(&format!("{} {server}", session.runtime().display()));
    std::future::pending::<()>().await;
}

/// In a mount namespace of its own, with a runtime directory that lets no program be run.
fn without_programs(test: &str) {
    let wrapper = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--",
        "sh",
        "-c",
        "mkdir -p $TMPDIR/noexec && mount -t tmpfs -o noexec,mode=700 tmpfs $TMPDIR/noexec && exec \"$@\"",
        "sh",
    ];
    Child::inside(&wrapper, test).passes();
}

#[test]
fn fault_d3_a_noexec_runtime_directory_is_found_before_the_first_terminal() {
    without_programs("noexec_with_another_place");
    without_programs("noexec_everywhere");
}

fn noexec_session() -> Session {
    let runtime = std::path::Path::new(&std::env::var_os("TMPDIR").unwrap()).join("noexec/run");
    let session = Session::in_runtime(runtime.to_str().unwrap());
    session.home_file("tools/kubectl", KUBECTL, 0o755);
    session
}

#[tokio::test]
#[ignore = "run where the runtime directory is noexec"]
async fn noexec_with_another_place() {
    let session = noexec_session();
    let elsewhere = session.dir.path().join("elsewhere");
    for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash"] {
        let options = TerminalOptions { elsewhere: vec![elsewhere.clone()], ..session.options(shell) };
        let terminal = session.open_with(options).await;
        guard_is(&terminal, |guard| *guard == Guard::Guarded).await;
        let mut screen = Screen::of(&terminal);
        let said = screen.run("kubectl --kubeconfig /prod get pods").await;
        assert!(said.contains("this terminal is for eu-1 only"), "{shell}: {said}");
        terminal.close().await;
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0, "{shell} left its programs");
    }
}

#[tokio::test]
#[ignore = "run where the runtime directory is noexec"]
async fn noexec_everywhere() {
    let session = noexec_session();
    let options =
        TerminalOptions { elsewhere: vec![session.runtime().join("more")], ..session.options("/bin/bash") };
    let terminal = session.open_with(options).await;
    let guard = guard_is(&terminal, is_not_guarded).await;
    assert!(matches!(&guard, Guard::NotGuarded(why) if why.contains("(noexec)")), "{guard:?}");
    take(&terminal);
    // A second thing to say is said as well.
    Screen::of(&terminal).prompt().await;
    terminal.write(b"/usr/bin/zsh -f\n").await.unwrap();
    guard_is(&terminal, is_not_guarded).await;
    terminal.close().await;
}

#[tokio::test]
async fn fault_d3_aliases_and_functions_of_guarded_tools_are_named_and_left_out() {
    let rcs = [
        (
            "/bin/bash",
            ".bashrc",
            "alias kubectl='fake kubectl' stern='kubectl stern'\nhelm() { fake helm; }\n",
        ),
        (
            "/usr/bin/zsh",
            ".zshrc",
            "alias kubectl='fake kubectl' stern='kubectl stern'\nhelm() { fake helm }\n",
        ),
        (
            "/usr/bin/fish",
            ".config/fish/config.fish",
            "alias kubectl='fake kubectl'\nalias stern='kubectl stern'\nfunction helm; fake helm; end\n",
        ),
    ];
    for (shell, file, rc) in rcs {
        let session = session_with_kubectl();
        session.home_file("tools/fake", "#!/bin/sh\necho fake-ran\n", 0o755);
        for tool in ["helm", "stern"] {
            session.home_file(&format!("tools/{tool}"), &KUBECTL.replace("kubectl:", tool), 0o755);
        }
        session.home_file(file, rc, 0o644);
        let terminal = session.open(shell).await;
        let mut screen = Screen::of(&terminal);
        let start = screen.prompt().await;
        assert!(
            start.contains("\"fake kubectl") && start.contains("kubectl is for eu-1 only"),
            "{shell}: {start}"
        );
        assert!(start.contains("helm is for eu-1 only"), "{shell}: {start}");
        assert!(!start.contains("stern is for"), "an alias that runs a guarded tool is kept: {start}");
        for line in ["kubectl get pods", "helm list", "stern x"] {
            let said = screen.run(line).await;
            assert!(!said.contains("fake-ran") && said.contains("config:"), "{shell}: {line}: {said}");
        }
        terminal.close().await;
    }
}

#[tokio::test]
async fn fault_d3_every_form_of_another_kubeconfig_is_refused() {
    let session = session_with_kubectl();
    for tool in ["istioctl", "kubent", "helm", "velero", "k9s"] {
        session.home_file(&format!("tools/{tool}"), KUBECTL, 0o755);
    }
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    for line in [
        "istioctl -c /prod ps",
        "istioctl -c/prod ps",
        "istioctl -c=/prod ps",
        "istioctl ps --kubeconfig /prod",
        "kubent -k /prod",
        "kubent -x prod",
        "kubent -xprod",
        "kubectl --kubeconfig=/prod get pods",
        "kubectl --context prod get pods",
        "kubectl get pods --context=prod",
        "helm --kube-context prod ls",
        "helm ls --kube-apiserver https://prod",
        "velero --kubecontext=prod get x",
        "k9s --context prod",
        "kubectl -s https://prod get pods",
        "kubectl -shttps://prod get pods",
        "kubectl --server=prod:6443 get pods",
        "kubectl -kubeconfig /prod",
    ] {
        let said = screen.run(line).await;
        assert!(
            said.contains("this terminal is for eu-1 only") && !said.contains("kubectl:"),
            "{line}: {said}"
        );
    }
    let own = session.kubeconfig.path();
    let own = own.to_str().unwrap();
    for line in [
        format!("istioctl -c {own} ps"),
        "kubectl --context eu-1 get pods".into(),
        "kubectl -s plugin-flag".into(),
        "kubectl exec p -- tool -s https://inside --context x".into(),
        "k9s -c pods".into(),
        "kubectl apply --server-side -f x".into(),
    ] {
        let said = screen.run(&line).await;
        assert!(said.contains("kubectl:") && !said.contains("only"), "{line}: {said}");
    }
    // Preferences of kubectl's own can name another cluster by default.
    session.home_file(
        ".kube/kuberc",
        "defaults:\n- command: get\n  options:\n  - name: kubeconfig\n    default: /prod\n",
        0o600,
    );
    let said = screen.run("kubectl get pods").await;
    assert!(said.contains("kuberc names another cluster; kubectl runs without it"), "{said}");
    session.home_file(
        ".kube/kuberc",
        "defaults:\n- command: apply\n  options:\n  - name: server-side\n    default: 'true'\n",
        0o600,
    );
    assert!(!screen.run("kubectl get pods").await.contains("kuberc"));
    terminal.close().await;
}

#[tokio::test]
async fn fault_d3_completion_before_our_file_is_silent() {
    for (shell, file) in
        [("/bin/bash", ".bashrc"), ("/usr/bin/zsh", ".zshrc"), ("/usr/bin/fish", ".config/fish/config.fish")]
    {
        let session = session_with_kubectl();
        session.home_file(
            "tools/kubectl",
            "#!/bin/sh\n[ \"$1\" != completion ] || echo 'echo completion-read'\n",
            0o755,
        );
        let source = if shell.ends_with("fish") {
            "kubectl completion fish | source"
        } else {
            "eval \"$(kubectl completion bash)\""
        };
        let rc = format!("export KUBECONFIG=/prod\n{source}\nkubectl __complete get po ''\n");
        session.home_file(file, &rc, 0o644);
        let terminal = session.open(shell).await;
        let mut screen = Screen::of(&terminal);
        let start = screen.prompt().await;
        assert!(start.contains("completion-read"), "{shell}: {start}");
        assert!(!start.contains("this terminal is for"), "{shell}: {start}");
        terminal.close().await;
    }
}

#[tokio::test]
async fn fault_c9_what_a_tool_will_miss_is_said_before_it_runs() {
    let session = session_with_kubectl();
    session.home_file("tools/helm", KUBECTL, 0o755);
    let remark = Remark {
        tool: "helm".into(),
        at: vec!["upgrade".into(), "list".into()],
        unless: "HELM_DRIVER".into(),
        words: "sallyport: helm's releases are in Secrets; `x` $HOME @bin@ it's".into(),
    };
    let options = TerminalOptions { remarks: vec![remark], ..session.options("/bin/bash") };
    let terminal = session.open_with(options).await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    let said = screen.run("helm upgrade x").await;
    assert!(
        said.contains("helm's releases are in Secrets; `x` $HOME bin it's") && said.contains("kubectl:"),
        "{said}"
    );
    assert!(!screen.run("helm template x").await.contains("releases are"));
    assert!(!screen.run("HELM_DRIVER=configmap helm list").await.contains("releases are"));
    terminal.close().await;
}

#[tokio::test]
async fn the_caches_of_tools_are_the_clusters_own() {
    let session = session_with_kubectl();
    session.home_file(".bashrc", "export KUBECACHEDIR=$HOME/shared\n", 0o644);
    let cache = session.dir.path().join("cache/hub-1/eu-1");
    let options = TerminalOptions { cache_dir: Some(cache.clone()), ..session.options("/bin/bash") };
    let terminal = session.open_with(options).await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    assert!(screen.run("echo c=$KUBECACHEDIR=").await.contains(&format!("c={}=", cache.display())));
    terminal.close().await;
    assert!(cache.is_dir(), "it outlives the terminal");
}
