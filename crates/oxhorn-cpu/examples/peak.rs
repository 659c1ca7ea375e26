//! The multiply-add peak of so many cores, from registers alone: what no product can exceed.
//!
//! `cargo run --release -p oxhorn-cpu --example peak -- 2 [--serve]` prints the best of many turns;
//! with `--serve` it takes a turn for each line of standard input, and answers it with a line of
//! JSON: the seconds in which these cores together do a thousand million operations.

use std::{hint::black_box, io, thread, time::Instant};

use oxhorn_cpu::Isa;

/// Sums that do not wait for one another: more than a core has multiply-adds in flight, and few
/// enough for its registers.
const CHAINS: usize = 12;
/// Multiply-adds of each lane in a turn, about 20 ms.
const ROUNDS: usize = 2_000_000;

/// Multiply-adds on registers of `LANES` numbers each.
#[inline(always)]
fn chains<const LANES: usize>(fuse: impl Fn(f32, f32, f32) -> f32) {
    let (half, one) = (black_box([0.5_f32; LANES]), black_box([1.0_f32; LANES]));
    let mut sums = [[0.0_f32; LANES]; CHAINS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            for lane in 0..LANES {
                sum[lane] = fuse(sum[lane], half[lane], one[lane]);
            }
        }
    }
    black_box(sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512() {
    chains::<16>(f32::mul_add);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2() {
    chains::<8>(f32::mul_add);
}

/// One core's turn; how many numbers a register has.
fn turn(isa: Isa) -> usize {
    match isa {
        // SAFETY: the instruction set is this machine's.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe {
            avx512();
            16
        },
        // SAFETY: likewise.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe {
            avx2();
            8
        },
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => {
            chains::<4>(f32::mul_add);
            4
        }
        _ => {
            chains::<4>(|sum, half, one| sum * half + one);
            4
        }
    }
}

/// How long all cores together take for 10⁹ operations; a multiply-add is two.
fn gigaflop_seconds(isa: Isa, threads: usize) -> f64 {
    let begun = Instant::now();
    let lanes: usize = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| turn(isa))).collect();
        turn(isa) + others.into_iter().map(|it| it.join().expect("no panic")).sum::<usize>()
    });
    begun.elapsed().as_secs_f64() / (2 * ROUNDS * CHAINS * lanes) as f64 * 1e9
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().and_then(|it| it.parse().ok()).expect("a number of threads");
    let isa = Isa::best();
    if arguments.next().as_deref() == Some("--serve") {
        println!("{{}}");
        for _ in io::stdin().lines() {
            println!("{{\"gigaflop\": {:e}}}", gigaflop_seconds(isa, threads));
        }
        return;
    }
    let best = (0..40).map(|_| gigaflop_seconds(isa, threads)).fold(f64::INFINITY, f64::min);
    println!("{isa}, {threads} threads: {:.1} GFLOP/s", 1.0 / best);
}
