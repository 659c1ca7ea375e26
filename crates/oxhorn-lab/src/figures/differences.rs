//! What every variant differs by from the first: the mean of the pairs, its interval, each seed.

use super::{
    Figure,
    canvas::{Anchor, Canvas, Room, Scale, drawable, fitted},
    palette::{FAINT, GRID, INK, Stroke, variant},
};
use crate::{
    show,
    study::{Comparison, Study},
    words::{self, Better},
};

/// Height of a variant's row: a line of words above its interval and its seeds.
const ROW: f64 = 62.0;

/// Draws the paired differences of the primary measure, variant minus first: each seed as a faint
/// dot, the mean as a full one on its interval; `None` if there is no finite one.
pub fn differences(study: &Study, room: Room) -> Option<Figure> {
    let measure = &study.plan.primary;
    let rows: Vec<Row<'_>> = (1..study.variants.len())
        .map(|variant| Row {
            variant,
            name: &study.variants[variant].name,
            seeds: study.differences(variant, measure).into_iter().map(|(_, d)| d).collect(),
            comparison: study.comparison(variant, measure),
        })
        .collect();
    let ends = rows.iter().flat_map(Row::values).filter(|&value| drawable(value));
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return None;
    }
    let (low, high) = (low.min(0.0), high.max(0.0));
    let span = (high - low).max(1e-9);
    let (width, left) = (room.width(), room.edge());
    let (head, foot) = room.pick((84.0, 76.0), (62.0, 74.0));
    let height = head + rows.len() as f64 * ROW + foot;
    let x = Scale {
        low: low - 0.06 * span,
        high: high + 0.06 * span,
        start: left,
        end: width - room.edge(),
    };
    let mut canvas = Canvas::new(room, height);
    let first = &study.variants[0].name;
    let title = format!("Difference in {}", words::measure(measure));
    let unit = match measure.ends_with("loss") {
        true => format!(" ({})", words::unit(study)),
        false => String::new(),
    };
    let subtitle = format!("at the same seed, against {first}{unit}");
    canvas.head(&title, &subtitle);
    let bottom = height - foot;
    canvas.ticks_below(&x, (bottom, bottom), room.pick(8, 4));
    directions(&mut canvas, &x, bottom + 37.0, Better::of(measure));
    for (row, number) in rows.iter().zip(0..) {
        row.draw(&mut canvas, &x, head + f64::from(number) * ROW, room);
    }
    let share = show::percent(study.plan.confidence);
    let legend = format!("line: {share} interval of the mean; faint: each seed");
    canvas.text((left, height - 8.0), room.pick(12, 11), (Anchor::Start, FAINT), &legend);
    Some(canvas.finish(description(study, &rows)))
}

/// A variant, and what it differs by.
struct Row<'a> {
    variant: usize,
    name: &'a str,
    seeds: Vec<f64>,
    comparison: Option<&'a Comparison>,
}

impl Row<'_> {
    /// All that is to be seen of it.
    fn values(&self) -> impl Iterator<Item = f64> {
        let interval = self.comparison.and_then(|it| it.difference);
        let ends = interval.into_iter().flat_map(|it| [it.low, it.high]);
        self.seeds.iter().copied().chain(ends)
    }

    /// The difference in words.
    fn words(&self) -> String {
        match self.comparison.and_then(|it| it.difference) {
            Some(it) => show::interval(&it),
            None if self.seeds.is_empty() => "no pair of runs".to_owned(),
            None => "no interval".to_owned(),
        }
    }

    fn draw(&self, canvas: &mut Canvas, x: &Scale, top: f64, room: Room) {
        let Stroke { color, .. } = variant(self.variant);
        let (words, middle) = (self.words(), top + 36.0);
        // A little more than the mean width of a letter, as where texts are cut.
        let left = x.end - x.start - 8.0 * words.chars().count() as f64;
        let name = fitted(self.name, left, 13);
        // The words have a line without any lines across.
        let below = (top + 24.0, top + ROW);
        canvas.grid_across(x, below, room.pick(8, 4));
        let zero = Stroke { color: FAINT, dash: None };
        canvas.line((x.at(0.0), below.0), (x.at(0.0), below.1), 1.6, zero);
        let plain = Stroke { color, dash: None };
        canvas.text((x.start, top + 17.0), 13, (Anchor::Start, color), &name);
        canvas.text((x.end, top + 17.0), 13, (Anchor::End, INK), &words);
        for &seed in self.seeds.iter().filter(|&&seed| drawable(seed)) {
            canvas.dot((x.at(seed), middle + 12.0), 3.4, color, 0.32);
        }
        let interval = self.comparison.and_then(|it| it.difference);
        if let Some(it) = interval.filter(|it| [it.low, it.mean, it.high].into_iter().all(drawable))
        {
            canvas.line((x.at(it.low), middle), (x.at(it.high), middle), 2.6, plain);
            for end in [it.low, it.high] {
                let at = x.at(end);
                canvas.line((at, middle - 5.0), (at, middle + 5.0), 2.0, plain);
            }
            canvas.dot((x.at(it.mean), middle), 5.2, color, 1.0);
        }
        let rule = Stroke { color: GRID, dash: None };
        canvas.line((x.start, top), (x.end, top), 1.0, rule);
    }
}

/// Which way is better, on both sides of zero, where there is room.
fn directions(canvas: &mut Canvas, x: &Scale, y: f64, better: Better) {
    let (left, right) = match better {
        Better::Lower => ("← better", "worse →"),
        Better::Higher => ("← worse", "better →"),
    };
    let zero = x.at(0.0);
    if zero - x.start > 60.0 {
        canvas.text((zero - 8.0, y), 12, (Anchor::End, INK), left);
    }
    if x.end - zero > 60.0 {
        canvas.text((zero + 8.0, y), 12, (Anchor::Start, INK), right);
    }
}

fn description(study: &Study, rows: &[Row<'_>]) -> String {
    let rows: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row.name, row.words())).collect();
    format!(
        "Paired differences in {}, against {}, with {} intervals: {}.",
        words::measure(&study.plan.primary),
        study.variants[0].name,
        show::percent(study.plan.confidence),
        rows.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn draws_a_dot_for_each_pair_and_an_interval_for_each_variant() {
        let study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.55, 0.6], &[0.5, 0.6, 0.8]]);
        for room in [Room::Wide, Room::Narrow] {
            let svg = differences(&study, room).unwrap().svg();
            assert_eq!(svg.matches("fill-opacity=\"0.32\"").count(), 6, "{svg}");
            assert_eq!(svg.matches("r=\"5.2\"").count(), 2, "{svg}");
            for part in ["Difference in validation loss", "better", "95 % interval"] {
                assert!(svg.contains(part), "{part} is not in {svg}");
            }
            assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
        }
    }

    #[test]
    fn draws_what_there_is_where_pairs_or_intervals_are_missing() {
        let study = fixture::study(&[&[0.5], &[0.4]]);
        let svg = differences(&study, Room::Wide).unwrap().svg();
        assert!(svg.contains("no interval"), "{svg}");
        // All the same: no range at all.
        let study = fixture::study(&[&[0.5, 0.5], &[0.5, 0.5]]);
        assert!(!differences(&study, Room::Wide).unwrap().svg().contains("NaN"));
        for nothing in
            [&[&[0.5][..]][..], &[&[0.5], &[f64::NAN]], &[&[0.5], &[-f64::MAX]], &[&[], &[]]]
        {
            assert!(differences(&fixture::study(nothing), Room::Wide).is_none(), "{nothing:?}");
        }
    }
}
