//! Reads `tauri.conf.json` and makes the window's permissions from the one list of commands: what is not in
//! `sallyport_ipc::COMMANDS` can't be called from the window (promise P23).

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(sallyport_ipc::COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("could not prepare the window: {error:#}");
        std::process::exit(1);
    }
}
