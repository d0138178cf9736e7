//! Connections, and the clients that dawdle on them.
//!
//! actix bounds how long the head of the first request on a connection takes, and how long the
//! connection is idle after an answer. For a later head that begins and never ends, and for
//! answers that nobody reads, it would wait without end: a few clients could hold as many
//! connections as there may be, and keep everybody else out.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::{TcpSocket, TcpStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use crate::upgrade::IgnoreUpgrade;

/// How long there may be no request under way, and no answer on its way: the 5 seconds for which
/// actix lets a connection be idle, and as many for the head of the next request.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a client may read nothing of its answers. Source: nginx, `send_timeout`.
const DEAF: Duration = Duration::from_secs(60);
/// How many connections may wait to be accepted; the system may allow less.
const BACKLOG: u32 = 2048;

/// Listens on all addresses that a name has; on one at least.
///
/// # Errors
/// Where that is not to be had.
pub(crate) fn listen(name: &str) -> io::Result<Vec<TcpListener>> {
    let (mut listeners, mut refused) = (Vec::new(), None);
    for address in name.to_socket_addrs()? {
        match listener(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// How a connection goes on. Its requests find it.
#[derive(Debug)]
pub(crate) struct Pace {
    /// What the client connected to.
    pub(crate) local: Option<SocketAddr>,
    /// How many requests are under way.
    under_way: Cell<u32>,
    /// Since when none is, and nothing of an answer was taken.
    idle_since: Cell<Instant>,
}

/// A request that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Serving(Rc<Pace>);

impl Serving {
    /// Begins one.
    pub(crate) fn on(pace: &Rc<Pace>) -> Self {
        pace.under_way.set(pace.under_way.get() + 1);
        Self(Rc::clone(pace))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Pace { under_way, idle_since, .. } = &*self.0;
        under_way.set(under_way.get().saturating_sub(1));
        idle_since.set(Instant::now());
    }
}

/// A connection that fails where its client dawdles.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: TcpStream,
    upgrade: IgnoreUpgrade,
    pace: Rc<Pace>,
    pause: Timer,
    deaf: Timer,
    /// Since when nothing of an answer can be written.
    is_stuck_since: Option<Instant>,
}

impl Watched {
    /// Watches a connection from now on.
    pub(crate) fn new(stream: TcpStream) -> Self {
        let local = stream.local_addr().ok();
        let (under_way, idle_since) = (Cell::new(0), Cell::new(Instant::now()));
        let pace = Rc::new(Pace { local, under_way, idle_since });
        let (upgrade, pause, deaf) = (IgnoreUpgrade::default(), Timer(None), Timer(None));
        Self { stream, upgrade, pace, pause, deaf, is_stuck_since: None }
    }

    /// Lets its requests find out how it goes on.
    pub(crate) fn introduce(&self, to: &mut Extensions) {
        to.insert(Rc::clone(&self.pace));
    }

    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.is_stuck_since.is_none()
            && self.pace.under_way.get() == 0
            && self.pause.is_over(self.pace.idle_since.get() + PAUSE, context)
    }

    /// What becomes of an attempt to write.
    fn wrote<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.is_stuck_since = None;
            self.pace.idle_since.set(Instant::now());
            return outcome;
        }
        let since = *self.is_stuck_since.get_or_insert_with(Instant::now);
        match self.deaf.is_over(since + DEAF, context) {
            true => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            false => Poll::Pending,
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.upgrade.filter(&mut buffer.filled_mut()[before..]);
        if read.is_pending() && this.is_late(context) {
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wrote(wrote, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// A timer that is made when it is first wanted, and set anew only when it goes off too early.
#[derive(Debug)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether it is that late; if not, the task is woken when it may be. Deadlines only ever move
    /// on.
    fn is_over(&mut self, deadline: Instant, context: &mut Context<'_>) -> bool {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        while timer.as_mut().poll(context).is_ready() {
            if deadline <= Instant::now() {
                return true;
            }
            timer.as_mut().reset(deadline.into());
        }
        false
    }
}
