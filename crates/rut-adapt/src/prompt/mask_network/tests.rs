//! The mask network beside candle's layers, and with other numbers of threads.

use candle_core::Var;
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, Module, ModuleT};
use rut_data::Seed;

use super::*;

/// The network of candle's layers.
fn of_layers(
    shape: MaskShape,
    parameters: &[Tensor],
    buffers: &[Tensor],
    x: &Tensor,
    statistics: Statistics,
) -> (Tensor, Vec<Tensor>) {
    let same = Conv2dConfig {
        padding: 1,
        ..Conv2dConfig::default()
    };
    let convolution =
        |weight: &Tensor, bias: &Tensor| Conv2d::new(weight.clone(), Some(bias.clone()), same);
    let (mut x, mut after) = (x.clone(), Vec::new());
    let blocks = parameters.chunks_exact(4).zip(buffers.chunks_exact(2));
    for (block, (own, running)) in blocks.take(shape.blocks()).enumerate() {
        let [mean, variance] = [running[0].clone(), running[1].clone()];
        let [scale, shift] = [own[2].clone(), own[3].clone()];
        let channels = CHANNELS[block + 1];
        let norm = BatchNorm::new(channels, mean, variance, scale, shift, 1e-5).unwrap();
        let convolved = convolution(&own[0], &own[1]).forward(&x).unwrap();
        let normalised = norm.forward_t(&convolved, statistics == Statistics::Batch);
        x = normalised.unwrap().relu().unwrap();
        if shape.pools(block) {
            // candle's own pooling has a wrong gradient: a quarter of it, where one value is largest.
            let (n, c, h, w) = x.dims4().unwrap();
            let cells = x.reshape((n, c, h / 2, 2, w / 2, 2)).unwrap();
            x = cells.max(5).unwrap().max(3).unwrap();
        }
        after.extend([norm.running_mean().clone(), norm.running_var().clone()]);
    }
    let mask = match &parameters[4 * shape.blocks()..] {
        [weight, bias] => convolution(weight, bias).forward(&x).unwrap(),
        _ => x.mean_keepdim(1).unwrap(),
    };
    (mask, after)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().unwrap();
    flat.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn drawn(stream: &mut Stream, shape: &[usize], dtype: DType) -> Tensor {
    let count: usize = shape.iter().product();
    let drawn: Vec<f64> = (0..count).map(|_| 2.0 * stream.uniform() - 1.0).collect();
    let drawn = Tensor::from_vec(drawn, shape, &Device::Cpu).unwrap();
    drawn.to_dtype(dtype).unwrap()
}

/// Largest difference over the largest value.
#[track_caller]
fn assert_near(what: &str, found: &[f64], want: &[f64], within: f64) {
    assert_eq!(found.len(), want.len(), "{what}");
    let largest = want
        .iter()
        .fold(1e-3, |most: f64, value| most.max(value.abs()));
    for (found, want) in found.iter().zip(want) {
        let apart = (found - want).abs() / largest;
        assert!(apart <= within, "{what}: {found} for {want}");
    }
}

/// Mask, running statistics and gradients beside those of candle's layers, of images of `side` pixels.
fn compare<T: Real>(shape: MaskShape, side: usize, statistics: Statistics, within: f64) {
    let mut stream = Seed(11).stream("mask network");
    let place = (T::DTYPE, &Device::Cpu);
    let parameters = shape.parameters(&mut stream, place).unwrap();
    // Not as they begin: else no channel differs from another in what it is normalised by.
    let parameters: Vec<Var> = parameters
        .iter()
        .map(|p| (p + drawn(&mut stream, p.dims(), T::DTYPE) * 0.1).unwrap())
        .map(|p| Var::from_tensor(&p).unwrap())
        .collect();
    let tensors: Vec<Tensor> = parameters.iter().map(|p| p.as_tensor().clone()).collect();
    let buffers = shape.buffers(T::DTYPE, &Device::Cpu).unwrap();
    let x = drawn(&mut stream, &[3, 3, side, side], T::DTYPE);
    let (want, after) = of_layers(shape, &tensors, &buffers, &x, statistics);
    let weight = drawn(&mut stream, want.dims(), T::DTYPE);
    let loss = (&want * &weight).unwrap().sum_all().unwrap();
    let store = loss.backward().unwrap();

    let flat = |tensors: &[Tensor]| -> Vec<T> {
        let all = tensors.iter().map(|t| t.flatten_all().unwrap().to_vec1());
        all.map(Result::unwrap).collect::<Vec<Vec<T>>>().concat()
    };
    let own = flat(&tensors);
    let mut running: Vec<Vec<T>> = buffers.iter().map(|b| b.to_vec1().unwrap()).collect();
    let images = flat(std::slice::from_ref(&x));
    let (mask, trace) = shape.forward(
        &own,
        &mut running,
        (&images, side),
        statistics,
        &Arc::default(),
    );
    let name = format!("{shape:?} of {side}, {statistics:?}");
    let wide = |values: &[T]| -> Vec<f64> { values.iter().map(|&v| v.into()).collect() };
    assert_near(&name, &wide(&mask), &values(&want), within);
    for (found, want) in running.iter().zip(&after) {
        assert_near(&name, &wide(found), &values(want), within);
    }
    let gradient = shape.backward(&own, side, &trace, &flat(&[weight]));
    let mut rest = wide(&gradient);
    for (parameter, name_of) in parameters.iter().zip(shape.names()) {
        let last = rest.split_off(parameter.elem_count());
        let found = std::mem::replace(&mut rest, last);
        let want = values(store.get(parameter).unwrap());
        // The layers leave rounding where a batch's mean takes a bias away.
        if statistics == Statistics::Batch && name_of.ends_with("conv.bias") {
            assert!(found.iter().all(|&value| value == 0.0), "{name}, {name_of}");
            assert!(
                want.iter().all(|value| value.abs() < 1e-3),
                "{name}, {name_of}"
            );
        } else {
            assert_near(&format!("{name}, {name_of}"), &found, &want, within);
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn it_is_the_network_of_candle_s_layers() {
    for (layers, patch, channels) in [(5, 8, 3), (5, 1, 1), (5, 2, 3), (6, 32, 3), (6, 4, 1)] {
        let shape = MaskShape {
            layers,
            patch,
            channels,
        };
        // Widths of several vectors, with and without a rest.
        for side in [3 * patch, 40 / patch * patch] {
            for statistics in [Statistics::Batch, Statistics::Running] {
                compare::<f64>(shape, side, statistics, 1e-10);
                compare::<f32>(shape, side, statistics, 2e-4);
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let shape = MaskShape {
        layers: 5,
        patch: 8,
        channels: 3,
    };
    let mut stream = Seed(3).stream("mask network");
    let own = shape.parameters(&mut stream, (DType::F32, &Device::Cpu));
    let own: Vec<f32> = own
        .unwrap()
        .iter()
        .flat_map(|p| p.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .collect();
    let images: Vec<f32> = (0..5 * 3 * 40 * 40)
        .map(|_| stream.uniform() as f32)
        .collect();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut running = vec![vec![0.0; 64]; 8];
            let batch = Statistics::Batch;
            let (mask, trace) =
                shape.forward(&own, &mut running, (&images, 40), batch, &Arc::default());
            let gradient = shape.backward(&own, 40, &trace, &mask);
            (mask, running, gradient)
        })
    };
    assert_eq!(with(1), with(2));
}
