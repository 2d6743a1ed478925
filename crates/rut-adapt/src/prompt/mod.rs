//! What is put around or onto an image before a frozen network sees it.

mod padding;

pub use padding::{PaddingOptions, PaddingPrompt};
