//! The command line: one file per command, all in one table.

mod assessment;
pub mod certs;
mod classify;
mod consent;
mod demo;
mod exemption;
mod explain;
mod home;
mod instrument;
mod ledger;
mod place;
mod run;
mod test;
mod validate;

use clap::{Parser, Subcommand, ValueEnum};
use std::io::Read;
use std::process::ExitCode;

/// What `--version` says. A build that screens nothing says so.
const VERSION: &str = if cfg!(feature = "unscreened") { concat!(env!("CARGO_PKG_VERSION"), " (unscreened)") } else { env!("CARGO_PKG_VERSION") };

/// Keeps personal data at home: a data-residency gateway for HTTP APIs.
#[derive(Debug, Parser)]
#[command(name = "domicile", version = VERSION, max_term_width = 100)]
struct Arguments {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Validate(validate::Arguments),
    Test(test::Arguments),
    Explain(explain::Arguments),
    Classify(classify::Arguments),
    Demo(demo::Arguments),
    Home(home::Arguments),
    Consent(consent::Arguments),
    Instrument(instrument::Arguments),
    Assessment(assessment::Arguments),
    Exemption(exemption::Arguments),
    Ledger(ledger::Arguments),
    Certs(certs::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and good.
    Good = 0,
    /// Done, and bad: an invalid policy, a failed scenario, a broken ledger.
    Bad = 1,
    /// Wrong usage, or input that cannot be read.
    Usage = 2,
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let exit: Exit = match &arguments.command {
        Command::Assessment(assessment) => assessment::run(assessment, arguments.format),
        Command::Certs(certs) => certs::run(certs, arguments.format),
        Command::Classify(classify) => classify::run(classify),
        Command::Consent(consent) => consent::run(consent, arguments.format),
        Command::Demo(demo) => demo::run(demo, arguments.format),
        Command::Exemption(exemption) => exemption::run(exemption, arguments.format),
        Command::Home(home) => home::run(home, arguments.format),
        Command::Instrument(instrument) => instrument::run(instrument, arguments.format),
        Command::Ledger(ledger) => ledger::run(ledger, arguments.format),
        Command::Run(run) => run::run(run),
        Command::Explain(explain) => explain::run(explain, arguments.format),
        Command::Test(test) => test::run(test, arguments.format),
        Command::Validate(validate) => validate::run(validate, arguments.format),
    };
    ExitCode::from(exit as u8)
}

/// The whole of a file, or of standard input for `-`. The error names the file.
pub fn read_input(path: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if path == "-" { std::io::stdin().read_to_end(&mut bytes) } else { std::fs::File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)) };
    read.map(|_| bytes).map_err(|e| format!("cannot read `{path}`: {e}"))
}
