//! Tensors by the calls that would rebuild them (PyTorch, `torch/_utils.py` and `torch/_tensor.py`).

use super::element::Element;
use super::storage::{Storages, whole};
use super::view::View;
use crate::Fault;
use crate::pickle::Value;

/// The most axes; PyTorch has as many.
const MOST_AXES: usize = 64;
/// How often a call may stand within a call: a parameter of a subclass of a tensor.
const DEEPEST: usize = 8;

/// A tensor without its name.
pub(super) struct Parts {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
    pub(super) view: Option<View>,
}

/// How a function rebuilds a tensor.
#[derive(Clone, Copy)]
enum Rebuild {
    /// `(storage, offset, shape, strides, …)`.
    Strided,
    /// The same, with a dtype as the argument of index 6.
    StridedOf,
    /// The first argument is the tensor.
    First,
    /// `(function, class, arguments, …)`.
    Deferred,
    /// A form that is not read, with its shape as the argument of this index.
    Other(&'static str, usize),
}

/// The functions, by module and name.
const FUNCTIONS: &[(&str, &str, Rebuild)] = &[
    ("torch._utils", "_rebuild_tensor", Rebuild::Strided),
    ("torch._utils", "_rebuild_tensor_v2", Rebuild::Strided),
    ("torch._utils", "_rebuild_tensor_v3", Rebuild::StridedOf),
    ("torch._utils", "_rebuild_parameter", Rebuild::First),
    (
        "torch._utils",
        "_rebuild_parameter_with_state",
        Rebuild::First,
    ),
    (
        "torch._utils",
        "_rebuild_device_tensor_from_cpu_tensor",
        Rebuild::First,
    ),
    ("torch.nn.parameter", "Parameter", Rebuild::First),
    ("torch.nn.parameter", "Buffer", Rebuild::First),
    ("torch._tensor", "_rebuild_from_type", Rebuild::Deferred),
    ("torch._tensor", "_rebuild_from_type_v2", Rebuild::Deferred),
    ("torch.tensor", "_rebuild_from_type", Rebuild::Deferred),
    (
        "torch._utils",
        "_rebuild_qtensor",
        Rebuild::Other("quantised", 2),
    ),
    (
        "torch._utils",
        "_rebuild_sparse_tensor",
        Rebuild::Other("sparse", 9),
    ),
    (
        "torch._utils",
        "_rebuild_sparse_csr_tensor",
        Rebuild::Other("sparse", 9),
    ),
    (
        "torch._utils",
        "_rebuild_nested_tensor",
        Rebuild::Other("nested", 9),
    ),
    (
        "torch._utils",
        "_rebuild_meta_tensor_no_storage",
        Rebuild::Other("meta", 1),
    ),
    (
        "torch._utils",
        "_rebuild_wrapper_subclass",
        Rebuild::Other("wrapped", 2),
    ),
    (
        "torch._utils",
        "_rebuild_device_tensor_from_numpy",
        Rebuild::Other("device", 9),
    ),
];

/// The tensor that this value is, if it is one.
pub(super) fn tensor(value: Value<'_>, storages: &Storages) -> Result<Option<Parts>, Fault> {
    let Some((function, arguments)) = value.call() else {
        return Ok(None);
    };
    rebuilt(function, arguments, storages, 0)
}

fn rebuilt(
    function: Value<'_>,
    arguments: Value<'_>,
    storages: &Storages,
    depth: usize,
) -> Result<Option<Parts>, Fault> {
    let Some((module, name)) = function.class() else {
        return Ok(None);
    };
    let known = FUNCTIONS
        .iter()
        .find(|known| (known.0.as_bytes(), known.1.as_bytes()) == (module, name));
    let Some(&(_, name, rebuild)) = known else {
        return Ok(None);
    };
    let argument = |index: usize| {
        arguments
            .items()
            .and_then(|mut items| items.nth(index))
            .ok_or_else(|| Fault::new(name, "the arguments that PyTorch writes", "fewer"))
    };
    if depth > DEEPEST {
        return Err(Fault::new(name, "a tensor", "calls within calls"));
    }
    match rebuild {
        Rebuild::Strided | Rebuild::StridedOf => {
            let dtype = match rebuild {
                Rebuild::StridedOf => Some(argument(6)?),
                _ => None,
            };
            let (storage, offset) = (argument(0)?, argument(1)?);
            let (shape, strides) = (argument(2)?, argument(3)?);
            if let Some(text) = arguments.items().and_then(mathematical) {
                return Ok(Some(other(text, shape)));
            }
            strided(storage, offset, shape, strides, dtype, storages).map(Some)
        }
        Rebuild::First => match argument(0)?.call() {
            Some((function, arguments)) => rebuilt(function, arguments, storages, depth + 1),
            None => Ok(None),
        },
        Rebuild::Deferred => rebuilt(argument(0)?, argument(2)?, storages, depth + 1),
        // Without a shape among the arguments, none is known.
        Rebuild::Other(text, shape) => Ok(Some(other(text, argument(shape).unwrap_or(function)))),
    }
}

/// Views that PyTorch negates or conjugates when they are read.
fn mathematical<'p>(mut items: impl Iterator<Item = Value<'p>>) -> Option<&'static str> {
    let metadata = items
        .by_ref()
        .skip(6)
        .find(|item| item.entries().is_some())?;
    let set = |key| metadata.get(key).and_then(Value::boolean) == Some(true);
    (set("neg") || set("conj")).then_some("negated or conjugated")
}

