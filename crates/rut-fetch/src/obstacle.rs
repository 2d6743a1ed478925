//! Why a file cannot be had by asking again: what only a person can get around.

use std::fmt;

use ureq::http::StatusCode;

/// What stands between the program and a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The server says that it is not there any more, or not for everybody.
    Refused {
        /// What the server answered: `404 Not Found`.
        status: String,
    },
    /// A web page came in place of the file: a form to log in or to agree to terms, or a notice.
    Page,
    /// The server sends elsewhere, where none answers.
    DeadEnd {
        /// Where it sends.
        target: String,
    },
    /// The name of the server is unknown.
    NoHost,
}

impl Obstacle {
    /// What `status` means, if it means that.
    pub(crate) fn of(status: StatusCode) -> Option<Self> {
        matches!(status.as_u16(), 401 | 403 | 404 | 410).then(|| Self::Refused {
            status: status.to_string(),
        })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status } => write!(f, "the server answered {status}"),
            Self::Page => f.write_str(
                "the server sent a web page (HTML) in place of the file: a login, or terms to agree to",
            ),
            Self::DeadEnd { target } => {
                write!(f, "the server redirects to {target}, where none answers")
            }
            Self::NoHost => f.write_str(
                "no server of that name answers: it is gone, or this machine has no network",
            ),
        }
    }
}

/// Bytes of a file's beginning that show whether it is a web page.
pub(crate) const HEAD: usize = 512;

/// Whether a file that begins with `head` is a web page.
pub(crate) fn is_page(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = head.trim_ascii_start();
    let begins = |tag: &[u8]| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    begins(b"<!doctype html") || begins(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_archives() {
        for page in ["<!DOCTYPE html>", "\n <html lang=en>", "\u{feff}<HTML>"] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for other in ["", "<ht", "<?xml version", "PK\x03\x04<html>", "<svg>"] {
            assert!(!is_page(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_busy_server_is_no_obstacle() {
        assert_eq!(Obstacle::of(StatusCode::SERVICE_UNAVAILABLE), None);
        let gone = Obstacle::of(StatusCode::GONE).unwrap();
        assert_eq!(gone.to_string(), "the server answered 410 Gone");
    }
}
