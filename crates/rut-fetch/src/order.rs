//! What a person asks for, in words, and doing it: data sets of the table, weights, or both.

use rut_data::DatasetSpec;

use crate::dataset::{all, fetch, named};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::verify::{Absence, verify};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The data sets.
    pub data_sets: DataSets,
    /// Weights of models of the table: `MODEL`, `MODEL:V2`, or `all`. They want the feature `models`.
    pub models: Vec<String>,
    /// Files of weights of the Hugging Face hub: `ORG/NAME[@REVISION]/FILE`. They want the feature `models`.
    pub hub_files: Vec<String>,
    /// What to do about all of it.
    pub task: Task,
}

/// Which data sets are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSets {
    /// Every one of the table.
    All,
    /// Those of these names or aliases; none is fine.
    Named(Vec<String>),
}

impl Default for DataSets {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Task {
    /// Bring what is not there.
    #[default]
    Fetch,
    /// Verify existing files with checksums, `LOCK.json` and receipts.
    Verify,
}

impl Order {
    /// Does what is asked for, once every word is understood.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use rut_fetch::{DataSets, Error, FetchOptions, Order, Session};
    ///
    /// let order = Order {
    ///     data_sets: DataSets::Named(vec!["cifr10".to_owned()]),
    ///     ..Order::default()
    /// };
    /// let error = order.carry_out(&Session::new(FetchOptions::default(), Arc::new(()))).unwrap_err();
    /// assert!(matches!(&error, Error::Unknown { name, .. } if name == "cifr10"));
    /// assert!(error.to_string().ends_with("did you mean 'cifar10'?"));
    /// ```
    ///
    /// # Errors
    /// [`Error::Unknown`] or [`Error::HubName`], if a word is not; [`Error::WithoutModels`], if weights are asked for and
    /// this build reads none. [`Error::Missing`], [`Error::Findings`] or [`Error::Interrupted`], as [`fetch`] and
    /// [`verify`] say; for both parts of an order together.
    pub fn carry_out(&self, session: &Session) -> Result<()> {
        let specs = match &self.data_sets {
            DataSets::All => all(),
            DataSets::Named(names) => named(names)?,
        };
        let weights = self.weights(session)?;
        let first = self.with_data_sets(&specs, session);
        both(first, weights(), session)
    }

    fn with_data_sets(&self, specs: &[&DatasetSpec], session: &Session) -> Result<()> {
        let absence = match self.data_sets {
            DataSets::All => Absence::Fine,
            DataSets::Named(_) => Absence::Finding,
        };
        match self.task {
            Task::Fetch => fetch(specs, session),
            Task::Verify => verify(specs, session, absence),
        }
    }

    /// The other part of the order, understood.
    #[cfg(feature = "models")]
    fn weights<'a>(&'a self, session: &'a Session) -> Result<impl FnOnce() -> Result<()> + 'a> {
        use crate::models::{HubFile, Wanted, fetch_weights, select, verify_weights};

        let table = select(&self.models)?.into_iter();
        let mut wanted: Vec<_> = table.map(Wanted::of_table).collect();
        for text in &self.hub_files {
            wanted.push(Wanted::of_hub(HubFile::parse(text)?, &session.options.hub));
        }
        let absence = if self.models.iter().any(|model| model == "all") {
            Absence::Fine
        } else {
            Absence::Finding
        };
        Ok(move || match self.task {
            Task::Fetch => fetch_weights(&wanted, session),
            Task::Verify => verify_weights(&wanted, session, absence),
        })
    }

    #[cfg(not(feature = "models"))]
    fn weights(&self, _: &Session) -> Result<impl FnOnce() -> Result<()>> {
        if self.models.is_empty() && self.hub_files.is_empty() {
            Ok(|| Ok(()))
        } else {
            Err(Error::WithoutModels)
        }
    }
}

/// One error of two parts: one that was not reported yet is preferred; of two such errors, the second.
fn both(first: Result<()>, second: Result<()>, session: &Session) -> Result<()> {
    match (first, second) {
        (Ok(()), other) | (other, Ok(())) => other,
        (Err(Error::Interrupted), _) | (_, Err(Error::Interrupted)) => Err(Error::Interrupted),
        (Err(Error::Missing { mut names }), Err(Error::Missing { names: more })) => {
            names.extend(more);
            Err(Error::Missing { names })
        }
        (Err(Error::Findings { count }), Err(Error::Findings { count: more })) => {
            Err(Error::Findings {
                count: count + more,
            })
        }
        (Err(error), Err(other)) => {
            session.note(&format!("failed to {other}"));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::FetchOptions;

    #[test]
    fn two_errors_are_one() {
        let session = Session::new(FetchOptions::default(), Arc::new(()));
        let together = |first, second| {
            let result = both(Err(first), Err(second), &session);
            result.unwrap_err().to_string()
        };
        let missing = |name: &str| Error::Missing {
            names: vec![name.to_owned()],
        };
        let findings = |count| Error::Findings { count };
        assert_eq!(together(missing("a"), missing("b")), "fetch a, b");
        assert_eq!(
            together(findings(1), findings(2)),
            "find everything right: 3 findings"
        );
        let text = together(findings(1), Error::Interrupted);
        assert_eq!(text, Error::Interrupted.to_string());
        assert_eq!(
            together(Error::Proxy, findings(1)),
            Error::Proxy.to_string()
        );
        both(Ok(()), Ok(()), &session).unwrap();
        both(Ok(()), Err(findings(1)), &session).unwrap_err();
    }
}
