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

    /// From its first row and their number, and the same of its columns.
    pub(crate) fn of_spans((top, height): (usize, usize), (left, width): (usize, usize)) -> Self {
        Self {
            top,
            left,
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

    /// The pixels of `self` around `inner`, which lies inside: above, below, left and right of it. An empty `inner` may
    /// stand anywhere, and all of `self` lies below it.
    pub fn around(self, inner: Self) -> [Self; 4] {
        let inner = if inner.is_empty() {
            Self { height: 0, ..self }
        } else {
            inner
        };
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

#[cfg(test)]
mod tests {
    use super::Area;

    const OUTER: Area = Area {
        top: 2,
        left: 3,
        height: 6,
        width: 5,
    };

    fn area(top: usize, left: usize, height: usize, width: usize) -> Area {
        Area {
            top,
            left,
            height,
            width,
        }
    }

    #[test]
    fn what_is_around_covers_the_rest_once() {
        for inner in [area(4, 4, 2, 3), area(2, 3, 1, 1), area(2, 3, 6, 4), OUTER] {
            let mut found = vec![0; OUTER.len()];
            for part in OUTER.around(inner).into_iter().chain([inner]) {
                for row in part.top..part.bottom() {
                    for column in part.left..part.right() {
                        found[OUTER.index(row, column)] += 1;
                    }
                }
            }
            assert!(found.iter().all(|&times| times == 1), "{inner:?}");
        }
    }

    #[test]
    fn all_is_around_nothing_wherever_that_stands() {
        for nothing in [
            area(0, 0, 0, 0),
            area(4, 4, 0, 3),
            area(4, 4, 3, 0),
            area(90, 1, 0, 7),
            area(0, 90, 7, 0),
        ] {
            let [above, below, left, right] = OUTER.around(nothing);
            assert_eq!(below, OUTER, "{nothing:?}");
            assert!([above, left, right].iter().all(|part| part.is_empty()));
        }
        let none = Area { height: 0, ..OUTER };
        assert!(none.around(none).iter().all(|part| part.is_empty()));
    }
}
