//! A run as TensorBoard shows it: an event file in the run's folder, written while the run goes on. It is a view of what
//! `events.jsonl` and the record hold, and no part of either: it contains times, and nothing reads it back.
//!
//! | tag | what | when |
//! | --- | --- | --- |
//! | `train/loss` | loss of the batch | every step |
//! | `train/epoch_loss`, `train/accuracy`, `train/learning_rate` | figures of the epoch | every epoch |
//! | `validation/accuracy`, `…/nll`, `…/ece`; `test/…` | a split scored while training | when it is scored |
//! | `map/churn`, `map/ties`, `map/without_evidence` | numbers of target classes | when a label map is made |
//! | `map/picture` | the label map, targets down, sources to the right | the first map, then the second, fourth, eighth …; at the end the one that the test figures are under |
//! | `test/raw/…`, `test/at_temperature/…` | accuracy, ECE, NLL and Brier score of the record, and the reliability diagram, confidence to the right, accuracy up | at the end |
//! | `prompt/picture` | the trained border as it looks | at the end |
//!
//! Members of a grid stand beside as `TAG/member_N`. A step is the number of optimiser steps taken, of L-BFGS the number of
//! iterations.

mod board;
mod crc32c;
mod event_file;
mod frame;
mod picture;
mod summary;
mod wire;

pub(crate) use board::Board;
pub use board::BoardOptions;
