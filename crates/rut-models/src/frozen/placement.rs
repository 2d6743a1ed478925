//! In which precision and on which device a network computes: the names that a person can say, and what they are.

use candle_core::{DType, Device};

/// In which precision and on which device a network computes.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Element type of images, features and logits.
    pub dtype: DType,
    /// Where they are.
    pub device: Device,
}

/// A line of [`PRECISIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrecisionSpec {
    /// What it is called.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The element type.
    pub dtype: DType,
}

/// A line of [`DEVICES`].
#[derive(Debug, Clone, Copy)]
pub struct DeviceSpec {
    /// What it is called.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Opens it.
    pub open: fn() -> candle_core::Result<Device>,
}

/// All precisions, the default first.
pub static PRECISIONS: &[PrecisionSpec] = &[PrecisionSpec {
    name: "f32",
    about: "single precision",
    dtype: DType::F32,
}];

/// All devices, the default first.
pub static DEVICES: &[DeviceSpec] = &[DeviceSpec {
    name: "cpu",
    about: "the processor",
    open: || Ok(Device::Cpu),
}];

impl Default for Placement {
    /// Single precision on the processor.
    fn default() -> Self {
        Self {
            dtype: DType::F32,
            device: Device::Cpu,
        }
    }
}

/// The precision called `name`.
pub fn find_precision(name: &str) -> Option<&'static PrecisionSpec> {
    PRECISIONS.iter().find(|row| row.name == name)
}

/// The device called `name`.
pub fn find_device(name: &str) -> Option<&'static DeviceSpec> {
    DEVICES.iter().find(|row| row.name == name)
}

/// What the table calls elements of this type; `other` where it has none.
pub fn precision_name(dtype: DType) -> &'static str {
    let row = PRECISIONS.iter().find(|row| row.dtype == dtype);
    row.map_or("other", |row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_the_default() {
        let default = Placement::default();
        assert_eq!(PRECISIONS[0].dtype, default.dtype);
        assert!((DEVICES[0].open)().unwrap().same_device(&default.device));
        assert_eq!(precision_name(DType::F32), "f32");
        assert!(find_precision("f8").is_none() && find_device("tpu").is_none());
    }
}
