//! Minimal HTTP client for single requests: one persistent connection, JSON only.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

/// Maximum time until a response is complete.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Client {
    /// Connects to a server.
    ///
    /// # Errors
    /// Returns an error if the connection is refused.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, RESPONSE_TIMEOUT)?;
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Sends a POST request with JSON and waits for the response.
    ///
    /// # Errors
    /// Returns an error if the server closes the connection or the response is not HTTP.
    pub fn post(&mut self, path: &str, token: &str, body: &str) -> io::Result<Response> {
        self.send(&post_request(path, token, body))
    }

    /// Sends a GET request and waits for the response.
    ///
    /// # Errors
    /// Returns an error under the conditions of [`Client::post`].
    pub fn get(&mut self, path: &str, token: &str) -> io::Result<Response> {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
    }

    fn send(&mut self, request: &str) -> io::Result<Response> {
        self.stream.write_all(request.as_bytes())?;
        let (mut read, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let length = self.stream.read(&mut piece)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read.extend_from_slice(&piece[..length]);
            if let Some((status, body)) = parse_response(&read)? {
                return Ok(Response { status, body: String::from_utf8_lossy(&read[body]).into() });
            }
        }
    }
}

/// Returns a POST request with a JSON body.
pub(super) fn post_request(path: &str, token: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Returns the status and the range of the body, or `None` if the response is incomplete.
///
/// # Errors
/// Returns an error if the response is not HTTP.
pub(super) fn parse_response(read: &[u8]) -> io::Result<Option<(u16, Range<usize>)>> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&read[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else {
        return Err(io::Error::other("the answer is not HTTP"));
    };
    let body = end + 4..end + 4 + length;
    Ok((body.end <= read.len()).then_some((status, body)))
}
