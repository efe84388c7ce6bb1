//! Digests what judges: the sources of this crate and its scenarios, for certificates to name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in ["src", "scenarios"] {
        println!("cargo::rerun-if-changed={folder}");
        gather(Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut all = Sha256::new();
    for path in files {
        let content = Sha256::digest(fs::read(&path)?);
        let name = path.to_string_lossy().replace('\\', "/");
        all.update(format!("{}  {name}\n", hex(&content)));
    }
    println!("cargo::rustc-env=FINCERT_SUITES_SHA256={}", hex(&all.finalize()));
    Ok(())
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
