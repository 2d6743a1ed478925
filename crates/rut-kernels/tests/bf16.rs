//! Every kernel in bfloat16 against sums in f64 of the same bfloat16 numbers: within half a unit of the last place of what is
//! stored, and the roundings of a sum in single precision.

mod rows;

use rows::{Numbers, element, fill, half_ulp, isas, shape};
use rut_kernels::bf16::{
    Bf16End, Bf16Isa, CHANNELS, ImageLayout, Layout, Panels, Route, Row, halo, round, zeros,
};
use rut_kernels::reference::Reference;
use rut_kernels::{Area, ConvShape, Direction, Start};

/// Shape and size of the input. Odd sizes, channels that do not fill a plane, several planes, each kernel and stride of the
/// networks, and more rows than a kernel sums at once.
const CASES: &[(ConvShape, [usize; 2])] = &[
    (shape([32, 32], 1, 1), [1, 1]),
    (shape([64, 32], 1, 1), [3, 5]),
    (shape([16, 40], 3, 1), [5, 7]),
    (shape([33, 64], 3, 1), [14, 14]),
    (shape([64, 96], 3, 2), [8, 8]),
    (shape([32, 31], 3, 2), [7, 9]),
    (shape([64, 128], 1, 2), [8, 6]),
    (shape([20, 17], 1, 2), [7, 7]),
    (shape([32, 32], 5, 1), [6, 20]),
    (shape([32, 32], 3, 3), [10, 11]),
];

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Sums and what their rounding may add up to, `[channels, height, width]`.
fn oracle(
    shape: ConvShape,
    input: [usize; 2],
    direction: Direction,
    [source, weights, bias]: [&[f32]; 3],
) -> (Vec<f64>, Vec<f64>) {
    let run = |source: &[f64], weights: &[f64], bias: &[f64]| {
        let oracle = Reference {
            shape,
            input,
            weights,
            bias: (!bias.is_empty()).then_some(bias),
        };
        oracle.run(direction, source).unwrap()
    };
    let [source, weights, bias] = [source, weights, bias].map(wide);
    let sums = run(&source, &weights, &bias);
    let [source, weights, bias] = [source, weights, bias]
        .map(|values| values.iter().map(|value| value.abs()).collect::<Vec<_>>());
    let terms = (shape.channels(direction)[0] * shape.kernel * shape.kernel + 2) as f64;
    let slack = run(&source, &weights, &bias)
        .into_iter()
        .map(|sum| sum * terms * 2.0_f64.powi(-24));
    (sums, slack.collect())
}

#[test]
fn every_form_is_within_half_an_ulp_of_the_sum_in_f64() {
    for isa in isas() {
        for (index, &(shape, input)) in CASES.iter().enumerate() {
            for direction in [Direction::Forward, Direction::Backward] {
                for start in [Start::Fresh, Start::Add] {
                    check(isa, index as u64, shape, input, direction, start);
                }
            }
        }
    }
}

fn check(
    isa: Bf16Isa,
    seed: u64,
    shape: ConvShape,
    input: [usize; 2],
    direction: Direction,
    start: Start,
) {
    let mut numbers = Numbers(seed * 4 + 1);
    let output = shape.output(input).unwrap();
    let (from, to) = match direction {
        Direction::Forward => (input, output),
        Direction::Backward => (output, input),
    };
    let [read, written] = shape.channels(direction);
    let weights = numbers.take(shape.weights());
    let bias = match direction {
        Direction::Forward => numbers.take(written),
        Direction::Backward => Vec::new(),
    };
    let panels = Panels::new(
        shape,
        direction,
        &weights,
        (!bias.is_empty()).then_some(&bias),
    )
    .unwrap();
    let layout = |channels, [height, width]: [usize; 2], halo| Layout {
        channels,
        area: Area::whole(height, width),
        halo,
        together: 1,
    };
    let source_layout = layout(read, from, halo(shape, direction));
    let target_layout = layout(written, to, 1);
    let area = target_layout.area;
    let route = Route::new(&panels, &source_layout, &target_layout, area, isa).unwrap();
    let images = 2;
    let mut source = zeros(&source_layout, images);
    let mut target = zeros(&target_layout, images);
    let mut values = Vec::new();
    for image in 0..images {
        let read = numbers.take(read * from[0] * from[1]);
        fill(
            &source_layout,
            &read,
            &mut source[image * source_layout.rows()..],
        );
        let there = numbers.take(written * to[0] * to[1]);
        fill(
            &target_layout,
            &there,
            &mut target[image * target_layout.rows()..],
        );
        values.push((read, there));
    }
    let before = target.clone();
    let mut bits = vec![0; target.len()];
    panels
        .run(
            isa,
            &route,
            &source,
            &mut target,
            (start, Bf16End::ReluRecord(&mut bits)),
        )
        .unwrap();
    let mut stored = before.clone();
    panels
        .run(isa, &route, &source, &mut stored, (start, Bf16End::Store))
        .unwrap();
    let mut masked = before;
    panels
        .run(
            isa,
            &route,
            &source,
            &mut masked,
            (start, Bf16End::Mask(&bits)),
        )
        .unwrap();
    let name = format!("{} {direction:?} {start:?} {shape:?} {input:?}", isa.name());
    for (image, (read, there)) in values.iter().enumerate() {
        let (sums, slack) = oracle(shape, input, direction, [read, &weights, &bias]);
        let offset = image * target_layout.rows();
        for (at, (sum, slack)) in sums.iter().zip(&slack).enumerate() {
            let [channel, pixel] = [at / (to[0] * to[1]), at % (to[0] * to[1])];
            let place = [channel, pixel / to[1], pixel % to[1]];
            let there = if start == Start::Add {
                f64::from(there[at])
            } else {
                0.0
            };
            let (want, slack) = (sum + there, slack + 2.0_f64.powi(-23) * there.abs());
            let (row, got) = element(&target_layout, &stored[offset..], place);
            let bound = half_ulp(want.abs() + slack) + slack;
            assert!(
                (f64::from(got) - want).abs() <= bound,
                "{name} {place:?}: {got}, expected {want}"
            );
            let bit = bits[offset + row] >> (channel % CHANNELS) & 1 == 1;
            if want.abs() > slack {
                assert_eq!(bit, want > 0.0, "{name} {place:?}");
            }
            let kept = if bit { got } else { 0.0 };
            for other in [&target, &masked] {
                assert_eq!(
                    element(&target_layout, &other[offset..], place).1,
                    kept,
                    "{name} {place:?}"
                );
            }
        }
    }
    // What is no pixel stays zero: halos and channels that fill up a plane.
    for image in stored.chunks_exact_mut(target_layout.rows()) {
        fill(&target_layout, &vec![0.0; written * to[0] * to[1]], image);
    }
    assert!(stored.iter().all(|row| *row == Row::ZERO), "{name}");
}

