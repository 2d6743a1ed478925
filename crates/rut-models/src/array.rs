//! A row-major f32 array with its shape: what a checkpoint holds under one key.

/// A dense row-major array of f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis, outermost first; `[out, in, kh, kw]` for a convolution, `[out, in]` for a linear layer.
    pub shape: Vec<usize>,
    /// The elements; as many as the product of `shape`.
    pub data: Vec<f32>,
}

impl Array {
    /// An array of the given shape; `None` where `data` has another number of elements.
    ///
    /// ```
    /// use rut_models::Array;
    /// assert!(Array::new(vec![2, 3], vec![0.0; 6]).is_some());
    /// assert!(Array::new(vec![2, 3], vec![0.0; 5]).is_none());
    /// ```
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        let count = shape
            .iter()
            .try_fold(1_usize, |n, &length| n.checked_mul(length));
        (count == Some(data.len())).then_some(Self { shape, data })
    }
}
