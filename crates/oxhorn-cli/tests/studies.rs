//! Studies as people do them with the command: the demo, data of their own, and replays.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use support::{complaint, folder, oxhorn, printed, text};
use tempfile::TempDir;

/// Width and height in the header of a PNG file.
fn png_size(path: &Path) -> [u32; 2] {
    let bytes = fs::read(path).expect("the picture is there");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")))
}

/// What a demo of few runs prints.
fn demo(folder: &TempDir, arguments: &[&str]) -> String {
    let small = ["demo", "--epochs", "2", "--train", "64", "--seeds", "3"];
    printed(&oxhorn(folder, &[&small, arguments].concat()))
}

#[test]
fn demo_prints_plain_lines_and_leaves_a_report_and_figures() {
    let folder = folder();
    let text = demo(&folder, &[]);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for run in 1..=6 {
        assert_eq!(text.matches(&format!("run {run} of 6: ")).count(), 1, "{text}");
    }
    for part in [
        "64 are drawn to\nlearn from, and 1,733 validate",
        "dropout_1 (Dropout)",
        "CC BY 4.0",
        "│ val_loss ",
        "\ndropout 0.5",
        "Report:  oxhorn-demo/report.html\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let left = folder.path().join("oxhorn-demo");
    let curves = png_size(&left.join("curves.png"));
    assert_eq!(curves, [1760, 1000]);
    for name in ["curves", "differences", "reliability"] {
        let svg = fs::read_to_string(left.join(name).with_extension("svg")).expect("it is there");
        assert!(svg.starts_with("<svg ") && svg.contains("dropout 0.5"), "{svg}");
        assert!(text.contains(&format!("oxhorn-demo/{name}.png")), "{text}");
    }
    let report = fs::read_to_string(left.join("report.html")).expect("it is there");
    assert!(report.starts_with("<!doctype html>"), "{report}");
}

#[test]
fn demo_gives_the_same_numbers_for_the_same_seed_and_any_number_of_jobs() {
    let numbers = |arguments: &[&str]| {
        let text = demo(&folder(), arguments);
        // Times differ, the order in which runs end, and how many run at once.
        let kept = text.lines().filter(|line| !line.starts_with("run "));
        let kept = kept.filter(|line| !line.contains("at a time"));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let first = numbers(&["--seed", "5", "--jobs", "1"]);
    assert_eq!(numbers(&["--seed", "5", "--threads", "2"]), first);
    assert_ne!(numbers(&["--seed", "6"]), first);
}

#[test]
fn demo_without_dropout_finds_no_difference() {
    let text = demo(&folder(), &["--rate", "0"]);
    assert!(text.contains("dropout 0: no difference was found."), "{text}");
    assert!(text.contains("0 (0 to 0)"), "{text}");
}

#[test]
fn demo_says_that_two_seeds_are_too_few() {
    let small = ["demo", "--epochs", "1", "--train", "64", "--seeds", "2"];
    let text = printed(&oxhorn(&folder(), &small));
    assert!(text.contains("dropout 0.5: nothing can be said."), "{text}");
}

/// A report in this folder, and its text.
fn report(folder: &TempDir) -> (PathBuf, String) {
    study(folder, &["digits", "--train", "64", "--report", "report.html"]);
    let path = folder.path().join("report.html");
    let page = fs::read_to_string(&path).expect("the report is there");
    (path, page)
}

/// What a study of few small runs prints.
fn study(folder: &TempDir, arguments: &[&str]) -> String {
    let small = ["--epochs", "2", "--seeds", "3", "--hidden", "7,5"];
    printed(&oxhorn(folder, &[&["study"], arguments, &small].concat()))
}

/// A CSV file of 30 samples, of which the second number says the class.
fn csv(folder: &TempDir) {
    let mut text = "width,height,kind\n".to_owned();
    for i in 0..30 {
        let kind = if i % 3 == 0 { "moth" } else { "bee" };
        text.push_str(&format!("{},{},{kind}\n", i * 7 % 13, i % 3));
    }
    fs::write(folder.path().join("insects.csv"), text).expect("the file is written");
}

/// Images of 2 by 3 pixels and their labels in IDX files, 40 of them.
fn idx(folder: &TempDir) {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 3];
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 40];
    for i in 0..40_u8 {
        images.extend((0..6).map(|pixel| 40 * (i % 4) + pixel));
        labels.push(i % 4);
    }
    let write = |name: &str, bytes| fs::write(folder.path().join(name), bytes);
    write("images-idx3-ubyte", images).expect("the images are written");
    write("labels-idx1-ubyte", labels).expect("the labels are written");
}

