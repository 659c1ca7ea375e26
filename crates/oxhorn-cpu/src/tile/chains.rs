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

#[cfg(test)]
mod tests {
    use super::*;
    use oxhorn_ir::{Binary, Compare, Unary};
    use oxhorn_plan::BufferId;

    const fn buffer(id: u32) -> Operand {
        Operand::Memory(BufferId(id), Walk::Element)
    }

    const R0: Operand = Operand::Register(0);
    const R1: Operand = Operand::Register(1);
    const G: Operand = buffer(0);
    const M: Operand = buffer(1);
    const V: Operand = buffer(2);
    const W: Operand = buffer(3);
    const RATE: Operand = Operand::Memory(BufferId(4), Walk::Whole);

    fn it(action: Action, args: &[Operand], to: Operand) -> Instruction {
        let (dtype, span, args) = (DType::F32, Span::Element, args.to_vec());
        Instruction { action, dtype, span, args, to: destination(to).expect("a destination") }
    }

    fn binary(op: Binary, a: Operand, b: Operand, to: Operand) -> Instruction {
        it(Action::Binary(op), &[a, b], to)
    }

    /// Adam's update in place, as the planner writes it.
    fn adam() -> Vec<Instruction> {
        let number = Operand::Constant;
        vec![
            binary(Binary::Sub, G, M, R0),
            binary(Binary::Mul, R0, number(0.1), R0),
            binary(Binary::Add, M, R0, M),
            binary(Binary::Mul, G, G, R0),
            binary(Binary::Sub, R0, V, R0),
            binary(Binary::Mul, R0, number(0.001), R0),
            binary(Binary::Add, V, R0, V),
            binary(Binary::Mul, M, RATE, R0),
            it(Action::Unary(Unary::Sqrt), &[V], R1),
            binary(Binary::Add, R1, number(1e-7), R1),
            binary(Binary::Div, R0, R1, R1),
            binary(Binary::Sub, W, R1, W),
        ]
    }

    #[test]
    fn the_update_of_adam_is_one() {
        let found = find(&adam()).expect("a chain");
        assert_eq!(found.chain.name, "ADAM");
        assert_eq!(found.arguments, [G, M, V, W]);
        assert_eq!(found.numbers[2], RATE);
        let results: Vec<Operand> = found.results.into_iter().filter_map(operand).collect();
        assert_eq!(results, [M, V, W]);
    }

    #[test]
    fn what_is_needed_later_breaks_a_chain() {
        let mut code = adam();
        code.push(binary(Binary::Add, R1, R1, buffer(9)));
        assert!(find(&code).is_none());
        // Once it has been written again, it is something else.
        code.insert(12, it(Action::Move, &[G], R1));
        assert!(find(&code).is_some());
    }

    #[test]
    fn an_operand_must_be_what_its_name_says() {
        let mut code = adam();
        // The step is made of the old momentum, not of the new one.
        code[7].args[0] = G;
        assert!(find(&code).is_none());
        let mut code = adam();
        // One rate for each element is no number.
        code[7].args[1] = buffer(8);
        assert!(find(&code).is_none());
        let mut code = adam();
        code[4].dtype = DType::F64;
        assert!(find(&code).is_none());
        assert!(find(&adam()[..11]).is_none());
    }

    #[test]
    fn random_words_below_a_limit_are_never_written() {
        let key = Operand::Memory(BufferId(5), Walk::Whole);
        let mut code = vec![
            it(Action::RandomBits, &[key], R1),
            binary(Binary::Shr, R1, Operand::Constant(9.0), R1),
            it(Action::Cast(DType::F32), &[R1], R1),
            it(Action::Compare(Compare::Less), &[R1, RATE], R0),
        ];
        code[..3].iter_mut().for_each(|it| it.dtype = DType::U32);
        assert_eq!(below(&code), Some((key, RATE, Destination::Register(0))));
        let mut other = code.clone();
        other[1].args[1] = Operand::Constant(8.0);
        assert_eq!(below(&other), None);
        code.push(binary(Binary::Add, R1, R1, G));
        assert_eq!(below(&code), None);
    }
}
