//! The Hugging Face hub: where it is, who asks, and the cache that its own tools keep.

use std::path::PathBuf;

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Online,
    /// Only what is on the disk is used.
    Offline,
}

/// The hub.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// `https://huggingface.co`, or a mirror of it.
    pub endpoint: String,
    /// What proves who asks, where a file is not for everybody.
    pub token: Option<String>,
    /// The folder `hub` of the tools' cache, which is only read.
    pub cache: Option<PathBuf>,
    /// Whether it may be asked.
    pub network: Network,
}

impl Hub {
    /// As the hub's own tools take it from the environment: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME` (or `.cache/huggingface`
    /// in `HOME`), `HF_HUB_OFFLINE`.
    ///
    /// ```
    /// use rut_fetch::Hub;
    ///
    /// let hub = Hub::of_variables(|name| (name == "HF_HOME").then(|| "cache".to_owned()));
    /// assert_eq!(hub.cache, Some("cache/hub".into()));
    /// assert_eq!(hub.endpoint, "https://huggingface.co");
    /// ```
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let home = || Some(PathBuf::from(variable("HOME")?).join(".cache/huggingface"));
        let is_set = |value: String| {
            let value = value.to_ascii_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let public = Self::default();
        Self {
            endpoint: variable("HF_ENDPOINT").unwrap_or(public.endpoint),
            token: variable("HF_TOKEN"),
            cache: variable("HF_HOME")
                .map(PathBuf::from)
                .or_else(home)
                .map(|home| home.join("hub")),
            network: if variable("HF_HUB_OFFLINE").is_some_and(is_set) {
                Network::Offline
            } else {
                Network::Online
            },
        }
    }
}

impl Default for Hub {
    /// The public one, without a token.
    fn default() -> Self {
        Self {
            endpoint: "https://huggingface.co".to_owned(),
            token: None,
            cache: None,
            network: Network::Online,
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("cache", &self.cache)
            .field("network", &self.network)
            .finish()
    }
}
