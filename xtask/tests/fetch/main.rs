//! `cargo xtask fetch-data`, the program itself. What it does is tested in `rut-fetch`, whose server and folder it borrows.

#[path = "../../../crates/rut-fetch/tests/fetch/home.rs"]
mod home;
#[cfg(feature = "models")]
mod hub;
#[path = "../../../crates/rut-fetch/tests/fetch/loopback.rs"]
mod loopback;
mod process;
#[path = "../../../crates/rut-fetch/tests/fetch/site.rs"]
mod site;
