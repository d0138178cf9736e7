//! A connection without a client library, for requests that a well-behaved client never sends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::answer::Answer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes. What the other side does not take, because it answered already and
    /// closed, is left.
    pub fn send(&mut self, bytes: &[u8]) {
        // The answer tells the rest.
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will be sent.
    pub fn end(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads one answer.
    ///
    /// # Panics
    /// When none comes in time, or it is no HTTP.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        let head_end = self.read_until(|read| {
            read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
        });
        let head = String::from_utf8(self.unread.drain(..head_end).collect()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, text: String::new() };
        let length = answer.header("content-length").map_or(0, |value| value.parse().unwrap());
        let body_end = self.read_until(|read| (read.len() >= length).then_some(length));
        answer.text = String::from_utf8(self.unread.drain(..body_end).collect()).unwrap();
        answer
    }

    /// Whether the other side has closed, once all that came was read.
    #[must_use]
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    #[track_caller]
    fn read_until(&mut self, end: impl Fn(&[u8]) -> Option<usize>) -> usize {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = end(&self.unread) {
                return end;
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("the answer breaks off: {:?}", self.shown()),
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                Err(error) => panic!("no answer: {error}: {:?}", self.shown()),
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}
