#![doc = include_str!("../README.md")]
#![expect(missing_docs, reason = "names of helpers of tests say what they are")]

pub mod close;
#[cfg(feature = "downloads")]
pub mod home;
#[cfg(feature = "downloads")]
pub mod loopback;
#[cfg(feature = "mat")]
pub mod mat;
#[cfg(feature = "networks")]
pub mod nets;
pub mod place;
#[cfg(feature = "downloads")]
pub mod site;
#[cfg(feature = "networks")]
pub mod weights_rule;
