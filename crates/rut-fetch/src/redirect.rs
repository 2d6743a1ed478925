//! Where a server sends elsewhere: to which address, and whether anybody should go there.

use ureq::http::Uri;

/// The address that `location` means in an answer to a request for `url` (RFC 3986, section 5.2, without dot segments).
///
/// # Errors
/// If it is no address of HTTP, or leads from HTTPS to a connection that everybody can read.
pub(crate) fn target(url: &str, location: &str) -> Result<String, String> {
    let location = location.split('#').next().unwrap_or_default();
    let sent = format!("{url} redirects to '{}'", location.escape_debug());
    let base: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let (scheme, host) = (
        base.scheme_str().unwrap_or_default(),
        base.authority().map_or("", |authority| authority.as_str()),
    );
    let target = match location {
        _ if has_scheme(location) => location.to_owned(),
        _ if location.starts_with("//") => format!("{scheme}:{location}"),
        _ if location.starts_with('/') => format!("{scheme}://{host}{location}"),
        _ => {
            let folder = base
                .path()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            format!("{scheme}://{host}{folder}/{location}")
        }
    };
    let is_http = |scheme: &str| matches!(scheme, "http" | "https");
    let found = target.split(':').next().unwrap_or_default();
    let found = found.to_ascii_lowercase();
    if !is_http(&found) {
        return Err(format!("{sent}, which is no address of HTTP"));
    }
    if scheme.eq_ignore_ascii_case("https") && found == "http" {
        return Err(format!(
            "{sent}, from HTTPS to plain HTTP; name a mirror that is safe"
        ));
    }
    if target.parse::<Uri>().is_ok_and(|uri| uri.host().is_some()) {
        return Ok(target);
    }
    Err(format!("{sent}, which is no address"))
}

/// Whether an address begins with a scheme (RFC 3986, section 3.1).
fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_resolved() {
        let url = "https://example.org:8443/a/b.zip?x=1";
        for (location, expected) in [
            ("https://other.org/c", "https://other.org/c"),
            ("//other.org/c", "https://other.org/c"),
            ("/c?d=e:f", "https://example.org:8443/c?d=e:f"),
            ("c.zip#part", "https://example.org:8443/a/c.zip"),
            ("HTTPS://other.org/c", "HTTPS://other.org/c"),
        ] {
            assert_eq!(target(url, location).unwrap(), expected, "{location}");
        }
        assert_eq!(
            target("http://a.org/b", "https://a.org/b").unwrap(),
            "https://a.org/b"
        );
    }

    #[test]
    fn other_schemes_are_refused() {
        let url = "https://example.org/a.zip";
        for (location, reason) in [
            ("file:///etc/passwd", "no address of HTTP"),
            ("ftp://example.org/a.zip", "no address of HTTP"),
            ("data:text/plain,a", "no address of HTTP"),
            ("http://example.org/a.zip", "from HTTPS to plain HTTP"),
            ("https://", "no address"),
            ("\u{1b}[2J:", "redirects to '\\u{1b}[2J:'"),
        ] {
            let error = target(url, location).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
