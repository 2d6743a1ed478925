//! Every row of the table of kernels, with every method and in both directions, against the f64 oracle.

#![expect(
    clippy::print_stdout,
    reason = "an instruction set that is skipped is said to be"
)]

mod cases;

use cases::{DIRECTIONS, Draws, Mask, Part, Problem, shape};
use rut_kernels::{
    Area, Conv, ConvAlgorithm, Direction, End, Ends, Isa, Lanes, Plane, PlaneMut, Start, Workspace,
};

/// Kernel, stride and padding.
const KERNELS: [[usize; 3]; 19] = [
    [1, 1, 0],
    [1, 1, 1],
    [1, 2, 0],
    [1, 3, 0],
    [2, 1, 0],
    [2, 2, 0],
    [2, 3, 1],
    [3, 1, 0],
    [3, 1, 1],
    [3, 1, 2],
    [3, 1, 4],
    [3, 2, 0],
    [3, 2, 1],
    [3, 3, 1],
    [5, 1, 2],
    [5, 2, 2],
    [7, 1, 3],
    [7, 2, 3],
    [7, 3, 0],
];

const SIZES: [[usize; 2]; 6] = [[1, 1], [1, 7], [5, 3], [8, 8], [13, 9], [14, 14]];

const MASKS: [Mask; 4] = [Mask::Full, Mask::OneIn(6), Mask::EmptyRows(2), Mask::Zero];

/// The rows of the table that this processor can run; says which it cannot.
fn instruction_sets() -> Vec<Isa> {
    for isa in Isa::ALL {
        if !isa.is_available() {
            println!("skipped: this processor lacks {isa}");
        }
    }
    Isa::available()
}

/// Every kernel that can compute the problem, with a name for messages.
fn kernels(problem: &Problem) -> Vec<(String, Conv)> {
    let mut kernels = Vec::new();
    for isa in instruction_sets() {
        let fitting = ConvAlgorithm::ALL.into_iter();
        for algorithm in fitting.filter(|algorithm| algorithm.fits(problem.shape)) {
            let name = format!("{} on {isa}", algorithm.name());
            kernels.push((name, problem.conv(isa, algorithm)));
        }
    }
    kernels
}

fn check_sums(problem: &Problem) {
    let [want, sizes] = problem.oracle();
    for (name, conv) in kernels(problem) {
        let bounds = problem.bounds(conv.algorithm(), &sizes);
        problem.assert_agrees(&name, &problem.run(&conv), [&want, &bounds]);
    }
}

#[test]
fn sums_of_few_channels() {
    let mut seed = 0;
    for kernel in KERNELS {
        for input in SIZES {
            for channels in [[1, 1], [3, 17], [17, 3]] {
                for direction in DIRECTIONS {
                    seed += 1;
                    let mask = MASKS[seed as usize % 3];
                    let shape = shape(kernel, channels);
                    Problem::new(shape, input, direction, mask, seed)
                        .iter()
                        .for_each(check_sums);
                }
            }
        }
    }
}

/// More channels than one block of any method holds.
#[test]
fn sums_of_many_channels() {
    let cases: [([usize; 3], [usize; 2], [usize; 2]); 10] = [
        ([1, 1, 0], [70, 130], [13, 9]),
        ([1, 1, 0], [130, 70], [5, 3]),
        ([1, 1, 0], [1500, 5], [1, 7]),
        ([1, 2, 0], [130, 17], [14, 14]),
        ([3, 1, 1], [70, 130], [14, 14]),
        ([3, 1, 1], [130, 70], [5, 3]),
        ([3, 1, 0], [400, 6], [5, 3]),
        ([3, 2, 1], [130, 70], [13, 9]),
        ([5, 1, 2], [130, 3], [8, 8]),
        ([7, 2, 3], [70, 17], [14, 14]),
    ];
    for (index, (kernel, channels, input)) in cases.into_iter().enumerate() {
        for direction in DIRECTIONS {
            let turned = match direction {
                Direction::Forward => channels,
                Direction::Backward => [channels[1], channels[0]],
            };
            let seed = 1000 + index as u64;
            let mask = MASKS[index % 3];
            Problem::new(shape(kernel, turned), input, direction, mask, seed)
                .iter()
                .for_each(check_sums);
        }
    }
}

#[test]
fn masks_of_every_kind() {
    for mask in MASKS {
        for kernel in [[1, 1, 0], [3, 1, 1], [3, 2, 1]] {
            for direction in DIRECTIONS {
                Problem::new(shape(kernel, [70, 9]), [5, 6], direction, mask, 7)
                    .iter()
                    .for_each(check_sums);
            }
        }
    }
}

/// Small problems of every kind, for what is not about sums.
fn small_problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, kernel) in KERNELS.into_iter().enumerate() {
        for direction in DIRECTIONS {
            let channels = [[70, 5], [6, 3], [1, 17]][index % 3];
            let mask = MASKS[index % 3];
            let seed = 2000 + index as u64;
            problems.extend(Problem::new(
                shape(kernel, channels),
                [9, 13],
                direction,
                mask,
                seed,
            ));
        }
    }
    for direction in DIRECTIONS {
        // Few tiles and many channels: threads divide the channels.
        let shape = shape([3, 1, 1], [70, 70]);
        problems.extend(Problem::new(shape, [5, 6], direction, Mask::Full, 2100));
    }
    problems
}