/// A tensor whose elements are not read.
fn other(text: &'static str, shape: Value<'_>) -> Parts {
    Parts {
        element: Element::Other(text),
        shape: numbers(shape)
            .unwrap_or_default()
            .into_iter()
            .map(|length| length as usize)
            .collect(),
        view: None,
    }
}

/// Storage, offset, shape and strides, and for untyped storages the element type.
fn strided(
    storage: Value<'_>,
    offset: Value<'_>,
    shape: Value<'_>,
    strides: Value<'_>,
    dtype: Option<Value<'_>>,
    storages: &Storages,
) -> Result<Parts, Fault> {
    let bad = |what: &str| {
        Fault::new(
            "tensor",
            what,
            "something else; the file is damaged or hostile",
        )
    };
    let part = storage.persistent().and_then(|id| storages.find(id));
    let part = part.ok_or_else(|| bad("a storage"))?;
    let stored = storages.get(part.storage).ok_or_else(|| bad("a storage"))?;
    let (element, size) = match dtype {
        None => (stored.element, stored.size),
        Some(dtype) => dtype
            .class()
            .and_then(|(_, name)| Element::of_dtype(name))
            .ok_or_else(|| bad("an element type of PyTorch"))?,
    };
    let offset = whole(offset).ok_or_else(|| bad("an offset of at least 0"))?;
    let axes = format!("the lengths of at most {MOST_AXES} axes");
    let lengths = numbers(shape).ok_or_else(|| bad(&axes))?;
    let strides = numbers(strides).filter(|strides| strides.len() == lengths.len());
    let strides = strides.ok_or_else(|| bad("a stride of at least 0 for each axis"))?;
    let fits = || {
        let scale = |elements: u64| Some(elements.checked_mul(stored.size)? / size);
        let view = View {
            storage: part.storage,
            offset: scale(part.offset)?.checked_add(offset)?,
            lengths: lengths.clone(),
            strides,
            size,
        };
        view.is_within(scale(part.offset.checked_add(part.count)?)?)
            .then_some(view)
    };
    let view = fits().ok_or_else(|| {
        let expected = format!("a tensor within its {} elements", part.count);
        Fault::new(
            stored.place(),
            expected,
            format!("{lengths:?} from {offset}; the file is damaged or hostile"),
        )
    })?;
    let shape: Option<Vec<usize>> = lengths
        .iter()
        .map(|&length| usize::try_from(length).ok())
        .collect();
    Ok(Parts {
        element,
        shape: shape.ok_or_else(|| bad("lengths that can be counted"))?,
        view: match element {
            Element::Other(_) => None,
            _ => Some(view),
        },
    })
}

/// Whole numbers of at least 0, no more than there may be axes. `torch.Size` is a call with a tuple.
fn numbers(value: Value<'_>) -> Option<Vec<u64>> {
    let list = match value.call() {
        Some((_, arguments)) => arguments.items()?.next()?,
        None => value,
    };
    let items = list.items()?;
    if items.len() <= MOST_AXES {
        items.map(whole).collect()
    } else {
        None
    }
}
