//! `Canvas`: what figures are drawn on; and `Scale`, from values to places.

use kuva::render::{
    color::Color as Paint,
    render::{PathData, Primitive, Scene, TextAnchor},
};

use super::{
    Figure,
    palette::{Color, FAINT, GRID, INK, Stroke},
};

/// For how much room a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A page, a screen, a file.
    Wide,
    /// A phone held upright.
    Narrow,
}

impl Room {
    /// In pixels.
    pub(super) fn width(self) -> f64 {
        match self {
            Room::Wide => 880.0,
            Room::Narrow => 400.0,
        }
    }

    /// The distance of texts from the edges.
    pub(super) fn edge(self) -> f64 {
        self.pick(20.0, 8.0)
    }

    /// One thing in much room, another in little.
    pub(super) fn pick<T>(self, wide: T, narrow: T) -> T {
        match self {
            Room::Wide => wide,
            Room::Narrow => narrow,
        }
    }
}

/// Where a text begins, is centred, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making; lengths are pixels, from the top left.
pub(super) struct Canvas {
    scene: Scene,
    room: Room,
}

impl Canvas {
    pub(super) fn new(room: Room, height: f64) -> Canvas {
        let mut scene = Scene::new(room.width(), height);
        scene.font_family = Some("DejaVu Sans, Verdana, sans-serif".into());
        Canvas { scene, room }
    }

    /// The picture, and what it shows in words.
    pub(super) fn finish(self, description: String) -> Figure {
        Figure { scene: self.scene, description, edge: self.room.edge() }
    }

    pub(super) fn text(&mut self, at: (f64, f64), size: u32, style: (Anchor, Color), text: &str) {
        let (anchor, color) = style;
        self.scene.add(Primitive::Text {
            x: at.0,
            y: at.1,
            content: verbatim(text),
            size,
            anchor: match anchor {
                Anchor::Start => TextAnchor::Start,
                Anchor::Middle => TextAnchor::Middle,
                Anchor::End => TextAnchor::End,
            },
            rotate: None,
            bold: false,
            color: Some(color.light.into()),
        });
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, stroke: Stroke) {
        self.scene.add(Primitive::Line {
            x1: from.0,
            y1: from.1,
            x2: to.0,
            y2: to.1,
            stroke: stroke.color.light.into(),
            stroke_width: width,
            stroke_dasharray: stroke.dash.map(str::to_owned),
        });
    }

    pub(super) fn curve(&mut self, points: &[(f64, f64)], width: f64, stroke: Stroke) {
        self.scene.add(Primitive::PolyLine {
            points: points.to_vec(),
            stroke: stroke.color.light.into(),
            stroke_width: width,
            stroke_dasharray: stroke.dash.map(str::to_owned),
        });
    }

    /// The area within these points, shaded.
    pub(super) fn area(&mut self, points: &[(f64, f64)], color: Color, opacity: f64) {
        let corner = |&(x, y): &(f64, f64)| format!("{x:.2} {y:.2}");
        let corners: Vec<String> = points.iter().map(corner).collect();
        self.scene.add(Primitive::Path(Box::new(PathData {
            d: format!("M{}Z", corners.join("L")),
            fill: Some(color.light.into()),
            stroke: Paint::None,
            stroke_width: 0.0,
            opacity: Some(opacity),
            stroke_dasharray: None,
        })));
    }

    pub(super) fn dot(&mut self, at: (f64, f64), r: f64, color: Color, opacity: f64) {
        self.scene.add(Primitive::Circle {
            cx: at.0,
            cy: at.1,
            r,
            fill: color.light.into(),
            fill_opacity: Some(opacity),
            stroke: None,
            stroke_width: None,
        });
    }

    /// A title with a line of explanation below it.
    pub(super) fn head(&mut self, title: &str, subtitle: &str) {
        let (room, x) = (self.room, self.room.edge());
        let width = room.width() - 2.0 * x;
        let (size, small) = room.pick((19, 13), (14, 11));
        let (first, second) = room.pick((30.0, 53.0), (20.0, 38.0));
        self.text((x, first), size, (Anchor::Start, INK), &fitted(title, width, size));
        self.text((x, second), small, (Anchor::Start, FAINT), &fitted(subtitle, width, small));
    }

    /// What ticks are written below, where it is not cut off, with grid lines up to `top`.
    pub(super) fn ticks_below(&mut self, x: &Scale, (top, bottom): (f64, f64), count: usize) {
        self.grid_across(x, (top, bottom), count);
        let edge = self.room.edge();
        for (value, label) in x.ticks(count) {
            let (at, half) = (x.at(value), 4.0 * label.chars().count() as f64);
            if at - half >= edge && at + half <= self.room.width() {
                self.text((at, bottom + 18.0), 12, (Anchor::Middle, FAINT), &label);
            }
        }
    }

    /// Grid lines at the ticks.
    pub(super) fn grid_across(&mut self, x: &Scale, (top, bottom): (f64, f64), count: usize) {
        for (value, _) in x.ticks(count) {
            self.line((x.at(value), top), (x.at(value), bottom), 1.0, GRID_STROKE);
        }
    }