#[test]
fn an_area_is_computed_and_nothing_else_is_touched() {
    for isa in isas() {
        for &(shape, size) in &[
            (shape([32, 64], 3, 1), [12, 13]),
            (shape([32, 32], 3, 2), [13, 16]),
        ] {
            for direction in [Direction::Forward, Direction::Backward] {
                let mut numbers = Numbers(9);
                let weights = numbers.take(shape.weights());
                let panels = Panels::new(shape, direction, &weights, None).unwrap();
                let [read, written] = shape.channels(direction);
                let output = shape.output(size).unwrap();
                let (from, to) = match direction {
                    Direction::Forward => (size, output),
                    Direction::Backward => (output, size),
                };
                let whole = |channels, [h, w]: [usize; 2]| Layout {
                    channels,
                    area: Area::whole(h, w),
                    halo: 1,
                    together: 1,
                };
                let (source_layout, target_layout) = (whole(read, from), whole(written, to));
                let mut source = zeros(&source_layout, 1);
                fill(
                    &source_layout,
                    &numbers.take(read * from[0] * from[1]),
                    &mut source,
                );
                let mut all = zeros(&target_layout, 1);
                let route = Route::new(
                    &panels,
                    &source_layout,
                    &target_layout,
                    target_layout.area,
                    isa,
                );
                let end = || (Start::Fresh, Bf16End::Store);
                panels
                    .run(isa, &route.unwrap(), &source, &mut all, end())
                    .unwrap();
                // A part of the map, kept with a frame of one pixel around it.
                let area = Area {
                    top: 2,
                    left: 1,
                    height: 3,
                    width: 4,
                };
                let held = Area {
                    top: 1,
                    left: 0,
                    height: 5,
                    width: 6,
                };
                let part_layout = Layout {
                    area: held,
                    ..target_layout
                };
                let marked = Row([round(7.0); CHANNELS]);
                let mut part = vec![marked; part_layout.rows()];
                let route = Route::new(&panels, &source_layout, &part_layout, area, isa).unwrap();
                panels.run(isa, &route, &source, &mut part, end()).unwrap();
                for plane in 0..part_layout.planes() {
                    let mut rows =
                        part[plane * part_layout.plane()..][..part_layout.plane()].to_vec();
                    for y in area.top..area.bottom() {
                        for x in area.left..area.right() {
                            let at = plane * target_layout.plane() + target_layout.row(y, x);
                            let row = &mut rows[part_layout.row(y, x)];
                            assert_eq!(*row, all[at], "{} {direction:?} {y} {x}", isa.name());
                            *row = marked;
                        }
                    }
                    assert!(
                        rows.iter().all(|row| *row == marked),
                        "a row outside was written"
                    );
                }
            }
        }
    }
}

