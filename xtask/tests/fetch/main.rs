//! `cargo xtask fetch-data`, the program itself. What it does is tested in `rut-fetch`, whose server and folder it borrows.

use rut_testkit::home;
#[cfg(feature = "models")]
mod hub;
mod process;
use rut_testkit::site;
