//! `rut completions` and `rut man`: the command line as a shell and `man` want to have it.

use std::path::Path;

use anyhow::{Context, Result};
use clap_complete::Shell;
use rut_formats::escape;

use crate::args::Cli;
use crate::output::{note, raw};

/// Completions on stdout.
pub fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::with_examples(), "rut", &mut script);
    raw(&script)
}

/// The manual page on stdout, or all of them in a folder.
pub fn man(folder: Option<&Path>) -> Result<()> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let drawn = clap_mangen::Man::new(Cli::with_examples()).render(&mut page);
        drawn.context("draw the manual page")?;
        return raw(&page);
    };
    let named = || format!("write manual pages to {}", escape(folder).whole());
    std::fs::create_dir_all(folder).with_context(named)?;
    clap_mangen::generate_to(Cli::with_examples(), folder).with_context(named)?;
    note(&format!("manual pages in {}", escape(folder).whole()));
    Ok(())
}
