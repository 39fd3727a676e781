//! `sallyport`.

fn main() -> std::process::ExitCode {
    sallyport_cli::start()
}
