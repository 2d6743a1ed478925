//! Rectangles of pixels.

/// A rectangle of pixels of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Area {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

impl Area {
    /// All of a map of this size.
    pub fn whole(height: usize, width: usize) -> Self {
        Self {
            top: 0,
            left: 0,
            height,
            width,
        }
    }

    /// The row after the last.
    pub fn bottom(self) -> usize {
        self.top.saturating_add(self.height)
    }

    /// The column after the last.
    pub fn right(self) -> usize {
        self.left.saturating_add(self.width)
    }

    /// The number of pixels.
    pub fn len(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Whether there are no pixels.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether all of `other` lies inside.
    pub fn contains(self, other: Self) -> bool {
        other.is_empty()
            || (other.top >= self.top
                && other.left >= self.left
                && other.bottom() <= self.bottom()
                && other.right() <= self.right())
    }

    /// Whether it has pixels in a row.
    pub(crate) fn has_row(self, row: usize) -> bool {
        self.width > 0 && (self.top..self.bottom()).contains(&row)
    }

    /// The pixels of both.
    pub fn intersection(self, other: Self) -> Self {
        let (top, left) = (self.top.max(other.top), self.left.max(other.left));
        Self {
            top,
            left,
            height: self.bottom().min(other.bottom()).saturating_sub(top),
            width: self.right().min(other.right()).saturating_sub(left),
        }
    }

    /// The pixels of `self` around `inner`, which lies inside: above, below, left and right of it.
    pub fn around(self, inner: Self) -> [Self; 4] {
        let beside = |left: usize, right: usize| Self {
            top: inner.top,
            left,
            height: inner.height,
            width: right - left,
        };
        let across = |top: usize, bottom: usize| Self {
            top,
            left: self.left,
            height: bottom - top,
            width: self.width,
        };
        [
            across(self.top, inner.top),
            across(inner.bottom(), self.bottom()),
            beside(self.left, inner.left),
            beside(inner.right(), self.right()),
        ]
    }

    /// Position of the pixel (`row`, `column`) of the map among the pixels of the area, row by row.
    pub fn index(self, row: usize, column: usize) -> usize {
        (row - self.top) * self.width + (column - self.left)
    }
}
