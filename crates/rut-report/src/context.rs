//! What the sections of a page are made from.

use crate::ReportOptions;
use crate::links::Links;
use crate::pair::Pair;
use crate::selection::Selection;
use crate::study::Study;

/// What all sections are made from.
pub(crate) struct Context<'a> {
    /// The study.
    pub(crate) study: &'a Study,
    /// Dense minus compressed.
    pub(crate) pairs: &'a [Pair],
    /// Runs with figures of their own.
    pub(crate) selection: &'a Selection,
    /// What leads to runs' files.
    pub(crate) links: &'a Links,
    /// What was asked for.
    pub(crate) options: &'a ReportOptions,
}
