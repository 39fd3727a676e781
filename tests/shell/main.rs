//! What the window may ask of its host, compared over the five places that say so (promise P23). Reads files only.

use sallyport_ipc::COMMANDS;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{path} can't be read: {e}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|e| panic!("{path} is no JSON: {e}"))
}

#[test]
fn p23_the_window_may_call_the_listed_commands_and_hear_the_one_event() {
    let capability = json("src-tauri/capabilities/main.json");
    let granted: BTreeSet<String> = capability["permissions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| p.as_str().expect("plain names").to_owned())
        .collect();
    let mut wanted: BTreeSet<String> =
        COMMANDS.iter().map(|c| format!("allow-{}", c.replace('_', "-"))).collect();
    wanted.extend(["core:event:allow-listen".to_owned(), "core:event:allow-unlisten".to_owned()]);
    assert_eq!(granted, wanted);
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    assert!(capability.get("remote").is_none(), "a remote page has been let in");
    let files = fs::read_dir("src-tauri/capabilities").expect("the folder is there");
    assert_eq!(files.count(), 1, "one window, one capability file");
}

#[test]
fn p23_the_adapters_and_the_handler_are_made_from_the_list_and_no_other_function_is_a_command() {
    let source = read("src-tauri/src/commands.rs");
    assert!(source.contains("\nsallyport_ipc::commands!(adapters);"), "the adapters take another list");
    let (in_macro, after) = source.split_once("\nsallyport_ipc::commands!").expect("the list is taken");
    assert_eq!(in_macro.matches("#[tauri::command]").count(), 2, "one shape, and one with a channel");
    assert!(!after.contains("tauri::command"), "a command that is not in the list");
    for file in ["freedesktop.rs", "lib.rs", "host.rs", "logs.rs", "main.rs", "start.rs", "window.rs"] {
        assert!(
            !read(&format!("src-tauri/src/{file}")).contains("tauri::command"),
            "{file} has a command of its own"
        );
    }
    assert!(
        read("src-tauri/src/start.rs").contains("sallyport_ipc::commands!(handler)"),
        "the handler takes another list"
    );
}

#[test]
fn p23_the_list_makes_the_acl() {
    assert!(read("src-tauri/build.rs").contains("COMMANDS"), "the build script takes another list");
}

#[test]
fn p23_the_pages_policy_lets_nothing_in() {
    let config = json("tauri.conf.json");
    let policy = config["app"]["security"]["csp"].as_object().expect("one value for each directive");
    let of = |name: &str| policy.get(name).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(of("default-src"), "'none'");
    assert_eq!(of("script-src"), "'self'");
    assert_eq!(of("connect-src"), "ipc: http://ipc.localhost");
    assert_eq!((of("img-src"), of("font-src")), ("'self' data:", "'self'"));
    for none in ["object-src", "base-uri", "form-action", "frame-ancestors"] {
        assert_eq!(of(none), "'none'", "{none}");
    }
    // xterm makes styles of its own; no other directive may be loose.
    for (name, value) in policy {
        let value = value.as_str().expect("a policy is text");
        assert!(name == "style-src" || !value.contains("unsafe"), "{name}: {value}");
        assert!(!value.contains('*') && !value.contains("https:"), "{name}: {value}");
    }
    assert_eq!(
        config["app"]["security"].as_object().map(serde_json::Map::len),
        Some(1),
        "nothing but the policy is set"
    );
    assert_eq!(config["app"]["withGlobalTauri"], false);
}

#[test]
fn fault_e4_p23_the_window_is_made_where_its_navigation_is_refused() {
    // The window checks see it refused; this sees that no window is made anywhere else.
    let windows = json("tauri.conf.json")["app"]["windows"].clone();
    let windows = windows.as_array().expect("a list");
    assert!(windows.iter().all(|w| w["create"] == false), "Tauri would make one without the handlers");
    let source = read("src-tauri/src/window.rs");
    for handler in [".on_navigation(", ".on_new_window(", ".on_download("] {
        assert_eq!(source.matches(handler).count(), 1, "{handler}");
    }
    for file in ["commands.rs", "freedesktop.rs", "host.rs", "lib.rs", "logs.rs", "main.rs", "start.rs"] {
        assert!(!read(&format!("src-tauri/src/{file}")).contains("WindowBuilder"), "{file} makes a window");
    }
}

#[test]
fn fault_e3_both_programs_keep_out_of_core_dumps_before_anything_else() {
    for (file, first) in [
        (
            "src-tauri/src/start.rs",
            "pub fn run() -> ExitCode {\n    sallyport_app::keep_out_of_core_dumps();",
        ),
        (
            "crates/broker/src/start.rs",
            "pub fn start() -> Result<()> {\n    sallyport_client::keep_out_of_core_dumps();",
        ),
    ] {
        assert!(read(file).contains(first), "{file}");
    }
}

#[test]
fn p23_the_page_brings_no_inline_code_or_style() {
    // One inline style would make Tauri add a nonce, which turns 'unsafe-inline' off, and xterm's colours with it.
    let page = read("ui/index.html");
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onload="), "{page}");
    for script in page.split("<script").skip(1) {
        let (tag, body) = script.split_once('>').expect("a tag ends");
        assert!(
            tag.contains("src=\"/") && body.trim_start().starts_with("</script>"),
            "an inline script: {script}"
        );
    }
    assert!(
        read("ui/src/main.ts").contains("Object.freeze(Object.prototype);"),
        "prototypes can be polluted"
    );
}

#[test]
fn p23_no_plugin_reaches_the_host() {
    let manifest = read("Cargo.toml");
    let used =
        manifest.split_once("[dependencies]").expect("dependencies").1.split_once("\n[").expect("an end").0;
    assert!(!used.contains("tauri-plugin"), "{used}");
    assert!(!read("src-tauri/src/start.rs").contains(".plugin("));
    let config = json("tauri.conf.json");
    assert!(config.get("plugins").is_none(), "a plugin is configured");
    let window = json("ui/package.json");
    let packages: Vec<&String> = window["dependencies"].as_object().expect("an object").keys().collect();
    assert!(packages.iter().all(|p| !p.starts_with("@tauri-apps/plugin")), "{packages:?}");
}
