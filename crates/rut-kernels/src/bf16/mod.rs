//! Convolutions in bfloat16, forward and backward to the input: weights, activations and gradients are rounded to the
//! nearest once for each fused step, sums are in single precision.
//!
//! Maps are those of one image, so that all that an image needs between two layers stays in a core's cache, or small ones of
//! a few images together ([`Layout`]). A
//! [`Panels`] holds weights, a [`Route`] which rows are read for which rows that are written, worked out and checked once for
//! each size; one kernel of each instruction set follows it, whatever the kernel's size, stride and direction. The first
//! convolution reads the image as a sum of two bfloat16 numbers ([`ImageLayout`]), since what it loses there no later
//! layer brings back.
//!
//! ```
//! use rut_kernels::bf16::{Bf16End, Bf16Isa, Layout, Panels, Route, Row, zeros};
//! use rut_kernels::{Area, ConvShape, Direction, Start};
//! let shape = ConvShape { in_channels: 2, out_channels: 1, kernel: 1, stride: 1, padding: 0 };
//! let panels = Panels::new(shape, Direction::Forward, &[3.0, 5.0], Some(&[0.5]))?;
//! let layout = |channels| Layout { channels, area: Area::whole(1, 1), halo: 0, together: 1 };
//! let isa = Bf16Isa::Portable;
//! let route = Route::new(&panels, &layout(2), &layout(1), Area::whole(1, 1), isa)?;
//! let mut source = zeros(&layout(2), 1);
//! source[0] = Row::rounded(&std::array::from_fn(|channel| [1.0, 2.0].get(channel).copied().unwrap_or(0.0)));
//! let mut target = zeros(&layout(1), 1);
//! panels.run(isa, &route, &source, &mut target, (Start::Fresh, Bf16End::Relu))?;
//! assert_eq!(target[0].to_f32()[0], 13.5);
//! # Ok::<(), rut_kernels::Error>(())
//! ```

mod average;
mod conv;
mod image;
mod image_sums;
mod isa;
mod layout;
mod max_pool;
mod route;
mod row;
mod shortcut;
mod weights;

pub use average::Bf16Average;
pub use conv::{Bf16End, add_rows, mask_rows, zeros};
pub use image::ImageLayout;
pub use image_sums::ImageSums;
pub use isa::Bf16Isa;
pub use layout::Layout;
pub use max_pool::{Bf16MaxPool, Places};
pub use route::{Route, halo, halo_to_image};
pub use row::{CHANNELS, Row, round, widen};
pub use shortcut::Bf16OptionA;
pub use weights::Panels;
pub(crate) use weights::STEP_ROWS;
