//! The configuration that is served, and how it is replaced while serving: as a whole, by a good
//! one, or not at all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};
use registrar_core::Timestamp;
use registrar_core::config::{Policies, Problem};
use registrar_core::registry::Registry;

use crate::forms::{self, FormsError};

/// A change is looked at once nothing more has changed for this long…
const QUIET: Duration = Duration::from_millis(100);
/// …or after this long, however much goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The served configuration.
#[derive(Debug)]
pub struct Forms {
    folders: Vec<PathBuf>,
    policies: Policies,
    current: RwLock<Arc<Registry>>,
    /// One reload at a time; what the last one came to.
    last: Mutex<Last>,
    good: AtomicU64,
    bad: AtomicU64,
}

/// What the last look at the files came to.
#[derive(Debug, Clone)]
pub(crate) struct Last {
    /// When the served configuration was read.
    pub(crate) loaded_at: Timestamp,
    /// Why the files as they are now are not served; empty where they are.
    pub(crate) refused: Vec<String>,
}

impl Forms {
    /// Reads and compiles the folders.
    ///
    /// # Errors
    /// Where that fails: there is nothing to serve yet.
    pub(crate) fn load(folders: Vec<PathBuf>, policies: Policies) -> Result<Self, FormsError> {
        let registry = forms::load(&folders, policies)?;
        note(registry.notices());
        Ok(Self {
            folders,
            policies,
            current: RwLock::new(Arc::new(registry)),
            last: Mutex::new(Last { loaded_at: Timestamp::now(), refused: Vec::new() }),
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
        })
    }

    /// The configuration to serve a request with, from its beginning to its end.
    pub(crate) fn current(&self) -> Arc<Registry> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the last look at the files came to.
    pub(crate) fn last(&self) -> Last {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many reloads were served, and how many were refused.
    pub(crate) fn reloads(&self) -> (u64, u64) {
        (self.good.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed))
    }

    /// Reads the folders again. A good configuration replaces the one that is served; a broken one
    /// changes nothing, and is told once. Says whether it was good.
    pub fn reload(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match forms::load(&self.folders, self.policies) {
            Ok(registry) => {
                let is_new = !self.current().is_same_as(&registry);
                self.good.fetch_add(1, Ordering::Relaxed);
                if is_new || !last.refused.is_empty() {
                    note(registry.notices());
                    log::info!(
                        "the configuration was read again: {} form(s)",
                        registry.names().len()
                    );
                }
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
                *last = Last { loaded_at: Timestamp::now(), refused: Vec::new() };
                true
            }
            Err(error) => {
                self.bad.fetch_add(1, Ordering::Relaxed);
                let refused = told(&error);
                if refused != last.refused {
                    for line in &refused {
                        log::error!("the configuration was not replaced: {line}");
                    }
                }
                last.refused = refused;
                false
            }
        }
    }
}

fn note(notices: &[Problem]) {
    for notice in notices {
        log::info!("{notice}");
    }
}

fn told(error: &FormsError) -> Vec<String> {
    match error {
        FormsError::Invalid(problems) => problems.iter().map(Problem::to_string).collect(),
        error => vec![error.to_string()],
    }
}

/// Watches the folders until it is dropped.
pub(crate) struct Watch {
    /// Keeps the operating system telling; dropped first, so that the thread ends.
    watcher: Option<notify::RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts watching. Where the operating system cannot, that is logged, and SIGHUP is left.
    pub(crate) fn start(forms: Arc<Forms>) -> std::io::Result<Self> {
        let (changed, changes) = mpsc::channel();
        let watcher = watch(&forms.folders, changed)
            .map_err(|error| log::warn!("the forms are not watched (SIGHUP reads them): {error}"))
            .ok();
        let thread = thread::Builder::new().name("forms".to_owned()).spawn(move || {
            while changes.recv().is_ok() {
                let until = Instant::now() + LONGEST_WAIT;
                loop {
                    match changes.recv_timeout(QUIET) {
                        Ok(()) if Instant::now() < until => {}
                        Ok(()) | Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
                forms.reload();
            }
        })?;
        Ok(Self { watcher, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watcher = None;
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, and has said so then.
            let _ = thread.join();
        }
    }
}

fn watch(folders: &[PathBuf], changed: Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_change = match event {
            Ok(event) => !matches!(event.kind, EventKind::Access(_)),
            // Something was missed: look at everything.
            Err(_) => true,
        };
        if is_change {
            // Nobody listens any more once the server stops.
            let _ = changed.send(());
        }
    })?;
    for folder in folders {
        let folder: &Path = folder;
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

/// Reads the configuration again on every SIGHUP, as daemons do.
#[cfg(unix)]
pub(crate) fn on_hangup(forms: Arc<Forms>) -> std::io::Result<()> {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    actix_web::rt::spawn(async move {
        while hangup.recv().await.is_some() {
            let forms = forms.clone();
            // Its verdict is logged; it can only fail to be reported when the server stops.
            let _ = actix_web::web::block(move || forms.reload()).await;
        }
    });
    Ok(())
}

/// There is no SIGHUP here.
#[cfg(not(unix))]
pub(crate) fn on_hangup(_: Arc<Forms>) -> std::io::Result<()> {
    Ok(())
}
