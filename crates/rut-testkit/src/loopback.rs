//! A server on this machine that answers each connection with the next of a list of replies, word for
//! word, and then ends. Not an HTTP server: it does what the test wants, also what no server should.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Nothing here takes longer; a test that would hang fails instead.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What a client asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Path of the request.
    pub path: String,
    /// Value of its `Range` header.
    pub range: Option<String>,
    /// Value of its `If-Range` header.
    pub if_range: Option<String>,
    /// Value of its `Authorization` header.
    pub authorization: Option<String>,
}

/// A running server.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    thread: JoinHandle<Vec<Seen>>,
}

impl Server {
    /// Starts a server that gives `replies`, one per connection.
    pub fn start(replies: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self {
            url,
            thread: thread::spawn(move || serve(&listener, &replies)),
        }
    }

    /// Waits until every reply was given, and says what was asked.
    pub fn finish(self) -> Vec<Seen> {
        self.thread.join().expect("the server ends")
    }
}

/// Starts a server that answers every connection with `head` at once and then with one byte every few milliseconds, until
/// the client is gone; it ends with the test's process or its deadline. Its address.
pub fn drip(head: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let start = Instant::now();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            read_request(&mut stream);
            let mut sent = stream.write_all(&head);
            while sent.is_ok() && start.elapsed() < DEADLINE {
                thread::sleep(Duration::from_millis(5));
                sent = stream.write_all(b"x");
            }
        }
    });
    url
}

fn serve(listener: &TcpListener, replies: &[Vec<u8>]) -> Vec<Seen> {
    listener
        .set_nonblocking(true)
        .expect("a listener that can wait");
    let start = Instant::now();
    let mut seen = Vec::new();
    while seen.len() < replies.len() {
        match listener.accept() {
            Ok((stream, _)) => seen.push(answer(stream, &replies[seen.len()])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(
                    start.elapsed() < DEADLINE,
                    "only {seen:?} came of {} requests",
                    replies.len()
                );
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("{error}"),
        }
    }
    seen
}

fn answer(mut stream: TcpStream, reply: &[u8]) -> Seen {
    let seen = read_request(&mut stream);
    // The client may have closed the connection.
    let _ = stream.write_all(reply);
    seen
}

/// Reads a request.
pub fn read_request(stream: &mut TcpStream) -> Seen {
    stream.set_nonblocking(false).expect("a stream that blocks");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a request") == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).expect("a request in ASCII");
    let header = |wanted: &str| {
        request.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    Seen {
        path: request.split(' ').nth(1).unwrap_or_default().to_owned(),
        range: header("range"),
        if_range: header("if-range"),
        authorization: header("authorization"),
    }
}

/// A reply with this status line, these headers and this body.
pub fn reply(status: &str, headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The whole of `body`.
pub fn whole(body: &[u8]) -> Vec<u8> {
    reply(
        "200 OK",
        &[("Content-Length", body.len().to_string())],
        body,
    )
}

/// `body` announced, its first `bytes` sent, and the connection cut.
pub fn cut(body: &[u8], bytes: usize) -> Vec<u8> {
    reply(
        "200 OK",
        &[("Content-Length", body.len().to_string())],
        &body[..bytes],
    )
}

/// The rest of `body` from byte `from`.
pub fn rest(body: &[u8], from: usize) -> Vec<u8> {
    let headers = [
        ("Content-Length", (body.len() - from).to_string()),
        (
            "Content-Range",
            format!("bytes {from}-{}/{}", body.len() - 1, body.len()),
        ),
    ];
    reply("206 Partial Content", &headers, &body[from..])
}

/// A status without a body.
pub fn status(line: &str, headers: &[(&str, String)]) -> Vec<u8> {
    let mut all = vec![("Content-Length", "0".to_owned())];
    all.extend_from_slice(headers);
    reply(line, &all, b"")
}
