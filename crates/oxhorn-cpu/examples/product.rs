//! GFLOP/s of the matrix product by shape and instruction set, beside another crate's.
//!
//! `cargo run --release --example product`. All rivals take turns within one process, and the
//! fastest of many turns counts, so that a busy machine disturbs the ratio little.

use oxhorn_cpu::isa::Isa;
use oxhorn_cpu::product::{Product, Strides};
use std::time::Instant;

/// `m x k x n`, and which operand is stored transposed.
const SHAPES: [([usize; 3], &str); 17] = [
    ([32, 25, 64], "NN"),
    ([32, 64, 64], "NN"),
    ([32, 64, 5], "NN"),
    ([32, 64, 10], "NN"),
    ([25, 32, 64], "TN"),
    ([64, 32, 64], "TN"),
    ([64, 32, 5], "TN"),
    ([32, 64, 64], "NT"),
    ([32, 5, 64], "NT"),
    ([128, 784, 1024], "NN"),
    ([784, 128, 1024], "TN"),
    ([128, 1024, 784], "NT"),
    ([128, 1024, 1024], "NN"),
    ([1024, 128, 1024], "TN"),
    ([128, 1024, 1024], "NT"),
    ([512, 512, 512], "NN"),
    ([1, 784, 1024], "NN"),
];

fn main() {
    let isas: Vec<Isa> = Isa::available();
    print!("{:22}", "f32, GFLOP/s");
    isas.iter().for_each(|isa| print!("{isa:>9}"));
    println!("{:>16}", "matrixmultiply");
    for (extents @ [m, k, n], form) in SHAPES {
        let a_strides = if form == "TN" { Strides::transposed(m) } else { Strides::row_major(k) };
        let b_strides = if form == "NT" { Strides::transposed(k) } else { Strides::row_major(n) };
        let (a, b) = (vec![0.5f32; m * k], vec![0.25f32; k * n]);
        let mut c = vec![0f32; m * n];
        let products: Vec<_> = isas
            .iter()
            .map(|&isa| Product::<f32>::new(isa, extents, a_strides, b_strides, n))
            .collect();
        let longest = products.iter().map(Product::scratch_len).max().unwrap_or(0);
        let mut scratch = vec![0f32; longest];
        let mut rival = |turn: usize| match products.get(turn) {
            // SAFETY: the matrices have the extents and strides given, the scratch is long enough,
            // and this machine has the instruction set.
            Some(product) => unsafe {
                let part = (0..m, 0..n);
                let matrices = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                product.run(matrices, part, scratch.as_mut_ptr(), &mut |_| {});
            },
            // SAFETY: as above.
            None => unsafe {
                let (rsa, csa) = (a_strides.row as isize, a_strides.column as isize);
                let (rsb, csb) = (b_strides.row as isize, b_strides.column as isize);
                let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                matrixmultiply::sgemm(
                    m, k, n, 1.0, a, rsa, csa, b, rsb, csb, 0.0, c, n as isize, 1,
                );
            },
        };
        let flops = 2.0 * (m * k * n) as f64;
        let repeats = (2e6 / flops).ceil() as usize;
        let mut best = vec![f64::INFINITY; isas.len() + 1];
        for _ in 0..40 {
            for (turn, best) in best.iter_mut().enumerate() {
                let start = Instant::now();
                (0..repeats).for_each(|_| rival(turn));
                *best = best.min(start.elapsed().as_secs_f64() / repeats as f64);
            }
        }
        print!("{:22}", format!("{m}x{k}x{n} {form}"));
        let (last, ours) = best.split_last().expect("one rival at least");
        ours.iter().for_each(|seconds| print!("{:>9.1}", flops / seconds / 1e9));
        println!("{:>16.1}", flops / last / 1e9);
    }
}
