//! Writes `ui/src/bindings/ipc.ts` from the shapes of this crate.

fn main() -> std::io::Result<()> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(sallyport_ipc::bindings::PATH);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, sallyport_ipc::bindings::render())
}
