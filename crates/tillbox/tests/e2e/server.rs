//! The real binary as a process of its own: started on an empty database, killed, restarted, verified.
//!
//! `TILLBOX_E2E_BINARY` names another binary than the one that cargo built, for example the one to be released.

use crate::client::Client;
use crate::wait::{self, Stopwatch};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The key of the one test merchant of each server.
pub(crate) const BOOTSTRAP_KEY: &str = "tb_test_e2e0123456789abcdefghijk";

/// Generous: debug builds start side by side on two cores.
const READY_WITHIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A server with a directory of its own; dropping it ends the process and removes the directory.
pub(crate) struct Server {
    directory: PathBuf,
    bootstrap_key: Option<String>,
    log: Option<&'static str>,
    /// More arguments of `serve`.
    arguments: Vec<&'static str>,
    running: Option<Running>,
    starts: usize,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

/// What strace makes of the n-th system call of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Injection {
    pub(crate) call: &'static str,
    /// `KILL`, or the error that the call gives.
    pub(crate) fault: &'static str,
    pub(crate) place: usize,
}

impl Server {
    /// Starts a server on an empty database, and returns when it is ready.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with_bootstrap_key(Some(BOOTSTRAP_KEY))
    }

    #[track_caller]
    pub(crate) fn start_with_bootstrap_key(key: Option<&str>) -> Self {
        let mut server = Self {
            directory: fresh_directory(),
            bootstrap_key: key.map(str::to_owned),
            log: None,
            arguments: Vec::new(),
            running: None,
            starts: 0,
        };
        server.restart();
        server
    }

    /// Starts a server that logs all there is to log.
    #[track_caller]
    pub(crate) fn start_talkative() -> Self {
        let mut server = Self {
            directory: fresh_directory(),
            bootstrap_key: Some(BOOTSTRAP_KEY.to_owned()),
            log: Some("trace"),
            arguments: Vec::new(),
            running: None,
            starts: 0,
        };
        server.restart();
        server
    }

    /// Starts the process again on the same database; how long it took until it was ready.
    #[track_caller]
    pub(crate) fn restart(&mut self) -> Duration {
        assert!(self.running.is_none(), "the server still runs");
        // Another process may take the free port before the server binds it.
        for _ in 0..5 {
            self.starts += 1;
            let watch = Stopwatch::start();
            let address = free_address();
            let child = self.spawn_serve(address, &self.log_name());
            let running = self.running.insert(Running { child, address });
            let prober = Client::new(address, "");
            let ended = wait::until(READY_WITHIN, "the server to be ready", || {
                if let Some(status) = running.child.try_wait().expect("asked") {
                    return Some(Some(status));
                }
                prober.is_ready().then_some(None)
            });
            let Some(status) = ended else {
                return watch.elapsed();
            };
            self.running = None;
            let words = self.output_text();
            assert!(
                words.to_lowercase().contains("in use"),
                "serve ended at its start with {status}:\n{words}"
            );
        }
        panic!("no free port in five tries");
    }

    /// Starts a process on an empty database that is expected to refuse to serve; how it ended.
    #[track_caller]
    pub(crate) fn refused_start(bootstrap_key: &str) -> (ExitStatus, String) {
        let server = Self {
            directory: fresh_directory(),
            bootstrap_key: Some(bootstrap_key.to_owned()),
            log: None,
            arguments: Vec::new(),
            running: None,
            starts: 0,
        };
        server.serve_in_vain("first")
    }

    /// The same with these arguments of `serve`, this once.
    pub(crate) fn restart_with(&mut self, arguments: &[&'static str]) {
        self.arguments = arguments.to_vec();
        self.restart();
        self.arguments.clear();
    }

    pub(crate) fn restart_with_bootstrap_key(&mut self, key: &str) {
        self.bootstrap_key = Some(key.to_owned());
        self.restart();
    }

    /// Starts the process under strace, with a fault to come; whether it became ready before that.
    pub(crate) fn start_injected(&mut self, injection: &Injection) -> bool {
        let Injection { call, fault, place } = injection;
        let fault = match *fault {
            "KILL" => "signal=KILL".to_owned(),
            error => format!("error={error}"),
        };
        self.starts += 1;
        let address = free_address();
        let mut command = Command::new("strace");
        // Traced from the side: the process is our child, and is what a signal meets.
        command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
        command.arg(format!("--trace={call}"));
        command.arg(format!("--inject={call}:{fault}:when={place}"));
        command.arg(binary());
        self.set_up(&mut command, address, &self.log_name());
        let child = command.spawn().expect("strace starts");
        let running = self.running.insert(Running { child, address });
        let prober = Client::new(address, "");
        let ready = wait::at_most(READY_WITHIN, || {
            if running.child.try_wait().expect("asked").is_some() {
                return Some(false);
            }
            prober.is_ready().then_some(true)
        });
        ready.unwrap_or(false)
    }

    /// Another client with its own connections, with the bootstrap key.
    pub(crate) fn client(&self) -> Client {
        self.client_with_key(BOOTSTRAP_KEY)
    }

    pub(crate) fn client_with_key(&self, key: &str) -> Client {
        Client::new(self.address(), key)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// Kills the process the hard way (SIGKILL), as a crash would.
    pub(crate) fn kill9(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        running.child.kill().expect("the server is killed");
        running.child.wait().expect("the server is gone");
    }

    /// Asks the process to stop (SIGTERM), without waiting for it.
    pub(crate) fn ask_to_stop(&self) {
        let pid = self.running().child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill is run").success(), "no SIGTERM sent");
    }

    /// Waits until an asked process is gone: within 10 seconds, with exit code 0.
    #[track_caller]
    pub(crate) fn wait_for_clean_exit(&mut self) {
        let mut running = self.running.take().expect("the server runs");
        let status = wait::at_most(STOP_WITHIN, || running.child.try_wait().expect("asked"));
        if status.is_none() {
            running.child.kill().expect("the server is killed");
            running.child.wait().expect("the server is gone");
        }
        let status = status.unwrap_or_else(|| panic!("still running 10 s after SIGTERM"));
        assert_eq!(status.code(), Some(0), "{}", self.output_text());
    }

    #[track_caller]
    pub(crate) fn terminate(&mut self) {
        self.ask_to_stop();
        self.wait_for_clean_exit();
    }

    /// Runs `tillbox verify` on this database, beside the server or after it; it must find nothing.
    #[track_caller]
    pub(crate) fn verify(&self) {
        let output = self.run(&["verify", "--database", &self.database_url()]);
        assert!(
            output.status.code() == Some(0),
            "verify ended with {}:\n{}",
            output.status,
            text_of(&output)
        );
    }

    /// Runs the binary with these arguments, in this server's directory, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null());
        command.output().expect("the binary runs")
    }

    /// Tries to serve the same database by a second process; how it ended.
    #[track_caller]
    pub(crate) fn serve_a_second_time(&self) -> (ExitStatus, String) {
        self.serve_in_vain("second")
    }

    /// Tries to serve, and is expected to be refused; how it ended.
    #[track_caller]
    pub(crate) fn serve_in_vain(&self, log_name: &str) -> (ExitStatus, String) {
        let mut child = self.spawn_serve(free_address(), log_name);
        let status = wait::at_most(READY_WITHIN, || child.try_wait().expect("asked"));
        if status.is_none() {
            child.kill().expect("the process is killed");
            child.wait().expect("the process is gone");
        }
        let status = status.unwrap_or_else(|| panic!("it serves, but should have refused"));
        (status, self.logged(log_name))
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.directory.join("tillbox.db")
    }

    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:{}", self.database_file().display())
    }

    /// What the last start wrote to standard output and standard error.
    pub(crate) fn output_text(&self) -> String {
        self.logged(&self.log_name())
    }

    fn logged(&self, log_name: &str) -> String {
        ["out", "err"]
            .map(|kind| fs::read_to_string(self.log(log_name, kind)).unwrap_or_default())
            .concat()
    }

    fn log_name(&self) -> String {
        format!("serve-{}", self.starts)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    fn log(&self, log_name: &str, kind: &str) -> PathBuf {
        self.directory.join(format!("{log_name}.{kind}.log"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        self.surround(&mut command);
        command
    }

    /// A folder, and an environment without settings of whoever runs the tests.
    fn surround(&self, command: &mut Command) {
        command
            .current_dir(&self.directory)
            .env_remove("TILLBOX_CONFIG")
            .env_remove("TILLBOX_METRICS_LISTEN")
            .env_remove("TILLBOX_DATABASE")
            .env_remove("TILLBOX_LISTEN")
            .env_remove("TILLBOX_PUBLIC_URL")
            .env_remove("TILLBOX_LOG")
            .env_remove("TILLBOX_BOOTSTRAP_KEY");
    }

    fn spawn_serve(&self, address: SocketAddr, log_name: &str) -> Child {
        let mut command = Command::new(binary());
        self.set_up(&mut command, address, log_name);
        command.spawn().expect("the binary starts")
    }

    fn set_up(&self, command: &mut Command, address: SocketAddr, log_name: &str) {
        self.surround(command);
        command
            .arg("serve")
            .args(&self.arguments)
            .env("TILLBOX_DATABASE", self.database_url())
            .env("TILLBOX_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(File::create(self.log(log_name, "out")).expect("a log file"))
            .stderr(File::create(self.log(log_name, "err")).expect("a log file"));
        if let Some(key) = &self.bootstrap_key {
            command.env("TILLBOX_BOOTSTRAP_KEY", key);
        }
        if let Some(filter) = self.log {
            command.env("TILLBOX_LOG", filter);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Nothing more can be done for a process that can't be killed; the test's own outcome counts.
            drop(running.child.kill());
            drop(running.child.wait());
        }
        if std::thread::panicking() {
            eprintln!(
                "the server's last output ({}):\n{}",
                self.directory.display(),
                tail(&self.output_text(), 60)
            );
        } else {
            drop(fs::remove_dir_all(&self.directory));
        }
    }
}

/// Both streams of an ended process.
pub(crate) fn text_of(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

pub(crate) fn binary() -> PathBuf {
    std::env::var_os("TILLBOX_E2E_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_tillbox")),
        PathBuf::from,
    )
}

pub(crate) fn fresh_directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!(
        "e2e-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .local_addr()
        .expect("a bound listener has an address")
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
