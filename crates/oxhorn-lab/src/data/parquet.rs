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
    use std::{
        cell::Cell,
        fs::File,
        panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
        sync::Once,
    };

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
        guarded(|| rows(path, file, &unreadable))
            .unwrap_or_else(|| Err(unreadable(&"it is damaged")))
    }

    fn rows(
        path: &Path,
        file: File,
        unreadable: &dyn Fn(&dyn std::fmt::Display) -> Error,
    ) -> Result<Table> {
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

    thread_local! {
        /// Whether this thread is reading a file.
        static READING: Cell<bool> = const { Cell::new(false) };
    }

    /// What reading gives; `None` if it panics, as the library does over some damaged files.
    /// Nothing is printed then: it is not our mistake, and the error says all there is to say.
    fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = take_hook();
            set_hook(Box::new(move |panic| {
                if !READING.get() {
                    usual(panic);
                }
            }));
        });
        READING.set(true);
        // What was read so far is dropped with the panic.
        let found = catch_unwind(AssertUnwindSafe(read));
        READING.set(false);
        found.ok()
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

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use std::{fs, sync::Arc};

    use parquet::{
        data_type::{ByteArray, ByteArrayType, DoubleType},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };

    use super::*;

    /// A file of three rows: a number that may be missing, and a text.
    fn bytes() -> Vec<u8> {
        let schema = "message m { optional double width; required byte_array place (UTF8); }";
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let properties = Arc::new(WriterProperties::builder().build());
        let mut bytes = vec![];
        let mut writer =
            SerializedFileWriter::new(&mut bytes, schema, properties).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        let mut column = group.next_column().expect("one").expect("one");
        let widths = column.typed::<DoubleType>();
        widths.write_batch(&[1.5, 2.5], Some(&[1, 0, 1]), None).expect("room");
        column.close().expect("a column");
        let mut column = group.next_column().expect("one").expect("one");
        let places = ["shore", "field", "shore"].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&places, None, None).expect("room");
        column.close().expect("a column");
        group.close().expect("a group");
        writer.close().expect("a file");
        bytes
    }

    #[test]
    fn damaged_files_are_read_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.parquet");
        let whole = bytes();
        fs::write(&path, &whole).expect("a file");
        let table = Table::open(&path).expect("a file in order");
        assert_eq!((table.names(), table.rows()), (&["width".into(), "place".into()][..], 3));
        let mut refused = 0;
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at] ^ 0x10] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                fs::write(&path, damaged).expect("a file");
                refused += usize::from(Table::open(&path).is_err());
            }
            fs::write(&path, &whole[..at]).expect("a file");
            assert!(Table::open(&path).is_err(), "cut off after {at} bytes");
        }
        assert!(refused > whole.len(), "{refused} of seven for each of {} bytes", whole.len());
    }
}
