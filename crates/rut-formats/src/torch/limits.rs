//! What the tensors of a file may take: as much as its storages account for, whatever the strides say.

use super::refusal::Refusal;
use super::{Element, Tensor};
use crate::escape;

/// The most bytes that the deflated storages of a file unpack to.
pub(super) const MOST_UNPACKED: u64 = 16 << 30;
/// How many times the length of the file its tensors may take, with what is in hand while they are
/// read: halves become floats, and a view may repeat elements.
const TIMES: u64 = 4;
/// Bytes that any file's tensors may take.
const FREE: u64 = 32 << 20;
/// Bytes of an element in memory, where it is a floating-point number.
const FLOAT: u64 = 4;
/// Elements of a window that any tensor may have beside twice its own.
const FREE_WINDOW: u64 = 1 << 16;

/// What a tensor takes: bytes of its elements in the file's type, and in memory.
struct Cost {
    declared: u64,
    read: u64,
    kept: u64,
}

/// Checks the tensors of one file, in order of their storages. `contents` are the bytes of the
/// storages that they need, `file` those of the file.
pub(super) fn check(tensors: &[&Tensor], contents: u64, file: u64) -> Result<(), Refusal> {
    let accounted = contents
        .max(file)
        .saturating_mul(TIMES)
        .saturating_add(FREE);
    let most = accounted.min(MOST_UNPACKED.saturating_add(file.saturating_mul(TIMES)));
    let (mut kept, mut most_read) = (0_u64, 0_u64);
    let mut reading = (None, 0_u64);
    let mut largest: Option<(&Tensor, Cost)> = None;
    for tensor in tensors {
        let cost = cost(tensor)?;
        let storage = tensor.view.as_ref().map(|view| view.storage);
        if storage != reading.0 {
            reading = (storage, 0);
        }
        reading.1 = reading.1.saturating_add(cost.read);
        most_read = most_read.max(reading.1);
        kept = kept.saturating_add(cost.kept);
        if largest
            .as_ref()
            .is_none_or(|(_, known)| known.declared < cost.declared)
        {
            largest = Some((tensor, cost));
        }
    }
    match largest {
        Some((tensor, cost)) if kept.saturating_add(most_read) > most => {
            Err(too_large(tensor, &cost, file))
        }
        _ => Ok(()),
    }
}

fn cost(tensor: &Tensor) -> Result<Cost, Refusal> {
    let nothing = Cost {
        declared: 0,
        read: 0,
        kept: 0,
    };
    let Some(view) = &tensor.view else {
        return Ok(nothing);
    };
    let elements = view.elements().unwrap_or(u64::MAX);
    if elements == 0 {
        return Ok(nothing);
    }
    let plan = view.plan();
    let window = plan.count;
    if window > elements.saturating_mul(2).saturating_add(FREE_WINDOW) {
        let reason = format!(
            "`{}` has {elements} elements that stand across each other in {window} of its storage",
            escape(&tensor.name)
        );
        return Err(Refusal::new(reason, "save it as tensor.contiguous()"));
    }
    let bytes = |elements: u64| elements.saturating_mul(view.size);
    let spread = plan.spread.map_or(0, |_| bytes(elements));
    let width = match tensor.element {
        Element::F64 | Element::F32 | Element::F16 | Element::Bf16 => FLOAT,
        _ => 1,
    };
    Ok(Cost {
        declared: bytes(elements),
        read: bytes(window).saturating_add(spread),
        kept: elements.saturating_mul(width),
    })
}

fn too_large(tensor: &Tensor, cost: &Cost, file: u64) -> Refusal {
    let reason = format!(
        "`{}` declares {} bytes, more than the file's {file} bytes can hold",
        escape(&tensor.name),
        cost.declared
    );
    Refusal::new(reason, "make expanded tensors contiguous before saving")
}
