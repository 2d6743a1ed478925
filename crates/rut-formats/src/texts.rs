//! Many short texts in one piece of memory, as lists of images have them: a text takes its bytes and four more.

/// Texts in order.
///
/// ```
/// let mut texts = rut_formats::Texts::default();
/// texts.push("ant.jpg");
/// texts.push("bee.jpg");
/// assert_eq!((texts.len(), texts.get(1)), (2, Some("bee.jpg")));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Texts {
    joined: String,
    /// Where each ends in `joined`.
    ends: Vec<u32>,
}

impl Texts {
    /// Bytes that all of them may have together.
    pub const MOST: u64 = u32::MAX as u64;

    /// Adds a text.
    ///
    /// # Panics
    /// If all together have more than [`Texts::MOST`] bytes; readers cap their files below it.
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        let end = u32::try_from(self.joined.len());
        self.ends.push(end.expect("files are capped below it"));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Text number `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.joined.get(start..end)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_order() {
        let mut texts = Texts::default();
        for text in ["a", "", "ä☃", "b"] {
            texts.push(text);
        }
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "ä☃", "b"]);
        assert_eq!(
            (texts.len(), texts.get(2), texts.get(4)),
            (4, Some("ä☃"), None)
        );
    }
}
