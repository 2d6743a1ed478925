//! Both directions are each other's adjoint, ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, also from one method to another; and methods
//! agree with each other.

#[expect(dead_code, reason = "this test uses a part")]
mod cases;

use cases::{Mask, Problem, shape};
use rut_kernels::{ConvAlgorithm, Direction, Isa, Lanes};

const KERNELS: [([usize; 3], [usize; 2]); 8] = [
    ([1, 1, 0], [70, 33]),
    ([1, 2, 0], [9, 20]),
    ([2, 3, 1], [5, 6]),
    ([3, 1, 1], [17, 30]),
    ([3, 1, 0], [3, 8]),
    ([3, 2, 1], [40, 9]),
    ([5, 2, 2], [1, 7]),
    ([7, 2, 3], [3, 16]),
];

/// Both sides of the identity for one method each, and a bound of their difference.
fn sides(problems: &[Problem; 2], isa: Isa, methods: [ConvAlgorithm; 2]) -> [f64; 3] {
    let [forward, backward] = problems;
    let sums = |problem: &Problem, algorithm| problem.run(&problem.conv(isa, algorithm));
    let left = dot(&sums(forward, methods[0]), &whole_source(backward));
    let right = dot(&whole_source(forward), &sums(backward, methods[1]));
    let [_, sizes] = forward.oracle();
    let bounds = forward.bounds(methods[0], &sizes);
    let [_, back_sizes] = backward.oracle();
    let back_bounds = backward.bounds(methods[1], &back_sizes);
    let bound = weighted(&bounds, &backward.source) + weighted(&back_bounds, &forward.source);
    [left, right, bound]
}

fn whole_source(problem: &Problem) -> Vec<Lanes> {
    let [height, width] = problem.sizes[0];
    problem.lanes(rut_kernels::Area::whole(height, width))
}

fn dot(a: &[Lanes], b: &[Lanes]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.0.into_iter().zip(b.0));
    pairs.map(|(a, b)| f64::from(a) * f64::from(b)).sum()
}

fn weighted(bounds: &[f64], values: &[f32]) -> f64 {
    let pairs = bounds.iter().zip(values);
    pairs
        .map(|(bound, &value)| bound * f64::from(value).abs())
        .sum()
}

/// Every method with every method.
fn pairs() -> impl Iterator<Item = (ConvAlgorithm, ConvAlgorithm)> {
    let methods = ConvAlgorithm::ALL.into_iter();
    methods.flat_map(|a| ConvAlgorithm::ALL.map(|b| (a, b)))
}

#[test]
fn directions_are_adjoint() {
    for (index, (kernel, channels)) in KERNELS.into_iter().enumerate() {
        for input in [[9, 13], [7, 7], [4, 1]] {
            let seed = 2 * index as u64 + 1;
            let make = |direction| {
                let shape = shape(kernel, channels);
                let mut problem = Problem::new(shape, input, direction, Mask::Full, seed)?;
                // The same weights in both directions, whatever was drawn for the other.
                problem.weights = cases::Draws::new(seed).numbers(shape.weights());
                Some(problem)
            };
            let (Some(forward), Some(backward)) =
                (make(Direction::Forward), make(Direction::Backward))
            else {
                continue;
            };
            let problems = [forward, backward];
            for isa in Isa::available() {
                let shape = problems[0].shape;
                for (a, b) in pairs().filter(|(a, b)| a.fits(shape) && b.fits(shape)) {
                    let [left, right, bound] = sides(&problems, isa, [a, b]);
                    let off = (left - right).abs();
                    let name = format!("{isa}, {} and {}", a.name(), b.name());
                    let label = problems[0].label();
                    assert!(off <= bound, "{name}, {label}: {left} and {right}");
                }
            }
        }
    }
}

/// Weights that are zero change nothing: the sparse kernels give what the others give, up to the rounding of both.
#[test]
fn methods_agree() {
    for (kernel, channels) in KERNELS {
        for direction in cases::DIRECTIONS {
            let shape = shape(kernel, channels);
            let Some(problem) = Problem::new(shape, [9, 13], direction, Mask::OneIn(5), 8) else {
                continue;
            };
            let [_, sizes] = problem.oracle();
            for isa in Isa::available() {
                let dense = problem.run(&problem.conv(isa, ConvAlgorithm::Dense));
                let want = by_image(&problem, &dense);
                for algorithm in ConvAlgorithm::ALL
                    .into_iter()
                    .filter(|algorithm| algorithm.fits(shape))
                {
                    let bounds = problem.bounds(algorithm, &sizes);
                    let bounds: Vec<f64> = bounds.iter().map(|bound| 2.0 * bound).collect();
                    let got = problem.run(&problem.conv(isa, algorithm));
                    problem.assert_agrees(algorithm.name(), &got, [&want, &bounds]);
                }
            }
        }
    }
}

/// Sums as the oracle orders them, `[images, channels, height, width]`.
fn by_image(problem: &Problem, sums: &[Lanes]) -> Vec<f64> {
    let (pixels, written) = (problem.whole().len(), problem.written());
    let element = |at: usize| {
        let (image, channel, pixel) = (at / pixels / written, at / pixels % written, at % pixels);
        f64::from(sums[pixel * written + channel].0[image])
    };
    (0..problem.images * written * pixels)
        .map(element)
        .collect()
}
