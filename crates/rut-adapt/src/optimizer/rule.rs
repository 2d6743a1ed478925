//! What is done to gradients before a step.

use candle_core::{Result, Tensor};

/// How a prompt's gradients are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradientForm {
    /// As they are.
    #[default]
    Raw,
    /// Divided by their norm, each tensor for itself: g / (‖g‖₂ + 10⁻¹⁰), over the whole canvas, before what is not trained
    /// is left out (EVP, Wu et al., arXiv 2212.10556).
    Normalized,
}

/// What is done to gradients before a step, in this order: a prompt's are normalised, all are clipped by value, then by norm.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use rut_adapt::{GradientForm, GradientRule};
/// let gradient = Tensor::new(&[3.0f64, -4.0], &Device::Cpu)?;
/// let rule = GradientRule { form: GradientForm::Normalized, ..GradientRule::default() };
/// let unit = rule.of_prompt(vec![gradient.clone()])?[0].to_vec1::<f64>()?;
/// assert!((unit[1] + 0.8).abs() < 1e-9);
/// let rule = GradientRule { clip_norm: Some(1.0), ..GradientRule::default() };
/// let clipped = rule.clipped(vec![gradient])?[0].to_vec1::<f64>()?;
/// assert!((clipped[0] - 0.6).abs() < 1e-6);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GradientRule {
    /// The form of a prompt's gradients.
    pub form: GradientForm,
    /// The largest absolute value of an entry, as `torch.nn.utils.clip_grad_value_`.
    pub clip_value: Option<f64>,
    /// The largest norm over all tensors together, as `torch.nn.utils.clip_grad_norm_`.
    pub clip_norm: Option<f64>,
}

impl GradientRule {
    /// A prompt's gradients in their form.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn of_prompt(&self, gradients: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let unit = |gradient: Tensor| &gradient / (norm(&[&gradient])? + 1e-10);
        match self.form {
            GradientForm::Raw => Ok(gradients),
            GradientForm::Normalized => gradients.into_iter().map(unit).collect(),
        }
    }

    /// All gradients within the limits.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn clipped(&self, gradients: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut clipped = gradients;
        if let Some(most) = self.clip_value {
            let clamp = |gradient: &Tensor| gradient.clamp(-most, most);
            clipped = clipped.iter().map(clamp).collect::<Result<_>>()?;
        }
        if let Some(most) = self.clip_norm {
            let norm = norm(&clipped.iter().collect::<Vec<_>>())?;
            let share = (most / (norm + 1e-6)).min(1.0);
            let scale = |gradient: &Tensor| gradient * share;
            clipped = clipped.iter().map(scale).collect::<Result<_>>()?;
        }
        Ok(clipped)
    }
}

/// ‖·‖₂ over all entries of all tensors.
fn norm(tensors: &[&Tensor]) -> Result<f64> {
    let mut sum = 0.0;
    for tensor in tensors {
        let wide = tensor.to_dtype(candle_core::DType::F64)?;
        sum += wide.sqr()?.sum_all()?.to_scalar::<f64>()?;
    }
    Ok(sum.sqrt())
}
