//! What cannot be computed is an error that says what was wrong; nothing panics.

use std::process::Command;

use rut_kernels::bf16::Bf16Isa;
use rut_kernels::reference::Reference;
use rut_kernels::{
    Area, Conv, ConvAlgorithm, ConvShape, Direction, End, Ends, Error, Isa, Lanes, Map, MapMut,
    MaxPool, OptionA, Plane, PlaneMut, Start, Workspace,
};

const SHAPE: ConvShape = ConvShape {
    in_channels: 2,
    out_channels: 3,
    kernel: 3,
    stride: 1,
    padding: 1,
};
const WHOLE: Area = Area {
    top: 0,
    left: 0,
    height: 4,
    width: 5,
};

/// The arguments of a run that would succeed, for tests to spoil.
struct Run {
    source: (usize, [usize; 2], Area, usize),
    target: (usize, [usize; 2], Area, usize),
    area: Area,
    bits: usize,
}

impl Run {
    fn good() -> Self {
        Self {
            source: (40, [4, 5], WHOLE, 2),
            target: (60, [4, 5], WHOLE, 3),
            area: WHOLE,
            bits: 60,
        }
    }

    fn run(&self, algorithm: ConvAlgorithm) -> rut_kernels::Result<()> {
        let conv = Conv::new(
            Isa::best(),
            algorithm,
            SHAPE,
            Direction::Forward,
            &[1.0; 54],
            None,
        )?;
        let (len, size, area, channels) = self.source;
        let source = Map {
            values: &vec![Lanes::ZERO; len],
            size,
            area,
            channels,
        };
        let (len, size, area, channels) = self.target;
        let target = MapMut {
            values: &mut vec![Lanes::ZERO; len],
            size,
            area,
            channels,
        };
        let (bits, mut record) = (vec![0; self.bits], vec![0; self.bits]);
        let workspace = Workspace::new();
        let start = Start::Fresh;
        let end = End::ReluRecord(&mut record);
        conv.run(&workspace, source, target, self.area, Ends { start, end })?;
        let source = Map { ..source };
        let target = MapMut {
            values: &mut vec![Lanes::ZERO; len],
            size,
            area,
            channels,
        };
        let end = End::Mask(&bits);
        conv.run(&workspace, source, target, self.area, Ends { start, end })
    }
}

fn is_shape(result: &rut_kernels::Result<()>) -> bool {
    matches!(result, Err(Error::Shape { .. }))
}

#[test]
fn maps_that_do_not_fit() {
    let part = Area {
        top: 1,
        left: 1,
        height: 2,
        width: 2,
    };
    let far = Area { top: 3, ..WHOLE };
    let huge = Area {
        top: usize::MAX,
        left: 0,
        height: usize::MAX,
        width: usize::MAX,
    };
    let spoil: [fn(&mut Run, [Area; 3]); 14] = [
        |run, _| run.source.0 = 39,
        |run, _| run.source.1 = [5, 4],
        |run, [part, ..]| run.source.2 = part,
        |run, [part, ..]| (run.source.0, run.source.2) = (8, part),
        |run, [_, far, _]| run.source.2 = far,
        |run, _| run.source.3 = 3,
        |run, _| (run.source.0, run.source.3) = (60, 3),
        |run, _| run.target.0 = 61,
        |run, _| run.target.1 = [4, 6],
        |run, [part, ..]| (run.target.0, run.target.2) = (12, part),
        |run, _| (run.target.0, run.target.3) = (40, 2),
        |run, [_, far, _]| run.area = far,
        |run, [_, _, huge]| run.area = huge,
        |run, _| run.bits = 59,
    ];
    for algorithm in ConvAlgorithm::ALL {
        assert!(Run::good().run(algorithm).is_ok());
        for (index, spoil) in spoil.iter().enumerate() {
            let mut run = Run::good();
            spoil(&mut run, [part, far, huge]);
            let result = run.run(algorithm);
            assert!(
                is_shape(&result),
                "{}, case {index}: {result:?}",
                algorithm.name()
            );
        }
    }
}

/// A part of the source is enough for its part of the target, and not for one pixel more.
#[test]
fn missing_source_pixels() {
    let held = Area {
        top: 0,
        left: 1,
        height: 3,
        width: 4,
    };
    let enough = Area {
        top: 0,
        left: 2,
        height: 2,
        width: 3,
    };
    for algorithm in ConvAlgorithm::ALL {
        let mut run = Run::good();
        (run.source.0, run.source.2, run.area) = (24, held, enough);
        assert!(run.run(algorithm).is_ok());
        run.area.height += 1;
        assert!(is_shape(&run.run(algorithm)));
        (run.area.height, run.area.left, run.area.width) = (2, 1, 4);
        assert!(is_shape(&run.run(algorithm)));
    }
}

