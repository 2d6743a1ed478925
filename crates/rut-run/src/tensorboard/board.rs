//! What of a run goes to its event file, and under which tag. For how it is written, see
//! `event_file`.

use std::borrow::Cow;
use std::path::Path;

use rut_adapt::TrainingState;
use rut_images::RgbImage;
use rut_metrics::Summary;
use rut_record::{Event, MemberEpoch, MemberScore, Record};
use serde_json::{Map, Value as Json};

use super::event_file::EventFile;
use super::picture;
use super::summary::{self, Setting, Tagged, Value};
use crate::error::Result;

/// What the board shows of a run beside its events.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardOptions {
    /// Source classes of the network.
    pub source_classes: usize,
    /// The specification's fields in their flat form.
    pub fields: Map<String, Json>,
    /// The specification as TOML.
    pub specification: String,
}

/// Writes a run's event file.
#[derive(Debug)]
pub(crate) struct Board {
    file: EventFile,
    options: BoardOptions,
    /// Steps taken so far.
    step: u64,
    /// Label maps written so far.
    maps: u64,
}

/// Entries of the saved state that are the board's own.
const LENGTH: &str = "board.length";
const STEP: &str = "board.step";
const MAPS: &str = "board.maps";

impl Board {
    /// The board at `path`, continuing after what `state` (of an earlier session) covers, else from the start.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn open(
        path: &Path,
        state: Option<&TrainingState>,
        options: BoardOptions,
    ) -> Result<Self> {
        let number = |name| match state.filter(|state| state.has(name)) {
            Some(state) => state.number(name),
            None => Ok(0),
        };
        let (file, begins) = EventFile::open(path, number(LENGTH)?)?;
        let mut board = Self {
            file,
            options,
            step: number(STEP)?,
            maps: number(MAPS)?,
        };
        if begins {
            board.write(&board.introduction())?;
        }
        Ok(board)
    }

    /// The specification: as hyperparameters, and as a text.
    fn introduction(&self) -> [Tagged; 2] {
        let BoardOptions {
            fields,
            specification,
            ..
        } = &self.options;
        let settings = fields
            .iter()
            .map(|(name, value)| (name.clone(), setting(value)));
        let code: String = specification
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect();
        [
            (
                "_hparams_/session_start_info".into(),
                Value::Hyperparameters(settings.collect()),
            ),
            ("specification/text_summary".into(), Value::Text(code)),
        ]
    }

    /// Writes an event.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write_event(&mut self, event: &Event) -> Result<()> {
        self.count(event);
        let mut values = scalars(event);
        if let Event::Mapped {
            sources,
            without_evidence,
            ..
        } = event
            && self.maps.is_power_of_two()
            && !sources.is_empty()
        {
            values.push(self.map_picture(sources, without_evidence)?);
        }
        self.write(&values)
    }

    /// Writes the figures of a finished run, and the label map that they were measured with.
    ///
    /// # Errors
    /// As [`write_event`](Self::write_event).
    pub(crate) fn finish(&mut self, record: &Record) -> Result<()> {
        let mut values = figures("test/raw", &record.test.raw)?;
        if let Some(at_temperature) = &record.test.at_temperature {
            values.extend(figures("test/at_temperature", at_temperature)?);
        }
        if let Some(map) = record.mapping.as_ref().filter(|map| map.weights.is_none()) {
            let without_evidence = map.without_evidence.as_deref().unwrap_or_default();
            values.push(self.map_picture(&map.sources, without_evidence)?);
        }
        values.push(("_hparams_/session_end_info".into(), Value::Succeeded));
        self.write(&values)?;
        self.flush()
    }

    /// Shows a trained prompt.
    ///
    /// # Errors
    /// As [`write_event`](Self::write_event).
    pub(crate) fn show_prompt(&mut self, picture: &RgbImage) -> Result<()> {
        let picture = Value::picture(picture)?;
        self.write(&[("prompt/picture".into(), picture)])
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// As [`write_event`](Self::write_event).
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }

    /// Puts into `state` how far the board is.
    pub(crate) fn save(&self, state: &mut TrainingState) {
        state.put_number(LENGTH, self.file.length());
        state.put_number(STEP, self.step);
        state.put_number(MAPS, self.maps);
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::Step { step, .. } => self.step = *step,
            // An iteration of L-BFGS is an epoch without steps; any other epoch has at least one.
            Event::Epoch { epoch, .. } => self.step = self.step.max(u64::from(*epoch) + 1),
            Event::Mapped { .. } => self.maps += 1,
            Event::Diverged { .. } | Event::Scored { .. } => {}
        }
    }

    fn map_picture(&self, sources: &[u32], without_evidence: &[u32]) -> Result<Tagged> {
        let map = picture::label_map(sources, self.options.source_classes, without_evidence);
        Ok(("map/picture".into(), Value::picture(&map)?))
    }

    fn write(&mut self, values: &[Tagged]) -> Result<()> {
        if values.is_empty() {
            Ok(())
        } else {
            self.file.append(&summary::event(self.step, values))
        }
    }
}

