//! The tasks that the registry's models were trained on, with the names of their classes in logit order.

static IMAGENET: [&str; 1000] = lines(include_str!("upstream/imagenet.txt"));
static CIFAR10: [&str; 10] = lines(include_str!("upstream/cifar10.txt"));
static CIFAR100: [&str; 100] = lines(include_str!("upstream/cifar100.txt"));

/// An upstream classification task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Upstream {
    /// ILSVRC 2012, 1,000 classes; names as in torchvision's weight metadata.
    ImageNet,
    /// CIFAR-10.
    Cifar10,
    /// CIFAR-100 with its fine labels.
    Cifar100,
}

impl Upstream {
    /// The lowercase name of the task: `imagenet`, `cifar10`, `cifar100`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "imagenet",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
        }
    }

    /// The names of the classes, in the order of the logits.
    ///
    /// ```
    /// use rut_models::Upstream;
    /// assert_eq!(Upstream::ImageNet.class_names()[0], "tench");
    /// assert_eq!(Upstream::Cifar100.class_names().len(), 100);
    /// ```
    pub fn class_names(self) -> &'static [&'static str] {
        match self {
            Self::ImageNet => &IMAGENET,
            Self::Cifar10 => &CIFAR10,
            Self::Cifar100 => &CIFAR100,
        }
    }
}

/// The `N` lines of a text, at compile time; a text with another number of lines does not compile.
const fn lines<const N: usize>(text: &'static str) -> [&'static str; N] {
    let mut lines = [""; N];
    let (mut rest, mut line, mut at) = (text, 0, 0);
    while at < rest.len() {
        if rest.as_bytes()[at] == b'\n' {
            let (head, tail) = rest.split_at(at);
            lines[line] = head;
            line += 1;
            rest = tail.split_at(1).1;
            at = 0;
        } else {
            at += 1;
        }
    }
    assert!(line == N && rest.is_empty());
    lines
}
