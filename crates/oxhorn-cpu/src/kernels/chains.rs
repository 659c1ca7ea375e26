//! Chains: instructions that often follow one another, done in one pass.
//!
//! What is between them never leaves a register. The bits are those of the instructions one after
//! the other: nothing is contracted. A chain is written down once, in the order in which the
//! planner puts its instructions; of that are made both the pattern that is looked for in a loop
//! and the pass that takes its place.

use oxhorn_ir::{Binary, Compare, DType, Unary};
use oxhorn_plan::Action;

use crate::{
    isa::Isa,
    lanes::{CHUNK, lanes, one_chunk_at_a_time, padded, read, write},
};

/// The most arrays that a chain reads and writes.
pub const ARRAYS: usize = 12;

/// One pass over arrays of `len` elements: first the arguments of the chain, then its numbers, of
/// which one element each is read, then its results. A `bool` is a byte, 0 or 1. A result may be an
/// argument whose elements are no smaller.
pub type Pass = unsafe fn(len: usize, arrays: [*mut u8; ARRAYS]);

/// Instructions in a row.
pub struct Chain {
    /// What it is called, for tests.
    pub name: &'static str,
    /// Names and types of the arrays it reads, in their order.
    pub arguments: &'static [(&'static str, DType)],
    /// Names of the numbers it reads, after the arguments: of f32, the same for all elements.
    pub numbers: &'static [&'static str],
    /// Names and types of what it leaves, after the numbers.
    pub results: &'static [(&'static str, DType)],
    /// The instructions.
    pub links: &'static [Link],
    /// The pass, compiled for an instruction set.
    pub pass: fn(Isa) -> Pass,
}

/// An instruction of a chain: of f32, for each element.
pub struct Link {
    /// What it does.
    pub action: Action,
    /// Names of its arguments.
    pub args: &'static [&'static str],
    /// The name of its result.
    pub to: &'static str,
}

/// The chains that are looked for, a longer one before those it begins with.
pub static CHAINS: &[&Chain] =
    &[&ADAM, &DENSE_RELU_DROPOUT, &DENSE_RELU, &DROPOUT_RELU_GRADIENT, &RELU_GRADIENT];

/// The action that a word of a chain stands for.
macro_rules! action {
    (add) => {
        Action::Binary(Binary::Add)
    };
    (sub) => {
        Action::Binary(Binary::Sub)
    };
    (mul) => {
        Action::Binary(Binary::Mul)
    };
    (div) => {
        Action::Binary(Binary::Div)
    };
    (sqrt) => {
        Action::Unary(Unary::Sqrt)
    };
    (less_equal) => {
        Action::Compare(Compare::LessEqual)
    };
    (not_equal) => {
        Action::Compare(Compare::NotEqual)
    };
    (select) => {
        Action::Select
    };
}

/// What it computes of one element.
macro_rules! compute {
    (add $a:ident $b:ident) => {
        $a + $b
    };
    (sub $a:ident $b:ident) => {
        $a - $b
    };
    (mul $a:ident $b:ident) => {
        $a * $b
    };
    (div $a:ident $b:ident) => {
        $a / $b
    };
    (sqrt $a:ident) => {
        $a.sqrt()
    };
    (less_equal $a:ident $b:ident) => {
        ($a <= $b) as u8
    };
    (not_equal $a:ident $b:ident) => {
        ($a != $b) as u8
    };
    (select $mask:ident $a:ident $b:ident) => {
        if $mask != 0 { $a } else { $b }
    };
}

macro_rules! dtype {
    (f32) => {
        DType::F32
    };
    (u8) => {
        DType::Bool
    };
}