#[test]
fn an_image_is_read_as_if_in_single_precision_and_its_gradient_goes_back() {
    let cases = [
        (shape([3, 64], 7, 2), [20, 23]),
        (shape([3, 16], 3, 1), [9, 8]),
        (shape([3, 32], 3, 2), [7, 10]),
    ];
    for isa in isas() {
        for (shape, size) in cases {
            let mut numbers = Numbers(5);
            // Not exact in bfloat16.
            let mut take =
                |count| -> Vec<f32> { (0..count).map(|_| numbers.next() * 1.2345).collect() };
            let weights = take(shape.weights());
            let bias = take(shape.out_channels);
            let pixels = take(3 * size[0] * size[1]);
            let output = shape.output(size).unwrap();
            let image = ImageLayout {
                area: Area::whole(size[0], size[1]),
                padding: shape.padding,
            };
            let layout = Layout {
                channels: shape.out_channels,
                area: Area::whole(output[0], output[1]),
                halo: 2,
                together: 1,
            };
            let mut source = vec![Row::ZERO; image.rows()];
            image.fill(&pixels, &mut source).unwrap();
            let panels = Panels::from_image(shape, &weights, Some(&bias)).unwrap();
            let route = Route::from_image(&panels, &image, &layout, layout.area, isa).unwrap();
            let mut target = zeros(&layout, 1);
            panels
                .run(
                    isa,
                    &route,
                    &source,
                    &mut target,
                    (Start::Fresh, Bf16End::Store),
                )
                .unwrap();
            let (sums, slack) = oracle(shape, size, Direction::Forward, [&pixels, &weights, &bias]);
            for (at, (want, slack)) in sums.iter().zip(slack).enumerate() {
                let [channel, pixel] = [at / (output[0] * output[1]), at % (output[0] * output[1])];
                let got = element(
                    &layout,
                    &target,
                    [channel, pixel / output[1], pixel % output[1]],
                )
                .1;
                // Splitting leaves 2⁻¹⁶ of each product.
                let slack = slack + slack / (3.0 * 49.0) * 512.0;
                assert!(
                    (f64::from(got) - want).abs() <= half_ulp(want.abs() + slack) + slack,
                    "{} {shape:?} {at}: {got}, expected {want}",
                    isa.name()
                );
            }
            let panels = Panels::to_image(shape, &weights).unwrap();
            let whole = image.area;
            let (route, placing) = Route::to_image(&panels, &layout, whole, isa).unwrap();
            let grad: Vec<f32> = Numbers(3).take(shape.out_channels * output[0] * output[1]);
            let mut rows = zeros(&layout, 1);
            fill(&layout, &grad, &mut rows);
            let mut sums = vec![0.0; placing.len()];
            panels.run_sums(isa, &route, &rows, &mut sums).unwrap();
            let mut got = vec![f32::NAN; pixels.len()];
            placing.place(&sums, &mut got).unwrap();
            let (want, slack) = oracle(shape, size, Direction::Backward, [&grad, &weights, &[]]);
            for (at, (want, slack)) in want.iter().zip(slack).enumerate() {
                let bound = slack * 4.0 + 2.0_f64.powi(-16) * want.abs().max(1.0);
                assert!(
                    (f64::from(got[at]) - want).abs() <= bound,
                    "{} {shape:?} {at}: {}, expected {want}",
                    isa.name(),
                    got[at]
                );
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let shape = shape([32, 32], 3, 1);
    let panels = Panels::new(shape, Direction::Forward, &vec![0.0; shape.weights()], None).unwrap();
    let layout = |channels, side, halo| Layout {
        channels,
        area: Area::whole(side, side),
        halo,
        together: 1,
    };
    let whole = Area::whole(4, 4);
    let error = |source: Layout, target: Layout, area| {
        Route::new(&panels, &source, &target, area, Bf16Isa::Portable)
            .unwrap_err()
            .to_string()
    };
    let fine = layout(32, 4, 1);
    assert!(error(layout(64, 4, 1), fine, whole).contains("64 channels"));
    assert!(error(fine, layout(16, 4, 1), whole).contains("16 channels"));
    assert!(error(layout(32, 4, 0), fine, whole).contains("a halo of 0, expected 1"));
    assert!(error(fine, fine, Area::whole(5, 4)).contains("inside"));
    // The map that is read is far smaller than the one that is written.
    assert!(error(layout(32, 1, 1), fine, whole).contains("a halo of 1, expected 4"));
    let route = Route::new(&panels, &fine, &fine, whole, Bf16Isa::Portable).unwrap();
    let mut target = zeros(&fine, 1);
    let run = |source: &[Row], target: &mut [Row]| {
        panels.run(
            Bf16Isa::Portable,
            &route,
            source,
            target,
            (Start::Fresh, Bf16End::Store),
        )
    };
    assert!(run(&target.clone()[1..], &mut target).is_err());
    assert!(run(&zeros(&fine, 2), &mut target).is_err());
    let far = ConvShape {
        kernel: 1,
        padding: 0,
        stride: 1 << 57,
        ..shape
    };
    assert!(Panels::new(far, Direction::Forward, &vec![0.0; far.weights()], None).is_err());
    // Read beside its end, the map that is read would give pixels of the next line.
    let narrow = Layout {
        area: Area::whole(8, 4),
        halo: 3,
        ..fine
    };
    assert!(error(narrow, layout(32, 8, 1), Area::whole(8, 8)).contains("a halo of 3, expected 5"));
    let stem = ConvShape {
        in_channels: 4,
        ..shape
    };
    assert!(Panels::from_image(stem, &vec![0.0; stem.weights()], None).is_err());
    assert!(Panels::new(shape, Direction::Forward, &[0.0], None).is_err());
}
