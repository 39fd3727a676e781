//! Real shells with start-up files that do their worst: the terminal stays on its kubeconfig.

mod common;

use common::{Screen, Session};
use std::path::Path;

/// A tool named kubectl that says which kubeconfig it would use.
const KUBECTL: &str = "#!/bin/sh\necho \"kubectl:$KUBECONFIG:$*:\"\n";

fn session_with_kubectl() -> Session {
    let session = Session::new();
    session.home_file("tools/kubectl", KUBECTL, 0o755);
    session
}

/// What the shell's own KUBECONFIG is, before and within a line, and what kubectl would use.
async fn assert_stays(session: &Session, screen: &mut Screen<'_>, rounds: usize) {
    let own = session.kubeconfig.path();
    let own = own.to_str().unwrap();
    for _ in 0..rounds {
        let said = screen.run("echo \"is=$KUBECONFIG=\"").await;
        assert!(said.contains(&format!("is={own}=")), "the shell is elsewhere: {said}");
        let said = screen.run("kubectl get pods").await;
        assert!(said.contains(&format!("kubectl:{own}:get pods:")), "kubectl is elsewhere: {said}");
    }
}

#[tokio::test]
async fn bash_stays_on_its_cluster_whatever_bashrc_does() {
    let nasty = [
        ("export", "export KUBECONFIG=/elsewhere"),
        ("prompt command", "PROMPT_COMMAND='export KUBECONFIG=/elsewhere'"),
        ("prompt command array", "PROMPT_COMMAND=('export KUBECONFIG=/elsewhere' 'true')"),
        ("late prompt command", "PROMPT_COMMAND='PROMPT_COMMAND+=\"; export KUBECONFIG=/elsewhere\"'"),
        ("debug trap", "trap 'OTHER=1' DEBUG; export KUBECONFIG=/elsewhere"),
        ("debug trap taken later", "PROMPT_COMMAND='trap \"X=1\" DEBUG; export KUBECONFIG=/elsewhere'"),
        ("read-only", "declare -rx KUBECONFIG=/elsewhere"),
        ("path", "export KUBECONFIG=/elsewhere; PATH=$HOME/tools:$PATH"),
        ("unset", "unset KUBECONFIG"),
        ("strict", "set -u; export KUBECONFIG=/elsewhere"),
        ("aliases", "alias export=false echo=echo; KUBECONFIG=/elsewhere"),
    ];
    for (what, rc) in nasty {
        let session = session_with_kubectl();
        session.home_file(".bashrc", &format!("{rc}\n"), 0o644);
        println!("bash: {what}");
        let terminal = session.open("/bin/bash").await;
        let mut screen = Screen::of(&terminal);
        screen.prompt().await;
        assert_stays(&session, &mut screen, 2).await;
        // Typed by hand, it lasts no longer than its own command.
        screen.run("export KUBECONFIG=/typed").await;
        if what != "aliases" {
            assert_stays(&session, &mut screen, 1).await;
        }
        terminal.close().await;
    }
}

#[tokio::test]
async fn bash_keeps_what_is_the_persons_own() {
    let session = session_with_kubectl();
    session.home_file(
        ".bashrc",
        "PS1='mine> '\nalias hello='echo alias-works'\nHISTFILE=$HOME/my_history\nPROMPT_COMMAND='LAST=$?'\n\
         trap 'SEEN=$BASH_COMMAND' DEBUG\n",
        0o644,
    );
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    let prompt = screen.prompt().await;
    assert!(prompt.contains("eu-1/payments") && prompt.contains("mine> "), "{prompt}");
    assert!(screen.run("hello").await.contains("alias-works"));
    assert!(screen.run("(exit 7)\necho last=$LAST=").await.contains("last=7="), "the exit code is lost");
    assert!(
        screen.run("(exit 3)\necho code=$?=").await.contains("code=3="),
        "the exit code is lost in the prompt"
    );
    assert!(screen.run("true; echo seen=$SEEN=").await.contains("seen=echo"), "their DEBUG trap is lost");
    assert!(
        screen.run("echo hist=$HISTFILE=").await.contains(&format!("hist={}/my_history=", session.home()))
    );
    terminal.close().await;
}

#[tokio::test]
async fn bashs_hooks_do_not_show_in_the_variables_of_the_line() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    assert!(screen.run("echo a-b; echo under=$_=").await.contains("under=a-b="), "$_ is lost");
    assert!(screen.run("(exit 4); echo code=$?=").await.contains("code=4="), "$? is lost");
    assert!(screen.run("set -- one two; true; echo args=$#=").await.contains("args=2="), "$@ is lost");
    terminal.close().await;
}

#[tokio::test]
async fn zsh_stays_on_its_cluster_whatever_zshrc_does() {
    let nasty = [
        ("export", ".zshrc", "export KUBECONFIG=/elsewhere"),
        ("zshenv", ".zshenv", "export KUBECONFIG=/elsewhere"),
        ("precmd", ".zshrc", "precmd() { export KUBECONFIG=/elsewhere }"),
        (
            "hooks",
            ".zshrc",
            "autoload -Uz add-zsh-hook; f() { export KUBECONFIG=/elsewhere }; add-zsh-hook precmd f; add-zsh-hook preexec f",
        ),
        (
            "late hooks",
            ".zshrc",
            "precmd() { preexec_functions+=(f); }; f() { export KUBECONFIG=/elsewhere }",
        ),
        ("read-only", ".zshrc", "typeset -rx KUBECONFIG=/elsewhere"),
        ("path", ".zshrc", "export KUBECONFIG=/elsewhere; path=($HOME/tools $path)"),
        ("options", ".zshrc", "setopt ksh_arrays sh_word_split; export KUBECONFIG=/elsewhere"),
        ("zdotdir", ".zshenv", "ZDOTDIR=$HOME/z"),
    ];
    for (what, file, rc) in nasty {
        let session = session_with_kubectl();
        session.home_file(file, &format!("{rc}\n"), 0o644);
        session.home_file("z/.zshrc", "export KUBECONFIG=/elsewhere FROM_Z=yes\n", 0o644);
        println!("zsh: {what}");
        let terminal = session.open("/usr/bin/zsh").await;
        let mut screen = Screen::of(&terminal);
        screen.prompt().await;
        assert_stays(&session, &mut screen, 2).await;
        screen.run("export KUBECONFIG=/typed").await;
        assert_stays(&session, &mut screen, 1).await;
        if what == "zdotdir" {
            assert!(
                screen
                    .run("echo \"z=$FROM_Z=$ZDOTDIR=\"")
                    .await
                    .contains(&format!("z=yes={}/z=", session.home()))
            );
        }
        terminal.close().await;
    }
}

