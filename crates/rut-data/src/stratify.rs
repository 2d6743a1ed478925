//! Seeded orders and splits per class, for few-shot draws and for data without an official split.

use crate::{Error, ImageSet, Parts, Result, Seed, ValidationRule};

/// The images of each class, ascending.
///
/// # Errors
/// [`Error::LabelOutOfRange`].
pub(crate) fn by_class(labels: &[u32], classes: usize) -> Result<Vec<Vec<usize>>> {
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        let class = members.get_mut(label as usize);
        class
            .ok_or(Error::LabelOutOfRange {
                index,
                label,
                classes,
            })?
            .push(index);
    }
    Ok(members)
}

/// The images of each class, each class in a random order of its own stream `PURPOSE/class C`.
pub(crate) fn shuffled_by_class(
    labels: &[u32],
    classes: usize,
    seed: Seed,
    purpose: &str,
) -> Result<Vec<Vec<usize>>> {
    let mut members = by_class(labels, classes)?;
    for (class, indices) in members.iter_mut().enumerate() {
        seed.stream(&format!("{purpose}/class {class}"))
            .shuffle(indices);
    }
    Ok(members)
}

/// Two disjoint lists of indices, each ascending, that cover everything.
pub(crate) struct Cut {
    pub(crate) train: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

/// Cuts each class, in a seeded random order, after as many training images as `train_count`
/// says for its index and size.
pub(crate) fn cut(members: Vec<Vec<usize>>, train_count: impl Fn(usize, usize) -> usize) -> Cut {
    let mut parts = Cut {
        train: Vec::new(),
        test: Vec::new(),
    };
    for (class, indices) in members.iter().enumerate() {
        let (train, test) = indices.split_at(train_count(class, indices.len()).min(indices.len()));
        parts.train.extend(train);
        parts.test.extend(test);
    }
    parts.train.sort_unstable();
    parts.test.sort_unstable();
    parts
}

/// The parts of data without an own split: [`set_aside`], with the remark that says so.
///
/// # Errors
/// As [`set_aside`].
pub(crate) fn split_anew(
    class_names: Vec<String>,
    all: &ImageSet,
    share: f64,
    seed: Seed,
    purpose: &str,
) -> Result<Parts> {
    let (train, test) = set_aside(all, class_names.len(), share, seed, purpose)?;
    Ok(Parts {
        class_names,
        train,
        validation: None,
        test,
        remarks: vec![made(share, seed)],
    })
}

/// The remark on a test part that was set aside here.
pub(crate) fn made(share: f64, Seed(seed): Seed) -> String {
    let percent = (share * 100.0).round();
    format!(
        "the test part is made by rut: about {percent} % of each class, drawn with seed {seed} \
         (`split = stratified:SEED` draws another)"
    )
}

/// Training and test images: of each class, in a random order that the seed and the purpose decide,
/// the last `share`, rounded, and at least one where it has two images or more, is for testing.
///
/// # Errors
/// [`Error::BadOption`] for a share outside [0, 1), [`Error::LabelOutOfRange`].
pub(crate) fn set_aside(
    all: &ImageSet,
    classes: usize,
    share: f64,
    seed: Seed,
    purpose: &str,
) -> Result<(ImageSet, ImageSet)> {
    let rule = ValidationRule::Fraction(share).check()?;
    let members = shuffled_by_class(all.labels(), classes, seed, purpose)?;
    let parts = cut(members, |_, size| size - rule.count(size));
    Ok((all.select(&parts.train), all.select(&parts.test)))
}

/// `total` shared out in proportion to `sizes`, by largest remainder; equal remainders go to the
/// smaller index.
pub(crate) fn proportional(sizes: &[usize], total: usize) -> Vec<usize> {
    let sum: usize = sizes.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * total / sum).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(sizes[class] * total % sum));
    let missing = total.saturating_sub(shares.iter().sum());
    for &class in order.iter().take(missing) {
        shares[class] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportional_shares_add_up() {
        assert_eq!(proportional(&[5, 5, 5], 10), [4, 3, 3]);
        assert_eq!(proportional(&[1, 9], 5), [1, 4]);
    }
}
