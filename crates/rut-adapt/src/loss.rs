//! Softmax cross-entropy, the one loss of both methods. `rut-metrics` computes the scores of a whole split.

use candle_core::{D, DType, Result, Tensor, Var};

/// A batch's mean loss and how many of its predictions were right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// Number of rows whose largest logit (the first of several) is the label's.
    pub correct: usize,
}

/// Mean over the rows of `-log softmax(logits)[label]`, as a scalar tensor that can be differentiated.
/// `logits` are [n, classes], `labels` `[n]` of u32.
///
/// # Errors
/// If the shapes do not fit or a label is not below the number of classes.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    candle_nn::loss::cross_entropy(logits, labels)
}

/// The value of a scalar `loss`, and the hits among `logits` [n, classes] for `labels`.
///
/// # Errors
/// If a tensor cannot be read.
pub fn score(loss: &Tensor, logits: &Tensor, labels: &[u32]) -> Result<Scored> {
    let predicted = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
    let correct = predicted.iter().zip(labels).filter(|(p, l)| p == l).count();
    Ok(Scored {
        loss: loss.to_dtype(DType::F64)?.to_scalar()?,
        correct,
    })
}

/// `labels` as a tensor `[n]` of u32 on the device of `beside`.
///
/// # Errors
/// If the device refuses it.
pub fn label_tensor(labels: &[u32], beside: &Tensor) -> Result<Tensor> {
    Tensor::new(labels, beside.device())
}

/// The gradients of a scalar `loss` with respect to `variables`, in their order.
///
/// # Errors
/// If the loss does not depend on one of them.
pub fn gradients(loss: &Tensor, variables: &[&Var]) -> Result<Vec<Tensor>> {
    let mut found = loss.backward()?;
    let take = |variable: &&Var| {
        let gradient = found.remove(variable.as_tensor()).ok_or_else(|| {
            candle_core::Error::Msg("the loss does not depend on a trained tensor".into())
        })?;
        // It may hold the graph that it was computed in, and an optimiser would keep that of every step.
        Ok(gradient.detach())
    };
    variables.iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn gradients_do_not_hold_the_graph() {
        let ones = |shape| Tensor::ones(shape, DType::F64, &Device::Cpu).unwrap();
        let kernel = Var::from_tensor(&ones((1, 1, 2, 2))).unwrap();
        let scale = Var::from_tensor(&ones((1, 1, 1, 1))).unwrap();
        // The convolution's input depends on a variable: candle computes the kernel's gradient from it.
        let input = ones((1, 1, 3, 3)).broadcast_mul(&scale).unwrap();
        let loss = input
            .conv2d(&kernel, 0, 1, 1, 1)
            .unwrap()
            .sum_all()
            .unwrap();
        let found = gradients(&loss, &[&kernel, &scale]).unwrap();
        assert_eq!(
            found[0].flatten_all().unwrap().to_vec1::<f64>().unwrap(),
            [4.0; 4]
        );
        assert!(found.iter().all(|gradient| !gradient.track_op()));
    }
}
