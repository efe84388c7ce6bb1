//! Writing documents: whole or not at all.

use std::io::{BufWriter, Read, Write};
use std::path::Path;

const READ_ONLY: &str = "the file is read-only; name another, or make it writable";

/// Writes a file by way of a temporary neighbour, so that nobody ever sees half of it.
///
/// A symbolic link is followed. What is there and no regular file (a device, a pipe) is written through, never
/// replaced.
pub fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    write_with(path, |out| out.write_all(content))
}

/// The same for a document that is written as it is made. If it cannot be made or written to its end, what was there
/// before stays.
pub fn write_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let followed = path.canonicalize();
    let path = followed.as_deref().unwrap_or(path);
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return buffered(&mut std::fs::OpenOptions::new().write(true).open(path)?, write);
    }
    let there = path.metadata().map(|there| there.permissions()).ok();
    if there.as_ref().is_some_and(std::fs::Permissions::readonly) {
        // Its folder would let it be replaced; whoever made it read-only did not mean that.
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, READ_ONLY));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    buffered(file.as_file_mut(), write)?;
    file.persist(path).map_err(|error| error.error)?;
    // A temporary file is its owner's alone; a report is for whoever may read the folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, there.unwrap_or(std::fs::Permissions::from_mode(0o644)))?;
    }
    Ok(())
}

/// What writes a word at a time must not ask the system for each.
fn buffered(
    file: &mut std::fs::File,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    write(&mut out)?;
    out.flush()
}

/// The SHA-256 of a regular file, in hexadecimal.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    use sha2::Digest;
    if !path.metadata()?.is_file() {
        return Err(std::io::Error::other("no regular file"));
    }
    let mut file = std::fs::File::open(path)?;
    let mut digest = sha2::Sha256::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            size => digest.update(&chunk[..size]),
        }
    }
    Ok(fincert_schemas::digest::hex(&digest.finalize()))
}

/// Whether two paths name one file, there or not yet there.
pub fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| {
        path.canonicalize().ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(path.file_name()?))
        })
    };
    a == b || whole(a).is_some_and(|a| whole(b) == Some(a))
}

/// Why a document could not be written there, as far as that can be found out without writing it.
pub fn unwritable(path: &Path) -> Option<String> {
    if path.is_dir() {
        return Some(format!("{} is a directory", path.display()));
    }
    match path.metadata() {
        Ok(there) if !there.is_file() => return None,
        Ok(there) if there.permissions().readonly() => return Some(format!("{}: {READ_ONLY}", path.display())),
        _ => {}
    }
    let mut folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    while !folder.exists() {
        folder = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
    if !folder.is_dir() {
        return Some(format!("{} is not a folder", folder.display()));
    }
    // Permissions and read-only file systems show only when something is written.
    tempfile::tempfile_in(folder).err().map(|error| format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_breaks_off_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        std::fs::write(&path, "before").unwrap();
        let broken = write_with(&path, |out| {
            out.write_all(b"half of it")?;
            Err(std::io::Error::other("the disk is full"))
        });
        assert_eq!(broken.unwrap_err().to_string(), "the disk is full");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_regular_file_is_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real.txt");
        let link = folder.path().join("link.txt");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        std::fs::write(&real, "old").unwrap();
        write_whole(&link, b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        let device = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        write_whole(&device, b"gone").unwrap();
        assert!(!device.metadata().unwrap().is_file());
        assert_eq!(unwritable(&device), None);
    }
}
