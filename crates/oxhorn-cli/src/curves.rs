//! The picture that the demo leaves behind: how the losses of two runs went.

use std::path::Path;

use kuva::{
    backend::svg::SvgBackend,
    prelude::{Layout, LinePlot, PngBackend, ScatterPlot, Theme, TickFormat},
    render::{
        layout::ComputedLayout,
        plots::Plot,
        render::{Primitive, Scene, TextAnchor, render_multiple},
    },
};
use oxhorn::{Error, Result};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 64.0;
/// Room for the names of the curves, which stand at their right ends.
const RIGHT: f64 = 256.0;
const TOP: f64 = 104.0;
const BOTTOM: f64 = 56.0;
/// Of the palette of Okabe and Ito, made to be told apart by everyone; darkened for text on white.
const COLORS: [&str; 2] = ["#c04a00", "#0060a0"];
const INK: &str = "#222222";
const FAINT: &str = "#666666";
/// Least distance between the names of two curves.
const LINE: f64 = 20.0;

/// The losses of one run, a number for each epoch, in nats for a sample.
pub(crate) struct Run<'a> {
    /// What is particular to it: `with dropout`.
    pub(crate) name: &'a str,
    /// Mean loss over the training data at the end of each epoch, with dropout off.
    pub(crate) training: &'a [f64],
    /// Mean loss over the validation data at the end of each epoch.
    pub(crate) validation: &'a [f64],
}

/// Draws the losses of two runs and writes the picture in both formats.
///
/// # Errors
/// When no epoch has a finite loss, or a file cannot be written.
pub(crate) fn draw(
    title: &str,
    subtitle: &str,
    runs: &[Run<'_>; 2],
    svg: &Path,
    png: &Path,
) -> Result<()> {
    let scene = picture(title, subtitle, runs)?;
    let pixels = PngBackend::new()
        .with_scale(2.0)
        .render_scene(&scene)
        .map_err(|error| Error::new(format!("the learning curves cannot be drawn: {error}")))?;
    write(svg, SvgBackend::new().render_scene(&scene).as_bytes())?;
    write(png, &pixels)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| {
        Error::new(format!("cannot write {}: {error}", path.display()))
            .help("choose a folder that exists and can be written to")
    })
}

