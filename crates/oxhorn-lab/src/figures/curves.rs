//! How the losses of every variant went: mean and range over the seeds, epoch by epoch.

use super::{
    Figure,
    canvas::{Anchor, Canvas, Room, Scale, drawable, fitted, round_step},
    palette::{FAINT, INK, Stroke, variant},
};
use crate::{show, study::Study, verdict, words};

/// Least distance between the names of two curves.
const LINE: f64 = 18.0;

/// Draws, for every variant, the validation loss (thick, with a band from the lowest to the
/// highest seed) and the training loss with noise off (thin); `None` if no finite loss was
/// measured.
pub fn curves(study: &Study, room: Room) -> Option<Figure> {
    let curves: Vec<Curve> = (0..study.variants.len())
        .flat_map(|variant| KINDS.map(|kind| Curve::of(study, variant, kind)))
        .filter(|curve| curve.over_seeds.iter().any(|over| over.is_drawable()))
        .collect();
    let (low, top) = shown(&curves)?;
    let epochs = curves.iter().map(|curve| curve.over_seeds.len()).max()?.max(2);
    let (width, height) = (room.width(), room.pick(500.0, 412.0));
    let (left, right) = room.pick((60.0, 236.0), (44.0, 100.0));
    let (head, foot) = room.pick((106.0, 62.0), (76.0, 84.0));
    let x = Scale { low: 1.0, high: epochs as f64, start: left, end: width - right };
    let y = Scale { low, high: top, start: height - foot, end: head };
    let mut canvas = Canvas::new(room, height);
    canvas.head(&verdict::title(study), &subtitle(study));
    // Upright and next to its axis, a label is read more easily than along it.
    let unit = words::unit(study);
    canvas.text((room.edge(), head - 14.0), 12, (Anchor::Start, INK), &unit);
    canvas.ticks_left(&y, (x.start, x.end), room.pick(6, 5));
    ticks_of_epochs(&mut canvas, &x, &y, room);
    for curve in curves.iter().filter(|curve| curve.kind == Kind::Validation) {
        curve.shade(&mut canvas, &x, &y);
    }
    for curve in &curves {
        curve.draw(&mut canvas, &x, &y);
    }
    label(&mut canvas, study, &curves, (&x, &y), room);
    legend(&mut canvas, (room.edge(), height), room);
    Some(canvas.finish(description(study, &curves)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Training,
    Validation,
}

const KINDS: [Kind; 2] = [Kind::Training, Kind::Validation];

impl Kind {
    fn measure(self) -> &'static str {
        match self {
            Kind::Training => "clean_loss",
            Kind::Validation => "val_loss",
        }
    }
}

/// One loss of one variant.
struct Curve {
    variant: usize,
    kind: Kind,
    over_seeds: Vec<Over>,
}

/// What the seeds came to in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Over {
    mean: f64,
    low: f64,
    high: f64,
}

impl Over {
    fn is_drawable(self) -> bool {
        [self.mean, self.low, self.high].into_iter().all(drawable)
    }
}

impl Curve {
    fn of(study: &Study, variant: usize, kind: Kind) -> Curve {
        let runs = study.curves(variant, kind.measure());
        let means = study.mean_curve(variant, kind.measure());
        let over = |(epoch, mean): (usize, f64)| {
            let values = || runs.iter().filter_map(|run| run.get(epoch).copied());
            Over {
                mean,
                low: values().fold(f64::INFINITY, f64::min),
                high: values().fold(f64::NEG_INFINITY, f64::max),
            }
        };
        Curve { variant, kind, over_seeds: means.into_iter().enumerate().map(over).collect() }
    }

    fn stroke(&self) -> Stroke {
        variant(self.variant)
    }

    /// Epochs, from 1, with a finite mean.
    fn finite(&self) -> impl DoubleEndedIterator<Item = (f64, Over)> {
        let epochs = self.over_seeds.iter().enumerate();
        let epochs = epochs.map(|(epoch, &over)| (epoch as f64 + 1.0, over));
        epochs.filter(|(_, over)| over.is_drawable())
    }

    fn shade(&self, canvas: &mut Canvas, x: &Scale, y: &Scale) {
        let at = |epoch: f64, value: f64| (x.at(epoch), y.at(value.min(y.high)));
        let above = self.finite().map(|(epoch, over)| at(epoch, over.high));
        let below = self.finite().rev().map(|(epoch, over)| at(epoch, over.low));
        let points: Vec<(f64, f64)> = above.chain(below).collect();
        if points.len() > 2 {
            canvas.area(&points, self.stroke().color, 0.16);
        }
    }

    fn draw(&self, canvas: &mut Canvas, x: &Scale, y: &Scale) {
        let means = self.finite().map(|(epoch, over)| (epoch, over.mean)).collect();
        let points: Vec<(f64, f64)> = below(means, y.high)
            .into_iter()
            .map(|(epoch, loss)| (x.at(epoch), y.at(loss)))
            .collect();
        let width = match self.kind {
            Kind::Training => 1.2,
            Kind::Validation => 2.6,
        };
        match points[..] {
            [at] => canvas.dot(at, 1.2 * width, self.stroke().color, 1.0),
            _ => canvas.curve(&points, width, self.stroke()),
        }
    }
}

