//! A Python with packages of others, for what is opened and verified by programs that were not written here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A virtual environment beside what is built, with these packages. It is made once, and by one test at a time.
pub(crate) fn python(name: &str, packages: &[&str]) -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = venv.join("bin/python");
    let lock = File::create(venv.with_extension("lock")).expect("the folder of the build can be written to");
    lock.lock().expect("a file of the build can be locked");
    // Written last: what was interrupted, or made for another Python, is made again.
    let whole = venv.join("packages.txt");
    let list = packages.join(" ");
    let version = Command::new("python3").arg("--version").output().expect("python3 is installed (Debian: python3)");
    let made = format!("{} {list}", String::from_utf8_lossy(&version.stdout).trim());
    if std::fs::read_to_string(&whole).is_ok_and(|text| text == made) {
        return python;
    }
    let _ = std::fs::remove_dir_all(&venv);
    let run = |program: &Path, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "no Python with {list} could be made; by hand: python3 -m venv DIR && DIR/bin/pip install {list} (DIR: {}); \
             Debian needs python3-venv",
            venv.display()
        );
    };
    run(Path::new("python3"), &["-m", "venv", venv.to_str().expect("a path of UTF-8")]);
    run(&python, &[&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], packages].concat());
    std::fs::write(&whole, made).expect("the folder of the build can be written to");
    python
}
