//! Maps of several images that stand together: the same bits as maps of one image each, on every kernel, whichever side of a
//! convolution stands so.

mod rows;

use rows::{Numbers, fill, isas, shape};
use rut_kernels::bf16::{
    Bf16Average, Bf16End, Bf16Isa, Bf16MaxPool, Bf16OptionA, ImageLayout, Layout, Panels, Route,
    Row, halo, zeros,
};
use rut_kernels::{Area, ConvShape, Direction, Start};

/// Images of a test: two units of those that stand together.
const TOGETHER: usize = 5;
const IMAGES: usize = 2 * TOGETHER;

const CASES: &[(ConvShape, [usize; 2])] = &[
    (shape([32, 32], 1, 1), [1, 1]),
    (shape([64, 40], 1, 1), [7, 7]),
    (shape([33, 64], 3, 1), [7, 7]),
    (shape([16, 32], 3, 1), [2, 3]),
    (shape([64, 96], 3, 2), [8, 7]),
    (shape([32, 64], 1, 2), [7, 8]),
    (shape([32, 32], 5, 1), [3, 9]),
    (shape([32, 32], 3, 3), [5, 11]),
];

/// The rows of images that stand apart, as `layout` has them.
fn arranged(apart: &Layout, rows: &[Row], layout: &Layout) -> Vec<Row> {
    let images = rows.len() / apart.rows();
    let mut arranged = zeros(layout, images);
    each(apart, images, |image, plane, [y, x]| {
        let at =
            |layout: &Layout| layout.first_row(image) + plane * layout.plane() + layout.row(y, x);
        arranged[at(layout)] = rows[at(apart)];
    });
    arranged
}

fn each(layout: &Layout, images: usize, mut visit: impl FnMut(usize, usize, [usize; 2])) {
    let area = layout.area;
    for image in 0..images {
        for plane in 0..layout.planes() {
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    visit(image, plane, [y, x]);
                }
            }
        }
    }
}

fn random(layout: &Layout, numbers: &mut Numbers) -> Vec<Row> {
    let mut rows = zeros(layout, IMAGES);
    for image in rows.chunks_exact_mut(layout.rows()) {
        let values = numbers.take(layout.channels * layout.area.len());
        fill(layout, &values, image);
    }
    rows
}

#[test]
fn a_convolution_gives_the_same_bits() {
    for isa in isas() {
        for (index, &(shape, input)) in CASES.iter().enumerate() {
            for direction in [Direction::Forward, Direction::Backward] {
                for all in [true, false] {
                    check(isa, (index as u64, all), shape, input, direction);
                }
            }
        }
    }
}

/// Of all pixels, or of those within a frame of one pixel.
fn check(
    isa: Bf16Isa,
    (seed, all): (u64, bool),
    shape: ConvShape,
    input: [usize; 2],
    direction: Direction,
) {
    let mut numbers = Numbers(seed * 4 + 1);
    let output = shape.output(input).unwrap();
    let (from, to) = match direction {
        Direction::Forward => (input, output),
        Direction::Backward => (output, input),
    };
    let [read, written] = shape.channels(direction);
    let weights = numbers.take(shape.weights());
    let bias = numbers.take(written);
    let panels = Panels::new(shape, direction, &weights, Some(&bias)).unwrap();
    let layout = |channels, [height, width]: [usize; 2], halo| Layout {
        channels,
        area: Area::whole(height, width),
        halo,
        together: 1,
    };
    let apart = [
        layout(read, from, halo(shape, direction)),
        layout(written, to, 1),
    ];
    let inner = Area {
        top: 1,
        left: 1,
        height: to[0].saturating_sub(2),
        width: to[1].saturating_sub(2),
    };
    let area = if all { apart[1].area } else { inner };
    if area.is_empty() {
        return;
    }
    let (source, there) = (
        random(&apart[0], &mut numbers),
        random(&apart[1], &mut numbers),
    );
    let together = |layout: Layout, together| Layout { together, ..layout };
    let route =
        |layouts: &[Layout; 2]| Route::new(&panels, &layouts[0], &layouts[1], area, isa).unwrap();
    let (mut expected, mut bits) = (there.clone(), vec![0; there.len()]);
    let end = Bf16End::ReluRecord(&mut bits);
    let way = route(&apart);
    panels
        .run(isa, &way, &source, &mut expected, (Start::Add, end))
        .unwrap();
    for sides in [[TOGETHER, TOGETHER], [1, TOGETHER], [TOGETHER, 1]] {
        let name = format!("{} {direction:?} {shape:?} {input:?} {sides:?}", isa.name());
        let layouts = [together(apart[0], sides[0]), together(apart[1], sides[1])];
        let source = arranged(&apart[0], &source, &layouts[0]);
        let mut target = arranged(&apart[1], &there, &layouts[1]);
        let mut found = vec![0; target.len()];
        let way = route(&layouts);
        let end = Bf16End::ReluRecord(&mut found);
        panels
            .run(isa, &way, &source, &mut target, (Start::Add, end))
            .unwrap();
        assert!(
            target == arranged(&apart[1], &expected, &layouts[1]),
            "{name}"
        );
        each(&apart[1], IMAGES, |image, plane, [y, x]| {
            let at = |layout: &Layout| {
                layout.first_row(image) + plane * layout.plane() + layout.row(y, x)
            };
            assert_eq!(found[at(&layouts[1])], bits[at(&apart[1])], "{name}");
        });
        if sides[0] == sides[1] {
            continue;
        }
        // Three images, from the fourth of those that stand together on.
        let (first, count) = (3, 3);
        let some = |side: usize, rows: &[Row]| match layouts[side].together {
            1 => rows[first * layouts[side].rows()..][..count * layouts[side].rows()].to_vec(),
            _ => rows.to_vec(),
        };
        let mut part = some(1, &arranged(&apart[1], &there, &layouts[1]));
        let ends = (Start::Add, Bf16End::Relu);
        panels
            .run_at(isa, (&way, first), &some(0, &source), &mut part, ends)
            .unwrap();
        if sides[1] == 1 {
            assert!(part == some(1, &target), "{name}");
            continue;
        }
        let mut mixed = there.clone();
        let rows = first * apart[1].rows()..(first + count) * apart[1].rows();
        mixed[rows.clone()].copy_from_slice(&expected[rows]);
        assert!(
            part == arranged(&apart[1], &mixed, &layouts[1]),
            "{name}: three images"
        );
    }
}

