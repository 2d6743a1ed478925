//! Why something cannot be fetched or verified: what was expected, what was found, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rut_formats::{counted, escape};

use crate::obstacle::Obstacle;

/// Characters of a description that are shown; what it quotes of an archive or a server is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong: lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read, written or moved.
    #[error("{action} {path}: {source}", path = escape(path).whole())]
    File {
        /// `read`, `write` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A list of what files were when they were first fetched is damaged, or of another version.
    #[error("read {path}: {problem}", path = escape(path).whole(), problem = escape(problem).at_most(MOST))]
    Broken {
        /// The list.
        path: PathBuf,
        /// Expected and found.
        problem: String,
    },
    /// A word is the name of nothing that can be fetched.
    #[error(
        "find {what} '{name}': expected one of {known}{hint}",
        name = escape(name),
        hint = escape(hint).at_most(MOST)
    )]
    Unknown {
        /// What it should name: `data set`, `model` …
        what: &'static str,
        /// What was asked for.
        name: String,
        /// The names that there are, comma-separated.
        known: String,
        /// `"; did you mean 'cifar10'?"`, or empty.
        hint: String,
    },
    /// A word names no file of the Hugging Face hub.
    #[error("read '{text}' as a file of the hub: {problem}", text = escape(text), problem = escape(problem))]
    HubName {
        /// What was asked for.
        text: String,
        /// Expected and found.
        problem: String,
    },
    /// The address of a proxy is none. It is not shown: it may hold a password.
    #[error("use the proxy: expected an address like http://HOST:PORT, found another")]
    Proxy,
    /// Weights were asked for, and this build does not read any.
    #[error("read weights: expected a build with the feature `models`, found one without")]
    WithoutModels,
    /// A server did not send a file, although it was asked as often as it may be.
    #[error("fetch {url}: {reason}", url = escape(url).whole(), reason = escape(reason).at_most(MOST))]
    Download {
        /// Address.
        url: String,
        /// How it ended.
        reason: String,
    },
    /// A file cannot be had by asking again: a person has to get it.
    #[error("fetch {url}: {obstacle}", url = escape(url).whole())]
    Obstacle {
        /// Address.
        url: String,
        /// What stands in between.
        obstacle: Obstacle,
    },
    /// A file is not there, and the network may not be used.
    #[error(
        "use {what}: it is not there, and `{switch}` forbids to fetch it; get {url} and put it to {put}",
        what = escape(what).whole(),
        url = escape(url).whole(),
        put = escape(put).whole()
    )]
    Offline {
        /// The file.
        what: String,
        /// What forbids it.
        switch: &'static str,
        /// Where it is published.
        url: String,
        /// Where it is looked for.
        put: PathBuf,
    },
    /// A file is not what its publisher, or `LOCK.json`, says that it is.
    #[error("verify {what}: {objection}{}", kept_as(kept.as_deref()), what = escape(what).whole())]
    Checksum {
        /// The file, or its address.
        what: String,
        /// Expected and found.
        objection: String,
        /// Where it is now, if it was moved aside.
        kept: Option<PathBuf>,
    },
    /// A file that was fetched is not what `LOCK.json` had meanwhile.
    #[error("write down {name}: expected SHA-256 {expected}, as {lock} has it, found {found}", lock = escape(lock).whole())]
    Changed {
        /// The file.
        name: String,
        /// The list.
        lock: PathBuf,
        /// SHA-256 and length in the list.
        expected: String,
        /// SHA-256 and length of the file.
        found: String,
    },
    /// An archive is damaged, or holds what nothing is unpacked from.
    #[error("unpack {archive}: {problem}", archive = escape(archive).whole(), problem = escape(problem).at_most(MOST))]
    Archive {
        /// The archive.
        archive: PathBuf,
        /// Expected and found.
        problem: String,
    },
    /// A file holds no weights, or they cannot be written as safetensors.
    #[error("convert {path}: {problem}", path = escape(path).whole(), problem = escape(problem).at_most(MOST))]
    Weights {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        problem: String,
    },
    /// A file without a known checksum turned out not to be whole.
    #[error("{source}; no checksum is known to verify it with (kept as {kept})", kept = escape(kept).whole())]
    Unproven {
        /// Where it is now.
        kept: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// The disk is too full.
    #[error(
        "{what}: not enough disk space in {folder}: {} MB needed, {} MB free; free some, or name another folder",
        megabytes(*needed),
        megabytes(*free),
        what = escape(what).whole(),
        folder = escape(folder).whole()
    )]
    Space {
        /// `download …`, `unpack …`.
        what: String,
        /// The folder that it was to go to.
        folder: PathBuf,
        /// Bytes.
        needed: u64,
        /// Bytes that other downloads were not promised.
        free: u64,
    },
    /// Another run has the file.
    #[error("fetch {file}: another run is fetching it; wait for it to end", file = escape(file).whole())]
    Busy {
        /// Its name.
        file: String,
    },
    /// A folder stands where a file should go, or the other way round.
    #[error(
        "move a {expected} to {path}: {found} is in the way; move it away",
        path = escape(path).whole()
    )]
    InTheWay {
        /// Where it should go.
        path: PathBuf,
        /// `file` or `folder`.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Not everything could be fetched. The observer was notified of each reason.
    #[error("fetch {}", names.join(", "))]
    Missing {
        /// What is not there now.
        names: Vec<String>,
    },
    /// Something of what is there is wrong, or missing. The observer was notified of each problem.
    #[error("find everything right: {}", counted(*count, "finding"))]
    Findings {
        /// How much.
        count: usize,
    },
    /// The user asked to stop.
    #[error("finish: interrupted; the same command goes on where it ended")]
    Interrupted,
}

/// Turns an I/O error into one that names what was done to which file.
pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

fn kept_as(aside: Option<&Path>) -> String {
    aside.map_or_else(String::new, |aside| {
        format!(" (kept as {})", escape(aside).whole())
    })
}

/// Bytes in units of 10⁶, one decimal.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