#[test]
fn sums_start_from_what_is_there() {
    for problem in small_problems() {
        let [mut want, mut sizes] = problem.oracle();
        let pixels = problem.whole().len();
        let mut before = Draws::new(3).lanes(pixels * problem.written());
        for (at, lanes) in before.iter_mut().enumerate() {
            let (pixel, channel) = (at / problem.written(), at % problem.written());
            lanes.0[problem.images..].fill(0.0);
            for image in 0..problem.images {
                let index = (image * problem.written() + channel) * pixels + pixel;
                want[index] += f64::from(lanes.0[image]);
                sizes[index] += f64::from(lanes.0[image].abs());
            }
        }
        for (name, conv) in kernels(&problem) {
            let bounds = problem.bounds(conv.algorithm(), &sizes);
            let got = problem.run_into(&conv, before.clone(), Start::Add, End::Store);
            problem.assert_agrees(&name, &got, [&want, &bounds]);
        }
    }
}

/// An end changes the sums that [`End::Store`] gives, and nothing else.
#[test]
fn ends_are_exact() {
    for problem in small_problems() {
        for (name, conv) in kernels(&problem) {
            let name = format!("{name}, {}", problem.label());
            let sums = problem.run(&conv);
            let blank = vec![Lanes::ZERO; sums.len()];
            let run = |end: End<'_>| problem.run_into(&conv, blank.clone(), Start::Fresh, end);

            let relu = change(&sums, |_, _, value| if value < 0.0 { 0.0 } else { value });
            assert!(same(&run(End::Relu), &relu), "{name}: ReLU");

            let mut record = vec![0xa5a5; sums.len()];
            assert!(
                same(&run(End::ReluRecord(&mut record)), &relu),
                "{name}: ReLU"
            );
            let positive = |at: usize, lane: usize| sums[at].0[lane] > 0.0;
            for (at, bits) in record.iter().enumerate() {
                for lane in 0..16 {
                    let bit = bits >> lane & 1 == 1;
                    assert_eq!(bit, positive(at, lane), "{name}: element {at}, lane {lane}");
                }
            }

            let mut draws = Draws::new(5);
            let mask: Vec<u16> = sums.iter().map(|_| draws.below(1 << 16) as u16).collect();
            let kept = change(&sums, |at, lane, value| {
                if mask[at] >> lane & 1 == 1 {
                    value
                } else {
                    0.0
                }
            });
            assert!(same(&run(End::Mask(&mask)), &kept), "{name}: mask");
        }
    }
}

fn change(lanes: &[Lanes], new: impl Fn(usize, usize, f32) -> f32) -> Vec<Lanes> {
    let change = |(at, lanes): (usize, &Lanes)| {
        Lanes(std::array::from_fn(|lane| new(at, lane, lanes.0[lane])))
    };
    lanes.iter().enumerate().map(change).collect()
}

/// Equal numbers, all of them.
fn same(a: &[Lanes], b: &[Lanes]) -> bool {
    a == b
}

/// Parts of the target, from all of the source and from just what they need, are bit-equal to the whole; what is outside
/// keeps its values and bits. Winograd's tiles read more than what is needed, if it is there: then they are equal up to
/// rounding.
#[test]
fn parts_are_parts_of_the_whole() {
    let mut draws = Draws::new(17);
    for problem in small_problems() {
        let [_, sizes] = problem.oracle();
        for (name, conv) in kernels(&problem) {
            let sums = problem.run(&conv);
            let bounds = problem.bounds(conv.algorithm(), &sizes);
            let rounding = match conv.algorithm() {
                ConvAlgorithm::Winograd => {
                    2.0 * bounds.iter().fold(0.0, |most: f64, &b| most.max(b))
                }
                _ => 0.0,
            };
            for _ in 0..6 {
                let whole = inside(problem.whole(), &mut draws);
                let area = inside(whole, &mut draws);
                let name = format!("{name}, {}: {area:?} of {whole:?}", problem.label());
                let all = Area::whole(problem.sizes[0][0], problem.sizes[0][1]);
                for (held, slack) in [(all, 0.0), (problem.needed(area), rounding)] {
                    let part = Part { held, whole, area };
                    check_part(&problem, &conv, &sums, slack, part, &name);
                }
            }
        }
    }
}

