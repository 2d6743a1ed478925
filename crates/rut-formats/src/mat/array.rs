//! Decoded arrays.

use super::numbers::Numbers;

/// An array of MATLAB's; everything is one, a single number is of `[1, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Rows, columns and further axes.
    pub dims: Vec<usize>,
    /// The elements, in column-major order.
    pub values: Values,
}

/// The elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers of any class.
    Numbers(Numbers),
    /// Characters.
    Text(String),
    /// Arrays.
    Cells(Vec<Array>),
    /// Records.
    Struct(Struct),
}

/// Records of the same fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Struct {
    pub(super) fields: Vec<String>,
    /// The fields of the first record, then those of the second, and so on.
    pub(super) values: Vec<Array>,
}

impl Array {
    /// No elements.
    pub(super) fn empty() -> Array {
        Array {
            dims: vec![0, 0],
            values: Values::Cells(Vec::new()),
        }
    }

    /// What it is, for errors: `a 1x3 array of numbers`.
    pub fn describe(&self) -> String {
        let dims: Vec<String> = self.dims.iter().map(usize::to_string).collect();
        let what = match self.values {
            Values::Numbers(_) => "numbers",
            Values::Text(_) => "characters",
            Values::Cells(_) => "cells",
            Values::Struct(_) => "structs",
        };
        format!("a {} array of {what}", dims.join("x"))
    }

    /// Its numbers.
    pub fn numbers(&self) -> Option<&Numbers> {
        match &self.values {
            Values::Numbers(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Its only number, if that is whole.
    pub fn integer(&self) -> Option<i64> {
        let numbers = self.numbers().filter(|numbers| numbers.len() == 1)?;
        numbers.integers().next()?
    }

    /// Its text, if it is a single row of characters or none.
    pub fn text(&self) -> Option<&str> {
        match (&self.values, self.dims.as_slice()) {
            (Values::Text(text), [0 | 1, _] | [_, 0]) => Some(text),
            _ => None,
        }
    }

    /// Its cells.
    pub fn cells(&self) -> Option<&[Array]> {
        match &self.values {
            Values::Cells(cells) => Some(cells),
            _ => None,
        }
    }

    /// Field `name` of each of its records.
    pub fn field(&self, name: &str) -> Option<impl ExactSizeIterator<Item = &Array>> {
        let Values::Struct(records) = &self.values else {
            return None;
        };
        let at = records.fields.iter().position(|field| field == name)?;
        let values = records.values.get(at..).unwrap_or_default();
        Some(values.iter().step_by(records.fields.len()))
    }
}
