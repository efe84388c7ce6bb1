//! The `fincert` command. stdout carries results, stderr progress and diagnostics; only this binary prints and
//! exits.

mod commands;

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use commands::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(error) = cli.keeps_snapshots().then(anew).flatten() {
        eprintln!("fincert: cannot start: {error}");
        return ExitCode::from(commands::exit::COULD_NOT_RUN);
    }
    // What libraries log holds what a target sent, unmasked: only who asks for it gets it.
    let filter = EnvFilter::try_from_env("FINCERT_LOG").unwrap_or_else(|_| EnvFilter::new("off,fincert=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("fincert: cannot start: {error}");
            return ExitCode::from(commands::exit::COULD_NOT_RUN);
        }
    };
    let code = runtime.block_on(commands::run(cli));
    // A blocked read of a target's pipe must not hold the exit.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Begins the program anew with the environment that the crate insta needs, unless it is so already. It does not come back
/// but with an error.
fn anew() -> Option<std::io::Error> {
    let (set, unset) = fincert::snapshots::environment()?;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Some(error),
    };
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1)).envs(set);
    for name in unset {
        command.env_remove(name);
    }
    Some(command.exec())
}
