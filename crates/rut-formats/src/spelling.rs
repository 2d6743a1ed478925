//! What a person may have meant by a name that no table has. The caller passes the names.

use strsim::levenshtein;

/// Names this far apart (in edits) are taken for a slip of the finger.
const SLIP: usize = 3;

/// `"; did you mean 'cifar10'?"` for the name of `known` that is nearest to `name`, or nothing where none is near. A name
/// that `name` is the beginning of is nearer than any other; of names equally near, one of which `name` only lacks letters,
/// then the first. Case, `-`, `_` and
/// blanks do not matter.
///
/// ```
/// assert_eq!(rut_formats::did_you_mean("cifr-10", ["cifar10", "gtsrb"]), "; did you mean 'cifar10'?");
/// assert_eq!(rut_formats::did_you_mean("imagenet", ["cifar10", "gtsrb"]), "");
/// ```
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let name = plain_name(name);
    let near = |known: &&str| {
        let known = plain_name(known);
        let begins = name.chars().count() >= SLIP && known.starts_with(&name);
        let edits = levenshtein(&name, &known);
        let most = SLIP.min(known.chars().count() / 2);
        (begins || edits <= most).then_some((!begins, edits, !lacks_letters(&name, &known)))
    };
    let nearest = known
        .into_iter()
        .filter_map(|known| Some((near(&known)?, known)))
        .min_by_key(|(nearness, _)| *nearness);
    nearest.map_or_else(String::new, |(_, known)| {
        format!("; did you mean '{known}'?")
    })
}

/// Whether the letters of `name` stand in `known`, in their order.
fn lacks_letters(name: &str, known: &str) -> bool {
    let mut rest = known.chars();
    name.chars().all(|letter| rest.any(|other| other == letter))
}

/// A name without what does not matter: case, `-`, `_` and blanks.
///
/// ```
/// assert_eq!(rut_formats::plain_name("CIFAR-10"), rut_formats::plain_name("cifar_10"));
/// ```
#[must_use]
pub fn plain_name(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_beginning_is_nearer_than_a_slip_and_short_names_take_few_edits() {
        let models = ["resnet50", "resnet20_cifar10", "resnet20_cifar100", "vgg11"];
        let hint = |name| did_you_mean(name, models);
        assert_eq!(hint("resnet20"), "; did you mean 'resnet20_cifar10'?");
        assert_eq!(hint("ResNet-51"), "; did you mean 'resnet50'?");
        assert_eq!(
            hint("resnet20_cifar101"),
            "; did you mean 'resnet20_cifar10'?"
        );
        assert_eq!(hint("vgg12"), "; did you mean 'vgg11'?");
        for far in ["", "r", "densenet121"] {
            assert_eq!(hint(far), "", "{far}");
        }
        assert_eq!(did_you_mean("abc", ["ilm", "flm"]), "");
        assert_eq!(
            did_you_mean("ilmm", ["flm", "ilm"]),
            "; did you mean 'ilm'?"
        );
        assert_eq!(
            did_you_mean("sed", ["std", "seed"]),
            "; did you mean 'seed'?"
        );
    }
}