fn picture(title: &str, subtitle: &str, runs: &[Run<'_>; 2]) -> Result<Scene> {
    let epochs = runs.iter().flat_map(|run| [run.training.len(), run.validation.len()]).max();
    let epochs = epochs.unwrap_or(0).max(2) as f64;
    let top = highest_shown(runs).ok_or_else(|| {
        Error::new("there is no finite loss to draw").help("train an epoch first")
    })?;
    let plots: Vec<Plot> =
        runs.iter().zip(COLORS).flat_map(|(run, c)| plots(run, c, top)).collect();
    let layout = Layout::new((1.0, epochs), (0.0, top))
        .with_width(WIDTH)
        .with_height(HEIGHT)
        .with_force_margins(LEFT, RIGHT)
        .with_force_margins_y(TOP, BOTTOM)
        .with_theme(Theme { grid_color: "#e6e6e6".into(), ..Theme::light() })
        .with_y_axis_min(0.0)
        .with_y_axis_max(top)
        .with_x_axis_min(1.0)
        .with_x_tick_format(TickFormat::Integer)
        .with_tick_size(12);
    // Else the ticks of few epochs would be fractions.
    let layout = if epochs <= 10.0 { layout.with_x_tick_step(1.0) } else { layout };
    let map = ComputedLayout::from_layout(&layout);
    let mut scene = render_multiple(plots, layout);
    text(&mut scene, LEFT, 34.0, 20, INK, title);
    text(&mut scene, LEFT, 58.0, 13, FAINT, subtitle);
    // Upright and next to its axis, a label is read more easily than along it.
    text(&mut scene, LEFT, TOP - 12.0, 13, INK, "cross-entropy, nats per image");
    text(&mut scene, WIDTH - RIGHT - 42.0, HEIGHT - 12.0, 13, INK, "epoch");
    let legend = "thick: validation, its lowest marked; thin: training, measured with dropout off";
    text(&mut scene, LEFT, HEIGHT - 12.0, 12, FAINT, legend);
    label_curves(&mut scene, runs, &map);
    Ok(scene)
}

/// The two curves of a run, and a mark where its validation loss was lowest.
fn plots(run: &Run<'_>, color: &str, top: f64) -> Vec<Plot> {
    let line = |losses: &[f64], width| {
        LinePlot::new().with_data(below(losses, top)).with_color(color).with_stroke_width(width)
    };
    let mut plots = vec![line(run.training, 1.2).into(), line(run.validation, 2.6).into()];
    if let Some((epoch, loss)) = lowest(run.validation) {
        let mark = ScatterPlot::new().with_data([(epoch, loss)]).with_color(color).with_size(5.0);
        plots.push(mark.into());
    }
    plots
}

/// Names each curve at its right end, in its colour, with its last value.
fn label_curves(scene: &mut Scene, runs: &[Run<'_>; 2], map: &ComputedLayout) {
    let mut labels = Vec::new();
    for (run, color) in runs.iter().zip(COLORS) {
        for (what, losses) in [("validation", run.validation), ("training", run.training)] {
            if let Some(&last) = losses.last().filter(|loss| loss.is_finite()) {
                let label = format!("{what} {}: {last:.4}", run.name);
                labels.push((map.map_y(last).max(TOP), color, label));
            }
        }
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    // From the bottom up, a name that would cover the one below it moves up.
    let mut limit = HEIGHT - BOTTOM;
    for (y, color, label) in labels.into_iter().rev() {
        let y = y.min(limit);
        limit = y - LINE;
        text(scene, WIDTH - RIGHT + 10.0, y + 4.0, 13, color, &label);
    }
}

fn text(scene: &mut Scene, x: f64, y: f64, size: u32, color: &str, content: &str) {
    scene.add(Primitive::Text {
        x,
        y,
        content: content.to_owned(),
        size,
        anchor: TextAnchor::Start,
        rotate: None,
        bold: false,
        color: Some(color.into()),
    });
}

/// The upper end of the loss axis. The first epochs fall so steeply that they would flatten all
/// that follows; the axis ends above what comes after the first tenth.
fn highest_shown(runs: &[Run<'_>]) -> Option<f64> {
    let curves = || runs.iter().flat_map(|run| [run.training, run.validation]);
    let later = curves().flat_map(|losses| &losses[losses.len() / 10..]);
    let highest = later.copied().filter(|loss| loss.is_finite()).reduce(f64::max)?;
    let step = 10f64.powf(highest.max(1e-6).log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0];
    steps.into_iter().map(|n| n * step).find(|&top| top > 1.1 * highest)
}

/// The part of a curve below the upper end of the axis, as points of epoch (from 1) and loss.
fn below(losses: &[f64], top: f64) -> Vec<(f64, f64)> {
    let all = (1..).map(f64::from).zip(losses.iter().copied());
    let points: Vec<(f64, f64)> = all.filter(|(_, loss)| loss.is_finite()).collect();
    let Some(first) = points.iter().position(|&(_, loss)| loss <= top) else { return Vec::new() };
    let mut shown: Vec<(f64, f64)> =
        points[first..].iter().map(|&(epoch, loss)| (epoch, loss.min(top))).collect();
    if let Some(before) = first.checked_sub(1) {
        let ((x, y), (right, low)) = (points[before], points[first]);
        shown.insert(0, (x + (right - x) * (y - top) / (y - low), top));
    }
    shown
}

fn lowest(losses: &[f64]) -> Option<(f64, f64)> {
    let all = (1..).map(f64::from).zip(losses.iter().copied());
    all.filter(|(_, loss)| loss.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_curves_off_where_they_leave_the_picture() {
        assert_eq!(
            below(&[3.0, 1.0, 0.5, 2.0], 2.0),
            [(1.5, 2.0), (2.0, 1.0), (3.0, 0.5), (4.0, 2.0)]
        );
        assert_eq!(below(&[1.0, f64::NAN, 0.5], 2.0), [(1.0, 1.0), (3.0, 0.5)]);
        assert!(below(&[3.0, 4.0], 2.0).is_empty());
        assert!(below(&[], 2.0).is_empty());
    }

    #[test]
    fn ends_the_axis_above_all_but_the_first_epochs() {
        let losses: Vec<f64> = (0..20).map(|epoch| 2.3 / f64::from(epoch + 1)).collect();
        let run = |losses| Run { name: "run", training: losses, validation: losses };
        // The third epoch's 0.77 is the highest that counts.
        assert_eq!(highest_shown(&[run(&losses)]), Some(1.0));
        assert_eq!(highest_shown(&[run(&[13.0, f64::NAN, f64::INFINITY])]), Some(15.0));
        assert_eq!(highest_shown(&[run(&[0.0])]).map(|top| top > 0.0), Some(true));
        assert_eq!(highest_shown(&[run(&[f64::NAN])]), None);
        assert_eq!(highest_shown(&[run(&[])]), None);
    }

    #[test]
    fn draws_runs_of_any_length() {
        let losses = [2.3, 1.1, 0.7];
        for epochs in 1..=3 {
            let run = |name| Run { name, training: &losses[..epochs], validation: &losses[..1] };
            let scene = picture("title", "subtitle", &[run("without"), run("with")]).unwrap();
            let svg = SvgBackend::new().render_scene(&scene);
            for label in ["title", "epoch", "validation with: 2.3000", "training without: "] {
                assert!(svg.contains(label), "{label} is not in the picture of {epochs} epochs");
            }
            assert!(!svg.contains("NaN"), "{svg}");
        }
    }

    #[test]
    fn names_the_curves_apart_from_one_another() {
        let run = |name| Run { name, training: &[0.5, 0.5], validation: &[0.5, 0.5] };
        let scene = picture("", "", &[run("a"), run("b")]).unwrap();
        let heights: Vec<f64> = scene
            .elements
            .iter()
            .filter_map(|element| match element {
                Primitive::Text { y, content, .. } if content.ends_with("0.5000") => Some(*y),
                _ => None,
            })
            .collect();
        assert_eq!(heights.len(), 4);
        assert!(heights.windows(2).all(|pair| pair[0] - pair[1] >= LINE), "{heights:?}");
    }

    #[test]
    fn says_what_it_cannot_draw_or_write() {
        let missing = Path::new("/no such folder/curves.svg");
        let run = |losses| Run { name: "run", training: losses, validation: losses };
        let error = draw("", "", &[run(&[]), run(&[f64::NAN])], missing, missing).unwrap_err();
        assert_eq!(error.message, "there is no finite loss to draw");
        let error = draw("", "", &[run(&[0.1]), run(&[0.2])], missing, missing).unwrap_err();
        assert!(error.message.starts_with("cannot write /no such folder/curves.svg: "), "{error}");
    }
}