#[test]
fn study_compares_the_rates_with_the_first() {
    let folder = folder();
    let arguments = ["digits", "--train", "64", "--rates", "0,0.2,0.5", "--figures", "figures"];
    let text = study(&folder, &arguments);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("run ")).count(), 9, "{text}");
    for part in ["│ no dropout ", "│ dropout 0.2 ", "\ndropout 0.5", "Hidden layers: 7-5"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(fs::read_dir(folder.path().join("figures")).expect("it is there").count(), 6);
}

#[test]
fn study_reads_columns_of_a_csv_file_and_is_repeated_from_it() {
    let folder = folder();
    csv(&folder);
    let arguments = ["insects.csv", "--target", "kind", "--primary", "val_accuracy"];
    let text = study(&folder, &[&arguments[..], &["--report", "out.html"]].concat());
    assert!(text.contains("insects: 23 samples to learn from"), "{text}");
    assert!(text.contains("val_accuracy"), "{text}");
    let replayed = printed(&oxhorn(&folder, &["replay", "out.html"]));
    assert!(replayed.ends_with("The same numbers, to the bit.\n"), "{replayed}");
    let at = |name: &str| folder.path().join(name);
    fs::rename(at("insects.csv"), at("moved.csv")).expect("the file is moved");
    let gone = complaint(&oxhorn(&folder, &["replay", "out.html"]));
    assert!(gone.starts_with("error: there is no file insects.csv\n"), "{gone}");
    let replayed = printed(&oxhorn(&folder, &["replay", "out.html", "--data", "moved.csv"]));
    assert!(replayed.ends_with("The same numbers, to the bit.\n"), "{replayed}");
    let changed = fs::read_to_string(at("moved.csv")).expect("it is there").replacen('7', "8", 1);
    fs::write(at("moved.csv"), changed).expect("the file is written");
    let other = complaint(&oxhorn(&folder, &["replay", "out.html", "--data", "moved.csv"]));
    assert!(other.starts_with("error: these are not the data of the report: "), "{other}");
}

#[test]
fn study_reads_images_with_their_labels_and_is_repeated_from_them() {
    let folder = folder();
    idx(&folder);
    let files = ["images-idx3-ubyte", "--labels", "labels-idx1-ubyte"];
    let text = study(&folder, &[&files[..], &["--split", "0.6", "--report", "out.html"]].concat());
    assert!(text.contains("24 samples to learn from, drawn anew at each seed, and 16"), "{text}");
    let replayed = printed(&oxhorn(&folder, &["replay", "out.html"]));
    assert!(replayed.ends_with("The same numbers, to the bit.\n"), "{replayed}");
}

