//! The `domicile` binary.

fn main() -> std::process::ExitCode {
    domicile::cli::run()
}
