//! Small files of text, whole or not at all.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// All of a file, which is at most so many bytes long; else why not, in words.
pub(crate) fn text(path: &Path, most: u64) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(most.saturating_add(1)).read_to_string(&mut text));
    match read {
        // What is cut in the middle of a character is too long first.
        Err(_) if is_longer(path, most) => Err(too_long(most)),
        Err(error) => Err(error.to_string()),
        Ok(_) if text.len() as u64 > most => Err(too_long(most)),
        Ok(_) => Ok(text),
    }
}

fn is_longer(path: &Path, most: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > most)
}

fn too_long(most: u64) -> String {
    let (number, unit) = if most < 1 << 20 { (most >> 10, "KiB") } else { (most >> 20, "MiB") };
    format!("it is larger than {number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let write = |text: &[u8]| std::fs::write(&path, text).unwrap();
        write("ä".repeat(1024).as_bytes());
        assert_eq!(text(&path, 2048).unwrap().len(), 2048);
        write(format!("{}x", "ä".repeat(1024)).as_bytes());
        assert_eq!(text(&path, 2048).unwrap_err(), "it is larger than 2 KiB", "no byte is cut off silently");
        // Where the bound is in the middle of a character.
        write(format!("x{}", "ä".repeat(1024)).as_bytes());
        assert_eq!(text(&path, 2048).unwrap_err(), "it is larger than 2 KiB");
        write(b"\xff\xfe");
        assert!(text(&path, 2048).unwrap_err().contains("UTF-8"));
        assert!(text(dir.path(), 2048).is_err() && text(&dir.path().join("none"), 2048).is_err());
        assert_eq!(too_long(4 << 20), "it is larger than 4 MiB");
    }
}
