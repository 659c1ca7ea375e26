//! The whole way from graph to program.

use oxhorn_ir::{Graph, Result};

use crate::{
    Program,
    fuse::fuse,
    lower::lower,
    memory::place,
    passes::{forget_masks, simplify},
};

/// The program that computes what `graph` does.
///
/// # Errors
///
/// None for a graph that `oxhorn_ir::verify` accepts; an error would be a mistake of the planner,
/// found by its own check, and is reported rather than run.
pub fn compile(graph: &Graph) -> Result<Program> {
    let graph = forget_masks(&simplify(graph)?)?;
    let mut program = lower(&graph, &fuse(&graph))?;
    place(&mut program);
    program.verify()?;
    Ok(program)
}
