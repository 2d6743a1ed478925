//! The list of random changes that training images go through, as a person writes it.

use std::fmt;
use std::str::FromStr;

use rut_images::augment::{Policy, crop, flip};
use rut_images::{Extent, RgbImage, Window};

use crate::{Error, Result, Stream};

/// What stands for an empty list.
const NONE: &str = "none";
/// The word for a flip.
const FLIP: &str = "flip";
/// What the word for a crop begins with.
const CROP: &str = "crop:";
/// The most pixels that a crop may take away.
const MOST_CROPPED: u32 = 1024;

/// What is expected of a word.
const WORDS: &str = "crop:N, flip, trivial or trivial-wide, separated by commas, or none";
/// What is expected of the number of a crop.
const CROPPED: &str = "crop:N with a whole number of pixels from 1 to 1024";
/// What is expected of the place of a crop.
const CROP_FIRST: &str = "crop:N at most once and before all others";
/// What is expected of the others.
const ONCE: &str = "every word at most once";

/// Random changes of a training image, in their order; of 8-bit pixels, before the prompt and the normalisation. Where a
/// prompt surrounds a small image, a pixel of a crop or translation is a larger share of it than in published recipes.
///
/// | word | change |
/// | --- | --- |
/// | `crop:N` | images are resized to sides longer by N, and a window of the usual size is cut out of them at a uniform place, torchvision's `RandomCrop` |
/// | `flip` | left and right exchanged in one image of two, torchvision's `RandomHorizontalFlip` |
/// | `trivial` | one operation of TrivialAugment, [`Policy::Trivial`] |
/// | `trivial-wide` | the same with torchvision's magnitudes, [`Policy::TrivialWide`] |
///
/// ```
/// use rut_data::Augmentation;
/// let list: Augmentation = "crop:32, flip, trivial".parse()?;
/// assert_eq!((list.to_string().as_str(), list.cropped()), ("crop:32,flip,trivial", 32));
/// assert!("none".parse::<Augmentation>()?.is_empty());
/// let error = "flip,crop:32".parse::<Augmentation>().expect_err("crop is not first");
/// assert!(error.to_string().ends_with("expected crop:N at most once and before all others"));
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Augmentation(Vec<Change>);

/// One word of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Change {
    /// So many pixels are taken away along each axis.
    Crop(u32),
    Flip,
    Trivial(Policy),
}

impl Augmentation {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Pixels by which the sides of images must be longer than what comes out; 0 without a crop.
    #[must_use]
    pub fn cropped(&self) -> u32 {
        match self.0.first() {
            Some(&Change::Crop(pixels)) => pixels,
            _ => 0,
        }
    }

    /// The changed image. Each change draws from `stream` in its turn: a crop its row, then its column; a flip a number
    /// from 0 to 1, below ½ for a flip; TrivialAugment what [`Policy::choose`] says.
    pub(crate) fn apply(&self, image: RgbImage, stream: &mut Stream) -> Result<RgbImage> {
        let changed = self.0.iter().try_fold(image, |image, change| match change {
            Change::Crop(pixels) => crop(&image, window(image.size(), *pixels, stream)),
            Change::Flip if stream.uniform() < 0.5 => flip(image),
            Change::Flip => Ok(image),
            Change::Trivial(policy) => policy.choose(|n| stream.below(n)).apply(image),
        });
        changed.map_err(Error::transform)
    }
}

/// A window that is smaller by so many pixels, at a uniform place.
fn window(size: Extent, pixels: u32, stream: &mut Stream) -> Window {
    let mut place = || stream.below(pixels as usize + 1) as i32;
    let (top, left) = (place(), place());
    let size = Extent {
        width: size.width.saturating_sub(pixels),
        height: size.height.saturating_sub(pixels),
    };
    Window { left, top, size }
}

impl fmt::Display for Augmentation {
    /// The words with commas between them, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Change::to_string).collect();
        f.write_str(
            if words.is_empty() {
                NONE.to_owned()
            } else {
                words.join(",")
            }
            .as_str(),
        )
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Crop(pixels) => write!(f, "{CROP}{pixels}"),
            Change::Flip => f.write_str(FLIP),
            Change::Trivial(policy) => f.write_str(policy.name()),
        }
    }
}

impl FromStr for Augmentation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Augmentation> {
        if text.trim() == NONE {
            return Ok(Augmentation::default());
        }
        let words = text.split(',').map(str::trim);
        let changes: Vec<Change> = words.map(str::parse).collect::<Result<_>>()?;
        let is_crop = |change: &Change| matches!(change, Change::Crop(_));
        let behind = changes.get(1..).unwrap_or_default();
        if behind.iter().any(is_crop) {
            return Err(wrong(text, CROP_FIRST));
        }
        let repeated = |(at, change)| changes[..at].contains(change);
        if changes.iter().enumerate().any(repeated) {
            return Err(wrong(text, ONCE));
        }
        Ok(Augmentation(changes))
    }
}

impl FromStr for Change {
    type Err = Error;

    fn from_str(word: &str) -> Result<Change> {
        if let Some(pixels) = word.strip_prefix(CROP) {
            return match pixels.parse() {
                Ok(pixels @ 1..=MOST_CROPPED) => Ok(Change::Crop(pixels)),
                _ => Err(wrong(word, CROPPED)),
            };
        }
        if word == FLIP {
            return Ok(Change::Flip);
        }
        let policy = Policy::ALL.into_iter().find(|policy| policy.name() == word);
        policy
            .map(Change::Trivial)
            .ok_or_else(|| wrong(word, WORDS))
    }
}

fn wrong(found: &str, expected: &'static str) -> Error {
    Error::BadOption {
        what: "augmentation",
        found: found.to_owned(),
        expected,
    }
}
