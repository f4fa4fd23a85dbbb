//! The server that is measured: this binary, as a process of its own.

use super::stopwatch;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    key: String,
}

impl Server {
    /// Starts it, and says how long it took until it answered.
    pub(crate) async fn start(database: &str, key: &str) -> Result<(Self, Duration)> {
        let address = free_address()?;
        let started = stopwatch();
        let process = Command::new(std::env::current_exe().context("this program is not found")?)
            .args([
                "serve",
                "--log",
                "warn",
                "--database",
                database,
                "--listen",
                &address.to_string(),
            ])
            .env("TILLBOX_BOOTSTRAP_KEY", key)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("the server can't be started")?;
        let mut server = Self {
            process,
            address,
            key: key.to_owned(),
        };
        for _ in 0..6_000 {
            if server.answers().await {
                return Ok((server, started.elapsed()));
            }
            if let Some(status) = server.process.try_wait()? {
                bail!("the server ended with {status}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the server did not start within 30 seconds")
    }

    /// Whether it is ready: it reads and writes its database.
    async fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address).await else {
            return false;
        };
        let request = "GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
        let mut answer = Vec::new();
        let told = stream.write_all(request.as_bytes()).await.is_ok()
            && stream.read_to_end(&mut answer).await.is_ok();
        told && answer.starts_with(b"HTTP/1.1 200")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Resident memory.
    pub(crate) fn memory_mib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let status = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status()?;
        if !status.success() {
            bail!("the server could not be told to stop");
        }
        let ended = tokio::task::spawn_blocking(move || self.process.wait()).await??;
        if ended.success() {
            Ok(())
        } else {
            bail!("the server ended with {ended}")
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopped already, unless the run was cut short.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr()?)
}
