//! A proxy in front of a server, of Registrar or of PostgreSQL, that does to a connection what
//! networks do: holds it, slows it down, cuts it, loses what was answered.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::client::{Anonymous, WithToken};

/// How often a thread that waits looks whether it is to do something else.
const LOOKS: Duration = Duration::from_millis(5);

/// What a proxy does with connections, with those that are open too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It passes everything on.
    Fair,
    /// It passes everything on, each piece after this time.
    Slow(Duration),
    /// It takes everything and passes nothing on until this is over, as where packets are lost.
    BlackHole,
    /// It cuts what is open and lets nobody in.
    Down,
    /// It passes requests on, and cuts a connection when the first answer comes to it.
    Deaf,
    /// It cuts a connection that sends PostgreSQL a `COMMIT`: before that is passed on.
    CutBeforeCommit,
    /// The same, after it was passed on and done.
    CutAfterCommit,
}

/// Where a proxy passes connections on to.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A port of this machine.
    Port(u16),
    /// A socket in the file system.
    Socket(PathBuf),
}

/// A proxy on a port of its own. It cuts everything when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// The port it listens on.
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    weather: Mutex<Weather>,
    upstream: Upstream,
    /// Both ends of every connection.
    open: Mutex<BTreeMap<usize, (Stream, Stream)>>,
    made: AtomicUsize,
    cuts: AtomicUsize,
    is_over: AtomicBool,
}

impl Proxy {
    /// Starts one in fair weather.
    ///
    /// # Panics
    /// When there is no port.
    #[must_use]
    pub fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            weather: Mutex::new(Weather::Fair),
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

    /// From now on.
    ///
    /// # Panics
    /// When one of its threads has panicked.
    pub fn set(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap() = weather;
        if weather == Weather::Down {
            self.cut();
        }
    }

    /// Cuts what is open, and goes on.
    ///
    /// # Panics
    /// When one of its threads has panicked.
    pub fn cut(&self) {
        for (client, server) in self.shared.open.lock().unwrap().values() {
            client.shut();
            server.shut();
        }
    }

    /// A new client that comes through it.
    #[must_use]
    pub fn client(&self, token: &str) -> WithToken {
        Anonymous::new(&format!("http://127.0.0.1:{}", self.port)).with_token(token)
    }

    /// How many connections were cut because of what went over them.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.set(Weather::Down);
        // The thread that accepts wakes up and ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap()
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let client = Stream::Port(client);
        if self.weather() == Weather::Down {
            return client.shut();
        }
        let Ok(server) = Stream::to(&self.upstream) else { return client.shut() };
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap().insert(number, (client.again(), server.again()));
        let is_deaf = Arc::new(AtomicBool::new(false));
        for (from, to, is_asking) in
            [(client.again(), server.again(), true), (server, client, false)]
        {
            let (shared, is_deaf) = (Arc::clone(self), Arc::clone(&is_deaf));
            thread::spawn(move || {
                shared.pump(&from, &to, is_asking, &is_deaf);
                from.shut();
                to.shut();
                shared.open.lock().unwrap().remove(&number);
            });
        }
    }

    /// Passes one direction of a connection on until it ends or is to be cut: also by the next answer,
    /// once `is_deaf`.
    fn pump(&self, from: &Stream, to: &Stream, is_asking: bool, is_deaf: &AtomicBool) {
        let mut buffer = [0; 65_536];
        loop {
            let length = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let piece = &buffer[..length];
            while self.weather() == Weather::BlackHole {
                thread::sleep(LOOKS);
            }
            let commits = is_asking && piece.windows(7).any(|window| window == b"COMMIT\0");
            if !is_asking && is_deaf.load(Ordering::Relaxed) {
                return self.count_cut();
            }
            match self.weather() {
                Weather::Slow(time) => thread::sleep(time),
                Weather::Deaf if !is_asking => return self.count_cut(),
                Weather::CutBeforeCommit if commits => return self.count_cut(),
                Weather::CutAfterCommit if commits => is_deaf.store(true, Ordering::Relaxed),
                Weather::Down => break,
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
    Port(TcpStream),
    Socket(UnixStream),
}

impl Stream {
    fn to(upstream: &Upstream) -> std::io::Result<Self> {
        match upstream {
            Upstream::Port(port) => TcpStream::connect(("127.0.0.1", *port)).map(Self::Port),
            Upstream::Socket(path) => UnixStream::connect(path).map(Self::Socket),
        }
    }

    fn again(&self) -> Self {
        match self {
            Self::Port(stream) => Self::Port(stream.try_clone().unwrap()),
            Self::Socket(stream) => Self::Socket(stream.try_clone().unwrap()),
        }
    }

    /// It may be shut already.
    fn shut(&self) {
        let _ = match self {
            Self::Port(stream) => stream.shutdown(Shutdown::Both),
            Self::Socket(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    fn read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Port(stream) => (&mut &*stream).read(buffer),
            Self::Socket(stream) => (&mut &*stream).read(buffer),
        }
    }

    fn write_all(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Port(stream) => (&mut &*stream).write_all(bytes),
            Self::Socket(stream) => (&mut &*stream).write_all(bytes),
        }
    }
}
