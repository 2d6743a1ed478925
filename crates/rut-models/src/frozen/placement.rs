//! In which precision and on which device a network computes: the names that a person can say, and what they are.

use candle_core::{DType, Device};

/// What the numbers of a network's convolutions are rounded to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Nothing coarser than the element type of the images: single precision, or double precision where they are f64.
    #[default]
    F32,
    /// bfloat16, summed in single precision. Images, features and logits are f32.
    Bf16,
}

/// In which precision and on which device a network computes.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Element type of images, features and logits.
    pub dtype: DType,
    /// Of what happens between them.
    pub precision: Precision,
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
    /// Element type of images, features and logits.
    pub dtype: DType,
    /// Of what happens between them.
    pub precision: Precision,
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
pub static PRECISIONS: &[PrecisionSpec] = &[
    PrecisionSpec {
        name: "f32",
        about: "single precision",
        dtype: DType::F32,
        precision: Precision::F32,
    },
    PrecisionSpec {
        name: "bf16",
        about: "convolutions in bfloat16 with sums in single precision",
        dtype: DType::F32,
        precision: Precision::Bf16,
    },
];

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
            precision: Precision::F32,
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

impl Precision {
    /// Its line of [`PRECISIONS`].
    pub fn spec(self) -> &'static PrecisionSpec {
        let row = PRECISIONS.iter().find(|row| row.precision == self);
        row.unwrap_or(&PRECISIONS[0])
    }
}

impl Placement {
    /// What the table calls its precision; `other` where it has none.
    pub fn precision_name(&self) -> &'static str {
        let is = |row: &&PrecisionSpec| (row.dtype, row.precision) == (self.dtype, self.precision);
        PRECISIONS.iter().find(is).map_or("other", |row| row.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_the_default() {
        let default = Placement::default();
        assert_eq!(PRECISIONS[0].dtype, default.dtype);
        assert!((DEVICES[0].open)().unwrap().same_device(&default.device));
        assert_eq!(PRECISIONS[0].precision, default.precision);
        assert_eq!(default.precision_name(), "f32");
        assert!(find_precision("f8").is_none() && find_device("tpu").is_none());
    }

    #[test]
    fn each_precision_is_called_by_its_name_and_wider_elements_by_none() {
        for row in PRECISIONS {
            let of = |dtype| Placement {
                dtype,
                precision: row.precision,
                ..Placement::default()
            };
            assert_eq!(row.precision.spec(), row);
            assert_eq!(find_precision(row.name), Some(row));
            assert_eq!(of(row.dtype).precision_name(), row.name);
            assert_eq!(of(DType::F64).precision_name(), "other");
        }
    }
}
