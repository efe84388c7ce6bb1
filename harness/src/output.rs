//! Writing documents: whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes a file by way of a temporary neighbour, so that nobody ever sees half of it.
pub fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.flush()?;
    file.persist(path).map_err(|error| error.error)?;
    // A temporary file is its owner's alone; a report is for whoever may read the folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
