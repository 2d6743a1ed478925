//! A network that is loaded when it is first asked. It computes nothing itself and keeps no results.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};

use super::network::{EngineInfo, FrozenNetwork, Outputs, Trace};
use super::window::{WindowTrace, Windowed};
use crate::error::{Error, Result};

/// What is known of a network before it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Length of a row of logits.
    pub classes: usize,
    /// Length of a row of features.
    pub width: usize,
    /// Element type of images, features and logits.
    pub dtype: DType,
    /// What will compute it.
    pub engine: EngineInfo,
}

/// Loads a network on the CPU.
type Load = Box<dyn Fn() -> Result<Arc<dyn FrozenNetwork>> + Send + Sync>;

/// A network on the CPU that is loaded when it is first asked, and once.
pub struct LazyNetwork {
    outline: Outline,
    load: Load,
    loaded: Mutex<Option<Arc<dyn FrozenNetwork>>>,
}

impl LazyNetwork {
    /// A network of which `outline` is known; `load` gives it.
    pub fn new(
        outline: Outline,
        load: impl Fn() -> Result<Arc<dyn FrozenNetwork>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            outline,
            load: Box::new(load),
            loaded: Mutex::new(None),
        }
    }

    /// Whether it was asked.
    pub fn is_loaded(&self) -> bool {
        self.loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn network(&self) -> Result<Arc<dyn FrozenNetwork>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = &*loaded {
            return Ok(network.clone());
        }
        let network = (self.load)()?;
        let found = Outline {
            classes: network.classes(),
            width: network.width(),
            dtype: network.dtype(),
            engine: network.engine(),
        };
        if found != self.outline {
            return Err(Error::Argument {
                what: "loaded network",
                expected: format!("{:?}", self.outline),
                found: format!("{found:?}"),
            });
        }
        Ok(loaded.insert(network).clone())
    }
}

impl FrozenNetwork for LazyNetwork {
    fn engine(&self) -> EngineInfo {
        self.outline.engine
    }

    fn classes(&self) -> usize {
        self.outline.classes
    }

    fn width(&self) -> usize {
        self.outline.width
    }

    fn dtype(&self) -> DType {
        self.outline.dtype
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        self.network()?.infer(images)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        self.network()?.trace(images)
    }

    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        self.network()?.infer_window(windowed)
    }

    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        self.network()?.trace_window(windowed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Features and logits are the channels.
    struct Channels;

    const ENGINE: EngineInfo = EngineInfo {
        name: "channels",
        isa: "none",
    };

    impl FrozenNetwork for Channels {
        fn engine(&self) -> EngineInfo {
            ENGINE
        }

        fn classes(&self) -> usize {
            3
        }

        fn width(&self) -> usize {
            3
        }

        fn dtype(&self) -> DType {
            DType::F32
        }

        fn device(&self) -> &Device {
            &Device::Cpu
        }

        fn infer(&self, images: &Tensor) -> Result<Outputs> {
            let features = images.flatten_from(1)?;
            let logits = features.clone();
            Ok(Outputs { features, logits })
        }

        fn trace(&self, _: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
            unreachable!("nothing is traced here")
        }
    }

    #[test]
    fn it_is_loaded_when_first_asked_and_once() {
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = loads.clone();
        let outline = Outline {
            classes: 3,
            width: 3,
            dtype: DType::F32,
            engine: ENGINE,
        };
        let network = LazyNetwork::new(outline, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(Arc::new(Channels))
        });
        assert_eq!((network.classes(), network.width()), (3, 3));
        assert!(!network.is_loaded() && loads.load(Ordering::Relaxed) == 0);
        let images = Tensor::ones((2, 3, 1, 1), DType::F32, &Device::Cpu).unwrap();
        for _ in 0..2 {
            assert_eq!(network.infer(&images).unwrap().logits.dims(), [2, 3]);
        }
        assert!(network.is_loaded() && loads.load(Ordering::Relaxed) == 1);
    }

    #[test]
    fn another_network_than_was_known_is_refused() {
        let outline = Outline {
            classes: 4,
            width: 3,
            dtype: DType::F32,
            engine: ENGINE,
        };
        let network = LazyNetwork::new(outline, || Ok(Arc::new(Channels)));
        let images = Tensor::ones((2, 3, 1, 1), DType::F32, &Device::Cpu).unwrap();
        let error = network.infer(&images).unwrap_err().to_string();
        assert!(
            error.contains("classes: 4") && error.contains("classes: 3"),
            "{error}"
        );
        assert!(!network.is_loaded());
    }
}
