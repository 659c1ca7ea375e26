//! Samples as images: where their rows and columns are, and boxes in them.

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use crate::layers::DataFormat;

/// A batch seen as images.
pub(super) struct Images {
    /// The shape in which it is seen: `[samples, height, width, channels]`, or with the channels
    /// second, or without.
    shape: Vec<usize>,
    rows: usize,
    columns: usize,
}

impl Images {
    /// The batch `x` as images: of four axes as they are, and else of the shape that was stated.
    pub(super) fn of(
        class: &str,
        x: Tensor<'_>,
        image_shape: Option<&[usize]>,
        data_format: Option<DataFormat>,
    ) -> Result<Images> {
        let (ty, received) = (x.ty(), x.shape());
        ensure!(ty.dtype.is_float(), "`{class}` needs images of real numbers, got {ty}";
                help: "give images as floats");
        let help = "state `image_shape`, (height, width) or (height, width, channels), to have \
                    each sample seen as an image of that shape";
        let shape = match image_shape {
            None if received.len() == 4 => received.clone(),
            None => {
                let message = format!("`{class}` needs images: 4 axes, got {ty}");
                return Err(Error::new(message).help(help));
            }
            Some(image) => [&received[..received.len().min(1)], image].concat(),
        };
        let fits = shape.iter().product::<usize>() == ty.len();
        ensure!(fits, "`image_shape` is {:?}, but the samples are {ty}", &shape[1..]);
        let rows = match (shape.len(), data_format) {
            (4, Some(DataFormat::ChannelsFirst)) => 2,
            _ => 1,
        };
        Ok(Images { shape, rows, columns: rows + 1 })
    }

    /// Rejects what is no shape of an image.
    pub(super) fn check(image_shape: Option<&[usize]>) -> Result<()> {
        let Some(shape) = image_shape else { return Ok(()) };
        ensure!(
            matches!(shape.len(), 2 | 3) && !shape.contains(&0),
            "`image_shape` must be (height, width) or (height, width, channels), got {shape:?}"
        );
        Ok(())
    }

    pub(super) fn samples(&self) -> usize {
        self.shape[0]
    }

    pub(super) fn height(&self) -> usize {
        self.shape[self.rows]
    }

    pub(super) fn width(&self) -> usize {
        self.shape[self.columns]
    }

    /// Which elements of `x` are within the box, of the shape of `x`: from row `top` to before
    /// `bottom`, and from column `left` to before `right`. Each is one integer, or one a sample.
    pub(super) fn within<'g>(&self, x: Tensor<'g>, edges: &Edges<'g>) -> Tensor<'g> {
        let beside = |edge: Tensor<'g>| {
            let mut shape = vec![1; self.shape.len()];
            shape[0] = edge.ty().len();
            edge.reshape(shape).broadcast(self.shape.clone())
        };
        let between = |axis: usize, [from, to]: [Tensor<'g>; 2]| {
            let place = x.trace().iota(axis, Type::new(DType::I32, self.shape.clone()));
            place.greater_equal(beside(from)).and(place.less(beside(to)))
        };
        let inside = between(self.rows, edges.rows).and(between(self.columns, edges.columns));
        inside.reshape(x.shape())
    }
}

/// The first row and column of a box, and those after its last, of type `i32`.
pub(super) struct Edges<'g> {
    pub(super) rows: [Tensor<'g>; 2],
    pub(super) columns: [Tensor<'g>; 2],
}

/// From `length / 2` before `centre`, so many places, as far as there are so many: whole numbers
/// of type `f32`.
pub(super) fn clipped<'g>(
    centre: Tensor<'g>,
    length: Tensor<'g>,
    extent: usize,
) -> [Tensor<'g>; 2] {
    let first = centre - (length * 0.5).floor();
    [first, first + length].map(|edge| edge.maximum(0.0).minimum(extent as f64).cast(DType::I32))
}

/// Any of the places along an axis, for each of the uniform numbers `u`.
pub(super) fn place(u: Tensor<'_>, extent: usize) -> Tensor<'_> {
    (u * extent as f64).floor().minimum(extent.saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;

    fn mistake(shape: &[usize], image: Option<&[usize]>) -> String {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32(shape));
        Images::of("Cutout", x, image, None).err().expect("a mistake").to_string()
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert_eq!(
            mistake(&[8, 784], None),
            "`Cutout` needs images: 4 axes, got f32[8, 784]\n  help: state `image_shape`, (height, \
             width) or (height, width, channels), to have each sample seen as an image of that \
             shape"
        );
        assert_eq!(
            mistake(&[8, 784], Some(&[28, 27])),
            "`image_shape` is [28, 27], but the samples are f32[8, 784]"
        );
        assert_eq!(
            Images::check(Some(&[28])).expect_err("no image").message,
            "`image_shape` must be (height, width) or (height, width, channels), got [28]"
        );
    }

    #[test]
    fn rows_and_columns_are_where_the_format_says() {
        let trace = Trace::new("test");
        let sizes = |shape: &[usize], image: Option<&[usize]>, format| {
            let x = trace.input("x", Type::f32(shape));
            let images = Images::of("Cutout", x, image, format).expect("images");
            (images.samples(), images.height(), images.width())
        };
        assert_eq!(sizes(&[2, 5, 7, 3], None, None), (2, 5, 7));
        assert_eq!(sizes(&[2, 3, 5, 7], None, Some(DataFormat::ChannelsFirst)), (2, 5, 7));
        assert_eq!(sizes(&[2, 35], Some(&[5, 7]), Some(DataFormat::ChannelsFirst)), (2, 5, 7));
        assert_eq!(sizes(&[2, 5, 7], Some(&[5, 7]), None), (2, 5, 7));
        assert_eq!(sizes(&[2, 105], Some(&[5, 7, 3]), None), (2, 5, 7));
    }
}
