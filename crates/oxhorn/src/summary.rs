//! The table that `summary` prints: layers, their shapes and how many numbers they hold.

use std::fmt;

/// Width of a terminal when nothing is known of it.
const COLUMNS: usize = 80;
/// Keras' table is four characters narrower than the terminal, and no wider than this.
const WIDEST: usize = 88;
/// The narrowest terminal on which every column shows something.
const NARROWEST: usize = 24;
const HEADER: [&str; 3] = ["Layer (type)", "Output Shape", "Param #"];

/// What a model consists of, ready to be printed as Keras' `model.summary()` prints it.
///
/// `Display` writes it for the terminal's width, [`Summary::at_width`] for any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Name of the model.
    pub model: String,
    /// Its layers, in order.
    pub rows: Vec<Row>,
    /// Parameters that training changes.
    pub trainable: Count,
    /// Parameters that it does not.
    pub non_trainable: Count,
    /// What the optimizer stores, once it has been built.
    pub optimizer: Option<Count>,
}

/// A layer in a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the layer: `dense_1`.
    pub name: String,
    /// Its class: `Dense`.
    pub class: String,
    /// Shape of its output, where known; an extent that is not fixed is `None`.
    pub output_shape: Option<Vec<Option<usize>>>,
    /// Number of its parameters; `None` before it is built.
    pub params: Option<usize>,
}

/// A number of parameters and the memory they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many numbers.
    pub params: usize,
    /// How many bytes.
    pub bytes: usize,
}

impl Summary {
    /// The table for a terminal of that many columns, with a line feed at the end of each line.
    pub fn at_width(&self, columns: usize) -> String {
        let columns = columns.max(NARROWEST);
        let mut out = String::new();
        print_wrapped(&mut out, &format!("Model: \"{}\"", self.model), columns);
        self.print_table(&mut out, column_widths(WIDEST.min(columns - 4)));
        let (trainable, fixed) = (self.trainable, self.non_trainable);
        let total = trainable + fixed + self.optimizer.unwrap_or_default();
        let totals = [
            ("Total", Some(total)),
            ("Trainable", Some(trainable)),
            ("Non-trainable", Some(fixed)),
            ("Optimizer", self.optimizer),
        ];
        for (what, count) in totals {
            let Some(Count { params, bytes }) = count else { continue };
            let (params, memory) = (grouped(params), readable_memory(bytes));
            print_wrapped(&mut out, &format!(" {what} params: {params} ({memory})"), columns);
        }
        out
    }

    fn print_table(&self, out: &mut String, widths: [usize; 3]) {
        let rule = |out: &mut String, [left, line, middle, right]: [char; 4]| {
            let bars = widths.map(|width| line.to_string().repeat(width + 2));
            let [a, b, c] = bars;
            out.extend([left.to_string(), a, middle.into(), b, middle.into(), c, right.into()]);
            out.push('\n');
        };
        rule(out, ['┏', '━', '┳', '┓']);
        print_row(out, HEADER.map(str::to_owned), widths, '┃', Place::Bottom);
        rule(out, ['┡', '━', '╇', '┩']);
        for (i, row) in self.rows.iter().enumerate() {
            if i > 0 {
                rule(out, ['├', '─', '┼', '┤']);
            }
            print_row(out, row.cells(), widths, '│', Place::Top);
        }
        rule(out, ['└', '─', '┴', '┘']);
    }
}

/// For the width in the environment variable `COLUMNS`, or else for 80 columns.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        f.write_str(&self.at_width(columns.unwrap_or(COLUMNS)))
    }
}

impl Row {
    fn cells(&self) -> [String; 3] {
        let shape = match &self.output_shape {
            None => "?".to_owned(),
            Some(extents) => {
                let show = |extent: &Option<usize>| extent.map_or("None".into(), |n| n.to_string());
                format!("({})", extents.iter().map(show).collect::<Vec<_>>().join(", "))
            }
        };
        let params = self.params.map_or("0 (unbuilt)".to_owned(), grouped);
        [format!("{} ({})", self.name, self.class), shape, params]
    }
}

impl std::ops::Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count { params: self.params + other.params, bytes: self.bytes + other.bytes }
    }
}

/// What the three columns hold, of a table that is `width` wide.
///
/// Keras gives the columns 45, 35 and 20 % of the width; the library that prints its table then
/// takes the 10 characters of borders and padding away again, 3, 4 and 3 of them.
fn column_widths(width: usize) -> [usize; 3] {
    let (first, second) = (width * 45 / 100, width * 80 / 100);
    [first - 3, second - first - 4, width - second - 3]
}

/// Where a cell's lines are when its row is taller.
#[derive(Clone, Copy)]
enum Place {
    Top,
    Bottom,
}

fn print_row(out: &mut String, cells: [String; 3], widths: [usize; 3], edge: char, place: Place) {
    let [a, b, c] = std::array::from_fn(|i| wrap(&cells[i], widths[i], Overflow::Cut));
    let height = a.len().max(b.len()).max(c.len());
    let line = |cell: &[String], i: usize| match place {
        Place::Top => cell.get(i).cloned().unwrap_or_default(),
        Place::Bottom => {
            let above = height - cell.len();
            i.checked_sub(above).map(|i| cell[i].clone()).unwrap_or_default()
        }
    };
    for i in 0..height {
        let (a, b, c) = (line(&a, i), line(&b, i), line(&c, i));
        let (a, b, c) = (a.trim_end(), b.trim_end(), c.trim_end());
        let [wa, wb, wc] = widths;
        out.push_str(&format!("{edge} {a:<wa$} {edge} {b:<wb$} {edge} {c:>wc$} {edge}\n"));
    }
}

