//! What several test files share. Each of them uses a part.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of this module"
)]
#![allow(
    clippy::allow_attributes,
    reason = "an `expect` would be unfulfilled in the files that use all of it"
)]

pub mod close;
pub mod nets;
pub mod place;
pub mod weights_rule;