fn check_part(problem: &Problem, conv: &Conv, sums: &[Lanes], slack: f64, part: Part, name: &str) {
    let Part { whole, area, .. } = part;
    let channels = problem.written();
    let untouched = Lanes::splat(-7.0);
    let mut target = vec![untouched; whole.len() * channels];
    let mut record = vec![0xbeef; target.len()];
    let ends = Ends {
        start: Start::Fresh,
        end: End::ReluRecord(&mut record),
    };
    problem
        .run_part(conv, part, &mut target, ends)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    for row in whole.top..whole.bottom() {
        for column in whole.left..whole.right() {
            let pixel = Area {
                top: row,
                left: column,
                height: 1,
                width: 1,
            };
            for channel in 0..channels {
                let at = whole.index(row, column) * channels + channel;
                let (got, bits) = (target[at], record[at]);
                if area.contains(pixel) {
                    let sum = sums[problem.whole().index(row, column) * channels + channel];
                    assert!(
                        is_relu(got, bits, sum, slack),
                        "{name}: {got:?} for {sum:?}"
                    );
                } else {
                    assert_eq!((got, bits), (untouched, 0xbeef), "{name}: {pixel:?}");
                }
            }
        }
    }
}

/// Whether `got` is the ReLU of sums that are within `slack` of `sums`, with its bits.
fn is_relu(got: Lanes, bits: u16, sums: Lanes, slack: f64) -> bool {
    (0..16).all(|lane| {
        let (got, sum) = (f64::from(got.0[lane]), f64::from(sums.0[lane]));
        let bit = bits >> lane & 1 == 1;
        bit == (got > 0.0) && (got - sum.max(0.0)).abs() <= slack
    })
}

/// A part of `area`, which may be empty.
fn inside(area: Area, draws: &mut Draws) -> Area {
    let mut side = |first: usize, length: usize| {
        let skip = draws.below(length / 2 + 1);
        (first + skip, draws.below(length - skip + 1))
    };
    let (top, height) = side(area.top, area.height);
    let (left, width) = side(area.left, area.width);
    Area {
        top,
        left,
        height,
        width,
    }
}

/// Areas of one image are what the whole has there, to the bit, or for Winograd up to rounding; others keep their
/// values.
#[test]
fn areas_of_one_image() {
    let mut draws = Draws::new(23);
    for problem in small_problems() {
        let [_, sizes] = problem.oracle();
        let (whole, channels) = (problem.whole(), problem.written());
        let hole = inside(whole, &mut draws);
        let areas = whole.around(hole);
        let is_hole = |[row, column]: [usize; 2]| {
            (hole.top..hole.bottom()).contains(&row) && (hole.left..hole.right()).contains(&column)
        };
        let source = problem.lanes(Area::whole(problem.sizes[0][0], problem.sizes[0][1]));
        let source: Vec<f32> = source.iter().map(|element| element.0[0]).collect();
        for (name, conv) in kernels(&problem) {
            let name = format!("{name}, {}", problem.label());
            let before = vec![Lanes::splat(0.5); whole.len() * channels];
            let want = problem.run_into(&conv, before, Start::Add, End::Store);
            let slack = match conv.algorithm() {
                ConvAlgorithm::Winograd => {
                    let bounds = problem.bounds(conv.algorithm(), &sizes);
                    2.0 * bounds.iter().fold(0.0, |most: f64, &bound| most.max(bound))
                }
                _ => 0.0,
            };
            let mut got = vec![0.5; whole.len() * channels];
            let plane = Plane {
                values: &source,
                size: problem.sizes[0],
                channels: problem.read(),
            };
            let target = PlaneMut {
                values: &mut got,
                size: problem.sizes[1],
                channels,
            };
            conv.run_plane(&Workspace::new(), plane, target, &areas, Start::Add)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            for (at, &value) in got.iter().enumerate() {
                let pixel = [at / channels / whole.width, at / channels % whole.width];
                let (want, slack) = if is_hole(pixel) {
                    (0.5, 0.0)
                } else {
                    (want[at].0[0], slack)
                };
                let off = f64::from(value - want).abs();
                assert!(off <= slack, "{name}, {pixel:?}: {value} for {want}");
            }
        }
    }
}

/// Any number of threads gives the same bits.
#[test]
fn threads_change_nothing() {
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap_or_else(|error| panic!("{threads} threads: {error}"))
    };
    let pools = [1, 2, 3].map(pool);
    for problem in small_problems() {
        for (name, conv) in kernels(&problem) {
            let [one, two, three] = [0, 1, 2].map(|at| pools[at].install(|| problem.run(&conv)));
            assert!(one == two && two == three, "{name}, {}", problem.label());
        }
    }
}

/// What is not a number stays visible: it is neither above nor below zero.
#[test]
fn nan_passes_relu() {
    for direction in DIRECTIONS {
        let shape = shape([3, 1, 1], [2, 3]);
        let Some(mut problem) = Problem::new(shape, [4, 5], direction, Mask::Full, 1) else {
            panic!("the kernel fits");
        };
        problem.source[0] = f32::NAN;
        for (name, conv) in kernels(&problem) {
            let blank = vec![Lanes::ZERO; 20 * problem.written()];
            let mut record = vec![0xffff; blank.len()];
            let end = End::ReluRecord(&mut record);
            let got = problem.run_into(&conv, blank.clone(), Start::Fresh, end);
            assert!(got[0].0[0].is_nan() && record[0] & 1 == 0, "{name}");
            let got = problem.run_into(&conv, blank, Start::Fresh, End::Relu);
            assert!(got[0].0[0].is_nan(), "{name}");
        }
    }
}
