//! A server on this machine that knows files by path, gives ranges of them, and answers many at a time; it ends when it is
//! dropped. What it should not do is done by `loopback`.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::loopback::{self, Seen};

/// How the bytes of a file come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Quick,
    /// As many at once, and then none until the client is gone.
    Stalls(usize),
    /// Only once as many requests are being answered at the same time.
    Together(usize),
}

/// What a site has.
#[derive(Default)]
pub struct Files {
    /// Whole answers by path.
    answers: BTreeMap<String, (Vec<u8>, Pace)>,
    bodies: BTreeMap<String, (Vec<u8>, Pace)>,
}

impl Files {
    /// And a file.
    pub fn file(mut self, path: &str, body: &[u8], pace: Pace) -> Self {
        self.bodies.insert(path.to_owned(), (body.to_vec(), pace));
        self
    }

    /// And an answer, word for word.
    pub fn answer(mut self, path: &str, answer: Vec<u8>) -> Self {
        self.answers.insert(path.to_owned(), (answer, Pace::Quick));
        self
    }

    fn reply(&self, seen: &Seen) -> (Vec<u8>, Pace) {
        if let Some(answer) = self.answers.get(&seen.path) {
            return answer.clone();
        }
        let Some((body, pace)) = self.bodies.get(&seen.path) else {
            return (loopback::status("404 Not Found", &[]), Pace::Quick);
        };
        let from = seen.range.as_ref().and_then(|range| {
            let from = range.strip_prefix("bytes=")?.strip_suffix('-')?;
            from.parse().ok()
        });
        let reply = match from {
            Some(from) if from >= body.len() => {
                let range = [("Content-Range", format!("bytes */{}", body.len()))];
                loopback::status("416 Range Not Satisfiable", &range)
            }
            Some(from) => loopback::rest(body, from),
            None => loopback::whole(body),
        };
        (reply, *pace)
    }
}

/// A running site.
pub struct Site {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    files: Mutex<Files>,
    seen: Mutex<Vec<Seen>>,
    running: AtomicUsize,
    most: AtomicUsize,
    end: AtomicBool,
}

impl Site {
    /// Starts one.
    pub fn start(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener that can wait");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            files: Mutex::new(files),
            ..Shared::default()
        });
        let serving = Arc::clone(&shared);
        Self {
            url,
            shared,
            thread: Some(thread::spawn(move || serve(&listener, &serving))),
        }
    }

    /// Has other files from now on.
    pub fn replace(&self, files: Files) {
        *self.shared.files.lock().unwrap() = files;
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Paths that were asked for so far, in order.
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<_> = self.seen().into_iter().map(|seen| seen.path).collect();
        paths.sort();
        paths
    }

    /// Waits for a request; `look` is called meanwhile.
    pub fn wait_for_one(&self, look: impl Fn()) {
        while self.most() < 1 {
            look();
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks for nothing that it has, which lets an answer go that waited for company.
    pub fn ask(&self) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("a site");
        stream
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .expect("a site that listens");
    }

    /// The most requests that were answered at the same time.
    pub fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.end.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => {
                let shared = Arc::clone(shared);
                thread::spawn(move || answer(stream, &shared));
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) {
    let seen = loopback::read_request(&mut stream);
    let running = shared.running.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most.fetch_max(running, Ordering::SeqCst);
    let (reply, pace) = shared.files.lock().unwrap().reply(&seen);
    shared.seen.lock().unwrap().push(seen);
    let start = Instant::now();
    let waits = |on: &dyn Fn() -> bool| {
        while on() && start.elapsed() < loopback::DEADLINE && !shared.end.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(2));
        }
    };
    let first = match pace {
        Pace::Stalls(bytes) => bytes + reply.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4,
        _ => reply.len(),
    };
    if let Pace::Together(count) = pace {
        waits(&|| shared.most.load(Ordering::SeqCst) < count);
    }
    // The client may have closed the connection.
    let _ = stream.write_all(&reply[..first.min(reply.len())]);
    if first < reply.len() {
        // A client that waits for the rest is killed, not answered.
        stream.set_nonblocking(true).expect("a stream");
        waits(
            &|| matches!(stream.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        );
    }
    shared.running.fetch_sub(1, Ordering::SeqCst);
}
