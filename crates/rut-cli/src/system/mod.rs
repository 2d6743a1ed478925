//! What differs between operating systems: signals as requests to a run, process groups, and what is known of a parent.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use other::{ended_by, own_group, quotas_are_errors, requests, Parent};
#[cfg(unix)]
pub use unix::{ended_by, own_group, quotas_are_errors, requests, Parent};
