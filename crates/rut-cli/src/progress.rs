//! A run as a person sees it while it goes on: bars on a terminal, a few plain lines elsewhere. All of it on stderr.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use rut_adapt::{Observer, ObserverError};
use rut_formats::{counted, lines};
use rut_record::{Event, Phase};
use rut_run::Display;

use crate::flags::with_flags;
use crate::output::note;

/// Lines that a run without a terminal says about its epochs.
const LINES: u32 = 10;

/// Shows a run of `epochs` epochs.
pub struct Progress {
    bar: Option<ProgressBar>,
    phase: Option<Phase>,
    epochs: u32,
    last: String,
}

impl Progress {
    /// Bars if stderr is a terminal, else lines. `epochs` is 0 where nothing is trained.
    pub fn new(epochs: u32) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{prefix:>9} {wide_bar:.cyan/dim} {pos}/{len} [{elapsed}<{eta}] {msg}",
            );
            ProgressBar::no_length()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            phase: None,
            epochs,
            last: String::new(),
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(lines(text, usize::MAX)),
            None => note(text),
        }
    }

    /// Whether a plain display says anything about this epoch.
    fn reports(&self, epoch: u32) -> bool {
        let every = self.epochs.div_ceil(LINES).max(1);
        (epoch + 1).is_multiple_of(every) || epoch + 1 == self.epochs
    }

    fn show_epoch(&mut self, epoch: u32, loss: f64, accuracy: f64) {
        self.last = format!(
            "epoch {}/{}  loss {loss:.4}  training accuracy {:.1} %",
            epoch + 1,
            self.epochs,
            100.0 * accuracy
        );
        if self.reports(epoch) {
            self.line(&self.last);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Display for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Epoch {
                epoch,
                loss,
                accuracy,
                ..
            } => self.show_epoch(*epoch, *loss, *accuracy),
            Event::Diverged {
                member,
                epoch,
                step,
            } => self.line(&format!(
                "the loss of member {} of the grid is no number from step {step} on (epoch {}): it is left out",
                member + 1,
                epoch + 1
            )),
            Event::Scored {
                epoch,
                split,
                accuracy,
                ece,
                members,
                ..
            } if self.reports(*epoch) => {
                let best = match members.len() {
                    0 => String::new(),
                    count => format!(" (best of {count})"),
                };
                self.line(&format!(
                    "  {split}{best}: accuracy {:.1} %  ECE {:.1} %",
                    100.0 * accuracy,
                    100.0 * ece
                ));
            }
            _ => {}
        }
    }

    fn progress(&mut self, phase: Phase, done: usize, total: usize) {
        let Some(bar) = &self.bar else {
            if self.phase != Some(phase) && phase == Phase::Extract {
                note(&format!(
                    "extracting features of {}",
                    counted(total, "image")
                ));
            }
            self.phase = Some(phase);
            return;
        };
        if self.phase != Some(phase) {
            bar.reset();
            bar.set_prefix(phase.name());
            self.phase = Some(phase);
        }
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(self.last.clone());
    }

    fn resumed(&mut self, steps: u64) {
        self.line(&format!("going on after step {steps}"));
    }

    fn note(&mut self, text: &str) {
        self.line(&with_flags(text));
    }
}

/// Passes without training show the same bars.
impl Observer for Progress {
    fn event(&mut self, event: &Event) -> Result<(), ObserverError> {
        Display::event(self, event);
        Ok(())
    }

    fn progress(&mut self, phase: Phase, done: usize, total: usize) {
        Display::progress(self, phase, done, total);
    }
}