#[test]
fn weights_that_do_not_fit() {
    let new = |shape: ConvShape, weights: usize, bias: Option<usize>| {
        let bias = bias.map(|len| vec![0.0; len]);
        Conv::new(
            Isa::best(),
            ConvAlgorithm::Dense,
            shape,
            Direction::Forward,
            &vec![0.0; weights],
            bias.as_deref(),
        )
        .map(|_| ())
    };
    assert!(new(SHAPE, 54, Some(3)).is_ok());
    assert!(is_shape(&new(SHAPE, 53, None)));
    assert!(is_shape(&new(SHAPE, 54, Some(2))));
    let spoilt = [
        ConvShape { stride: 0, ..SHAPE },
        ConvShape { kernel: 0, ..SHAPE },
        ConvShape {
            in_channels: 0,
            ..SHAPE
        },
        ConvShape {
            out_channels: 0,
            ..SHAPE
        },
    ];
    for shape in spoilt {
        assert!(is_shape(&new(shape, shape.weights(), None)), "{shape:?}");
    }
}

#[test]
fn methods_that_do_not_fit() {
    let spoilt = [
        ConvShape { stride: 2, ..SHAPE },
        ConvShape { kernel: 5, ..SHAPE },
        ConvShape {
            padding: 3,
            ..SHAPE
        },
    ];
    for shape in spoilt {
        assert!(!ConvAlgorithm::Winograd.fits(shape) && ConvAlgorithm::Dense.fits(shape));
        let weights = vec![0.0; shape.weights()];
        let (isa, direction) = (Isa::best(), Direction::Backward);
        let conv = Conv::new(
            isa,
            ConvAlgorithm::Winograd,
            shape,
            direction,
            &weights,
            None,
        );
        assert!(is_shape(&conv.map(|_| ())), "{shape:?}");
    }
}

#[test]
fn oracles_that_do_not_fit() {
    let run = |input, weights: usize, source: usize| {
        let oracle = Reference {
            shape: SHAPE,
            input,
            weights: &vec![0.0; weights],
            bias: None,
        };
        let sums = oracle.run(Direction::Forward, &vec![0.0; source]);
        sums.map(|_| ())
    };
    assert!(run([4, 5], 54, 80).is_ok());
    assert!(is_shape(&run([4, 5], 53, 80)));
    assert!(is_shape(&run([4, 5], 54, 81)));
    assert!(is_shape(&run([0, 5], 54, 0)));
}

#[test]
fn names_of_instruction_sets() {
    for isa in Isa::ALL {
        assert_eq!(isa.name().parse::<Isa>().ok(), Some(isa));
        match isa.checked() {
            Ok(same) => assert!(same == isa && isa.is_available()),
            Err(error) => {
                assert!(!isa.is_available());
                assert!(error.to_string().contains(isa.name()), "{error}");
            }
        }
    }
    let error = "sse9".parse::<Isa>().map_err(|error| error.to_string());
    assert!(error.is_err_and(|text| text.contains("sse9") && text.contains("avx512")));
}

/// What `RUT_ISA` does is asked of children, each with its own variable.
#[test]
fn the_variable() {
    let best = Isa::best().name();
    let expected = [
        (None, best),
        (Some(""), best),
        (Some("portable"), "portable"),
        (Some("sse9"), "found `sse9`"),
        (Some("AVX2"), "found `AVX2`"),
    ];
    for (value, expected) in expected {
        let said = choice_with(value);
        assert!(said.contains(&format!("chosen: {expected}")) || said.contains(expected));
        assert_eq!(said.contains("chosen: "), !expected.contains(' '), "{said}");
    }
}

/// What a child with a variable prints of its choice.
fn choice_with(value: Option<&str>) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap_or_default());
    child.args(["--exact", "the_choice", "--ignored", "--nocapture"]);
    child.env_remove("RUT_ISA");
    child.envs(value.map(|value| ("RUT_ISA", value)));
    match child.output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => panic!("start the test again: {error}"),
    }
}

#[test]
#[ignore = "the other test runs it with the variable set"]
#[expect(clippy::print_stdout, reason = "its parent reads what it prints")]
fn the_choice() {
    match Isa::chosen() {
        Ok(isa) => println!("chosen: {isa}"),
        Err(error) => println!("failed to {error}"),
    }
    match Bf16Isa::chosen() {
        Ok(isa) => println!("chosen for bf16: {}", isa.name()),
        Err(error) => println!("failed for bf16 to {error}"),
    }
}

