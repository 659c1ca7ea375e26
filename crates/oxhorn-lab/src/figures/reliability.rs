//! How often a variant is right where it is so sure: one diagram each.

use super::{
    Figure,
    canvas::{Anchor, Canvas, Room, Scale, fitted},
    palette::{FAINT, GAP, INK, Stroke, variant},
};
use crate::{
    calibration::Bin,
    show,
    study::{Measured, Study},
};

/// Height of what stands above a diagram.
const HEAD: f64 = 52.0;
/// Height of ticks and names below.
const FOOT: f64 = 48.0;
/// Width of ticks at the left, and space at the right.
const MARGINS: (f64, f64) = (30.0, 16.0);

/// Draws a reliability diagram for each variant, the predictions of all seeds together; `None` for
/// networks that are no classifiers.
pub fn reliability(study: &Study, room: Room) -> Option<Figure> {
    let diagrams: Vec<Diagram> =
        (0..study.variants.len()).filter_map(|variant| Diagram::of(study, variant)).collect();
    if diagrams.is_empty() {
        return None;
    }
    let (left, head) = (room.edge(), room.pick(68.0, 50.0));
    let columns = room.pick(3, 1);
    let width = (room.width() - 2.0 * left) / f64::from(columns);
    let side = width - MARGINS.0 - MARGINS.1;
    let rows = diagrams.len().div_ceil(columns as usize);
    let (row, foot) = (HEAD + side + FOOT, room.pick(30.0, 44.0));
    let mut canvas = Canvas::new(room, head + rows as f64 * row + foot);
    let title = "How often they are right, by how sure they are";
    canvas.head(title, "on the validation data, all seeds together");
    for (number, diagram) in diagrams.iter().enumerate() {
        let (line, column) = (number / columns as usize, number % columns as usize);
        let corner = (left + column as f64 * width, head + line as f64 * row);
        diagram.draw(&mut canvas, corner, side);
    }
    let bottom = head + rows as f64 * row + foot;
    let legend = [
        "bars: fraction right, faint where few predictions lie",
        "lines: the gap to what was claimed; dashes: no gap",
    ];
    match room {
        Room::Wide => {
            canvas.text((left, bottom - 10.0), 12, (Anchor::Start, FAINT), &legend.join("; "));
        }
        Room::Narrow => {
            for (text, up) in legend.iter().zip([26.0, 10.0]) {
                canvas.text((left, bottom - up), 11, (Anchor::Start, FAINT), text);
            }
        }
    }
    let described: Vec<String> = diagrams.iter().map(Diagram::title).collect();
    Some(canvas.finish(format!("Reliability diagrams. {}.", described.join("; "))))
}

/// One variant's predictions.
struct Diagram {
    variant: usize,
    name: String,
    /// The mean of the seeds' calibration errors, if they were measured.
    ece: Option<f64>,
    bins: Vec<Bin>,
}

impl Diagram {
    fn of(study: &Study, variant: usize) -> Option<Diagram> {
        let finished: Vec<&Measured> = study.finished(variant).map(|(_, it)| it).collect();
        let bins = together(finished.iter().map(|measured| measured.reliability.as_slice()));
        let measured = finished.iter().map(|measured| measured.measures.get("val_ece").copied());
        let ece: Option<Vec<f64>> = measured.collect();
        let ece = ece.map(|all| all.iter().sum::<f64>() / all.len() as f64);
        let name = study.variants[variant].name.clone();
        bins.iter().any(|bin| bin.count > 0).then_some(Diagram { variant, name, ece, bins })
    }

    fn title(&self) -> String {
        match self.ece {
            Some(ece) => format!("{}: ECE {}", self.name, show::value(ece)),
            None => self.name.clone(),
        }
    }

