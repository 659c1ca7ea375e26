//! Finds the chains in a loop's instructions: which operand stands for which of their names.

use oxhorn_ir::DType;
use oxhorn_plan::{Action, Destination, Instruction, Operand, Span, Walk};

use crate::kernels::chains::{CHAINS, Chain};

/// A chain, and the operands for its arguments and results, in their order.
pub(super) struct Found {
    pub(super) chain: &'static Chain,
    pub(super) arguments: Vec<Operand>,
    pub(super) numbers: Vec<Operand>,
    pub(super) results: Vec<Destination>,
}

/// The chain that `code` begins with, if there is one.
pub(super) fn find(code: &[Instruction]) -> Option<Found> {
    CHAINS.iter().find_map(|chain| Match::new(chain).run(code))
}

/// A limit on random words, right after they are drawn: `draw`, a shift that leaves 23 bits, these
/// as a number, and whether that is less. Gives the key, the limit, and where the answers go.
pub(super) fn below(code: &[Instruction]) -> Option<(Operand, Operand, Destination)> {
    let [draw, shift, cast, less, rest @ ..] = code else { return None };
    let word = register(draw)?;
    let follows = |it: &Instruction, from: Destination| it.args.first() == operand(from).as_ref();
    let is_shift = shift.action == Action::Binary(oxhorn_ir::Binary::Shr)
        && shift.args.get(1) == Some(&Operand::Constant(9.0))
        && follows(shift, draw.to);
    let is_cast = cast.action == Action::Cast(DType::F32)
        && cast.dtype == DType::U32
        && follows(cast, shift.to);
    let is_less = less.action == Action::Compare(oxhorn_ir::Compare::Less)
        && less.dtype == DType::F32
        && follows(less, cast.to);
    let limit = *less.args.get(1)?;
    let drawn =
        is_number(&limit) && draw.action == Action::RandomBits && is_shift && is_cast && is_less;
    let between = [word, register(shift)?, register(cast)?];
    let dead =
        between.into_iter().all(|it| less.to == Destination::Register(it) || is_dead(it, rest));
    (drawn && dead).then_some((*draw.args.first()?, limit, less.to))
}

/// A chain that is being compared with instructions.
struct Match {
    chain: &'static Chain,
    /// What is known to stand for each argument.
    arguments: Vec<Option<Operand>>,
    /// And for each number.
    numbers: Vec<Option<Operand>>,
    /// What the links have written, and the name of what is there now.
    written: Vec<(Operand, &'static str)>,
}

impl Match {
    fn new(chain: &'static Chain) -> Match {
        Match {
            chain,
            arguments: vec![None; chain.arguments.len()],
            numbers: vec![None; chain.numbers.len()],
            written: vec![],
        }
    }

    fn run(mut self, code: &[Instruction]) -> Option<Found> {
        let links = self.chain.links;
        let rest = code.get(links.len()..)?;
        for (link, it) in links.iter().zip(code) {
            let alike = link.action == it.action
                && it.dtype == DType::F32
                && it.span == Span::Element
                && link.args.len() == it.args.len();
            if !alike || !link.args.iter().zip(&it.args).all(|(name, arg)| self.stands(name, arg)) {
                return None;
            }
            let to = operand(it.to)?;
            self.written.retain(|(known, _)| *known != to);
            self.written.push((to, link.to));
        }
        self.finish(rest)
    }

    /// Whether an operand can stand for a name, from now on.
    fn stands(&mut self, name: &str, arg: &Operand) -> bool {
        if let Some((_, known)) = self.written.iter().find(|(to, _)| to == arg) {
            return *known == name;
        }
        if let Some(index) = self.chain.numbers.iter().position(|known| *known == name) {
            return is_number(arg) && *self.numbers[index].get_or_insert(*arg) == *arg;
        }
        let Some(index) = self.chain.arguments.iter().position(|(known, _)| *known == name) else {
            return false;
        };
        *self.arguments[index].get_or_insert(*arg) == *arg
    }

    /// Every result must still be there, nothing else may be needed later, and no result may be
    /// wider than an argument it is written over.
    fn finish(self, rest: &[Instruction]) -> Option<Found> {
        let mut results = vec![];
        for (name, dtype) in self.chain.results {
            let (to, _) = self.written.iter().find(|(_, known)| known == name)?;
            let narrower = |(argument, (_, ty)): (&Option<Operand>, &(&str, DType))| {
                *argument == Some(*to) && ty.bytes() < dtype.bytes()
            };
            if self.arguments.iter().zip(self.chain.arguments).any(narrower) {
                return None;
            }
            results.push(destination(*to)?);
        }
        for (to, name) in &self.written {
            let kept = self.chain.results.iter().any(|(known, _)| known == name);
            match to {
                _ if kept => {}
                Operand::Register(register) if is_dead(*register, rest) => {}
                _ => return None,
            }
        }
        let arguments = self.arguments.into_iter().collect::<Option<_>>()?;
        let numbers = self.numbers.into_iter().collect::<Option<_>>()?;
        Some(Found { chain: self.chain, arguments, numbers, results })
    }
}

/// Whether an operand is the same for all elements.
fn is_number(operand: &Operand) -> bool {
    matches!(operand, Operand::Memory(_, Walk::Whole) | Operand::Constant(_))
}

/// Whether nothing reads a register before it is written again.
pub(super) fn is_dead(register: usize, rest: &[Instruction]) -> bool {
    for it in rest {
        if it.args.contains(&Operand::Register(register)) {
            return false;
        }
        if it.to == Destination::Register(register) {
            return true;
        }
    }
    true
}

fn register(it: &Instruction) -> Option<usize> {
    match it.to {
        Destination::Register(register) => Some(register),
        Destination::Memory(_) => None,
    }
}

/// How what is written at a destination is read for each element.
fn operand(to: Destination) -> Option<Operand> {
    Some(match to {
        Destination::Register(register) => Operand::Register(register),
        Destination::Memory(id) => Operand::Memory(id, Walk::Element),
    })
}

fn destination(operand: Operand) -> Option<Destination> {
    match operand {
        Operand::Register(register) => Some(Destination::Register(register)),
        Operand::Memory(id, Walk::Element) => Some(Destination::Memory(id)),
        _ => None,
    }
}
