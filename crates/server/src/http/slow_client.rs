//! Time-outs for slow clients.
//!
//! actix bounds the first request head on a connection and the idle time after a response. It does not
//! bound later heads that never end nor responses that are never read: a few clients could occupy all
//! connections.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::upgrade::UpgradeFilter;

/// Maximum time without a request in flight or a response being written: the keep-alive of actix, 5
/// seconds, and as many for the next head.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time that a client may stop reading responses. Source: nginx, `send_timeout`.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// State of a connection, shared with its requests.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    /// Local address of the connection.
    pub(crate) local: Option<SocketAddr>,
    /// Number of requests in flight.
    in_flight: Cell<u32>,
    /// Time of the last completed request or write.
    idle_since: Cell<Instant>,
}

/// A request in flight; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct InFlightRequest(Rc<ConnectionState>);

impl InFlightRequest {
    /// Registers a request on its connection.
    pub(super) fn new(connection: &Rc<ConnectionState>) -> Self {
        connection.in_flight.set(connection.in_flight.get() + 1);
        Self(Rc::clone(connection))
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        let ConnectionState { in_flight, idle_since, .. } = &*self.0;
        in_flight.set(in_flight.get().saturating_sub(1));
        idle_since.set(Instant::now());
    }
}

/// A stream that fails with `TimedOut` if the client is too slow.
#[derive(Debug)]
pub(crate) struct TimeoutStream {
    stream: TcpStream,
    upgrade: UpgradeFilter,
    connection: Rc<ConnectionState>,
    idle_timer: Timer,
    write_timer: Timer,
    /// Time since which writing is blocked.
    blocked_since: Option<Instant>,
}

impl TimeoutStream {
    /// Wraps a new connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        let local = stream.local_addr().ok();
        let (in_flight, idle_since) = (Cell::new(0), Cell::new(Instant::now()));
        let connection = Rc::new(ConnectionState { local, in_flight, idle_since });
        let (upgrade, idle_timer, write_timer) =
            (UpgradeFilter::default(), Timer(None), Timer(None));
        Self { stream, upgrade, connection, idle_timer, write_timer, blocked_since: None }
    }

    /// Makes the connection state available to requests.
    pub(crate) fn share_state(&self, to: &mut Extensions) {
        to.insert(Rc::clone(&self.connection));
    }

    fn is_idle_too_long(&mut self, context: &mut Context<'_>) -> bool {
        self.blocked_since.is_none()
            && self.connection.in_flight.get() == 0
            && self.idle_timer.has_expired(self.connection.idle_since.get() + IDLE_TIMEOUT, context)
    }

    /// Records the progress of a write and arms the write time-out.
    fn record_write<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.blocked_since = None;
            self.connection.idle_since.set(Instant::now());
            return outcome;
        }
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        match self.write_timer.has_expired(since + WRITE_TIMEOUT, context) {
            true => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            false => Poll::Pending,
        }
    }
}

impl AsyncRead for TimeoutStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.upgrade.filter(&mut buffer.filled_mut()[before..]);
        if read.is_pending() && this.is_idle_too_long(context) {
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for TimeoutStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.record_write(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// A timer that is created on first use and reset only when it fires early.
#[derive(Debug)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Returns whether the deadline has passed; otherwise schedules a wake-up. Deadlines only move forward.
    fn has_expired(&mut self, deadline: Instant, context: &mut Context<'_>) -> bool {
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
