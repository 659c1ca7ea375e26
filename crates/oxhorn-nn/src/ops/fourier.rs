//! Fourier transforms, as products with matrices of roots of unity.

use std::f64::consts::PI;

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    shapes::{moved_axis, padded, range},
    table, types,
};

/// The greatest extent that is transformed: the matrix of roots has its square.
const POINTS_MAX: usize = 4096;

table! { MATH "math":
    /// The discrete Fourier transform along the last axis, of a pair of real and imaginary parts.
    "fft(x)" => |a| {
        let x = Complex::of(a)?;
        x.transformed(x.real.rank() - 1, Direction::Forward).map(Complex::both)
    };
    /// The discrete Fourier transform along the last two axes.
    "fft2(x)" => |a| {
        let x = Complex::of(a)?;
        x.in_plane(Direction::Forward).map(Complex::both)
    };
    /// The inverse of the discrete Fourier transform along the last two axes.
    "ifft2(x)" => |a| {
        let x = Complex::of(a)?;
        x.in_plane(Direction::Inverse).map(Complex::both)
    };
    /// The first half of the discrete Fourier transform of real numbers along the last axis.
    "rfft(x, fft_length=None)" => |a| {
        let x = a.real("x")?;
        ensure!(x.rank() > 0, "`rfft` needs a row of numbers, got {}", x.ty());
        let n = if a.given("fft_length") { a.extent("fft_length")? } else { x.dim(-1) };
        let x = fitted(x, n);
        let last = x.rank() - 1;
        let y = Complex { real: x, imag: x.fill(0.0) }.transformed(last, Direction::Forward)?;
        Ok(y.map(|part| range(part, last, 0, n / 2 + 1)).both())
    };
    /// The real numbers whose transform has this first half, along the last axis.
    "irfft(x, fft_length=None)" => |a| {
        let x = Complex::of(a)?;
        let n = match a.given("fft_length") {
            true => a.extent("fft_length")?,
            false => 2 * x.real.dim(-1).saturating_sub(1),
        };
        let half = x.map(|part| fitted(part, n / 2 + 1));
        // Every number but the first, and the middle one of an even count, stands for two.
        let count = half.real.trace().iota(0, Type::new(DType::I32, [n / 2 + 1]));
        let alone = count.equal(0.0).or((count * 2.0).equal(n as f64));
        let weight = 2.0 - alone.cast(half.real.dtype());
        let roots = Roots::of(half.real, n / 2 + 1, n)?;
        let y = (half.real * weight).dot(roots.cosine) - (half.imag * weight).dot(roots.sine);
        Ok((y / n as f64).into())
    };
}

/// Which way a transform goes.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Forward,
    Inverse,
}

/// Real and imaginary parts, of one shape.
#[derive(Clone, Copy)]
struct Complex<'g> {
    real: Tensor<'g>,
    imag: Tensor<'g>,
}

/// The cosines and sines of 2π jk / n.
struct Roots<'g> {
    cosine: Tensor<'g>,
    sine: Tensor<'g>,
}

impl<'g> Roots<'g> {
    /// For j up to `rows` and k up to `n`.
    fn of(like: Tensor<'g>, rows: usize, n: usize) -> Result<Roots<'g>> {
        ensure!(
            (1..=POINTS_MAX).contains(&n),
            "1 to {POINTS_MAX} points can be transformed, got {n}"; help: "split the signal"
        );
        let ty = Type::new(DType::I32, [rows, n]);
        let (j, k) = (like.trace().iota(0, ty.clone()), like.trace().iota(1, ty));
        // Whole turns are taken off while numbers are whole, so that no angle is large.
        let angle = (j * k).rem(n as f64).cast(like.dtype()) * (2.0 * PI / n as f64);
        Ok(Roots { cosine: angle.cos(), sine: angle.sin() })
    }
}

impl<'g> Complex<'g> {
    /// The pair that is the argument `x`.
    fn of(a: &Arguments<'g>) -> Result<Complex<'g>> {
        let [real, imag] = a.tensors("x")?[..] else {
            return Err(Error::new(format!(
                "Input `x` should be a tuple of two tensors - real and imaginary.Received: x={}",
                a.get("x")
            )));
        };
        let (real, imag) = (types::real(real), types::real(imag));
        ensure!(
            real.shape() == imag.shape() && real.rank() > 0,
            "Input `x` should be a tuple of two tensors - real and imaginary. \
            Both the real and imaginary parts should have the same shape. \
            Received: x[0].shape = {:?}, x[1].shape = {:?}",
            real.shape(),
            imag.shape()
        );
        Ok(Complex { real, imag })
    }

    fn both(self) -> Outcome<'g> {
        vec![self.real, self.imag].into()
    }

    fn map(self, function: impl Fn(Tensor<'g>) -> Tensor<'g>) -> Complex<'g> {
        Complex { real: function(self.real), imag: function(self.imag) }
    }

    /// The transform along an axis.
    fn transformed(self, axis: usize, direction: Direction) -> Result<Complex<'g>> {
        let (last, n) = (self.real.rank() - 1, self.real.shape()[axis]);
        let x = self.map(|part| moved_axis(part, axis, last));
        let Roots { cosine, sine } = Roots::of(x.real, n, n)?;
        // e^(-iφ) forwards, e^(iφ) back.
        let y = match direction {
            Direction::Forward => Complex {
                real: x.real.dot(cosine) + x.imag.dot(sine),
                imag: x.imag.dot(cosine) - x.real.dot(sine),
            },
            Direction::Inverse => Complex {
                real: x.real.dot(cosine) - x.imag.dot(sine),
                imag: x.imag.dot(cosine) + x.real.dot(sine),
            }
            .map(|part| part / n as f64),
        };
        Ok(y.map(|part| moved_axis(part, last, axis)))
    }

    /// The transform along the last two axes.
    fn in_plane(self, direction: Direction) -> Result<Complex<'g>> {
        let rank = self.real.rank();
        ensure!(rank >= 2, "Input should have rank >= 2. Received: input.ndim = {rank}");
        self.transformed(rank - 1, direction)?.transformed(rank - 2, direction)
    }
}

/// The first `n` numbers along the last axis, continued by zeros.
fn fitted(x: Tensor<'_>, n: usize) -> Tensor<'_> {
    let (last, own) = (x.rank() - 1, x.dim(-1));
    let mut widths = vec![(0, 0); x.rank()];
    widths[last].1 = n.saturating_sub(own);
    padded(range(x, last, 0, own.min(n)), 0.0, &widths)
}
