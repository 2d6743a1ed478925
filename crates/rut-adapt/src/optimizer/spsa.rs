//! Simultaneous perturbation with gradient correction (SPSA-GC of BlackVIP, Oh et al., CVPR 2023, arXiv 2303.14773): a black
//! box is asked for losses alone.

use candle_core::Tensor;
use rut_data::Seed;

use crate::error::Result;
use crate::state::TrainingState;

/// Gains of step k = 1, 2, …: a_k = a / (k + o)^α, where a is the learning rate, and c_k = c / k^γ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpsaOptions {
    /// o.
    pub offset: f64,
    /// c: the size of the first perturbation.
    pub perturbation: f64,
    /// α.
    pub alpha: f64,
    /// γ.
    pub gamma: f64,
    /// b₁.
    pub momentum: f64,
    /// Perturbations that a gradient is the mean of.
    pub draws: u32,
}

impl Default for SpsaOptions {
    fn default() -> Self {
        Self {
            offset: 1.0,
            perturbation: 0.01,
            alpha: 0.4,
            gamma: 0.1,
            momentum: 0.9,
            draws: 5,
        }
    }
}

/// ĝ = (L(w + c_k Δ) − L(w − c_k Δ)) / (2 c_k Δ), averaged over the draws; m ← b₁ m + ĝ (at first m = ĝ);
/// w ← w − a_k (ĝ + b₁ m). Entries of Δ are ±U(½, 1), drawn from the seed's stream `spsa/step K/draw D`.
#[derive(Clone, Debug)]
pub struct Spsa {
    options: SpsaOptions,
    seed: Seed,
    step: u64,
    momenta: Vec<Tensor>,
}

impl Spsa {
    /// An optimiser that has not stepped yet.
    pub fn new(options: SpsaOptions, seed: Seed) -> Self {
        Self {
            options,
            seed,
            step: 0,
            momenta: Vec::new(),
        }
    }

    /// The parameters after one step; `loss` is asked for the loss at others, twice for each draw.
    ///
    /// # Errors
    /// If a loss cannot be computed.
    pub fn step(
        &mut self,
        parameters: &[Tensor],
        rate: f64,
        mut loss: impl FnMut(&[Tensor]) -> Result<f64>,
    ) -> Result<Vec<Tensor>> {
        self.step += 1;
        let draws = (0..self.options.draws)
            .map(|draw| self.draw(draw, parameters))
            .collect::<Result<Vec<_>>>()?;
        self.descend(parameters, &draws, rate, &mut loss)
    }

    fn descend(
        &mut self,
        parameters: &[Tensor],
        draws: &[Vec<Tensor>],
        rate: f64,
        loss: &mut dyn FnMut(&[Tensor]) -> Result<f64>,
    ) -> Result<Vec<Tensor>> {
        let SpsaOptions {
            offset,
            perturbation,
            alpha,
            gamma,
            momentum,
            ..
        } = self.options;
        let k = self.step as f64;
        let (size, reach) = (
            rate / (k + offset).powf(alpha),
            perturbation / k.powf(gamma),
        );
        let mut gradients: Vec<Tensor> = parameters
            .iter()
            .map(Tensor::zeros_like)
            .collect::<Result<_, _>>()?;
        for draw in draws {
            let mut at = |sign: f64| -> Result<f64> {
                let moved = |(p, d): (&Tensor, &Tensor)| p + (d * (sign * reach))?;
                let moved = parameters.iter().zip(draw).map(moved);
                loss(&moved.collect::<Result<Vec<_>, _>>()?)
            };
            let slope = (at(1.0)? - at(-1.0)?) / (2.0 * reach * draws.len() as f64);
            for (gradient, delta) in gradients.iter_mut().zip(draw) {
                *gradient = (&*gradient + (delta.recip()? * slope)?)?;
            }
        }
        let mut stepped = Vec::with_capacity(parameters.len());
        for (index, (parameter, gradient)) in parameters.iter().zip(gradients).enumerate() {
            let momenta = match self.momenta.get(index) {
                Some(last) => ((last * momentum)? + &gradient)?,
                None => gradient.clone(),
            };
            let direction = (gradient + (&momenta * momentum)?)?;
            stepped.push((parameter - (direction * size)?)?.detach());
            match self.momenta.get_mut(index) {
                Some(last) => *last = momenta,
                None => self.momenta.push(momenta),
            }
        }
        Ok(stepped)
    }

    /// Δ of one draw of the step at hand.
    fn draw(&self, draw: u32, parameters: &[Tensor]) -> Result<Vec<Tensor>> {
        let name = format!("spsa/step {}/draw {draw}", self.step);
        let mut stream = self.seed.stream(&name);
        let mut entry = || {
            let (bits, size) = (stream.next_u64(), 0.5 + 0.5 * stream.uniform());
            if bits & 1 == 0 { size } else { -size }
        };
        let mut delta = |like: &Tensor| -> Result<Tensor> {
            let values: Vec<f64> = (0..like.elem_count()).map(|_| entry()).collect();
            let delta = Tensor::from_vec(values, like.dims(), like.device())?;
            Ok(delta.to_dtype(like.dtype())?)
        };
        parameters.iter().map(&mut delta).collect()
    }

    /// Writes step count and momenta into `state`.
    pub fn save(&self, state: &mut TrainingState) {
        state.put_number("spsa.step", self.step);
        for (index, momenta) in self.momenta.iter().enumerate() {
            state.put_tensor(&format!("spsa.{index}.momentum"), momenta);
        }
    }

    /// Takes over what [`save`](Self::save) wrote, for `parameters`.
    ///
    /// # Errors
    /// If an entry is missing or has another shape than its parameter.
    pub fn restore(&mut self, state: &TrainingState, parameters: &[Tensor]) -> Result<()> {
        self.step = state.number("spsa.step")?;
        let entry = |(index, like): (usize, &Tensor)| {
            state.tensor_like(&format!("spsa.{index}.momentum"), like)
        };
        self.momenta = match self.step {
            0 => Vec::new(),
            _ => parameters
                .iter()
                .enumerate()
                .map(entry)
                .collect::<Result<_>>()?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rut_testkit::place;

    use super::*;

    /// Six steps on a quadratic with stored perturbations, of `golden/methods/prompts`.
    #[test]
    fn steps_are_those_of_the_golden_quadratic() {
        let path = place::golden("methods/prompts.safetensors");
        let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
        let json = std::fs::read_to_string(place::golden("methods/prompts.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let want: Vec<Vec<f64>> = serde_json::from_value(json["spsa_gc"]["w"].clone()).unwrap();
        let diagonal = Tensor::new(&[1.0f64, 2.0, 0.5, 3.0], &Device::Cpu).unwrap();
        let mut spsa = Spsa::new(SpsaOptions::default(), Seed(4));
        let mut w = vec![Tensor::new(want[0].as_slice(), &Device::Cpu).unwrap()];
        for (step, want) in want[1..].iter().enumerate() {
            spsa.step += 1;
            let draw = |at: usize| vec![tensors["spsa.delta"].get(step).unwrap().get(at).unwrap()];
            let draws: Vec<_> = (0..5).map(draw).collect();
            let mut loss = |w: &[Tensor]| {
                let sum = (w[0].sqr()? * &diagonal)?.sum_all()?;
                Ok(sum.to_scalar::<f64>()?)
            };
            w = spsa.descend(&w, &draws, 0.01, &mut loss).unwrap();
            let found = w[0].to_vec1::<f64>().unwrap();
            for (found, want) in found.iter().zip(want) {
                assert!((found - want).abs() < 1e-9, "step {step}: {found} {want}");
            }
        }
    }
}