#[test]
fn study_looks_for_a_rate_and_confirms_it() {
    let text = study(&folder(), &["digits", "--train", "64", "--rates", "0,0.1,0.3", "--tune"]);
    for part in ["looking for the best of the rates 0, 0.1, 0.3", "  rate 0.3 ", "  kept"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn study_goes_on_where_a_variant_diverges() {
    let rate = ["digits", "--train", "64", "--learning-rate", "1e30"];
    let text = study(&folder(), &[&rate[..], &["--report", "out.html"]].concat());
    assert!(text.contains("diverged in epoch 1"), "{text}");
    assert!(text.contains("no dropout diverged at 3 of 3 seeds"), "{text}");
}

#[test]
fn study_refuses_what_it_cannot_do() {
    let folder = folder();
    csv(&folder);
    for (arguments, message) in [
        (&["digits", "--split", "0.5"][..], "`--split` has no meaning for the digits"),
        (&["digits", "--target", "y"], "`--target` has no meaning for the digits"),
        (&["digits", "--train", "1797"], "`--train` must be from 1 to 1796, got 1797"),
        (&["digits", "--rates", "0,0.5,0.50"], "`--rates` has 0.5 twice"),
        (&["digits", "--rates", "-0.5"], "Invalid value received for argument `rate`."),
        (&["digits", "--hidden", "0"], "`--hidden` must be from 1 to 65536, got 0"),
        (&["digits", "--epochs", "0"], "`--epochs` must be from 1 to 100000, got 0"),
        (&["digits", "--batch-size", "0"], "`--batch-size` must be from 1 to 1048576, got 0"),
        (&["digits", "--primary", "val_joy"], "there is no measure `val_joy`"),
        (&["digits", "--stop-early", "--seeds", "2"], "the first look must follow at least 3"),
        (&["digits", "--report", "no/such/r.html"], "the report cannot be written to no/such/"),
        (&["digits", "--figures", "/dev/null/x"], "cannot create the folder /dev/null/x: "),
        (&["insects.csv", "--target", "colour"], ""),
        (&["missing.csv", "--target", "kind"], "missing.csv cannot be read: "),
        (&["insects.xls"], "insects.xls is no data that can be read"),
    ] {
        let complaint = complaint(&oxhorn(&folder, &[&["study"], arguments].concat()));
        assert!(complaint.starts_with(&format!("error: {message}")), "{complaint}");
    }
}

#[test]
fn replay_gives_the_same_numbers_to_the_bit() {
    let folder = folder();
    report(&folder);
    let text = printed(&oxhorn(&folder, &["replay", "report.html", "--jobs", "1"]));
    for part in ["The page is the one that its study gives.\n", "run 6 of 6: "] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.ends_with("The same numbers, to the bit.\n"), "{text}");
}

#[test]
fn replay_shows_what_was_edited() {
    let folder = folder();
    let (path, page) = report(&folder);
    let replayed = |page: &str| {
        fs::write(&path, page).expect("the report is written");
        let output = oxhorn(&folder, &["replay", "report.html"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert_eq!(text(&output.stderr), "");
        text(&output.stdout)
    };
    // The page alone: a heading.
    let shown = replayed(&page.replacen("<h1>", "<h1>As always: ", 1));
    assert!(shown.contains("The page is NOT the one that its study gives."), "{shown}");
    assert!(shown.contains("reported: <h1>As always: "), "{shown}");
    assert!(shown.ends_with("The same numbers, to the bit.\n"), "{shown}");
    // One number of the study: the first epoch's training loss, which the page shows nowhere.
    let at = page.find("\"loss\":[").expect("the study has curves") + 8;
    let comma = at + page[at..].find(',').expect("there is a second epoch");
    let shown = replayed(&format!("{}2.25{}", &page[..at], &page[comma..]));
    assert!(shown.contains("The page is the one that its study gives."), "{shown}");
    assert!(shown.contains("1 number is NOT the same:\n"), "{shown}");
    assert!(shown.contains("no dropout, seed 0: loss in epoch 1\n  reported: "), "{shown}");
}

#[test]
fn replay_refuses_what_it_cannot_repeat() {
    let folder = folder();
    let refused = |page: &[u8]| {
        fs::write(folder.path().join("page.html"), page).expect("the page is written");
        complaint(&oxhorn(&folder, &["replay", "page.html"]))
    };
    let none = refused(b"<p>Hello</p>");
    assert!(none.starts_with("error: there is no study in this page"), "{none}");
    assert!(refused(b"\xff").starts_with("error: cannot read page.html: "));
    let (_, page) = report(&folder);
    let at = page.find("\"digest\":\"").expect("the study has a digest") + 10;
    let other = format!("{}{}{}", &page[..at], "0".repeat(64), &page[at + 64..]);
    let other = refused(other.as_bytes());
    assert!(other.starts_with("error: these are not the data of the report: "), "{other}");
    let missing = complaint(&oxhorn(&folder, &["replay", "missing.html"]));
    assert!(missing.starts_with("error: cannot read missing.html: "), "{missing}");
}

#[test]
fn demo_refuses_settings_out_of_range() {
    for (arguments, message) in [
        (["--train", "1797"], "`--train` must be from 1 to 1796, got 1797"),
        (["--train", "0"], "`--train` must be from 1 to 1796, got 0"),
        (["--epochs", "0"], "`--epochs` must be from 1 to 100000, got 0"),
        (["--jobs", "0"], "`--jobs` must be from 1 to 256, got 0"),
        (["--threads", "257"], "`--jobs` must be from 1 to 256, got 257"),
        (["--seeds", "0"], "`--seeds` must be from 1 to 10000, got 0"),
        (["--rate", "1.5"], "Invalid value received for argument `rate`."),
        (["--rate", "-1"], "Invalid value received for argument `rate`."),
        (["--rate", "nan"], "Invalid value received for argument `rate`."),
        (["--out", "/dev/null/here"], "cannot create the folder /dev/null/here: "),
    ] {
        let folder = folder();
        let complaint = complaint(&oxhorn(&folder, &[&["demo"], &arguments[..]].concat()));
        assert!(complaint.starts_with(&format!("error: {message}")), "{complaint}");
        let left = fs::read_dir(&folder).expect("the folder is there").count();
        assert_eq!(left, 0, "{arguments:?} left something behind");
    }
}

#[cfg(unix)]
#[test]
fn ends_quietly_when_its_reader_has_gone() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxhorn"));
    command.current_dir(&folder).args(["demo", "--epochs", "2"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}
