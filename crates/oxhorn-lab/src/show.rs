//! Numbers as people read them.

use crate::study::Interval;

/// A measure: four decimals where that says enough, else four digits.
pub fn value(x: f64) -> String {
    let size = x.abs();
    match x {
        _ if x.is_nan() => "no number".to_owned(),
        _ if x.is_infinite() => if x > 0.0 { "∞" } else { "−∞" }.to_owned(),
        _ if x == 0.0 => "0".to_owned(),
        _ if (0.001..100.0).contains(&size) => minus(format!("{x:.4}")),
        _ if (100.0..10_000.0).contains(&size) => minus(format!("{x:.2}")),
        _ if (10_000.0..1e9).contains(&size) => minus(format!("{x:.0}")),
        _ => minus(format!("{x:.2e}")),
    }
}

/// A mean difference and its interval, all to the same digit: `−0.0239 (−0.0281 to −0.0196)`.
pub fn interval(it: &Interval) -> String {
    let digits = Digits::of(it);
    format!("{} ({})", digits.write(it.mean), range(it))
}

/// The ends of an interval, to the same digit: `−0.0281 to −0.0196`.
pub fn range(it: &Interval) -> String {
    let digits = Digits::of(it);
    format!("{} to {}", digits.write(it.low), digits.write(it.high))
}

/// How many digits the numbers of an interval have.
#[derive(Clone, Copy)]
enum Digits {
    /// So many decimals.
    Decimals(usize),
    /// Two decimals and an exponent.
    Exponent,
}

impl Digits {
    fn of(it: &Interval) -> Digits {
        let size = it.low.abs().max(it.high.abs()).max(it.mean.abs());
        match size {
            0.0 => Digits::Decimals(0),
            _ if (0.001..100.0).contains(&size) => Digits::Decimals(4),
            _ if (100.0..10_000.0).contains(&size) => Digits::Decimals(2),
            _ if (10_000.0..1e9).contains(&size) => Digits::Decimals(0),
            _ => Digits::Exponent,
        }
    }

    fn write(self, x: f64) -> String {
        if !x.is_finite() || x == 0.0 {
            return value(x);
        }
        let text = match self {
            Digits::Decimals(decimals) => format!("{x:+.decimals$}"),
            Digits::Exponent => format!("{x:+.2e}"),
        };
        minus(text)
    }
}

/// A probability such as 0.95 in percent.
pub fn percent(x: f64) -> String {
    let digits = format!("{:.4}", 100.0 * x);
    format!("{} %", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// A count with its thousands apart.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let mut parts = Vec::new();
    if head > 0 {
        parts.push(&digits[..head]);
    }
    parts.extend((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    parts.join(",")
}

/// A count of things, with their name in the right number.
pub fn of(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { more })
}

fn minus(text: String) -> String {
    // The sign as long as a plus; that of an exponent stays as programs read it.
    match text.strip_prefix('-') {
        Some(size) => format!("−{size}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_digits_enough_and_no_more() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.12345, "0.1235"),
            (-0.02391, "−0.0239"),
            (0.001, "0.0010"),
            (0.000_999_9, "1.00e-3"),
            (99.99999, "100.0000"),
            (1234.567, "1234.57"),
            (-123_456.7, "−123457"),
            (1.5e12, "1.50e12"),
            (f64::NAN, "no number"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(value(x), text);
        }
    }

    #[test]
    fn numbers_of_an_interval_end_with_the_same_digit() {
        let shown = |mean, low, high| interval(&Interval { mean, low, high });
        assert_eq!(shown(0.0028, 1.9e-4, 0.0054), "+0.0028 (+0.0002 to +0.0054)");
        assert_eq!(shown(5.4e-4, -3.504e-4, 7e-4), "+5.40e-4 (−3.50e-4 to +7.00e-4)");
        assert_eq!(shown(-123.456, -200.0, 1.0), "−123.46 (−200.00 to +1.00)");
        assert_eq!(shown(0.0, 0.0, 0.0), "0 (0 to 0)");
        assert_eq!(shown(f64::NAN, 0.5, f64::INFINITY), "no number (+5.00e-1 to ∞)");
    }

    #[test]
    fn counts_and_shares_read_well() {
        assert_eq!(
            [0, 999, 1000, 85_002, 1_234_567].map(count).join(" "),
            "0 999 1,000 85,002 1,234,567"
        );
        assert_eq!(
            (of(1, "seed", "seeds"), of(0, "seed", "seeds")),
            ("1 seed".into(), "0 seeds".into())
        );
        assert_eq!(
            (percent(0.95), percent(0.999), percent(0.5)),
            ("95 %".into(), "99.9 %".into(), "50 %".into())
        );
    }
}
