//! The messages of an event file (TensorFlow, `event.proto` and `summary.proto`), as far as a run writes them. What a run
//! writes, `board` says.

use std::borrow::Cow;
use std::time::SystemTime;

use rut_images::RgbImage;

use super::wire::Message;
use crate::error::Result;

/// What stands under a tag at a step.
pub(super) enum Value {
    /// A number.
    Scalar(f64),
    /// A picture, as PNG.
    Picture {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// The file.
        png: Vec<u8>,
    },
    /// A text in Markdown, for the dashboard TEXT.
    Text(String),
    /// What a run varies by, for the dashboard HPARAMS.
    Hyperparameters(Vec<(String, Setting)>),
    /// The run ended as it should, for the same dashboard.
    Succeeded,
}

/// The value of a hyperparameter.
pub(super) enum Setting {
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
    /// Anything else.
    Word(String),
}

impl Setting {
    /// As `google.protobuf.Value`.
    fn message(&self) -> Vec<u8> {
        let value = match self {
            Self::Number(number) => Message::default().double(2, *number),
            Self::Switch(on) => Message::default().number(4, (*on).into()),
            Self::Word(word) => Message::default().bytes(3, word.as_bytes()),
        };
        value.finish()
    }
}

/// `DT_STRING`, and `DATA_CLASS_TENSOR`.
const STRING: u64 = 7;
const TENSOR: u64 = 2;
/// Fields of `HParamsPluginData`.
const START: u8 = 3;
const END: u8 = 4;
/// `STATUS_SUCCESS`.
const SUCCESS: u64 = 1;

/// The name and the content of a dashboard's own data (`SummaryMetadata`).
fn plugin(name: &str, content: &[u8]) -> Message {
    let data = Message::default()
        .bytes(1, name.as_bytes())
        .bytes(2, content);
    Message::default().bytes(1, &data.finish())
}

/// The data of the dashboard HPARAMS: one field of it, a message.
fn hparams(field: u8, content: Message) -> Vec<u8> {
    plugin(
        "hparams",
        &Message::default().bytes(field, &content.finish()).finish(),
    )
    .finish()
}

/// A value and its tag.
pub(super) type Tagged = (Cow<'static, str>, Value);

/// Colours of a picture: red, green, blue.
const RGB: u64 = 3;

impl Value {
    /// `image` as a value.
    ///
    /// # Errors
    /// If its size does not fit its pixels.
    pub(super) fn picture(image: &RgbImage) -> Result<Self> {
        Ok(Self::Picture {
            width: image.width,
            height: image.height,
            png: rut_images::encode_png(image)?,
        })
    }

    fn put(&self, message: Message) -> Message {
        match self {
            Self::Scalar(value) => message.float(2, *value as f32),
            Self::Picture { width, height, png } => {
                let picture = Message::default()
                    .number(1, (*height).into())
                    .number(2, (*width).into())
                    .number(3, RGB)
                    .bytes(4, png);
                message.bytes(4, &picture.finish())
            }
            Self::Text(text) => {
                let scalar = Message::default().number(1, STRING).bytes(2, &[]);
                let tensor = scalar.bytes(8, text.as_bytes()).finish();
                let metadata = plugin("text", &[]).number(4, TENSOR).finish();
                message.bytes(8, &tensor).bytes(9, &metadata)
            }
            Self::Hyperparameters(settings) => {
                let start = settings
                    .iter()
                    .fold(Message::default(), |start, (name, value)| {
                        let entry = Message::default()
                            .bytes(1, name.as_bytes())
                            .bytes(2, &value.message());
                        start.bytes(1, &entry.finish())
                    });
                message.bytes(9, &hparams(START, start.double(5, now())))
            }
            Self::Succeeded => {
                let end = Message::default().number(1, SUCCESS).double(2, now());
                message.bytes(9, &hparams(END, end))
            }
        }
    }
}

/// The event that says how the events after it are laid out; each file begins with it.
pub(super) fn version() -> Vec<u8> {
    stamped().bytes(3, b"brain.Event:2").finish()
}

/// The event that holds `values`, after `step` steps.
pub(super) fn event(step: u64, values: &[Tagged]) -> Vec<u8> {
    let summary = values
        .iter()
        .fold(Message::default(), |summary, (tag, value)| {
            let tagged = Message::default().bytes(1, tag.as_bytes());
            summary.bytes(1, &value.put(tagged).finish())
        });
    stamped()
        .number(2, step)
        .bytes(5, &summary.finish())
        .finish()
}

/// An event of now.
fn stamped() -> Message {
    Message::default().double(1, now())
}

/// Seconds since 1970. A clock before that counts as 0.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the first nine bytes: when it was.
    fn without_time(event: Vec<u8>) -> Vec<u8> {
        assert_eq!(event[0], 0x09);
        event[9..].to_vec()
    }

    #[test]
    fn the_bytes_of_events() {
        assert_eq!(without_time(version()), b"\x1a\x0dbrain.Event:2");
        let values = [("a/b".into(), Value::Scalar(1.0))];
        assert_eq!(
            without_time(event(300, &values)),
            b"\x10\xac\x02\x2a\x0c\x0a\x0a\x0a\x03a/b\x15\0\0\x80\x3f"
        );
    }
}
