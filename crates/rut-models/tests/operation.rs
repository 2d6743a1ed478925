//! The network as a candle operation, whole and through a window, against its trace.

mod common;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use common::nets::{by_rule, every_operation, noise, values};
use rut_models::{
    FrozenNetwork, OutputGrads, Windowed, find, logits, logits_window, outputs, outputs_window,
};
use rut_testkit::close::{Tolerance, assert_close};

const ROUNDING: Tolerance = Tolerance::rel(1e-12);

fn network() -> Arc<dyn FrozenNetwork> {
    Arc::new(by_rule(&every_operation(), DType::F64))
}

#[test]
fn the_gradient_of_the_operation_is_the_trace() {
    let net = network();
    let x = Var::from_tensor(&noise("x", &[3, 3, 21, 19], DType::F64)).unwrap();
    let g = noise("g", &[3, 5], DType::F64);
    let doubled = (x.as_tensor() * 2.0).unwrap();
    let loss = (logits(&net, &doubled).unwrap() * &g)
        .unwrap()
        .sum_all()
        .unwrap();
    let through = loss.backward().unwrap().remove(&x).unwrap();
    let (_, trace) = net.trace(&doubled.detach()).unwrap();
    let direct = (trace
        .backward_to_input(&OutputGrads::of_logits(&g))
        .unwrap()
        * 2.0)
        .unwrap();
    assert_close("gradient", &values(&through), &values(&direct), ROUNDING);
}

#[test]
fn features_and_logits_go_back_together() {
    let net = network();
    let x = Var::from_tensor(&noise("x", &[3, 3, 21, 19], DType::F64)).unwrap();
    let width = net.width();
    let g = noise("g", &[3, width + net.classes()], DType::F64);
    let both = outputs(&net, &x).unwrap();
    let inferred = net.infer(&x.detach()).unwrap();
    assert_eq!(
        values(&both.narrow(1, 0, width).unwrap()),
        values(&inferred.features)
    );
    assert_eq!(
        values(&both.narrow(1, width, 5).unwrap()),
        values(&inferred.logits)
    );
    assert_eq!(values(&outputs(&net, &x.detach()).unwrap()), values(&both));
    let loss = (both * &g).unwrap().sum_all().unwrap();
    let through = loss.backward().unwrap().remove(&x).unwrap();
    let grads = OutputGrads {
        features: Some(g.narrow(1, 0, width).unwrap().contiguous().unwrap()),
        logits: Some(g.narrow(1, width, 5).unwrap().contiguous().unwrap()),
    };
    let (_, trace) = net.trace(&x.detach()).unwrap();
    let direct = trace.backward_to_input(&grads).unwrap();
    assert_close("gradient", &values(&through), &values(&direct), ROUNDING);

    let w = windowed("both");
    let canvas = Var::from_tensor(&w.canvas).unwrap();
    let both = outputs_window(&net, &canvas, &w.patches, w.top, w.left).unwrap();
    let loss = (both * &g).unwrap().sum_all().unwrap();
    let through = loss.backward().unwrap().remove(&canvas).unwrap();
    let (_, trace) = net.trace_window(&w).unwrap();
    let direct = trace.backward_to_canvas(&grads).unwrap();
    assert_close("canvas", &values(&through), &values(&direct), ROUNDING);
}

#[test]
fn gradients_that_do_not_fit_are_named() {
    let net = network();
    let x = noise("x", &[1, 3, 21, 19], DType::F64);
    let refuse = |grads: &OutputGrads| {
        let (_, trace) = net.trace(&x).unwrap();
        trace.backward_to_input(grads).unwrap_err().to_string()
    };
    let wrong = noise("g", &[2, net.width()], DType::F64);
    let error = refuse(&OutputGrads::of_features(&wrong));
    assert!(
        error.contains("the gradient of the features") && error.contains("[2, "),
        "{error}"
    );
    let none = OutputGrads {
        features: None,
        logits: None,
    };
    let error = refuse(&none);
    assert!(
        error.contains("expected that of the logits, of the features, or both"),
        "{error}"
    );
}

#[test]
fn without_a_variable_it_only_infers() {
    let net = network();
    let x = noise("x", &[2, 3, 21, 19], DType::F64);
    let y = logits(&net, &x).unwrap();
    assert!(!y.track_op());
    assert_eq!(values(&y), values(&net.infer(&x).unwrap().logits));
}