#[test]
fn names_of_instruction_sets_of_bfloat16() {
    for isa in Bf16Isa::ALL {
        // What the variable asks for stands for single precision as well, whose layers come along.
        assert!(isa.name().parse::<Isa>().is_ok(), "{}", isa.name());
        assert!(isa.is_available() || !isa.is_faster());
        match isa.checked() {
            Ok(same) => assert!(same == isa && isa.is_available()),
            Err(error) => {
                assert!(!isa.is_available());
                assert!(error.to_string().contains(isa.name()), "{error}");
            }
        }
    }
    assert!(Bf16Isa::Portable.is_available() && !Bf16Isa::Portable.is_faster());
    let unknown = "avx512_bf16".parse::<Isa>().unwrap_err().to_string();
    let names = Isa::ALL.map(Isa::name).into_iter();
    for name in names.chain(Bf16Isa::ALL.map(Bf16Isa::name)) {
        assert!(unknown.contains(name), "{unknown}");
    }
}

/// The same variable chooses the kernels of bfloat16: none that are slower than single precision, unless it asks for them.
#[test]
fn the_variable_and_bfloat16() {
    let best = Bf16Isa::ALL.into_iter().rfind(|isa| isa.is_faster());
    let slow = |isa: Isa| format!("it would be slower here than f32, which runs on {isa};");
    let best = best.map_or_else(|| slow(Isa::best()), |isa| chosen(isa.name()));
    let asked = |isa: Bf16Isa| match isa.checked() {
        Ok(isa) => chosen(isa.name()),
        Err(_) => format!("the instruction set {} that RUT_ISA asks for", isa.name()),
    };
    let [avx512, amx] = [Bf16Isa::Avx512, Bf16Isa::Amx].map(asked);
    let avx2 = match Isa::Avx2.checked() {
        Ok(isa) => {
            format!("compute in bf16 on {isa}, which RUT_ISA asks for: it has no kernels for bf16")
        }
        Err(_) => "the instruction set avx2 that RUT_ISA asks for".into(),
    };
    for (value, expected) in [
        (None, &best),
        (Some(""), &best),
        (Some("portable"), &chosen("portable")),
        (Some("avx2"), &avx2),
        (Some("avx512-bf16"), &avx512),
        (Some("amx"), &amx),
        (Some("bf16"), &"found `bf16`".into()),
    ] {
        let said = choice_with(value);
        assert!(said.contains(expected.as_str()), "{value:?}: {said}");
    }
    if Isa::Avx512.is_available() {
        let of_both = |isa: Bf16Isa| choice_with(Some(isa.name())).contains("chosen: avx512\n");
        assert!(of_both(Bf16Isa::Avx512) && of_both(Bf16Isa::Amx));
    }
}

fn chosen(name: &str) -> String {
    format!("chosen for bf16: {name}\n")
}

/// Planes of one image: an empty area may stand anywhere, any other must lie inside; sizes must belong together.
#[test]
fn planes_that_do_not_fit() {
    let area = |left, width| Area {
        top: 0,
        left,
        height: 1,
        width,
    };
    let (source, mut values) = (vec![1.0; 6], vec![0.0; 6]);
    let plane = |size| Plane {
        values: &source[..size_of(size)],
        size,
        channels: 1,
    };
    let mut run =
        |size, area: Area, what: &dyn Fn(PlaneMut<'_>, &[Area]) -> rut_kernels::Result<()>| {
            let target = PlaneMut {
                values: &mut values[..size_of(size)],
                size,
                channels: 1,
            };
            what(target, &[area])
        };
    let fill = |mut target: PlaneMut<'_>, areas: &[Area]| {
        target.for_each_run(areas, |_, run| run.fill(1.0))
    };
    assert!(run([2, 3], area(10, 0), &fill).is_ok());
    assert!(is_shape(&run([2, 3], area(1, 3), &fill)));
    let option = OptionA {
        in_channels: 1,
        out_channels: 1,
    };
    let halve =
        |target: PlaneMut<'_>, areas: &[Area]| option.run_plane(plane([1, 1]), target, areas);
    assert!(run([1, 1], area(0, 1), &halve).is_ok());
    assert!(is_shape(&run([1, 2], area(0, 2), &halve)));
    let back = |target: PlaneMut<'_>, areas: &[Area]| {
        option.add_plane_backward(plane([1, 1]), target, areas)
    };
    assert!(is_shape(&run([1, 3], area(0, 3), &back)));
    for (kernel, fits) in [(3, true), (2, false), (17, false)] {
        let pool = MaxPool {
            kernel,
            stride: 2,
            padding: 1,
        };
        let pooled = |target: PlaneMut<'_>, areas: &[Area]| {
            pool.run_plane(plane([2, 3]), target, areas).map(drop)
        };
        assert_eq!(run([1, 2], area(0, 2), &pooled).is_ok(), fits, "{kernel}");
    }
}

fn size_of([height, width]: [usize; 2]) -> usize {
    height * width
}
