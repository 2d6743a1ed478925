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
//! take, for training and for validation, so that these are nested in the same way. Where a class is
//! too short for reserve and shots, the reserve gives way, down to the validation images; without
//! validation, all of it. The shots are then the last of the order, and nested as before.
//!
//! Where a data set has validation images of its own ([`draw_beside_validation`]), these have orders
//! of their own, of which validation is a prefix; the shots are those of a draw without validation.

use crate::stratify::{by_class, shuffled_by_class};
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

    /// The usual rule where a data set has validation images of its own: all of them beside all
    /// training images, else as [`default_validation`](Self::default_validation).
    #[must_use]
    pub fn default_own_validation(budget: Budget) -> ValidationRule {
        match budget {
            Budget::All => ValidationRule::All,
            budget => DrawOptions::default_validation(budget),
        }
    }
}

/// The images drawn: indices into the training set, ascending, disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Images to train on.
    pub train: Vec<usize>,
    /// Images to validate on; of [`draw_beside_validation`], indices into the validation images.
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
        plan.handle_short_class(index, name.as_ref(), options.short, &mut drawn)?;
        drawn.validation.extend(&order[..plan.validation]);
        drawn.train.extend(&order[plan.train_from..plan.train_to]);
    }
    drawn.train.sort_unstable();
    drawn.validation.sort_unstable();
    Ok(drawn)
}

/// [`draw`] for a data set with validation images of its own: the training images are those that
/// are drawn without validation, the validation images are drawn from its own ones, which have
/// `validation_labels`. A rule that is a share takes as many as it takes of the training images
/// elsewhere, or all that there are.
///
/// ```
/// use rut_data::{Budget, DrawOptions, Seed, ShortClass, Shots, draw_beside_validation};
/// let (labels, own) = ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1]);
/// let budget = Budget::PerClass(Shots(3));
/// let validation = rut_data::ValidationRule::PerClass(1);
/// let options = DrawOptions { budget, validation, short: ShortClass::Refuse, seed: Seed(4) };
/// let drawn = draw_beside_validation(&labels, &own, &["owl", "crow"], &options)?;
/// assert_eq!((drawn.train.len(), drawn.validation.len()), (6, 2));
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// As [`draw`], of both.
pub fn draw_beside_validation(
    labels: &[u32],
    validation_labels: &[u32],
    class_names: &[impl AsRef<str>],
    options: &DrawOptions,
) -> Result<Draw> {
    options.validation.check()?;
    let without = DrawOptions {
        validation: ValidationRule::None,
        ..*options
    };
    let mut drawn = draw(labels, class_names, &without)?;
    let classes = class_names.len();
    let trained = by_class(labels, classes)?;
    let orders = shuffled_by_class(
        validation_labels,
        classes,
        options.seed,
        "few-shot validation",
    )?;
    let of_classes = (0u32..).zip(class_names).zip(orders.iter().zip(&trained));
    for ((index, name), (order, trained)) in of_classes {
        let plan = Plan::of_own_validation(order.len(), trained.len(), options);
        plan.handle_short_class(index, name.as_ref(), options.short, &mut drawn)?;
        drawn.validation.extend(&order[..plan.validation]);
    }
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
    shortage: Shortage,
}

/// Of which images a class may have too few, which decides what helps.
#[derive(Clone, Copy)]
enum Shortage {
    /// Of all its images, beside so many for validation.
    All { validation: usize },
    /// Of training images for so many shots, beside so many for validation.
    Shots { shots: usize, validation: usize },
    /// Of the data set's own validation images.
    Validation,
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
            shortage: Shortage::All { validation: asked },
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
        Plan {
            found,
            // The rest of the reserve is not needed.
            wanted: asked + shots,
            validation: asked.min(train_from),
            train_from,
            train_to,
            parts: format!("{} and {asked} kept for validation", counted(shots, "shot")),
            shortage: Shortage::Shots {
                shots,
                validation: asked,
            },
        }
    }

    /// Of `found` validation images of the data set's own, for a class with `trained` training images.
    fn of_own_validation(found: usize, trained: usize, options: &DrawOptions) -> Plan {
        let share = |of: f64| ValidationRule::Fraction(of).count(trained).min(found);
        let wanted = match (options.validation, options.budget) {
            (ValidationRule::All, _) => found,
            (ValidationRule::Fraction(of), Budget::Fraction(taken)) => share(of * taken.get()),
            (ValidationRule::Fraction(of), _) => share(of),
            (rule, _) => rule.count(found),
        };
        Plan {
            found,
            wanted,
            validation: wanted.min(found),
            train_from: 0,
            train_to: 0,
            parts: format!("{wanted} for validation, from the data set's own validation images"),
            shortage: Shortage::Validation,
        }
    }

    /// Refuses or lists a class that is too short.
    fn handle_short_class(
        &self,
        index: u32,
        name: &str,
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
                    parts: self.parts.as_str().into(),
                    part: match self.shortage {
                        Shortage::Validation => "validation",
                        Shortage::All { .. } | Shortage::Shots { .. } => "training",
                    },
                    remedy: self.remedy().into(),
                });
            }
        }
        Ok(())
    }

    /// What helps where a class is too short, besides leaving it out or taking what is there.
    fn remedy(&self) -> String {
        const FEWER: &str = "lower `n_shot`, ";
        const LESS: &str = "take fewer for validation (`val_shots = 0` for none), ";
        let (shots, validation) = match self.shortage {
            Shortage::Shots { shots, validation } => (shots, validation),
            Shortage::All { validation } => (1, validation),
            Shortage::Validation => (1, self.wanted),
        };
        let fewer = if shots > 1 { FEWER } else { "" };
        let enough = matches!(self.shortage, Shortage::Validation) || shots <= self.found;
        let less = if validation > 0 && enough { LESS } else { "" };
        [fewer, less].concat()
    }
}

/// `1 shot`, `2 shots`.
fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// Images of a class that stand before the shots in its order. `asked` is what the rule takes.
fn reserve(rule: ValidationRule, asked: usize) -> usize {
    match rule {
        ValidationRule::Fraction(share) if share > 0.0 => asked,
        _ => asked.max(RESERVE),
    }
}
