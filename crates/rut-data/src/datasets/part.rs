//! Which part of a data set the name of a folder or a file says, or a word in a list: in any case, with
//! the keywords by which the `datasets` library of Hugging Face knows splits.

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Train,
    Validation,
    Test,
}

/// The words for each part.
static KEYWORDS: &[(Part, &[&str])] = &[
    (Part::Train, &["train", "training"]),
    (
        Part::Validation,
        &["val", "validation", "valid", "validate", "dev"],
    ),
    (Part::Test, &["test", "testing", "eval", "evaluation"]),
];

/// What a part is called where several names say it: the first of these is taken.
const FIRST: &[&str] = &["train", "val", "validation", "test"];

/// Words beside a keyword that say nothing: `test_set`, `train_images`.
const NEUTRAL: &[&str] = &["set", "data", "images", "imgs", "split"];

impl Part {
    /// All of them, in order.
    pub(crate) const ALL: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

    /// The words that mean a part, in messages.
    pub(crate) const WORDS: &str = "train, val, validation or test";

    /// What it is called.
    #[cfg(feature = "parquet")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Train => "training",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }

    /// The part that `name` says, and what else it says, which the parts of one data set share: of
    /// `seg_train`, `seg`. Whatever is no letter parts words; nothing for names of no part, or of two.
    pub(crate) fn in_name(name: &str) -> Option<(Part, String)> {
        let name = name.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphabetic());
        let mut rest: Vec<&str> = words
            .filter(|word| !word.is_empty() && !NEUTRAL.contains(word))
            .collect();
        let mut said =
            (0..rest.len()).filter_map(|at| Some((at, Part::by_keyword(rest.get(at)?)?)));
        let ((at, part), None) = (said.next()?, said.next()) else {
            return None;
        };
        rest.remove(at);
        Some((part, rest.join(" ")))
    }

    /// `testset` is `test`.
    fn by_keyword(word: &str) -> Option<Part> {
        let word = word.strip_suffix("set").unwrap_or(word);
        let known = KEYWORDS.iter().find(|(_, words)| words.contains(&word));
        known.map(|(part, _)| *part)
    }
}

/// Which of several names are the parts of one data set: of those that share what else they say, the
/// name of each part. Nothing where no name says training images, or only such. Names that are nothing
/// but a keyword go first.
///
/// # Errors
/// The names among which nothing decides.
pub(crate) fn parts_among(names: &[String]) -> Result<Option<Vec<(Part, String)>>, Vec<String>> {
    let mut groups: Vec<(String, Vec<(Part, String)>)> = Vec::new();
    for name in names {
        let Some((part, rest)) = Part::in_name(name) else {
            continue;
        };
        let member = (part, name.clone());
        match groups.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, members)) => members.push(member),
            None => groups.push((rest, vec![member])),
        }
    }
    let whole = |members: &[(Part, String)]| {
        let train = |member: &(Part, String)| member.0 == Part::Train;
        members.iter().any(train) && !members.iter().all(train)
    };
    groups.retain(|(_, members)| whole(members));
    groups.sort();
    let plain = groups.iter().position(|(rest, _)| rest.is_empty());
    match (groups.len(), plain) {
        (0, _) => Ok(None),
        (_, Some(plain)) => one_of_each(&groups[plain].1).map(Some),
        (1, None) => one_of_each(&groups[0].1).map(Some),
        _ => {
            let members = groups.into_iter().flat_map(|(_, members)| members);
            Err(members.map(|(_, name)| name).collect())
        }
    }
}

fn one_of_each(members: &[(Part, String)]) -> Result<Vec<(Part, String)>, Vec<String>> {
    let mut found: Vec<(Part, String)> = Vec::new();
    for part in Part::ALL {
        let of_part = members.iter().filter(|member| member.0 == part);
        let mut names: Vec<&String> = of_part.map(|(_, name)| name).collect();
        let rank = |name: &str| FIRST.iter().position(|first| *first == name);
        names.sort_by_key(|name| rank(name).unwrap_or(FIRST.len()));
        match names.as_slice() {
            [] => {}
            [first, others @ ..] if others.is_empty() || rank(first).is_some() => {
                found.push((part, (*first).clone()));
            }
            names => return Err(names.iter().map(|name| (*name).clone()).collect()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
