//! Figures of a study, as SVG and PNG: how losses went, what differs, how sure the networks are.

mod canvas;
mod curves;
mod differences;
pub(crate) mod palette;
mod reliability;

use kuva::{backend::svg::SvgBackend, prelude::PngBackend, render::render::Scene};
use oxhorn::{Error, Result};

pub use self::{canvas::Room, curves::curves, differences::differences, reliability::reliability};
use crate::{escape::escaped, study::Study};

/// A picture.
pub struct Figure {
    scene: Scene,
    /// What it shows, for who cannot see it.
    description: String,
    /// How far its texts are from its edges.
    edge: f64,
}

impl Figure {
    /// The picture as a file of its own, on white.
    pub fn svg(&self) -> String {
        let svg = SvgBackend::new().render_scene(&self.scene);
        self.opening(0.0, "") + body(&svg)
    }

    /// The picture in pixels, two for each unit of length.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        PngBackend::new()
            .with_scale(2.0)
            .render_scene(&self.scene)
            .map_err(|error| Error::new(format!("a figure cannot be drawn: {error}")))
    }

    /// The picture within a page: without a background, as wide as there is room.
    pub(crate) fn inline(&self, class: &str) -> String {
        let svg = SvgBackend::new().render_scene(&self.scene);
        // The page has a background of its own.
        let body = body(&svg).split_once("/>").map_or("", |(_, body)| body);
        // Its texts begin where those of the page do.
        let edge = self.edge;
        self.opening(edge, &format!(" class=\"{class}\"")) + body
    }

    /// The first tag, which also says how the picture is scaled and what it shows.
    fn opening(&self, cut: f64, more: &str) -> String {
        let Scene { width, height, font_family, .. } = &self.scene;
        let shown = width - 2.0 * cut;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown}\" height=\"{height}\" \
             viewBox=\"{cut} 0 {shown} {height}\" font-family=\"{}\" role=\"img\" \
             aria-label=\"{}\"{more}>\n",
            font_family.as_deref().unwrap_or("sans-serif"),
            escaped(&self.description)
        )
    }
}

/// What stands between the first tag, with the remark after it, and the end.
fn body(svg: &str) -> &str {
    match svg.split_once("-->") {
        Some((_, body)) => body,
        None => svg.split_once('>').map_or("", |(_, body)| body),
    }
}

/// All figures of a study that there is anything to draw for, by the names that their files get.
pub fn all(study: &Study, room: Room) -> Vec<(&'static str, Figure)> {
    let figures = [
        ("curves", curves(study, room)),
        ("differences", differences(study, room)),
        ("reliability", reliability(study, room)),
    ];
    figures.into_iter().filter_map(|(name, figure)| Some((name, figure?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn figures_are_files_of_their_own_and_parts_of_pages() {
        let study = fixture::study(&[&[0.5, 0.6], &[0.4, 0.5]]);
        let figures = all(&study, Room::Wide);
        let names: Vec<&str> = figures.iter().map(|&(name, _)| name).collect();
        assert_eq!(names, ["curves", "differences", "reliability"]);
        for (_, figure) in &figures {
            let (file, part) = (figure.svg(), figure.inline("wide"));
            let tag = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"880\" ";
            assert!(file.starts_with(tag) && file.ends_with("</svg>"), "{file}");
            assert!(file.contains("fill=\"white\"") && !part.contains("fill=\"white\""), "{part}");
            assert!(
                part.contains("viewBox=\"20 0 840 ") && part.contains("class=\"wide\""),
                "{part}"
            );
            // Two pixels for each unit, in the header of the file.
            let png = figure.png().unwrap();
            assert_eq!(png[16..20], 1760_u32.to_be_bytes());
        }
    }
}