#[test]
fn averages_give_the_same_bits() {
    let apart = Layout {
        channels: 40,
        area: Area::whole(3, 4),
        halo: 1,
        together: 1,
    };
    let beside = Layout {
        together: TOGETHER,
        ..apart
    };
    let mut numbers = Numbers(3);
    let rows = random(&apart, &mut numbers);
    let average = Bf16Average { side: 2 };
    let mut means = [vec![0.0; IMAGES * 160], vec![0.0; IMAGES * 160]];
    average.run(&apart, &rows, &mut means[0]).unwrap();
    average
        .run(&beside, &arranged(&apart, &rows, &beside), &mut means[1])
        .unwrap();
    assert_eq!(means[0], means[1]);
    let ends = || (Start::Fresh, &Bf16End::Store);
    let mut back = [zeros(&apart, IMAGES), zeros(&beside, IMAGES)];
    average
        .backward(&apart, &means[0], &mut back[0], ends())
        .unwrap();
    average
        .backward(&beside, &means[0], &mut back[1], ends())
        .unwrap();
    assert!(back[1] == arranged(&apart, &back[0], &beside));
}

#[test]
fn images_that_do_not_fit_are_refused() {
    let shape = shape([32, 32], 1, 1);
    let weights = vec![0.0; shape.weights()];
    let panels = Panels::new(shape, Direction::Forward, &weights, None).unwrap();
    let layout = |together| Layout {
        channels: 32,
        area: Area::whole(2, 2),
        halo: 0,
        together,
    };
    let route = |from, into| {
        let area = Area::whole(2, 2);
        Route::new(
            &panels,
            &layout(from),
            &layout(into),
            area,
            Bf16Isa::Portable,
        )
    };
    for (from, into) in [(2, 3), (0, 0), (0, 1)] {
        let error = route(from, into).unwrap_err().to_string();
        assert!(error.contains("images together on one side"), "{error}");
    }
    let run = |from, into, first, images: [usize; 2]| {
        let source = zeros(&layout(from), images[0]);
        let mut target = zeros(&layout(into), images[1]);
        let ends = (Start::Fresh, Bf16End::Store);
        let route = route(from, into).unwrap();
        panels.run_at(
            Bf16Isa::Portable,
            (&route, first),
            &source,
            &mut target,
            ends,
        )
    };
    assert!(run(1, 4, 2, [2, 4]).is_ok());
    let error = run(1, 4, 3, [2, 4]).unwrap_err().to_string();
    assert!(
        error.contains("4 images, expected 2 from image 3 on"),
        "{error}"
    );
    let error = run(4, 1, 3, [4, 2]).unwrap_err().to_string();
    assert!(
        error.contains("4 images, expected 2 from image 3 on"),
        "{error}"
    );
    assert!(run(4, 4, 1, [4, 4]).is_err());
    assert!(run(4, 4, 0, [4, 8]).is_err());

    // What reads or writes only images that stand apart.
    let area = Area::whole(2, 2);
    let pool = Bf16MaxPool {
        isa: Bf16Isa::Portable,
        kernel: 1,
        stride: 1,
        padding: 0,
    };
    for layouts in [[&layout(2), &layout(1)], [&layout(1), &layout(2)]] {
        let rows = [0, 1].map(|side| zeros(layouts[side], 2));
        let error = pool.run(layouts, area, &rows[0], &mut rows[1].clone(), None);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("2 images together, expected one at a time"),
            "{error}"
        );
        let option = Bf16OptionA {
            in_channels: 32,
            out_channels: 32,
        };
        let error = option.run(layouts, Area::whole(1, 1), &rows[0], &mut rows[1].clone());
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("2 images together, expected one at a time"),
            "{error}"
        );
    }
    let stem = ConvShape {
        in_channels: 3,
        ..shape
    };
    let weights = vec![0.0; stem.weights()];
    let image = ImageLayout { area, padding: 0 };
    let panels = Panels::from_image(stem, &weights, None).unwrap();
    let route = Route::from_image(&panels, &image, &layout(2), area, Bf16Isa::Portable);
    assert!(route.unwrap_err().to_string().contains("one at a time"));
    let panels = Panels::to_image(stem, &weights).unwrap();
    let route = Route::to_image(&panels, &layout(2), area, Bf16Isa::Portable);
    assert!(route.unwrap_err().to_string().contains("one at a time"));
}
