//! The `fincert` command. stdout carries results, stderr progress and diagnostics; only this binary prints and
//! exits.

mod commands;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use commands::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
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
