//! Published weights, verified and put beside the networks as safetensors. Whether they
//! fit a network is checked when they are loaded.

mod conversion;
mod hub_file;
mod inspection;
mod selection;
mod sheet;
mod wanted;
mod weights;

pub use hub_file::HubFile;
pub use inspection::verify_weights;
pub use selection::{Selected, select};
pub use wanted::Wanted;
pub use weights::fetch_weights;
