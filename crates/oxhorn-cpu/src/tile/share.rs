//! How threads share the space of a loop: by rows or by columns, where it is worth it.

use std::ops::Range;

use oxhorn_plan::{Action, Instruction, Loop, Span};

use super::Bound;
use crate::{load::Loader, memory::ALIGNMENT};

/// Work below which a second thread costs more than it brings, in nanoseconds.
const ALONE_NS: f64 = 10_000.0;

/// How the space is shared between threads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Split {
    None,
    Rows { tasks: usize, grain: usize },
    Columns { tasks: usize, grain: usize },
}

/// The rows or columns of task number `task`, in multiples of `grain`.
pub(super) fn share(extent: usize, tasks: usize, grain: usize, task: usize) -> Range<usize> {
    let grains = extent.div_ceil(grain);
    let at = |task: usize| (grains * task / tasks * grain).min(extent);
    at(task)..at(task + 1)
}

/// Decides, by the work there is, how many threads share a loop and along which axis.
pub(super) fn split(
    it: &Loop,
    (rows, columns): (usize, usize),
    whole_rows: bool,
    product: Option<&Bound>,
    loader: &Loader<'_>,
) -> Split {
    let threads = loader.threads;
    if threads == 1 || !is_shared(it) {
        return Split::None;
    }
    let accumulates = |wanted: Span| {
        it.code.iter().any(|it| matches!(it.action, Action::Accumulate(_)) && it.span == wanted)
    };
    let grain = product.map_or([1, ALIGNMENT], Bound::grain);
    let parts = |extent: usize, grain: usize| threads.min(extent.div_ceil(grain));
    let by_rows = parts(rows, grain[0]);
    let by_columns = parts(columns, grain[1]);
    let in_rows = Split::Rows { tasks: by_rows, grain: grain[0] };
    let rows_are_free = !accumulates(Span::Element) && by_rows > 1;
    if accumulates(Span::Row) {
        Split::None
    } else if rows_are_free && rows >= columns {
        // Each thread then has memory of its own, in one piece.
        in_rows
    } else if !whole_rows && by_columns > 1 {
        Split::Columns { tasks: by_columns, grain: grain[1] }
    } else if rows_are_free {
        in_rows
    } else {
        Split::None
    }
}

/// Whether a loop is work enough for several threads.
pub(super) fn is_shared(it: &Loop) -> bool {
    work_ns(it) >= ALONE_NS
}

/// What a loop costs, roughly.
fn work_ns(it: &Loop) -> f64 {
    let elements = (it.rows * it.columns) as f64;
    let product = it.product.as_ref().map_or(0.0, |it| {
        let [m, k, n] = it.mkn;
        (2 * it.batch * m * k * n) as f64 / 50.0
    });
    it.code.iter().map(|instruction| cost_ns(instruction) * elements).sum::<f64>() + product
}

/// What an instruction costs an element, roughly: to decide on threads, never on results.
fn cost_ns(instruction: &Instruction) -> f64 {
    match instruction.action {
        Action::RandomBits => 1.0,
        Action::Unary(_) => 0.3,
        Action::Row(_) | Action::Accumulate(_) => 0.2,
        _ => 0.1,
    }
}
