//! Time-outs for slow clients: stalled connections are closed, while steady progress is allowed.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Database, Setup, TestServer, samples};
use serde_json::json;

const REQUEST: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
const PARTIAL_HEADER: &[u8] = b"GET /health/live HTTP/1.1\r\nHos";

fn server() -> TestServer {
    let setup = Setup::of(Database::Sqlite).unwrap();
    TestServer::start(setup.with(|settings| settings.body_seconds = 30))
}

fn connect(server: &TestServer) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    stream
}

/// Reads one small response.
fn read_response(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.windows(4).any(|four| four == b"\r\n\r\n") || !read.ends_with(b"}") {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "the connection was closed early");
        read.extend_from_slice(&buffer[..length]);
    }
}

/// Returns the time until the server closes the connection.
fn closed_after(mut stream: TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    started.elapsed()
}

#[test]
fn incomplete_request_header_times_out() {
    let server = server();
    let mut first = connect(&server);
    first.write_all(PARTIAL_HEADER).unwrap();
    let mut later = connect(&server);
    later.write_all(REQUEST).unwrap();
    read_response(&mut later);
    // A header that arrives byte by byte times out too.
    let mut drips = later.try_clone().unwrap();
    thread::spawn(move || {
        for character in
            PARTIAL_HEADER.iter().chain(b"t: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        {
            if drips.write_all(&[*character]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(500));
        }
    });
    let first = thread::spawn(move || closed_after(first));
    let took = closed_after(later);
    assert!(took < Duration::from_secs(15), "{took:?}");
    let took = first.join().unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn client_that_reads_no_responses_is_disconnected() {
    let server = server();
    let mut silent_client = connect(&server);
    silent_client.set_nonblocking(true).unwrap();
    let (started, many) = (Instant::now(), REQUEST.repeat(1000));
    let mut sent_bytes = 0;
    let error = loop {
        assert!(started.elapsed() < Duration::from_secs(90), "after {sent_bytes} bytes");
        match silent_client.write(&many) {
            Ok(more) => sent_bytes += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(error) => break error,
        }
    };
    let is_cut = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind());
    assert!(
        is_cut && started.elapsed() > Duration::from_secs(55),
        "{error}: {:?}",
        started.elapsed()
    );
}

#[test]
fn slow_but_steady_client_is_not_disconnected() {
    let server = server();
    let mut slow = server.connect();
    let form = samples::client("slow");
    let body = json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string();
    // The lowest permitted rate.
    let body = format!("{body}{}", " ".repeat(14_000));
    let head = format!(
        "POST /api/users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.token(),
        body.len()
    );
    slow.send(REQUEST);
    slow.read_response().is(200);
    thread::sleep(Duration::from_secs(4));
    slow.send(head.as_bytes());
    for piece in body.as_bytes().chunks(body.len().div_ceil(13)) {
        slow.send(piece);
        thread::sleep(Duration::from_secs(1));
    }
    slow.read_response().created();
    slow.send(REQUEST);
    slow.read_response().is(200);
}
