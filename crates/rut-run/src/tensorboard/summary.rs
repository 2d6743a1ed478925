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

/// An event of now. A clock before 1970 counts as 0.
fn stamped() -> Message {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Message::default().double(1, now.map_or(0.0, |time| time.as_secs_f64()))
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
