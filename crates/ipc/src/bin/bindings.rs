//! Writes what is made from the list of commands, in the repository's folder: `ui/src/bindings/ipc.ts` and the window's
//! capability.

use sallyport_ipc::bindings::{CAPABILITY, PATH, capability, render};

fn main() -> std::io::Result<()> {
    for (path, content) in [(PATH, render()), (CAPABILITY, capability())] {
        let path = std::path::Path::new(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}
