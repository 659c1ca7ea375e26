//! The kernels' tests under the address sanitizer, which sees every byte that is touched beside
//! what was allocated.

use std::process::Command;

/// Builds the crate whose kernels are `unsafe`, and its tests, with a check of every access, and
/// runs them. The sanitizer comes with the compiler, which on its stable channel takes it as an
/// exception only.
pub(crate) fn run() -> Result<(), String> {
    let host = host()?;
    // With a target of their own, build scripts and macros stay as they are.
    let mut tests = crate::cargo();
    tests.args(["test", "--package", "oxhorn-cpu", "--target", &host]);
    tests.args(["--lib", "--tests", "--target-dir", "target/sanitize"]);
    tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    // A pool's threads live as long as the process: what they hold is no leak.
    tests.env("ASAN_OPTIONS", "detect_leaks=0");
    crate::run(&mut tests)
}

/// The target that this machine is.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|it| format!("rustc: {it}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` does not say its host".to_owned())
}
