//! Fault-injecting TCP proxy in front of Registrar or PostgreSQL: delays, drops and cuts
//! connections.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::client::{AnonymousClient, TokenClient};

/// Interval at which waiting threads poll.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Fault that a proxy injects into new and open connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkCondition {
    /// Forwards everything.
    Healthy,
    /// Forwards each chunk after this delay.
    Latency(Duration),
    /// Accepts data but forwards nothing until the condition changes, as under packet loss.
    BlackHole,
    /// Cuts open connections and refuses new ones.
    Down,
    /// Forwards requests, and cuts a connection at its first response.
    CutOnResponse,
    /// Cuts a PostgreSQL connection before its `COMMIT` is forwarded.
    CutBeforeCommit,
    /// Cuts a PostgreSQL connection after its `COMMIT` was forwarded and executed.
    CutAfterCommit,
}

/// Address that a proxy forwards to.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A local TCP port.
    Tcp(u16),
    /// A Unix domain socket.
    Socket(PathBuf),
}

/// A proxy on its own port. Cuts all connections on drop.
#[derive(Debug)]
pub struct Proxy {
    /// Port that the proxy listens on.
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    condition: Mutex<NetworkCondition>,
    upstream: Upstream,
    /// Client and server side of every open connection.
    open: Mutex<BTreeMap<usize, (Stream, Stream)>>,
    made: AtomicUsize,
    cuts: AtomicUsize,
    is_over: AtomicBool,
}

impl Proxy {
    /// Starts a proxy that forwards everything.
    ///
    /// # Panics
    /// Panics if no port can be bound.
    #[must_use]
    pub fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            condition: Mutex::new(NetworkCondition::Healthy),
            upstream,
            open: Mutex::default(),
            made: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.is_over.load(Ordering::Relaxed) {
                    return;
                }
                accepting.connect(client);
            }
        });
        Self { port, shared }
    }

    /// Sets the fault that is injected from now on.
    ///
    /// # Panics
    /// Panics if a thread of the proxy panicked.
    pub fn set(&self, condition: NetworkCondition) {
        *self.shared.condition.lock().unwrap() = condition;
        if condition == NetworkCondition::Down {
            self.cut();
        }
    }

    /// Cuts all open connections and continues to accept new ones.
    ///
    /// # Panics
    /// Panics if a thread of the proxy panicked.
    pub fn cut(&self) {
        for (client, server) in self.shared.open.lock().unwrap().values() {
            client.shut();
            server.shut();
        }
    }

    /// Returns a client that connects through the proxy.
    #[must_use]
    pub fn client(&self, token: &str) -> TokenClient {
        AnonymousClient::new(&format!("http://127.0.0.1:{}", self.port)).with_token(token)
    }

    /// Returns the number of connections cut because of their traffic.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.set(NetworkCondition::Down);
        // Unblocks the accepting thread, which then exits.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn condition(&self) -> NetworkCondition {
        *self.condition.lock().unwrap()
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let client = Stream::Tcp(client);
        if self.condition() == NetworkCondition::Down {
            return client.shut();
        }
        let Ok(server) = Stream::to(&self.upstream) else { return client.shut() };
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap().insert(number, (client.try_clone(), server.try_clone()));
        let cut_next_response = Arc::new(AtomicBool::new(false));
        for (from, to, is_request) in
            [(client.try_clone(), server.try_clone(), true), (server, client, false)]
        {
            let (shared, cut_next_response) = (Arc::clone(self), Arc::clone(&cut_next_response));
            thread::spawn(move || {
                shared.pump(&from, &to, is_request, &cut_next_response);
                from.shut();
                to.shut();
                shared.open.lock().unwrap().remove(&number);
            });
        }
    }

    /// Forwards one direction of a connection until it ends or must be cut. Once `cut_next_response` is set,
    /// the next response is cut too.
    fn pump(&self, from: &Stream, to: &Stream, is_request: bool, cut_next_response: &AtomicBool) {
        let mut buffer = [0; 65_536];
        loop {
            let length = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let piece = &buffer[..length];
            while self.condition() == NetworkCondition::BlackHole {
                thread::sleep(POLL_INTERVAL);
            }
            let commits = is_request && piece.windows(7).any(|window| window == b"COMMIT\0");
            if !is_request && cut_next_response.load(Ordering::Relaxed) {
                return self.count_cut();
            }
            match self.condition() {
                NetworkCondition::Latency(time) => thread::sleep(time),
                NetworkCondition::CutOnResponse if !is_request => return self.count_cut(),
                NetworkCondition::CutBeforeCommit if commits => return self.count_cut(),
                NetworkCondition::CutAfterCommit if commits => {
                    cut_next_response.store(true, Ordering::Relaxed)
                }
                NetworkCondition::Down => break,
                _ => {}
            }
            if to.write_all(piece).is_err() {
                break;
            }
        }
    }

    fn count_cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Socket(UnixStream),
}

impl Stream {
    fn to(upstream: &Upstream) -> std::io::Result<Self> {
        match upstream {
            Upstream::Tcp(port) => TcpStream::connect(("127.0.0.1", *port)).map(Self::Tcp),
            Upstream::Socket(path) => UnixStream::connect(path).map(Self::Socket),
        }
    }

    fn try_clone(&self) -> Self {
        match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
            Self::Socket(stream) => Self::Socket(stream.try_clone().unwrap()),
        }
    }

    /// Ignores errors: the stream may be shut down already.
    fn shut(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Socket(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    fn read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).read(buffer),
            Self::Socket(stream) => (&mut &*stream).read(buffer),
        }
    }

    fn write_all(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_all(bytes),
            Self::Socket(stream) => (&mut &*stream).write_all(bytes),
        }
    }
}