    fn draw(&self, canvas: &mut Canvas, (left, top): (f64, f64), side: f64) {
        let color = variant(self.variant).color;
        let (start, end) = (left + MARGINS.0, left + MARGINS.0 + side);
        let x = Scale { low: 0.0, high: 1.0, start, end };
        let y = Scale { low: 0.0, high: 1.0, start: top + HEAD + side, end: top + HEAD };
        let ece = self.ece.map_or(String::new(), |ece| format!("ECE {}", show::value(ece)));
        let room = side - 8.0 * ece.chars().count() as f64;
        let name = fitted(&self.name, room, 13);
        canvas.text((start, top + 22.0), 13, (Anchor::Start, color), &name);
        canvas.text((end, top + 22.0), 13, (Anchor::End, INK), &ece);
        canvas.ticks_left(&y, (start, end), 5);
        canvas.ticks_below(&x, (y.end, y.start), 5);
        let most = self.bins.iter().map(|bin| bin.count).max().unwrap_or(0);
        let share = |bin: &Bin| (bin.count as f64 / most as f64).sqrt();
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            let (low, high) = (bin.lower, bin.upper);
            let corners = [(low, 0.0), (low, bin.accuracy), (high, bin.accuracy), (high, 0.0)];
            let corners = corners.map(|(a, b)| (x.at(a), y.at(b)));
            let inset = [1.0, 1.0, -1.0, -1.0];
            let corners: Vec<(f64, f64)> =
                corners.iter().zip(inset).map(|(&(a, b), by)| (a + by, b)).collect();
            canvas.area(&corners, color, 0.15 + 0.55 * share(bin));
        }
        let no_gap = Stroke { color: FAINT, dash: Some("4,3") };
        canvas.line((x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0)), 1.2, no_gap);
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            let gap = Stroke { color: GAP, dash: None };
            let at = x.at(bin.confidence);
            let width = 1.0 + 2.0 * share(bin);
            canvas.line((at, y.at(bin.accuracy)), (at, y.at(bin.confidence)), width, gap);
            canvas.dot((at, y.at(bin.accuracy)), 1.5 + width / 2.0, GAP, 1.0);
        }
        canvas.text((start, y.start + 36.0), 12, (Anchor::Start, INK), "confidence");
        canvas.text((start, y.end - 9.0), 12, (Anchor::Start, INK), "fraction right");
    }
}

/// The bins of several runs as those of one with all their predictions.
fn together<'a>(runs: impl Iterator<Item = &'a [Bin]>) -> Vec<Bin> {
    let mut all: Vec<Bin> = Vec::new();
    for run in runs {
        if all.len() < run.len() {
            all.extend(run[all.len()..].iter().map(|bin| Bin { count: 0, ..*bin }));
        }
        for (sum, bin) in all.iter_mut().zip(run) {
            let count = sum.count.saturating_add(bin.count);
            let mean = |a: f64, b: f64| match count {
                0 => 0.0,
                count => (a * sum.count as f64 + b * bin.count as f64) / count as f64,
            };
            *sum = Bin {
                confidence: mean(sum.confidence, bin.confidence),
                accuracy: mean(sum.accuracy, bin.accuracy),
                count,
                ..*bin
            };
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    fn bin(count: usize, confidence: f64, accuracy: f64) -> Bin {
        Bin { lower: 0.5, upper: 1.0, count, confidence, accuracy }
    }

    #[test]
    fn predictions_of_several_runs_count_as_many_times_as_they_are() {
        let runs: [&[Bin]; 3] = [
            &[bin(0, 0.0, 0.0), bin(1, 0.75, 1.0)],
            &[],
            &[bin(0, 0.0, 0.0), bin(3, 0.95, 1.0 / 3.0)],
        ];
        let all = together(runs.into_iter());
        assert_eq!(all[0], bin(0, 0.0, 0.0));
        assert_eq!((all[1].count, all[1].accuracy), (4, 0.5));
        assert!((all[1].confidence - 0.9).abs() < 1e-12);
    }

    #[test]
    fn draws_a_diagram_for_each_classifier() {
        let study = fixture::study(&[&[0.5, 0.6], &[0.4, 0.5]]);
        for room in [Room::Wide, Room::Narrow] {
            let svg = reliability(&study, room).unwrap().svg();
            assert_eq!(svg.matches(">ECE 0.0").count(), 2, "{svg}");
            assert_eq!(svg.matches(">confidence<").count(), 2, "{svg}");
            assert!(!svg.contains("NaN"), "{svg}");
        }
        assert!(reliability(&fixture::study(&[]), Room::Wide).is_none());
    }
}
