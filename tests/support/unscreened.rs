//! The gateway built with `--features unscreened`: it shows a leak scan what a leak looks like.

fn main() -> std::process::ExitCode {
    domicile::cli::run()
}
