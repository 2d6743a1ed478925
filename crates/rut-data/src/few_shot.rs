//! The seeded draw of training and validation images.
//!
//! Each class has one random order, a function of the seed and the class's index alone:
//!
//! ```text
//! | validation … reserve | shots k | … shots k' > k |       the rest       |
//! ```
//!
//! Validation is a prefix of it. With a budget per class the shots follow after a *reserve* that
//! does not depend on the budget: the number of validation images where the rule gives a share,
//! and that number but at least four where the rule gives a count. Therefore, for one seed
//! and rule (or the usual rules), the shots of a smaller budget are among those of a larger one,
//! and no shots meet the validation images of any budget per class. The tenth that
//! [`Budget::All`] usually sets aside begins with the same validation images and goes on into
//! the shots. A budget that is a share of all images takes that share of what [`Budget::All`] would
//! take, for training and for validation, so that these are nested in the same way. Without validation the same shots are drawn; there the reserve gives way where a
//! class would be too short.

use crate::stratify::shuffled_by_class;
use crate::{Budget, Error, Result, Seed, Share, Shots, ValidationRule};

/// Images of each class that a budget per class keeps free for validation.
const RESERVE: usize = 4;

/// What to do with a class that has too few images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortClass {
    /// An error.
    Refuse,
    /// Take what is there, training images first, and list the class.
    Allow,
}

/// How a draw is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawOptions {
    /// Training images.
    pub budget: Budget,
    /// Validation images.
    pub validation: ValidationRule,
    /// What to do with short classes.
    pub short: ShortClass,
    /// Seed of the run.
    pub seed: Seed,
}

impl DrawOptions {
    /// The usual validation rule: a tenth of the images that the budget takes, or as many per class as there are shots, but four at the most.
    #[must_use]
    pub fn default_validation(budget: Budget) -> ValidationRule {
        match budget {
            Budget::All | Budget::Fraction(_) => ValidationRule::Fraction(0.1),
            Budget::PerClass(Shots(shots)) => ValidationRule::PerClass(shots.min(RESERVE)),
        }
    }
}

/// The images drawn: indices into the training set, ascending, disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Images to train on.
    pub train: Vec<usize>,
    /// Images to validate on.
    pub validation: Vec<usize>,
    /// Classes with too few images: (class, found, wanted). Empty under [`ShortClass::Refuse`].
    pub short_classes: Vec<(u32, usize, usize)>,
}

/// Draws training and validation images from a training set with these labels, which are indices into `class_names`.
///
/// ```
/// use rut_data::{Budget, DrawOptions, Seed, ShortClass, Shots, ValidationRule, draw};
/// let labels: Vec<u32> = (0..40).map(|index| index % 2).collect();
/// let budget = Budget::PerClass(Shots(3));
/// let validation = DrawOptions::default_validation(budget);
/// let options = DrawOptions { budget, validation, short: ShortClass::Refuse, seed: Seed(4) };
/// let drawn = draw(&labels, &["owl", "crow"], &options)?;
/// assert_eq!((drawn.train.len(), drawn.validation.len()), (6, 6));
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::LabelOutOfRange`]; [`Error::BadOption`] for a budget of 0 or a fraction outside
/// [0, 1); [`Error::ShortClass`] under [`ShortClass::Refuse`] for a class with fewer images than
/// reserve and shots together, with none, or with none left to train on.
pub fn draw(
    labels: &[u32],
    class_names: &[impl AsRef<str>],
    options: &DrawOptions,
) -> Result<Draw> {
    options.validation.check()?;
    if options.budget == Budget::PerClass(Shots(0)) {
        let (what, found) = ("number of shots", "0".to_owned());
        return Err(Error::BadOption {
            what,
            found,
            expected: "1 or more images per class",
        });
    }
    let mut drawn = Draw {
        train: vec![],
        validation: vec![],
        short_classes: vec![],
    };
    let orders = shuffled_by_class(labels, class_names.len(), options.seed, "few-shot")?;
    for ((index, name), order) in (0u32..).zip(class_names).zip(&orders) {
        let plan = Plan::new(order.len(), options);
        plan.settle((index, name.as_ref()), options.short, &mut drawn)?;
        drawn.validation.extend(&order[..plan.validation]);
        drawn.train.extend(&order[plan.train_from..plan.train_to]);
    }
    drawn.train.sort_unstable();
    drawn.validation.sort_unstable();
    Ok(drawn)
}

/// What is taken of one class's order.
struct Plan {
    found: usize,
    wanted: usize,
    validation: usize,
    train_from: usize,
    train_to: usize,
    parts: String,
}

impl Plan {
    fn new(found: usize, options: &DrawOptions) -> Plan {
        let asked = options.validation.count(found);
        match options.budget {
            Budget::All => Plan::of_all(found, asked),
            Budget::PerClass(Shots(shots)) => {
                Plan::of_shots(found, asked, shots, reserve(options.validation, asked))
            }
            Budget::Fraction(share) => Plan::of_share(found, options.validation, share),
        }
    }

    fn of_all(found: usize, asked: usize) -> Plan {
        let validation = asked.min(found.saturating_sub(1));
        let parts = format!("{asked} for validation and at least 1 to train on");
        let wanted = asked + 1;
        Plan {
            found,
            wanted,
            validation,
            train_from: validation,
            train_to: found,
            parts,
        }
    }

    /// A share of what [`Plan::of_all`] takes, for training and, where the rule is a share, for
    /// validation; training images begin where those begin, whatever the share.
    fn of_share(found: usize, rule: ValidationRule, share: Share) -> Plan {
        let of_all = Plan::of_all(found, rule.count(found));
        let validation = match rule {
            ValidationRule::Fraction(of) => ValidationRule::Fraction(of * share.get()).count(found),
            _ => of_all.validation,
        };
        let taken = share.of(found - of_all.validation);
        Plan {
            validation: validation.min(of_all.validation),
            train_to: (of_all.train_from + taken).min(found),
            ..of_all
        }
    }

    fn of_shots(found: usize, asked: usize, shots: usize, reserve: usize) -> Plan {
        let train_from = reserve.min(found.saturating_sub(shots));
        let train_to = found.min(train_from + shots);
        // Without validation nobody misses the reserve.
        let needed = if asked == 0 { 0 } else { reserve };
        let parts = format!("{shots} shots and {needed} kept for validation");
        let validation = asked.min(train_from);
        Plan {
            found,
            wanted: needed + shots,
            validation,
            train_from,
            train_to,
            parts,
        }
    }

    /// Refuses or lists a class that is too short.
    fn settle(
        &self,
        (index, name): (u32, &str),
        short: ShortClass,
        drawn: &mut Draw,
    ) -> Result<()> {
        let Plan { found, wanted, .. } = *self;
        match short {
            _ if found >= wanted => {}
            ShortClass::Allow => drawn.short_classes.push((index, found, wanted)),
            ShortClass::Refuse => {
                return Err(Error::ShortClass {
                    class: name.to_owned(),
                    index,
                    found,
                    wanted,
                    parts: self.parts.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Images of a class that stand before the shots in its order. `asked` is what the rule takes.
fn reserve(rule: ValidationRule, asked: usize) -> usize {
    match rule {
        ValidationRule::Fraction(share) if share > 0.0 => asked,
        _ => asked.max(RESERVE),
    }
}
