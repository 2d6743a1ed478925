//! The words that fields can be.

use crate::field::Word;

pub(super) const VALIDATION: &[Word] = &[
    Word::new("own", "the data set's own validation images"),
    Word::new("drawn", "images that are kept from the training images"),
];
pub(super) const SHORT_CLASSES: &[Word] = &[
    Word::new("refuse", "an error"),
    Word::new("allow", "what is there is taken, and recorded"),
];
pub(super) const NETWORK_KIND: &[Word] = &[
    Word::new("dense", "all weights of the checkpoint"),
    Word {
        aliases: &["LT", "lt"],
        ..Word::new("ticket", "checkpoint × mask")
    },
    Word::new("quantized", "weights, and perhaps activations, of few bits"),
];
pub(super) const MASKING: &[Word] = &[
    Word::new("applied", "weights are checkpoint × mask"),
    Word::new(
        "dropped",
        "weights are the checkpoint's (defect D11 of the reference)",
    ),
];
pub(super) const INTERPOLATION: &[Word] = &[
    Word::new("bilinear", "straight lines between pixels"),
    Word::new("bicubic", "cubic curves"),
];
pub(super) const HEAD: &[Word] = &[
    Word::new("linear", "a linear layer under cross-entropy"),
    Word::new(
        "knn",
        "the nearest training images by cosine, each weighted by exp(cosine / temperature)",
    ),
    Word::new("prototype", "the cosine to the mean of each class"),
    Word::new(
        "ridge",
        "ridge regression of the classes; its scores are no logits",
    ),
];
pub(super) const C_SEARCH: &[Word] = &[Word::new(
    "coop",
    "C from 1e6 to 1e-6, then eight steps of bisection in log C around the best, as CoOp's linear probes of CLIP; \
     the weight decay is 1 / (C × training images)",
)];
pub(super) const SCHEDULE: &[Word] = &[
    Word::new(
        "multistep",
        "a tenth at half and again at 72 % of the epochs, as published",
    ),
    Word::new("cosine", "down half a cosine, changed after every epoch"),
    Word::new("cosine-step", "the same, changed after every step"),
    Word::new(
        "cosine-cycling",
        "`cosine` with its epochs counted in steps, so that the rate rises and falls (ACAVP as released)",
    ),
];
pub(super) const OPTIMIZER: &[Word] = &[
    Word::new("adam", "steps of Adam on batches, as published"),
    Word::new(
        "sgd",
        "steps of stochastic gradient descent with momentum; of prompts",
    ),
    Word::new(
        "spsa",
        "simultaneous perturbation with gradient correction: the network is asked for outputs alone; of prompts",
    ),
    Word::new(
        "lbfgs",
        "of heads: logistic regression on all training features at once, to the optimum; `epochs` is then the most iterations, and \
         `resume` starts the fit again",
    ),
];
pub(super) const CACHE_DTYPE: &[Word] = &[
    Word::new("f32", "as the network computed them"),
    Word::new(
        "f16",
        "half the disk and memory, rounded by at most 1 in 2048",
    ),
];
pub(super) const ON_OR_OFF: &[Word] = &[Word::new("on", "yes"), Word::new("off", "no")];
pub(super) const SELECT: &[Word] = &[
    Word::new("last", "the last epoch"),
    Word::new("best-val", "the best on the validation images"),
    Word::new(
        "best-test",
        "the best on the test images: selects on the test set (defect D7 of the reference)",
    ),
];
pub(super) const ECE_VALUES: &[Word] = &[
    Word::new("probabilities", "confidences"),
    Word::new("logits", "largest logits (defect D1 of the reference)"),
];
pub(super) const ECE_BATCHES: &[Word] = &[
    Word::new("whole", "all images at once"),
    Word::new(
        "batch-sum",
        "batches, summed and divided by the images (defects D2, D3)",
    ),
    Word::new("batch-mean", "the mean over batches (defect D4)"),
];