fn setting(value: &Json) -> Setting {
    match value {
        Json::Bool(on) => Setting::Switch(*on),
        Json::Number(number) => Setting::Number(number.as_f64().unwrap_or_default()),
        Json::String(word) => Setting::Word(word.clone()),
        other => Setting::Word(other.to_string()),
    }
}

/// The numbers of an event.
fn scalars(event: &Event) -> Vec<Tagged> {
    match event {
        Event::Step { loss, .. } => vec![scalar("train/loss", *loss)],
        Event::Epoch {
            loss,
            accuracy,
            learning_rate,
            members,
            ..
        } => {
            let mut values = vec![
                scalar("train/epoch_loss", *loss),
                scalar("train/accuracy", *accuracy),
            ];
            // L-BFGS has none.
            if *learning_rate > 0.0 {
                values.push(scalar("train/learning_rate", *learning_rate));
            }
            values.extend(members.iter().flat_map(epoch_of_member));
            values
        }
        Event::Mapped {
            churn,
            ties,
            without_evidence,
            ..
        } => {
            let mut values = vec![
                scalar("map/ties", *ties as f64),
                scalar("map/without_evidence", without_evidence.len() as f64),
            ];
            values.extend(churn.map(|churn| scalar("map/churn", churn as f64)));
            values
        }
        Event::Scored {
            split,
            accuracy,
            nll,
            ece,
            members,
            ..
        } => {
            let all = [("accuracy", *accuracy), ("nll", *nll), ("ece", *ece)];
            let all = all.map(|(name, value)| scalar(format!("{split}/{name}"), value));
            let members = members
                .iter()
                .flat_map(|member| score_of_member(split, member));
            all.into_iter().chain(members).collect()
        }
        Event::Diverged { .. } => Vec::new(),
    }
}

fn epoch_of_member(member: &MemberEpoch) -> [Tagged; 2] {
    [("epoch_loss", member.loss), ("accuracy", member.accuracy)]
        .map(|(name, value)| scalar(format!("train/{name}/member_{}", member.member), value))
}

fn score_of_member(split: &str, member: &MemberScore) -> [Tagged; 3] {
    let MemberScore {
        member,
        accuracy,
        nll,
        ece,
    } = *member;
    [("accuracy", accuracy), ("nll", nll), ("ece", ece)]
        .map(|(name, value)| scalar(format!("{split}/{name}/member_{member}"), value))
}

/// The figures of a summary, and its reliability diagram.
fn figures(group: &str, figures: &Summary) -> Result<Vec<Tagged>> {
    let named = [
        ("accuracy", figures.accuracy),
        ("ece", figures.ece),
        ("nll", figures.nll),
        ("brier", figures.brier),
    ];
    let mut values: Vec<Tagged> = named
        .map(|(name, value)| scalar(format!("{group}/{name}"), value))
        .into();
    let picture = Value::picture(&picture::reliability(figures))?;
    values.push((format!("{group}/reliability").into(), picture));
    Ok(values)
}

fn scalar(tag: impl Into<Cow<'static, str>>, value: f64) -> Tagged {
    (tag.into(), Value::Scalar(value))
}
