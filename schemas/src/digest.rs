//! Digests of what is compiled in, for certificates to name: the specification, the requirements, the schemas.
//!
//! A tree's digest is the SHA-256 of a list `DIGEST  PATH`, a file a line, by path: what `sha256sum` prints of the
//! files in the order of their names, digested once more.

use include_dir::Dir;
use sha2::{Digest, Sha256};

use crate::{catalog, requirement};

static SPECIFICATION: &[u8] = include_bytes!("../specification/finclip-financial-api.zh.md");

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The specification's text.
pub fn specification() -> String {
    sha256(SPECIFICATION)
}

/// The requirements: what of the specification is tested.
pub fn requirements() -> String {
    trees(&[("requirements", requirement::files())])
}

/// The schemas of the specification's tables.
pub fn schemas() -> String {
    trees(&catalog::folders())
}

fn trees(folders: &[(&str, &Dir<'_>)]) -> String {
    let mut lines = Vec::new();
    for (name, folder) in folders {
        list(name, folder, &mut lines);
    }
    lines.sort();
    sha256(lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect::<String>().as_bytes())
}

fn list(name: &str, folder: &Dir<'_>, lines: &mut Vec<(String, String)>) {
    for file in folder.files() {
        lines.push((format!("{name}/{}", file.path().to_string_lossy().replace('\\', "/")), sha256(file.contents())));
    }
    for inner in folder.dirs() {
        list(name, inner, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest is what public tools come to.
    #[test]
    fn a_digest_can_be_made_by_hand() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/requirements");
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let list: String = names
            .iter()
            .map(|name| {
                format!("{}  requirements/{name}\n", sha256(&std::fs::read(format!("{folder}/{name}")).unwrap()))
            })
            .collect();
        assert_eq!(requirements(), sha256(list.as_bytes()));
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_ne!(schemas(), requirements());
    }
}