fn print_wrapped(out: &mut String, text: &str, width: usize) {
    for line in wrap(text, width, Overflow::Fold) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// What becomes of a word that is wider than its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    /// It goes on in the next line.
    Fold,
    /// It is cut off, and an ellipsis shows it.
    Cut,
}

/// Breaks a text between words into lines of at most `width` characters.
fn wrap(text: &str, width: usize, overflow: Overflow) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words(text) {
        let (length, shown) = (word.chars().count(), word.trim_end().chars().count());
        if used + shown > width && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("there is always a line");
        if shown <= width {
            line.push_str(word);
            used += length;
        } else if overflow == Overflow::Cut {
            line.extend(word.chars().take(width - 1).chain(['…']));
            used = length;
        } else {
            let letters: Vec<char> = word.chars().collect();
            let mut parts = letters.chunks(width).map(String::from_iter);
            line.extend(parts.next());
            lines.extend(parts);
            used = lines.last().map_or(0, |line| line.chars().count());
        }
    }
    // A space that does not fit is not shown.
    lines.iter().map(|line| line.chars().take(width).collect()).collect()
}

/// The words of a text, each with the spaces after it, the first also with those before it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| !c.is_whitespace())?;
        let end = rest[start..].find(char::is_whitespace).map_or(rest.len(), |end| start + end);
        let next = rest[end..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |n| end + n);
        let (word, after) = rest.split_at(next);
        rest = after;
        Some(word)
    })
}

/// Digits in groups of three: `10,276,384`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the largest unit of which there is at least one: `24.02 KB`.
fn readable_memory(bytes: usize) -> String {
    let (mut size, mut unit) = (bytes as f64, "B");
    for larger in ["KB", "MB", "GB", "TB", "PB"] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{size:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, class: &str, shape: &[Option<usize>], params: usize) -> Row {
        let (name, class) = (name.to_owned(), class.to_owned());
        Row { name, class, output_shape: Some(shape.to_vec()), params: Some(params) }
    }

    fn tutorial() -> Summary {
        Summary {
            model: "sequential".to_owned(),
            rows: vec![
                row("dense", "Dense", &[None, Some(64)], 1664),
                row("dropout", "Dropout", &[None, Some(64)], 0),
                row("dense_1", "Dense", &[None, Some(5)], 325),
            ],
            trainable: Count { params: 6149, bytes: 24_596 },
            non_trainable: Count::default(),
            optimizer: Some(Count { params: 12_300, bytes: 49_204 }),
        }
    }

    #[test]
    fn prints_the_table_that_keras_prints() {
        let expected = r#"Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 64)             │         1,664 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 64)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 5)              │           325 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 18,449 (72.07 KB)
 Trainable params: 6,149 (24.02 KB)
 Non-trainable params: 0 (0.00 B)
 Optimizer params: 12,300 (48.05 KB)
"#;
        assert_eq!(tutorial().at_width(80), expected);
    }

    #[test]
    fn wraps_and_cuts_on_a_narrow_terminal() {
        let unbuilt = Row {
            name: "a_long_name_for_it".to_owned(),
            class: "Dense".to_owned(),
            output_shape: None,
            params: None,
        };
        let summary = Summary { rows: vec![unbuilt], optimizer: None, ..tutorial() };
        let expected = r#"Model: "sequential"
┏━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃                ┃ Output     ┃ Param ┃
┃ Layer (type)   ┃ Shape      ┃     # ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ a_long_name_f… │ ?          │     0 │
│ (Dense)        │            │ (unb… │
└────────────────┴────────────┴───────┘
 Total params: 6,149 (24.02 KB)
 Trainable params: 6,149 (24.02 KB)
 Non-trainable params: 0 (0.00 B)
"#;
        assert_eq!(summary.at_width(43), expected);
    }

    #[test]
    fn is_no_wider_than_keras_table_and_no_narrower_than_shows_something() {
        let widest = |columns| {
            let text = tutorial().at_width(columns);
            text.lines().map(|line| line.chars().count()).max()
        };
        assert_eq!((widest(92), widest(300)), (Some(88), Some(88)));
        assert_eq!((widest(0), widest(24)), (widest(24), Some(24)));
    }

    #[test]
    fn folds_a_long_name_of_a_model() {
        let summary = Summary { model: "m".repeat(100), rows: vec![], ..tutorial() };
        let text = summary.at_width(80);
        let lines: Vec<&str> = text.lines().take(4).collect();
        assert_eq!(lines[0], "Model: ");
        assert_eq!(lines[1], format!("\"{}", "m".repeat(79)));
        assert_eq!(lines[2], format!("{}\"", "m".repeat(21)));
        assert!(lines[3].starts_with('┏'));
    }

    #[test]
    fn groups_digits_and_scales_bytes() {
        let numbers = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let sizes = [0, 1023, 1024, 41_105_536, 3 << 30, 5 << 40, 7 << 60].map(readable_memory);
        let expected =
            ["0.00 B", "1023.00 B", "1.00 KB", "39.20 MB", "3.00 GB", "5.00 TB", "7168.00 PB"];
        assert_eq!(sizes, expected);
    }
}
