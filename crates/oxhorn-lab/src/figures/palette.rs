//! The colours of figures, on white and on black.

/// A colour on a light page, and what stands for it on a dark one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color {
    /// As `#rrggbb`, on white.
    pub(crate) light: &'static str,
    /// As `#rrggbb`, on near black.
    pub(crate) dark: &'static str,
}

const fn color(light: &'static str, dark: &'static str) -> Color {
    Color { light, dark }
}

/// Text.
pub(super) const INK: Color = color("#222222", "#e6e6e6");
/// Text that explains, ticks, and what is there for comparison.
pub(super) const FAINT: Color = color("#666666", "#a3a3a3");
/// Lines that lead the eye.
pub(super) const GRID: Color = color("#e4e4e4", "#383838");
/// A gap that should not be there: reddish purple.
pub(super) const GAP: Color = color("#a63d7a", "#e68fc4");
/// Of variants, in their order: the hues of Okabe and Ito, made to be told apart by everyone,
/// darkened until they can be read as text.
const VARIANTS: [Color; 6] = [
    color("#c04a00", "#ff9252"),
    color("#0060a0", "#62b5f2"),
    color("#007a5e", "#3ccaa2"),
    color("#8a6100", "#e3b341"),
    color("#5b4bc4", "#a79dff"),
    color("#4d4d4d", "#bdbdbd"),
];

/// How the curves of a variant are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) color: Color,
    /// Variants that share a colour differ in this.
    pub(super) dash: Option<&'static str>,
}

/// How a variant is drawn.
pub(super) fn variant(position: usize) -> Stroke {
    let dashes = [None, Some("7,4"), Some("2,3")];
    Stroke {
        color: VARIANTS[position % VARIANTS.len()],
        dash: dashes[position / VARIANTS.len() % dashes.len()],
    }
}

/// Every colour that a figure may have.
pub(crate) fn all() -> impl Iterator<Item = Color> {
    [INK, FAINT, GRID, GAP].into_iter().chain(VARIANTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours as WCAG 2 defines it.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |color: &str| {
            let channel = |at: usize| {
                let c = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
                if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_light_and_on_dark_pages() {
        for color in all().filter(|&color| color != GRID) {
            // What WCAG 2 asks of text of ordinary size.
            assert!(contrast(color.light, "#ffffff") >= 4.5, "{color:?}");
            assert!(contrast(color.dark, "#16181c") >= 4.5, "{color:?}");
        }
    }

    #[test]
    fn no_two_of_many_variants_are_drawn_alike() {
        for a in 0..18 {
            for b in 0..a {
                assert_ne!(variant(a), variant(b));
            }
        }
        assert_eq!(variant(18), variant(0));
    }
}
