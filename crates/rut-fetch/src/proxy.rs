//! The server between this machine and all others.

use ureq::{Proxy as Client, ProxyProtocol};

use crate::error::{Error, Result};

/// Variables that name a proxy; the first that does counts.
const VARIABLES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];
/// Variables that name the servers that are reached without it.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy of HTTP. It is never shown with its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy(pub(crate) Client);

impl Proxy {
    /// The one at `address` (`http://USER:PASSWORD@HOST:PORT`; all but the host may be left out), for all servers but those
    /// that `except` names: `a.org` and `.b.org`, comma-separated, or `*`.
    ///
    /// ```
    /// use rut_fetch::Proxy;
    ///
    /// Proxy::new("http://proxy.example:3128", "localhost,.example")?;
    /// assert!(Proxy::new("socks5://proxy.example", "").is_err());
    /// # Ok::<(), rut_fetch::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Proxy`], if it is no address of a proxy of HTTP.
    pub fn new(address: &str, except: &str) -> Result<Self> {
        let plain = Client::new(address).map_err(|_| Error::Proxy)?;
        let protocol = plain.protocol();
        if !matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https) {
            return Err(Error::Proxy);
        }
        let mut builder = Client::builder(protocol)
            .host(plain.host())
            .port(plain.port());
        if let Some(name) = plain.username() {
            builder = builder.username(name);
        }
        if let Some(password) = plain.password() {
            builder = builder.password(password);
        }
        for server in except.split(',') {
            builder = builder.no_proxy(server);
        }
        builder.build().map(Self).map_err(|_| Error::Proxy)
    }

    /// As most programs take it from the environment: `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, and `NO_PROXY`, or all of
    /// them in small letters. What names no proxy of HTTP is passed over.
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let except = EXCEPTIONS.iter().find_map(|name| variable(name));
        let except = except.unwrap_or_default();
        VARIABLES
            .iter()
            .find_map(|name| Self::new(&variable(name)?, &except).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Proxy> {
        Proxy::of_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn proxies_are_taken_from_variables() {
        assert_eq!(of(&[]), None);
        let Proxy(proxy) = of(&[
            ("ALL_PROXY", "socks5://a.org"),
            ("http_proxy", "b.org"),
            ("HTTPS_PROXY", "http://me:p%40ss@c.org:8080"),
            ("NO_PROXY", "d.org,.e.org"),
        ])
        .unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("c.org", 8080));
        assert_eq!(
            (proxy.username(), proxy.password()),
            (Some("me"), Some("p@ss"))
        );
        let passed = |url: &str| proxy.is_no_proxy(&url.parse().unwrap());
        assert!(passed("https://d.org/a") && passed("https://x.e.org/a"));
        assert!(!passed("https://f.org/a"));
        assert!(!format!("{proxy:?}").contains("p@ss"));
    }

    #[test]
    fn an_address_that_is_none_is_not_shown() {
        for bad in [
            "",
            "http://",
            "ftp://me:secret@a.org",
            "socks5://me:secret@a.org",
        ] {
            let error = Proxy::new(bad, "").unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
