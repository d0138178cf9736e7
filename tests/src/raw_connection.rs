//! Raw TCP connection, for requests that an HTTP client would not send.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::response::TestResponse;

/// Maximum time until a response is complete.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(RESPONSE_TIMEOUT)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends bytes. Ignores errors: the server may have responded and closed the connection
    /// already.
    pub fn send(&mut self, bytes: &[u8]) {
        // Failures show in the response.
        let _ = self.stream.write_all(bytes);
    }

    /// Shuts down the write side.
    pub fn shut_down_write(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads one response.
    ///
    /// # Panics
    /// Panics if none arrives in time or it is not HTTP.
    #[track_caller]
    pub fn read_response(&mut self) -> TestResponse {
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
        let mut response = TestResponse { status, headers, text: String::new() };
        let length = response.header("content-length").map_or(0, |value| value.parse().unwrap());
        let body_end = self.read_until(|read| (read.len() >= length).then_some(length));
        response.text = String::from_utf8(self.unread.drain(..body_end).collect()).unwrap();
        response
    }

    /// Returns true if the server has closed the connection. All received data must have been read.
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
                Ok(0) => panic!("the response is incomplete: {:?}", self.shown()),
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                Err(error) => panic!("no response: {error}: {:?}", self.shown()),
            }
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}
