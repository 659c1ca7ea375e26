//! The instruction sets a kernel is compiled for, and which of them this machine has.

use std::fmt;

/// An instruction set, from the one every machine has to the widest.
///
/// A kernel is looked up by `Isa` once, when a program is loaded; what comes back is an `unsafe`
/// function, for calling it on a machine without that instruction set is undefined behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What the compiler may assume of the target: no fused multiply-add.
    Plain,
    /// 128-bit vectors of a 64-bit ARM processor.
    Neon,
    /// 256-bit vectors: AVX2 with FMA.
    Avx2,
    /// 512-bit vectors: AVX-512 F, VL, DQ and BW, with FMA.
    Avx512,
}

impl Isa {
    const ALL: [Isa; 4] = [Isa::Plain, Isa::Neon, Isa::Avx2, Isa::Avx512];

    /// The widest instruction set of this machine.
    pub fn best() -> Isa {
        Isa::ALL.into_iter().rfind(|isa| isa.is_available()).unwrap_or(Isa::Plain)
    }

    /// Every instruction set of this machine, narrowest first.
    pub fn available() -> Vec<Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// Whether this machine runs kernels compiled for it.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Plain => true,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && Isa::Avx2.is_available()
            }
            #[allow(unreachable_patterns, reason = "what is left depends on the target")]
            _ => false,
        }
    }

    /// Whether `a · b + c` is rounded once. All instruction sets for which it is give the same
    /// bits.
    pub fn fuses(self) -> bool {
        self != Isa::Plain
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Isa::Plain => "plain",
            Isa::Neon => "neon",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_last_available() {
        let available = Isa::available();
        assert_eq!(available.first(), Some(&Isa::Plain));
        assert_eq!(available.last(), Some(&Isa::best()));
        assert!(available.is_sorted());
    }

    #[test]
    fn no_machine_has_both_neon_and_avx() {
        assert!(!(Isa::Neon.is_available() && Isa::Avx2.is_available()));
    }

    #[test]
    fn is_named_in_lower_case() {
        assert_eq!(format!("{:>7}", Isa::Avx512), " avx512");
    }
}
