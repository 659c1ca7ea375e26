//! Parquet files: columns of one type each, compressed or not.

use std::path::Path;

use super::Table;
use crate::{Error, Result};

/// The table in a Parquet file.
///
/// # Errors
///
/// This command was built without its feature `parquet`.
#[cfg(not(feature = "parquet"))]
pub(super) fn table(path: &Path) -> Result<Table> {
    Err(Error::new(format!("{} cannot be read: it is of Parquet", path.display()))
        .help("this program was built without the feature `parquet`; save the data as CSV"))
}

#[cfg(feature = "parquet")]
pub(super) use self::reading::table;

#[cfg(feature = "parquet")]
mod reading {
    use std::fs::File;

    use csv::StringRecord;
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::Field,
    };

    use super::*;
    use crate::data::table::check_names;

    /// The table in a Parquet file, of columns of numbers, truth values (1 and 0) and texts.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a column is of another type.
    pub(in super::super) fn table(path: &Path) -> Result<Table> {
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::new(format!("{} cannot be read: {why}", path.display()))
                .help("columns of Parquet may be plain, or compressed by Snappy or gzip")
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
        let schema = reader.metadata().file_metadata().schema_descr().root_schema();
        let names: Vec<String> =
            schema.get_fields().iter().map(|column| column.name().to_owned()).collect();
        check_names(&names).map_err(|error| error.at(path.display().to_string()))?;
        let mut records = vec![];
        for row in reader.get_row_iter(None).map_err(|error| unreadable(&error))? {
            let row = row.map_err(|error| unreadable(&error))?;
            let mut record = StringRecord::new();
            for (name, field) in row.get_column_iter() {
                let cell = cell(field).ok_or_else(|| {
                    let place =
                        format!("{}, row {}, column `{name}`", path.display(), records.len() + 1);
                    Error::new("the value is neither a number nor a text")
                        .help("convert the column before it is saved")
                        .at(place)
                })?;
                record.push_field(&cell);
            }
            records.push(record);
        }
        Table::checked(path, names, records)
    }

    /// What would stand in a CSV file.
    fn cell(field: &Field) -> Option<String> {
        Some(match field {
            Field::Null => String::new(),
            Field::Bool(value) => u8::from(*value).to_string(),
            Field::Byte(value) => value.to_string(),
            Field::Short(value) => value.to_string(),
            Field::Int(value) => value.to_string(),
            Field::Long(value) => value.to_string(),
            Field::UByte(value) => value.to_string(),
            Field::UShort(value) => value.to_string(),
            Field::UInt(value) => value.to_string(),
            Field::ULong(value) => value.to_string(),
            Field::Float16(value) => value.to_string(),
            Field::Float(value) => value.to_string(),
            Field::Double(value) => value.to_string(),
            Field::Str(value) => value.trim().to_owned(),
            _ => return None,
        })
    }
}