fn ticks_of_epochs(canvas: &mut Canvas, x: &Scale, y: &Scale, room: Room) {
    // Epochs are whole: no step between ticks is less than one.
    let most = room.pick(10.0, 5.0);
    let count = ((x.high - x.low) / round_step(((x.high - x.low) / most).max(1.0))).ceil();
    canvas.ticks_below(x, (y.end, y.start), count.max(1.0) as usize);
    canvas.text((x.end, y.start + 36.0), 12, (Anchor::End, INK), "epoch");
}

/// Names each curve at its right end, in its colour, with its last value.
fn label(
    canvas: &mut Canvas,
    study: &Study,
    curves: &[Curve],
    (x, y): (&Scale, &Scale),
    room: Room,
) {
    let mut labels = Vec::new();
    for curve in curves {
        let Some((_, over)) = curve.finite().next_back() else { continue };
        let name = &study.variants[curve.variant].name;
        let last = show::value(over.mean);
        let text = match (curve.kind, room) {
            (Kind::Validation, Room::Wide) => format!("{}: {last}", fitted(name, 140.0, 13)),
            (Kind::Training, Room::Wide) => format!("{}: {last}, training", fitted(name, 96.0, 12)),
            (Kind::Validation, Room::Narrow) => fitted(name, 88.0, 12),
            // There is no room for two names of each, and the colours say which is which.
            (Kind::Training, Room::Narrow) => continue,
        };
        labels.push((y.at(over.mean.min(y.high)), curve, text));
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let heights: Vec<f64> = labels.iter().map(|(height, ..)| *height).collect();
    for ((_, curve, text), height) in labels.iter().zip(apart(&heights, LINE, y.start)) {
        let size = match (curve.kind, room) {
            (Kind::Validation, Room::Wide) => 13,
            _ => 12,
        };
        let at = (x.end + 10.0, height + 4.0);
        canvas.text(at, size, (Anchor::Start, curve.stroke().color), text);
    }
}

/// Heights from the top down, moved so that none is closer than this to the next, and none is
/// lower than the limit.
fn apart(heights: &[f64], least: f64, limit: f64) -> Vec<f64> {
    let mut moved = heights.to_vec();
    for i in 1..moved.len() {
        moved[i] = moved[i].max(moved[i - 1] + least);
    }
    let mut limit = limit;
    for height in moved.iter_mut().rev() {
        *height = height.min(limit);
        limit = *height - least;
    }
    moved
}

fn legend(canvas: &mut Canvas, (left, height): (f64, f64), room: Room) {
    let lines = ["thick: validation, mean and range over the seeds", "thin: training, noise off"];
    match room {
        Room::Wide => {
            let text = lines.join("; ");
            canvas.text((left, height - 12.0), 12, (Anchor::Start, FAINT), &text);
        }
        Room::Narrow => {
            for (text, up) in lines.iter().zip([28.0, 12.0]) {
                canvas.text((left, height - up), 11, (Anchor::Start, FAINT), text);
            }
        }
    }
}

/// On which data, and how often.
fn subtitle(study: &Study) -> String {
    let train = study.data.split.train();
    let all = study.data.shape.first().copied().unwrap_or(0);
    format!(
        "{}: {} to learn from, {} to validate on; {}",
        study.data.name,
        show::count(train),
        show::count(all.saturating_sub(train)),
        show::of(study.seeds(), "seed", "seeds")
    )
}

fn description(study: &Study, curves: &[Curve]) -> String {
    let ends = curves.iter().filter(|curve| curve.kind == Kind::Validation).filter_map(|curve| {
        let (epoch, over) = curve.finite().next_back()?;
        let name = &study.variants[curve.variant].name;
        Some(format!("{name} {} in epoch {epoch}", show::value(over.mean)))
    });
    let ends: Vec<String> = ends.collect();
    format!("Learning curves. Validation loss, mean over the seeds: {}.", ends.join(", "))
}

/// The ends of the loss axis. The first epochs fall so steeply that they would flatten all that
/// follows; the axis ends above what comes after the first tenth.
fn shown(curves: &[Curve]) -> Option<(f64, f64)> {
    let later = || {
        let curves = curves.iter().map(|curve| &curve.over_seeds);
        let later = curves.flat_map(|over| &over[over.len() / 10..]);
        later.filter(|over| over.is_drawable())
    };
    let highest = later().map(|over| over.mean).reduce(f64::max)?;
    let lowest = later().map(|over| over.low).fold(0.0, f64::min);
    let span = (highest - lowest).max(1e-9);
    let step = round_step(1.1 * span / 6.0);
    let up = |value: f64| (value / step).ceil() * step;
    Some((-up(-lowest), up(lowest + 1.1 * span)))
}

/// The part of a curve below the upper end of the axis.
fn below(points: Vec<(f64, f64)>, top: f64) -> Vec<(f64, f64)> {
    let Some(first) = points.iter().position(|&(_, loss)| loss <= top) else { return Vec::new() };
    let mut shown: Vec<(f64, f64)> =
        points[first..].iter().map(|&(epoch, loss)| (epoch, loss.min(top))).collect();
    if let Some(before) = first.checked_sub(1) {
        let ((x, y), (right, low)) = (points[before], points[first]);
        shown.insert(0, (x + (right - x) * (y - top) / (y - low), top));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    fn curve(losses: &[f64]) -> Curve {
        let over = |&loss| Over { mean: loss, low: loss, high: loss };
        let over_seeds = losses.iter().map(over).collect();
        Curve { variant: 0, kind: Kind::Validation, over_seeds }
    }

    #[test]
    fn cuts_curves_off_where_they_leave_the_picture() {
        let points = |losses: &[f64]| (1..).map(f64::from).zip(losses.iter().copied()).collect();
        assert_eq!(
            below(points(&[3.0, 1.0, 0.5, 2.5]), 2.0),
            [(1.5, 2.0), (2.0, 1.0), (3.0, 0.5), (4.0, 2.0)]
        );
        assert!(below(points(&[3.0, 4.0]), 2.0).is_empty());
        assert!(below(points(&[]), 2.0).is_empty());
    }

    #[test]
    fn ends_the_axis_above_all_but_the_first_epochs() {
        let losses: Vec<f64> = (0..20).map(|epoch| 2.3 / f64::from(epoch + 1)).collect();
        // The third epoch's 0.77 is the highest that counts: 0.843 in steps of 0.2.
        assert_eq!(shown(&[curve(&losses)]), Some((0.0, 1.0)));
        assert_eq!(shown(&[curve(&[13.0, f64::NAN, f64::INFINITY])]), Some((0.0, 15.0)));
        assert_eq!(shown(&[curve(&[-0.9, -0.95])]).map(|(low, _)| low < -0.9), Some(true));
        assert_eq!(shown(&[curve(&[0.0])]).map(|(_, top)| top > 0.0), Some(true));
        assert_eq!(shown(&[curve(&[f64::NAN])]), None);
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn goes_over_all_seeds_that_have_an_epoch() {
        let study = fixture::study(&[&[0.5, 0.3], &[0.4, 0.2]]);
        let curve = Curve::of(&study, 1, Kind::Validation);
        let last = curve.over_seeds.last().unwrap();
        assert_eq!((last.mean, last.low, last.high), ((0.4 + 0.2) / 2.0, 0.2, 0.4));
    }

    #[test]
    fn names_curves_apart_from_one_another_and_above_the_axis() {
        assert_eq!(apart(&[1.0, 2.0, 50.0], 18.0, 40.0), [1.0, 19.0, 40.0]);
        assert_eq!(apart(&[30.0, 30.0], 18.0, 40.0), [22.0, 40.0]);
        assert!(apart(&[], 18.0, 40.0).is_empty());
    }

    #[test]
    fn ticks_of_epochs_are_whole_and_never_few() {
        for epochs in [2_u16, 3, 7, 11, 12, 13, 50, 100, 101, 1000] {
            let mut canvas = Canvas::new(Room::Narrow, 100.0);
            let scale = |low, high| Scale { low, high, start: 20.0, end: 300.0 };
            ticks_of_epochs(
                &mut canvas,
                &scale(1.0, epochs.into()),
                &scale(0.0, 1.0),
                Room::Narrow,
            );
            let svg = canvas.finish(String::new()).svg();
            let labels = svg.split("</text>").filter_map(|part| part.rsplit('>').next());
            let labels: Vec<&str> = labels.filter(|it| it.starts_with(char::is_numeric)).collect();
            assert!((2..=7).contains(&labels.len()), "{epochs}: {labels:?}");
            assert!(labels.iter().all(|label| label.parse::<u16>().is_ok()), "{labels:?}");
        }
    }

    #[test]
    fn draws_studies_of_any_size() {
        let sizes: [&[&[f64]]; 3] =
            [&[&[0.5]], &[&[0.5, 0.4, 0.3], &[0.4, 0.3, 0.1]], &[&[0.1][..]; 7]];
        for losses in sizes {
            for room in [Room::Wide, Room::Narrow] {
                let study = fixture::study(losses);
                let svg = curves(&study, room).unwrap().svg();
                for part in ["epoch", "thick: validation", &study.variants[0].name] {
                    assert!(svg.contains(part), "{part} is not in {svg}");
                }
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
        for undrawable in [f64::NAN, f64::INFINITY, f64::MAX] {
            assert!(curves(&fixture::study(&[&[undrawable]]), Room::Wide).is_none());
        }
        assert!(curves(&fixture::study(&[&[]]), Room::Wide).is_none());
    }
}