#[test]
fn a_second_backward_is_an_error() {
    let net = network();
    let x = Var::from_tensor(&noise("x", &[1, 3, 21, 19], DType::F64)).unwrap();
    let loss = logits(&net, &x).unwrap().sum_all().unwrap();
    loss.backward().unwrap();
    let error = loss.backward().unwrap_err().to_string();
    assert!(
        error.contains("is used up by an earlier backward pass; run forward again"),
        "{error}"
    );
}

fn windowed(net: &str) -> Windowed {
    Windowed {
        canvas: noise(&format!("{net} canvas"), &[3, 24, 22], DType::F64),
        patches: noise(&format!("{net} patches"), &[3, 3, 8, 8], DType::F64),
        top: 9,
        left: 5,
    }
}

/// The canvas's content inside the window counts for nothing, even where it is not a number.
#[test]
fn a_window_is_the_pasted_image() {
    let net = network();
    let mut w = windowed("w");
    let image = w.paste().unwrap();
    let expected = net.infer(&image).unwrap();
    let hole = Tensor::full(f64::NAN, (3, 8, 8), &Device::Cpu).unwrap();
    w.canvas = w.canvas.slice_assign(&[0..3, 9..17, 5..13], &hole).unwrap();
    assert_eq!(values(&w.paste().unwrap()), values(&image));
    let (outputs, trace) = net.trace_window(&w).unwrap();
    assert_eq!(values(&outputs.logits), values(&expected.logits));
    assert_eq!(
        values(&net.infer_window(&w).unwrap().features),
        values(&expected.features)
    );

    let g = noise("g", &[3, 5], DType::F64);
    let gradients = trace
        .backward_to_window(&OutputGrads::of_logits(&g))
        .unwrap();
    let whole = net
        .trace(&image)
        .unwrap()
        .1
        .backward_to_input(&OutputGrads::of_logits(&g))
        .unwrap();
    let patches = whole.narrow(2, 9, 8).unwrap().narrow(3, 5, 8).unwrap();
    assert_eq!(values(&gradients.patches), values(&patches));
    let zeros = Tensor::zeros((3, 3, 8, 8), DType::F64, &Device::Cpu).unwrap();
    let outside = whole
        .slice_assign(&[0..3, 0..3, 9..17, 5..13], &zeros)
        .unwrap();
    assert_close(
        "canvas",
        &values(&gradients.canvas),
        &values(&outside.sum(0).unwrap()),
        ROUNDING,
    );
}

#[test]
fn both_parts_of_a_window_are_differentiable() {
    let net = network();
    let w = windowed("v");
    let (canvas, patches) = (
        Var::from_tensor(&w.canvas).unwrap(),
        Var::from_tensor(&w.patches).unwrap(),
    );
    let g = noise("g", &[3, 5], DType::F64);
    let loss = |y: Tensor| (y * &g).unwrap().sum_all().unwrap();
    let y = logits_window(&net, &canvas, &patches, w.top, w.left).unwrap();
    let gradients = loss(y).backward().unwrap();
    let expected = net
        .trace_window(&w)
        .unwrap()
        .1
        .backward_to_window(&OutputGrads::of_logits(&g))
        .unwrap();
    assert_eq!(
        values(gradients.get(&canvas).unwrap()),
        values(&expected.canvas)
    );
    assert_eq!(
        values(gradients.get(&patches).unwrap()),
        values(&expected.patches)
    );

    let y = logits_window(&net, &canvas, &w.patches, w.top, w.left).unwrap();
    let gradients = loss(y).backward().unwrap();
    assert_eq!(
        values(gradients.get(&canvas).unwrap()),
        values(&expected.canvas)
    );
}

#[test]
fn a_window_over_the_edge_is_refused() {
    let net = network();
    let mut w = windowed("w");
    w.left = 15;
    let error = net.infer_window(&w).unwrap_err().to_string();
    assert_eq!(
        error,
        "run a frozen network: the pair of canvas and patches is [3, 24, 22] and [3, 3, 8, 8] at (9, 15), expected [3, h, w] and [n, 3, s, s] with the window inside the canvas"
    );
}

#[test]
fn a_window_of_the_whole_canvas_works() {
    let net: Arc<dyn FrozenNetwork> = Arc::new(by_rule(
        &find("resnet20_cifar10").unwrap().build(),
        DType::F64,
    ));
    let (canvas, patches) = (
        noise("c", &[3, 8, 8], DType::F64),
        noise("p", &[2, 3, 8, 8], DType::F64),
    );
    let y = logits_window(&net, &canvas, &patches, 0, 0).unwrap();
    assert_eq!(values(&y), values(&net.infer(&patches).unwrap().logits));
}