#[tokio::test]
async fn zsh_keeps_what_is_the_persons_own() {
    let session = session_with_kubectl();
    session.home_file(".zshrc", "PROMPT='mine> '\nalias hello='echo alias-works'\nHISTFILE=$HOME/h\n", 0o644);
    let terminal = session.open("/usr/bin/zsh").await;
    let mut screen = Screen::of(&terminal);
    let prompt = screen.prompt().await;
    assert!(prompt.contains("eu-1/payments") && prompt.contains("mine> "), "{prompt}");
    assert!(screen.run("hello").await.contains("alias-works"));
    assert!(screen.run("(exit 3)\necho code=$?=").await.contains("code=3="), "the exit code is lost");
    assert!(screen.run("echo z=${ZDOTDIR-unset}=").await.contains("z=unset="), "ZDOTDIR leaks");
    assert!(screen.run("echo hist=$HISTFILE=").await.contains(&format!("hist={}/h=", session.home())));
    terminal.close().await;
}

#[tokio::test]
async fn fish_stays_on_its_cluster_whatever_its_config_does() {
    let nasty = [
        ("export", "set -gx KUBECONFIG /elsewhere"),
        ("universal", "set -Ux KUBECONFIG /elsewhere"),
        ("prompt event", "function f --on-event fish_prompt; set -gx KUBECONFIG /elsewhere; end"),
        ("preexec event", "function f --on-event fish_preexec; set -gx KUBECONFIG /elsewhere; end"),
        ("path", "set -gx KUBECONFIG /elsewhere; set -gx PATH $HOME/tools $PATH"),
        ("erased", "set -e KUBECONFIG"),
    ];
    for (what, rc) in nasty {
        let session = session_with_kubectl();
        session.home_file(".config/fish/config.fish", &format!("{rc}\n"), 0o644);
        println!("fish: {what}");
        let terminal = session.open("/usr/bin/fish").await;
        let mut screen = Screen::of(&terminal);
        let prompt = screen.prompt().await;
        assert!(prompt.contains("eu-1/payments"), "{prompt}");
        assert_stays(&session, &mut screen, 2).await;
        screen.run("set -gx KUBECONFIG /typed").await;
        assert_stays(&session, &mut screen, 1).await;
        terminal.close().await;
    }
}

#[tokio::test]
async fn a_plain_shell_starts_on_its_cluster() {
    let session = session_with_kubectl();
    let terminal = session.open("/bin/dash").await;
    let mut screen = Screen::of(&terminal);
    let prompt = screen.prompt().await;
    assert!(prompt.contains("eu-1/payments"), "{prompt}");
    assert_stays(&session, &mut screen, 1).await;
    terminal.close().await;
}

#[tokio::test]
async fn the_guarded_tools_refuse_another_cluster_where_no_hook_reaches() {
    let session = session_with_kubectl();
    session.home_file(
        ".bashrc",
        "alias k='kubectl --kubeconfig /elsewhere'\n\
         prod() { export KUBECONFIG=/elsewhere; kubectl \"$@\"; }\n\
         quiet() { kubectl --kubeconfig=/elsewhere \"$@\"; }\n",
        0o644,
    );
    session.home_file("script.sh", "export KUBECONFIG=/elsewhere\nkubectl get pods\n", 0o755);
    let terminal = session.open("/bin/bash").await;
    let mut screen = Screen::of(&terminal);
    screen.prompt().await;
    for line in [
        "k get pods",
        "prod delete all",
        "quiet get pods",
        "KUBECONFIG=/elsewhere kubectl get pods",
        "sh ~/script.sh",
    ] {
        let said = screen.run(line).await;
        assert!(
            said.contains("this terminal is for eu-1 only") && !said.contains("kubectl:"),
            "{line}: {said}"
        );
    }
    // What belongs to the command inside a pod is not looked at.
    let said = screen.run("kubectl exec p -- tool --kubeconfig /inside").await;
    assert!(said.contains(":exec p -- tool --kubeconfig /inside:"), "{said}");
    terminal.close().await;
}

#[tokio::test]
async fn a_runtime_directory_with_quotes_and_dollars_is_only_a_path() {
    for shell in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash"] {
        let session = Session::in_runtime("it's $HOME \\ `x` \"q\" @bin@");
        session.home_file("tools/kubectl", KUBECTL, 0o755);
        assert!(session.kubeconfig.path().starts_with(Path::new(&session.runtime())));
        let terminal = session.open(shell).await;
        let mut screen = Screen::of(&terminal);
        screen.prompt().await;
        let said = screen.run("kubectl get pods").await;
        assert!(
            said.contains("get pods:") && said.contains("it's $HOME \\ `x` \"q\" @bin@"),
            "{shell}: {said}"
        );
        terminal.close().await;
    }
}
