//! Limited-memory BFGS with a line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, 2nd
//! edition: algorithms 7.4, 7.5, 3.5 and 3.6), in f64. What is minimised is the caller's.

mod line_search;

use std::collections::VecDeque;

use crate::error::Result;
use line_search::{Line, Point};

/// Pairs of steps and gradient changes that stand for the Hessian.
const MEMORY: usize = 10;

/// When a minimisation ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stopping {
    /// Converged: the gradient's norm is at most this share of its norm at the start.
    pub relative_gradient: f64,
    /// At most so many iterations.
    pub iterations: u32,
}

/// How a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solved {
    /// Iterations taken.
    pub iterations: u32,
    /// Evaluations of the function and its gradient.
    pub evaluations: u32,
    /// The function's value.
    pub value: f64,
    /// Euclidean norm of the gradient.
    pub gradient_norm: f64,
    /// The same at the start.
    pub first_gradient_norm: f64,
    /// Whether the gradient is as small as asked for; else the iterations were used up, or no step makes the value smaller
    /// in f64.
    pub converged: bool,
}

/// Minimises `function` from `x`, which becomes the minimum found. `function` gives its value and writes its gradient.
/// `after` is called after every iteration with its number, from 1.
///
/// ```
/// use rut_adapt::{Stopping, minimize};
/// let mut x = vec![5.0, -3.0];
/// let stopping = Stopping { relative_gradient: 1e-9, iterations: 100 };
/// let bowl = |x: &[f64], gradient: &mut [f64]| {
///     gradient.copy_from_slice(&[2.0 * (x[0] - 1.0), 20.0 * x[1]]);
///     Ok((x[0] - 1.0).powi(2) + 10.0 * x[1] * x[1])
/// };
/// let solved = minimize(&mut x, stopping, bowl, |_| Ok(()))?;
/// assert!(solved.converged && (x[0] - 1.0).abs() < 1e-7 && x[1].abs() < 1e-7);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
///
/// # Errors
/// What `function` or `after` returns.
pub fn minimize(
    x: &mut Vec<f64>,
    stopping: Stopping,
    mut function: impl FnMut(&[f64], &mut [f64]) -> Result<f64>,
    mut after: impl FnMut(u32) -> Result<()>,
) -> Result<Solved> {
    let mut gradient = vec![0.0; x.len()];
    let value = function(x, &mut gradient)?;
    let first_gradient_norm = norm(&gradient);
    let mut solved = Solved {
        iterations: 0,
        evaluations: 1,
        value,
        gradient_norm: first_gradient_norm,
        first_gradient_norm,
        converged: first_gradient_norm == 0.0,
    };
    let mut pairs = VecDeque::with_capacity(MEMORY);
    while !solved.converged && solved.iterations < stopping.iterations {
        let mut direction = direction(&pairs, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding spoilt the pairs: start again with the gradient.
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let first = if pairs.is_empty() {
            (1.0 / solved.gradient_norm).min(1.0)
        } else {
            1.0
        };
        let start = Point {
            step: 0.0,
            value: solved.value,
            slope,
        };
        let mut line = Line::new(x, &direction, &mut function);
        let found = line.search(start, first)?;
        solved.evaluations += line.evaluations;
        let Some((point, new_x, new_gradient)) = found else {
            break;
        };
        let moved: Vec<f64> = new_x.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
        let changed: Vec<f64> = new_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        let curvature = dot(&moved, &changed);
        if curvature > 0.0 {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back(Pair {
                moved,
                changed,
                curvature,
            });
        }
        (*x, gradient) = (new_x, new_gradient);
        solved.value = point.value;
        solved.gradient_norm = norm(&gradient);
        solved.iterations += 1;
        solved.converged = solved.gradient_norm <= stopping.relative_gradient * first_gradient_norm;
        after(solved.iterations)?;
    }
    Ok(solved)
}

/// A step and what it changed of the gradient.
struct Pair {
    moved: Vec<f64>,
    changed: Vec<f64>,
    /// Their product, positive.
    curvature: f64,
}

/// Minus the inverse Hessian of `pairs` times the gradient (algorithm 7.4).
fn direction(pairs: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = dot(&pair.moved, &q) / pair.curvature;
        add(&mut q, -share, &pair.changed);
        shares.push(share);
    }
    if let Some(last) = pairs.back() {
        let scale = last.curvature / dot(&last.changed, &last.changed);
        q.iter_mut().for_each(|value| *value *= scale);
    }
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let other = dot(&pair.changed, &q) / pair.curvature;
        add(&mut q, share - other, &pair.moved);
    }
    q
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley, from the usual start.
    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        let mut x = vec![-1.2, 1.0];
        let valley = |x: &[f64], gradient: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            gradient.copy_from_slice(&[-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
            Ok(a * a + 100.0 * b * b)
        };
        let stopping = Stopping {
            relative_gradient: 1e-10,
            iterations: 200,
        };
        let solved = minimize(&mut x, stopping, valley, |_| Ok(())).unwrap();
        assert!(solved.converged && solved.iterations < 60, "{solved:?}");
        assert!(
            (x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8,
            "{x:?}"
        );
    }

    #[test]
    fn iterations_are_bounded_and_a_flat_start_is_an_end() {
        let slope = |_: &[f64], gradient: &mut [f64]| {
            gradient.fill(1.0);
            Ok(0.0)
        };
        let stopping = Stopping {
            relative_gradient: 1e-6,
            iterations: 3,
        };
        let solved = minimize(&mut vec![0.0], stopping, slope, |_| Ok(())).unwrap();
        assert!(!solved.converged && solved.iterations <= 3);
        let flat = |_: &[f64], gradient: &mut [f64]| {
            gradient.fill(0.0);
            Ok(1.0)
        };
        let solved = minimize(&mut vec![0.0], stopping, flat, |_| Ok(())).unwrap();
        assert!(solved.converged && solved.evaluations == 1);
    }
}