    /// Ticks along the left, with grid lines up to `right`.
    pub(super) fn ticks_left(&mut self, y: &Scale, (left, right): (f64, f64), count: usize) {
        for (value, label) in y.ticks(count) {
            let at = y.at(value);
            self.line((left, at), (right, at), 1.0, GRID_STROKE);
            self.text((left - 8.0, at + 4.0), 12, (Anchor::End, FAINT), &label);
        }
    }
}

const GRID_STROKE: Stroke = Stroke { color: GRID, dash: None };

/// Values from `low` to `high`, at the places from `start` to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) start: f64,
    pub(super) end: f64,
}

impl Scale {
    /// Where a value is.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.start + share * (self.end - self.start)
    }

    /// About so many round values, with what is written beside them.
    pub(super) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let step = round_step((self.high - self.low) / count as f64);
        let decimals = (0..18).find(|&d| is_whole(step * power(d))).unwrap_or(17_usize);
        let first = (self.low / step - 1e-9).ceil();
        let values = (0..1000).map(|i| (first + f64::from(i)) * step);
        let inside = values.take_while(|&value| value <= self.high + 1e-9 * step);
        inside
            .map(|value| {
                // Else a nought from the left would have a sign.
                let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
                (value, format!("{value:.decimals$}").replace('-', "−"))
            })
            .collect()
    }
}

/// The least of 1, 2, 5, 10, 20, 50 and so on, up and down, that is no less than this.
pub(super) fn round_step(least: f64) -> f64 {
    // Products only: logarithms may differ in the last place from one computer to the next, and
    // a report is to be the same everywhere.
    let mut decade = 1.0;
    while decade > least && decade > 1e-300 {
        decade /= 10.0;
    }
    while decade * 10.0 <= least {
        decade *= 10.0;
    }
    let steps = [1.0, 2.0, 5.0, 10.0].map(|n| n * decade);
    steps.into_iter().find(|&step| step >= least * (1.0 - 1e-9)).unwrap_or(steps[3])
}

fn power(exponent: usize) -> f64 {
    (0..exponent).map(|_| 10.0).product()
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6 * value.abs()
}

/// Whether a number has a place in a picture: it is one, and sums of several are too.
pub(super) fn drawable(value: f64) -> bool {
    value.abs() < 1e100
}

/// As much of a text as fits in a width, with an ellipsis where it was cut.
pub(super) fn fitted(text: &str, width: f64, size: u32) -> String {
    // A little more than the mean width of letters, and what ideograms take.
    let width_of = |c: char| f64::from(size) * if c.is_ascii() { 0.55 } else { 1.0 };
    let fits = |text: &str| text.chars().map(width_of).sum::<f64>() <= width;
    if fits(text) {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        if fits(&kept) {
            kept.truncate(kept.trim_end().len());
            break;
        }
    }
    kept + "…"
}

/// A text that is drawn as it is: dollars would begin a formula, and no control character is
/// allowed in XML.
fn verbatim(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect::<String>().replace('$', "\\$")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(low: f64, high: f64) -> Scale {
        Scale { low, high, start: 100.0, end: 200.0 }
    }

    fn labels(low: f64, high: f64, count: usize) -> Vec<String> {
        scale(low, high).ticks(count).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn scales_run_from_end_to_end() {
        let x = scale(-1.0, 3.0);
        assert_eq!([-1.0, 0.0, 3.0].map(|value| x.at(value)), [100.0, 125.0, 200.0]);
    }

    #[test]
    fn only_numbers_of_reasonable_size_are_drawn() {
        assert!([0.0, -1e99, 5e-324].into_iter().all(drawable));
        let others = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e100];
        assert!(!others.into_iter().any(drawable));
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(0.0, 0.3, 6), ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"]);
        assert_eq!(labels(-0.031, 0.011, 4), ["−0.02", "0.00"]);
        assert_eq!(labels(1.0, 100.0, 5), ["20", "40", "60", "80", "100"]);
        assert_eq!(labels(1.0, 2.0, 2), ["1.0", "1.5", "2.0"]);
        assert_eq!(labels(0.0, 4e6, 2), ["0", "2000000", "4000000"]);
        assert_eq!(labels(0.0, 3e-7, 3), ["0.0000000", "0.0000001", "0.0000002", "0.0000003"]);
    }

    #[test]
    fn texts_are_cut_where_they_do_not_fit() {
        assert_eq!(fitted("dropout", 39.0, 10), "dropout");
        assert_eq!(fitted("dropout", 38.0, 10), "dropou…");
        assert_eq!(fitted("two words", 25.0, 10), "two…");
        assert_eq!(fitted("", 0.0, 10), "");
        assert_eq!(fitted("é", 0.0, 10), "…");
    }

    #[test]
    fn texts_are_drawn_as_they_are() {
        let drawn = |text: &str| {
            let mut canvas = Canvas::new(Room::Wide, 10.0);
            canvas.text((0.0, 0.0), 10, (Anchor::Start, INK), text);
            let svg = canvas.finish(String::new()).svg();
            let start = svg.find("#222222\">").unwrap() + 9;
            svg[start..svg.find("</text>").unwrap()].to_owned()
        };
        assert_eq!(drawn("$x$ and \\$y$"), "$x$ and \\$y$");
        assert_eq!(drawn("a<b>&\"c'\u{0}"), "a&lt;b&gt;&amp;&quot;c&apos;\u{fffd}");
    }
}
