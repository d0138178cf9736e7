//! Configuration reload: the served configuration is replaced as a whole by a valid one, or not at all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};
use registrar_contracts::Configuration;
use registrar_core::Timestamp;
use registrar_core::config::{Policies, Problem};

use super::files::{self, ConfigError};

/// Files must be unchanged for this long before a reload starts…
const DEBOUNCE: Duration = Duration::from_millis(100);
/// …unless changes have been going on for this long.
const MAX_DEBOUNCE: Duration = Duration::from_secs(2);

/// The served configuration.
#[derive(Debug)]
pub struct ServedConfig {
    folders: Vec<PathBuf>,
    policies: Policies,
    current: RwLock<Arc<Configuration>>,
    /// Result of the last reload; also serializes reloads.
    status: Mutex<ReloadStatus>,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

/// Result of the last reload.
#[derive(Debug, Clone)]
pub(crate) struct ReloadStatus {
    /// Time at which the served configuration was read.
    pub(crate) loaded_at: Timestamp,
    /// Problems of the files if they are not served; empty if they are.
    pub(crate) problems: Vec<String>,
}

impl ServedConfig {
    /// Reads and compiles the folders.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid.
    pub(crate) fn load(folders: Vec<PathBuf>, policies: Policies) -> Result<Self, ConfigError> {
        let registry = files::load(&folders, policies)?;
        log_notices(registry.notices());
        Ok(Self {
            folders,
            policies,
            current: RwLock::new(Arc::new(registry)),
            status: Mutex::new(ReloadStatus { loaded_at: Timestamp::now(), problems: Vec::new() }),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// Returns the current configuration. A request uses one from start to end.
    #[must_use]
    pub fn current(&self) -> Arc<Configuration> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the result of the last reload.
    pub(crate) fn status(&self) -> ReloadStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of successful and of failed reloads.
    pub(crate) fn reloads(&self) -> (u64, u64) {
        (self.succeeded.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Reads the folders again. A valid configuration replaces the served one; an invalid one is logged once.
    /// Returns whether it was valid.
    pub fn reload(&self) -> bool {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match files::load(&self.folders, self.policies) {
            Ok(registry) => {
                let is_new = !self.current().is_same_as(&registry);
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                if is_new || !status.problems.is_empty() {
                    log_notices(registry.notices());
                    log::info!("configuration reloaded: {} form(s)", registry.names().len());
                }
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
                *status = ReloadStatus { loaded_at: Timestamp::now(), problems: Vec::new() };
                true
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let problems = messages(&error);
                if problems != status.problems {
                    for line in &problems {
                        log::error!("configuration not reloaded: {line}");
                    }
                }
                status.problems = problems;
                false
            }
        }
    }
}

fn log_notices(notices: &[Problem]) {
    for notice in notices {
        log::info!("{notice}");
    }
}

fn messages(error: &ConfigError) -> Vec<String> {
    match error {
        ConfigError::Invalid(problems) => problems.iter().map(Problem::to_string).collect(),
        error => vec![error.to_string()],
    }
}

/// Watches the folders until it is dropped.
pub(crate) struct ConfigWatcher {
    /// Dropped first, which ends the thread.
    watcher: Option<notify::RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl ConfigWatcher {
    /// Starts watching. If the operating system cannot watch, a warning is logged; SIGHUP still reloads.
    pub(crate) fn start(config: Arc<ServedConfig>) -> std::io::Result<Self> {
        let (changed, changes) = mpsc::channel();
        let watcher = watch(&config.folders, changed)
            .map_err(|error| log::warn!("cannot watch the forms folders (SIGHUP reloads): {error}"))
            .ok();
        let thread = thread::Builder::new().name("forms".to_owned()).spawn(move || {
            while changes.recv().is_ok() {
                let until = Instant::now() + MAX_DEBOUNCE;
                loop {
                    match changes.recv_timeout(DEBOUNCE) {
                        Ok(()) if Instant::now() < until => {}
                        Ok(()) | Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
                config.reload();
            }
        })?;
        Ok(Self { watcher, thread: Some(thread) })
    }
}

impl Drop for ConfigWatcher {
    fn drop(&mut self) {
        self.watcher = None;
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked, which was logged.
            let _ = thread.join();
        }
    }
}

fn watch(folders: &[PathBuf], changed: Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_change = match event {
            Ok(event) => !matches!(event.kind, EventKind::Access(_)),
            // An event was lost: reload everything.
            Err(_) => true,
        };
        if is_change {
            // The receiver is gone once the server stops.
            let _ = changed.send(());
        }
    })?;
    for folder in folders {
        let folder: &Path = folder;
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

/// Reloads the configuration on SIGHUP.
#[cfg(unix)]
pub(crate) fn reload_on_hangup(forms: Arc<ServedConfig>) -> std::io::Result<()> {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    actix_web::rt::spawn(async move {
        while hangup.recv().await.is_some() {
            let forms = forms.clone();
            // The result is logged.
            let _ = actix_web::web::block(move || forms.reload()).await;
        }
    });
    Ok(())
}

/// Does nothing: this platform has no SIGHUP.
#[cfg(not(unix))]
pub(crate) fn reload_on_hangup(_: Arc<ServedConfig>) -> std::io::Result<()> {
    Ok(())
}
