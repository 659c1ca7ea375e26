//! The Python package, installed as people install it, passes its tests.

mod saved;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The oldest Python that the package is for.
const PYTHON_MIN: (u32, u32) = (3, 10);
/// What the tests may take, on a busy machine; one that hangs would else hang all others.
const TESTS_MAX: Duration = Duration::from_mins(30);
/// What installing may take: it compiles all crates, and the first time it downloads.
const INSTALL_MAX: Duration = Duration::from_mins(60);

#[test]
fn the_python_package_passes_its_tests() {
    let folder = folder();
    fs::create_dir_all(&folder).expect("a folder in `target`");
    // Another `cargo test` at the same time would replace the package under the tests' feet.
    let lock = File::create(folder.join("lock")).expect("a file in `target`");
    lock.lock().expect("a lock on a file in `target`");
    let python = environment(&folder);
    install(&folder, &python, &["--no-deps", "--force-reinstall", "."]);
    let from_rust = folder.join("saved");
    saved::write(&from_rust).unwrap_or_else(|error| panic!("{error}"));
    let mut pytest = command(&python);
    pytest.env("OXHORN_SAVED_BY_RUST", from_rust);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "python/tests"]);
    // Files of tests are shared out among processes: tests of one file may share what they made.
    pytest.args(["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]);
    pytest.env("KERAS_HOME", folder.join("keras")).env("KERAS_BACKEND", "jax");
    // Compiling is most of what real Keras takes; the programs of the last time are good again.
    pytest.env("JAX_COMPILATION_CACHE_DIR", folder.join("jax"));
    run(pytest, &folder.join("tests.log"), TESTS_MAX);
}

/// The root of the repository, whose `pyproject.toml` describes the package.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where all that this test makes is kept: `target/python`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python")
}

/// The Python of a virtual environment with what the package and its tests need, which is made
/// anew when what they need has changed.
fn environment(folder: &Path) -> PathBuf {
    let (home, stamp) = (folder.join("venv"), folder.join("requirements"));
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let (base, version) = system_python();
    let project = fs::read_to_string(root().join("pyproject.toml")).expect("`pyproject.toml`");
    let wanted = format!("{version}\n{project}");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|it| it == wanted) {
        return python;
    }
    // The stamp goes first and comes last: what was interrupted between is made again.
    let _ = fs::remove_file(&stamp);
    let mut venv = command(Path::new(&base));
    venv.args(["-m", "venv", "--clear"]).arg(&home);
    run(venv, &folder.join("venv.log"), INSTALL_MAX);
    install(folder, &python, &["maturin"]);
    install(folder, &python, &[".[test]"]);
    fs::write(&stamp, wanted).expect("a file in `target`");
    python
}

/// The name and version of the Python that `PYTHON` names, or else of the one on the path.
fn system_python() -> (String, String) {
    let name = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let print = "import sys; print(*sys.version_info[:2], sys.version)";
    let output = command(Path::new(&name)).args(["-c", print]).output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let text = text.unwrap_or_default();
    let mut words = text.split_whitespace().map(|it| it.parse::<u32>().unwrap_or_default());
    let version = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (major, minor) = PYTHON_MIN;
    assert!(
        version >= PYTHON_MIN,
        "no Python {major}.{minor} or later as `{name}` (it says {:?})\nhelp: the tests of the \
         Python package need it, with its module `venv`; name another in the variable `PYTHON`, \
         or leave them out by `cargo test --workspace --exclude {}`",
        text.trim(),
        env!("CARGO_PKG_NAME"),
    );
    (name, text)
}

/// Lets pip install something into the environment, with the tools that are in it.
fn install(folder: &Path, python: &Path, what: &[&str]) {
    let mut pip = command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    // Maturin is there, so that later runs need no network.
    pip.args(["--no-build-isolation", "--check-build-dependencies"]).args(what);
    // pip's backend calls `maturin` by its name.
    let usual = env::var_os("PATH").unwrap_or_default();
    let own = python.parent().map(Path::to_path_buf);
    let path = env::join_paths(own.into_iter().chain(env::split_paths(&usual)));
    pip.env("PATH", path.expect("a search path"));
    // As this test is built itself, so that what both need is compiled once.
    pip.env("CARGO_TARGET_DIR", folder.with_file_name(""));
    pip.env("MATURIN_PEP517_ARGS", if cfg!(debug_assertions) { "--profile=dev" } else { "" });
    run(pip, &folder.join("install.log"), INSTALL_MAX);
}

/// A Python at the root of the repository that finds nothing but what is installed for it, and
/// leaves no bytecode beside the sources.
fn command(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.current_dir(root()).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end; if that is a bad one, or does not come, shows what it printed.
fn run(mut command: Command, log: &Path, limit: Duration) {
    let output = File::create(log).expect("a file in `target`");
    let errors = output.try_clone().expect("a second handle of a file");
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let start = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = loop {
        match child.try_wait().expect("the state of a child") {
            None if start.elapsed() < limit => thread::sleep(Duration::from_millis(20)),
            None => {
                child.kill().expect("an end of a child");
                break None;
            }
            ended => break ended,
        }
    };
    if !status.is_some_and(|it| it.success()) {
        let end = status.map_or(format!("stopped after {limit:?}"), |it| it.to_string());
        let printed = fs::read(log).unwrap_or_default();
        panic!("{command:?}: {end}\n{}", String::from_utf8_lossy(&printed));
    }
}