/// `chain! { NAME(argument: type, ..; number, ..) -> (position result: type, ..) { name = action
/// names; .. } }`
macro_rules! chain {
    (
        $(#[$meta:meta])*
        $name:ident($($arg:ident: $in:ident),+; $($number:ident),*)
            -> ($($index:tt $result:ident: $out:ident),+)
        {
            $($to:ident = $action:ident $($from:ident)+;)+
        }
    ) => {
        $(#[$meta])*
        pub static $name: Chain = {
            lanes! {
                unsafe fn pass<M>(len: usize, arrays: [*mut u8; ARRAYS]) {
                    let mut arrays = arrays.into_iter();
                    let mut next = || arrays.next().unwrap_or(std::ptr::null_mut());
                    $(let $arg = next().cast::<$in>().cast_const();)+
                    // SAFETY: as below, of one element.
                    $(let $number = unsafe { *next().cast::<f32>() };)*
                    let to = ($(next().cast::<$out>(),)+);
                    let whole = len - len % CHUNK;
                    // SAFETY: whoever calls a `Pass` hands over arrays of its types and this
                    // length.
                    unsafe {
                        for start in (0..whole).step_by(CHUNK) {
                            $(let $arg = read($arg.wrapping_add(start));)+
                            one_chunk_at_a_time();
                            let results = chain!(@chunk ($($arg)+) ($($index $result: $out),+)
                                $($to = $action $($from)+;)+);
                            $(write(to.$index.wrapping_add(start), results.$index);)+
                        }
                        if whole < len {
                            let rest = len - whole;
                            $(let $arg = padded($arg.wrapping_add(whole), rest);)+
                            let results = chain!(@chunk ($($arg)+) ($($index $result: $out),+)
                                $($to = $action $($from)+;)+);
                            $(
                                let y = to.$index.wrapping_add(whole);
                                y.copy_from_nonoverlapping(results.$index.as_ptr(), rest);
                            )+
                        }
                    }
                }
            }
            Chain {
                name: stringify!($name),
                arguments: &[$((stringify!($arg), dtype!($in))),+],
                numbers: &[$(stringify!($number)),*],
                results: &[$((stringify!($result), dtype!($out))),+],
                links: &[$(Link {
                    action: action!($action),
                    args: &[$(stringify!($from)),+],
                    to: stringify!($to),
                }),+],
                pass,
            }
        };
    };
    (@chunk ($($arg:ident)+) ($($index:tt $result:ident: $out:ident),+)
        $($to:ident = $action:ident $($from:ident)+;)+) => {{
        let mut results = ($([<$out>::default(); CHUNK],)+);
        for i in 0..CHUNK {
            $(let $arg = $arg[i];)+
            $(let $to = compute!($action $($from)+);)+
            $(results.$index[i] = $result;)+
        }
        results
    }};
}

chain! {
    /// The step of Adam: both moments, and the weight.
    ADAM(
        g: f32, m: f32, v: f32, w: f32; beta_1, beta_2, rate, epsilon
    ) -> (0 m_new: f32, 1 v_new: f32, 2 w_new: f32) {
        m_off = sub g m;
        m_step = mul m_off beta_1;
        m_new = add m m_step;
        square = mul g g;
        v_off = sub square v;
        v_step = mul v_off beta_2;
        v_new = add v v_step;
        up = mul m_new rate;
        root = sqrt v_new;
        down = add root epsilon;
        step = div up down;
        w_new = sub w step;
    }
}

chain! {
    /// What follows the product of a dense layer: bias, ReLU, and the scale of a dropout.
    DENSE_RELU_DROPOUT(x: f32, bias: f32; zero, keep) -> (0 y: f32) {
        sum = add x bias;
        off = less_equal sum zero;
        on = select off zero sum;
        y = div on keep;
    }
}

chain! {
    /// The same without a dropout.
    DENSE_RELU(x: f32, bias: f32; zero) -> (0 y: f32) {
        sum = add x bias;
        off = less_equal sum zero;
        y = select off zero sum;
    }
}

chain! {
    /// The gradient through a dropout and a ReLU, of which the result is known.
    DROPOUT_RELU_GRADIENT(y: f32, dy: f32; zero, keep) -> (0 dx: f32) {
        passed = not_equal y zero;
        scaled = div dy keep;
        dx = select passed scaled zero;
    }
}

chain! {
    /// The gradient through a ReLU alone.
    RELU_GRADIENT(y: f32, dy: f32; zero) -> (0 dx: f32) {
        passed = not_equal y zero;
        dx = select passed dy zero;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{
        elementwise::{Loop, binary, compare, select, unary},
        testing::LENGTHS,
    };

    /// The loop that does one link alone.
    fn alone(isa: Isa, link: &Link) -> Loop {
        match link.action {
            Action::Unary(op) => unary(isa, op, DType::F32).unwrap(),
            Action::Binary(op) => binary(isa, op, DType::F32).unwrap(),
            Action::Compare(op) => compare(isa, op, DType::F32),
            Action::Select => select(isa, DType::F32),
            other => panic!("no chain has {other:?}"),
        }
    }

    /// Numbers of both signs with a zero now and then, or a mask; room for f32 in both cases.
    fn numbers(dtype: DType, len: usize, seed: usize) -> Vec<f32> {
        let mut numbers: Vec<f32> =
            (0..len).map(|i| ((i * 7 + seed * 13) as f32 * 0.37).sin() * 3.0).collect();
        numbers.iter_mut().step_by(5).for_each(|x| *x = 0.0);
        if dtype == DType::Bool {
            let bytes = numbers.as_mut_ptr().cast::<u8>();
            // SAFETY: there is room for four times as many bytes.
            (0..len).for_each(|i| unsafe { *bytes.add(i) = (i * 7 + seed) as u8 % 3 % 2 });
        }
        numbers
    }

    fn bytes(x: &[f32], dtype: DType, len: usize) -> Vec<u8> {
        let all: Vec<u8> = x.iter().flat_map(|x| x.to_ne_bytes()).collect();
        all[..len * dtype.bytes()].to_vec()
    }

    #[test]
    fn give_the_bits_of_their_instructions() {
        for isa in Isa::available() {
            for chain in CHAINS {
                for len in LENGTHS {
                    let arguments = chain.arguments.iter().enumerate();
                    let mut known: Vec<(&str, Vec<f32>)> =
                        arguments.map(|(i, (name, ty))| (*name, numbers(*ty, len, i))).collect();
                    for (i, name) in chain.numbers.iter().enumerate() {
                        known.push((name, vec![0.3 + i as f32; len.max(1)]));
                    }
                    let mut once = known.clone();
                    once.extend(chain.results.iter().map(|(name, _)| (*name, vec![7.0; len])));
                    let mut arrays = [std::ptr::null_mut(); ARRAYS];
                    for (array, (_, x)) in arrays.iter_mut().zip(&mut once) {
                        *array = x.as_mut_ptr().cast();
                    }
                    // SAFETY: all arrays have room for `len` elements of f32, and this machine has
                    // the instruction set.
                    unsafe { (chain.pass)(isa)(len, arrays) };
                    for link in chain.links {
                        let of = |name: &&str| {
                            let (_, x) = known.iter().rfind(|(known, _)| known == name).unwrap();
                            x.as_ptr().cast()
                        };
                        let mut args = [std::ptr::null(); 3];
                        args.iter_mut().zip(link.args).for_each(|(arg, name)| *arg = of(name));
                        let mut y = vec![0f32; len];
                        // SAFETY: as above.
                        unsafe { alone(isa, link)(len, y.as_mut_ptr().cast(), args) };
                        known.push((link.to, y));
                    }
                    for (name, ty) in chain.results {
                        let of = |list: &[(&str, Vec<f32>)]| {
                            let (_, x) = list.iter().rfind(|(known, _)| known == name).unwrap();
                            bytes(x, *ty, len)
                        };
                        assert_eq!(of(&once), of(&known), "{isa} {} {name} {len}", chain.name);
                    }
                }
            }
        }
    }

    #[test]
    fn have_no_more_arrays_than_there_is_room_for() {
        for chain in CHAINS {
            assert!(
                chain.arguments.len() + chain.numbers.len() + chain.results.len() <= ARRAYS,
                "{}",
                chain.name
            );
        }
    }

    #[test]
    fn longer_ones_come_before_those_they_begin_with() {
        let begins = |long: &Chain, short: &Chain| {
            let links = long.links.iter().zip(short.links);
            links.clone().all(|(a, b)| a.action == b.action && a.args == b.args)
                && links.len() == short.links.len()
        };
        for (i, first) in CHAINS.iter().enumerate() {
            for later in &CHAINS[i + 1..] {
                assert!(!begins(later, first), "{} hides {}", first.name, later.name);
            }
        }
    }
}
