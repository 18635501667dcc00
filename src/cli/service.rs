//! The service as a child process, for `bench` and `chaos`: started from this very program, stopped or killed by its pid.

use super::error::Error;
use super::link::{Endpoint, Link};
use super::local_key;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// How long a service may take until it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(5);
/// How long it may take to stop by itself; longer than its own grace.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a killed one may take to be gone.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);
const KILL_POLL: Duration = Duration::from_millis(1);
/// How much of its log is shown when it did not start.
const LOG_TAIL_BYTES: usize = 2_000;

/// How a service is started.
#[derive(Clone, Debug)]
pub struct Launch {
    pub store_url: String,
    pub endpoint: Endpoint,
    /// Its current folder; `service.log` is written there.
    pub directory: PathBuf,
    /// Dotted keys and values on top of the defaults.
    pub settings: Vec<(String, String)>,
}

impl Launch {
    /// A launch on a free port with what every measurement needs: quiet logs, no environment of the user's own.
    ///
    /// # Errors
    /// When no port is free, or the database cannot be opened.
    pub fn new(store_url: &str, directory: &Path) -> Result<Self, Error> {
        let settings = [
            ("telemetry.level", "warn"),
            ("telemetry.format", "human"),
            ("rate_limits.per_principal", "0"),
            ("rate_limits.per_address", "0"),
            ("effects.shell.enabled", "true"),
            ("effects.shell.runtime_directory", "processes"),
        ];
        let key = local_key::make(store_url, directory, "measurement")?;
        Ok(Self {
            store_url: store_url.to_owned(),
            endpoint: Endpoint { port: free_port()?, key: key.into() },
            directory: directory.to_owned(),
            settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec(),
        })
    }

    /// Adds or replaces a setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }
}

/// Below the ports that systems give to outgoing connections: nobody takes one of these while a service is away.
const LASTING_PORTS: std::ops::Range<u16> = 10_000..32_768;
/// Ports that are tried before it is given up.
const PORTS_TRIED: usize = 1_000;

/// A port of this machine that is free now, and stays so while a service is killed and started again.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, Error> {
    std::iter::repeat_with(|| fastrand::u16(LASTING_PORTS))
        .take(PORTS_TRIED)
        .find(|port| is_free(*port))
        .ok_or_else(|| Error::failure(format!("no port of {LASTING_PORTS:?} is free on this machine")))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A running service. It is killed when this is dropped, and gone then: its folder may be deleted.
#[derive(Debug)]
pub struct Service {
    child: Child,
    pid: Pid,
    endpoint: Endpoint,
    log: PathBuf,
}

impl Service {
    /// Starts the process; it is not ready yet.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn spawn(launch: &Launch) -> Result<Self, Error> {
        let program = std::env::current_exe()
            .map_err(|error| Error::failure(format!("cannot find the program to start the service with: {error}")))?;
        let log = launch.directory.join("service.log");
        let output = File::options().create(true).append(true).open(&log);
        let output = output.map_err(|error| Error::file("write", &log, &error))?;
        let mut command = Command::new(program);
        command.arg("serve");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CALLBOARD_")) {
            command.env_remove(name);
        }
        // Not as a flag: the list of processes would show the password.
        command.env("CALLBOARD__STORE__URL", &launch.store_url);
        command
            .arg("--set")
            .arg("server.host=127.0.0.1")
            .arg("--set")
            .arg(format!("server.port={}", launch.endpoint.port));
        for (key, value) in &launch.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command.current_dir(&launch.directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let child = command.spawn();
        let child = child.map_err(|error| Error::failure(format!("cannot start the service: {error}")))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::failure("the service has ended at once"))?;
        Ok(Self { child, pid, endpoint: launch.endpoint.clone(), log })
    }

    /// Starts the process and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error carries the end of its log.
    pub async fn start(launch: &Launch) -> Result<Self, Error> {
        let mut service = Self::spawn(launch)?;
        service.ready().await?;
        Ok(service)
    }

    /// Waits until the service answers that it is ready; the time that took.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn ready(&mut self) -> Result<Duration, Error> {
        let begin = Instant::now();
        let mut link = Link::to(&self.endpoint);
        loop {
            if let Ok(answer) = link.get("/readyz").await
                && answer.status == 200
            {
                return Ok(begin.elapsed());
            }
            match self.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return Err(self.not_started(&format!("it ended with {status}"))),
                Err(error) => return Err(self.not_started(&error.to_string())),
            }
            if begin.elapsed() > START_TIMEOUT {
                return Err(self.not_started("it was not ready in time"));
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    fn not_started(&self, reason: &str) -> Error {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default();
        let tail = String::from_utf8_lossy(tail);
        Error::failure(format!("the service did not start: {reason}\n{}", super::terminal::harmless(tail.trim())))
    }

    /// Where it listens, and what opens it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks it to stop (TERM) and waits for its end; whether it ended by itself and with success.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> Result<bool, Error> {
        // It may have ended a moment ago, which the wait below sees.
        let _ = kill(self.pid, Signal::SIGTERM);
        match tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) => Ok(status.success()),
            Ok(Err(error)) => Err(Error::failure(format!("cannot wait for the service: {error}"))),
            Err(_) => self.kill().await.map(|()| false),
        }
    }

    /// Kills it (KILL) and waits until it is gone and another one can take its port: a process that it was just about to start
    /// holds the port until its own program begins.
    ///
    /// # Errors
    /// When it cannot be waited for, or something keeps the port.
    pub async fn kill(mut self) -> Result<(), Error> {
        self.child.kill().await.map_err(|error| Error::failure(format!("cannot kill the service: {error}")))?;
        let (begin, port) = (Instant::now(), self.endpoint.port);
        while !is_free(port) {
            if begin.elapsed() > KILL_TIMEOUT {
                return Err(Error::failure(format!("port {port} is not free although the service was killed")));
            }
            tokio::time::sleep(KILL_POLL).await;
        }
        Ok(())
    }

    /// Processor time it has used so far.
    pub fn cpu_time(&self) -> Duration {
        let ticks = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok().and_then(|stat| cpu_ticks(&stat));
        let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
        let micros = ticks.unwrap_or(0).saturating_mul(1_000_000) / per_second.unwrap_or(100).max(1);
        Duration::from_micros(micros)
    }

    /// Memory that is resident now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0).saturating_mul(1_024)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Neither works when it has ended already.
        let _ = self.child.start_kill();
        let begin = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < KILL_TIMEOUT {
            std::thread::sleep(KILL_POLL);
        }
    }
}

/// User and system time from a line of `/proc/<pid>/stat`, in clock ticks. The name in it may contain anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user.saturating_add(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_after_a_name_with_spaces_and_parentheses() {
        let stat = "71 (a) (b c) S 1 71 71 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 12 1 1 18446744073709551615";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("71 (cut"), None);
    }
}
