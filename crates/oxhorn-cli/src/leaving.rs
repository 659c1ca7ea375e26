//! What a study leaves behind: its report, and its figures as files.

use std::path::{Path, PathBuf};

use oxhorn::{Error, Result};
use oxhorn_lab::{Study, figures, report};

use crate::{
    output::{print, wrapped},
    table,
};

/// What differs as a table, the verdict in words, and how the curves are to be read.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print_verdict(study: &Study) -> Result<()> {
    if let Some(table) = table::differences(study) {
        print(format_args!("\n{table}"))?;
    }
    let readings =
        (0..study.variants.len()).filter_map(|it| oxhorn_lab::reading::paragraph(study, it));
    for paragraph in oxhorn_lab::verdict::paragraphs(study).into_iter().chain(readings) {
        print(format_args!("\n{}", wrapped(&paragraph)))?;
    }
    Ok(())
}

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_report(study: &Study, path: &Path) -> Result<()> {
    write(path, report::html(study).as_bytes())
}

/// Writes every figure in both formats into a folder, and names the files.
///
/// # Errors
/// When one cannot be drawn or written.
pub(crate) fn write_figures(study: &Study, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (name, figure) in figures::all(study, figures::Room::Wide) {
        let files = [("svg", figure.svg().into_bytes()), ("png", figure.png()?)];
        for (extension, bytes) in files {
            let path = folder.join(name).with_extension(extension);
            write(&path, &bytes)?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Makes a folder now, so that it is not after the training that there can be none.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_folder(folder: &Path, setting: &str) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::new(format!("cannot create the folder {}: {error}", folder.display()))
            .help(format!("choose another with `{setting}`"))
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| {
        Error::new(format!("cannot write {}: {error}", path.display()))
            .help("choose a folder that exists and can be written to")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_it_cannot_write() {
        let error = write(Path::new("/no such folder/report.html"), b"").unwrap_err();
        assert!(error.message.starts_with("cannot write /no such folder/report.html: "), "{error}");
        let error = make_folder(Path::new("/dev/null/here"), "--out").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("choose another with `--out`"));
    }
}
