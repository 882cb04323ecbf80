//! The `haul` program: everything lives in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    haul::cli::main()
}
