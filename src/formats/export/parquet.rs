//! Parquet: one row group, no compression, every column optional. What is empty, unknown or suppressed is null.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{Cell, Column, Holds, Style, Table};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Writes a table. Masses are grams, shares thousandths, times microseconds in UTC; the mark is in the file's metadata.
pub(super) fn write(table: &Table, style: &Style) -> Result<Vec<u8>> {
    let fields = table.columns().iter().map(field).collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(Type::group_type_builder(table.name()).with_fields(fields).build()?);
    let mark = (!style.mark.is_empty()).then(|| vec![KeyValue::new("marking".to_owned(), style.mark.clone())]);
    let properties = WriterProperties::builder().set_key_value_metadata(mark).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (at, column) in table.columns().iter().enumerate() {
        let cells = || table.rows().iter().filter_map(|row| row.get(at));
        match column.holds {
            Holds::Text => put::<ByteArrayType>(&mut group, cells().map(text))?,
            Holds::Count | Holds::Hours | Holds::Mass | Holds::Time => {
                put::<Int64Type>(&mut group, cells().map(long))?;
            }
            Holds::Share | Holds::Day => put::<Int32Type>(&mut group, cells().map(short))?,
        }
    }
    group.close()?;
    writer.into_inner()
}

fn field(column: &Column) -> Result<Arc<Type>> {
    let (physical, logical) = match column.holds {
        Holds::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Holds::Count | Holds::Hours | Holds::Mass => (Physical::INT64, None),
        Holds::Share => (Physical::INT32, None),
        Holds::Day => (Physical::INT32, Some(LogicalType::Date)),
        Holds::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    let key = column.key();
    let field = Type::primitive_type_builder(&key, physical);
    field.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build().map(Arc::new)
}

/// Writes one column: the values that are there, and for each row whether it is.
fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    cells: impl Iterator<Item = Result<Option<T::T>>>,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let cell = cell?;
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

fn text(cell: &Cell) -> Result<Option<ByteArray>> {
    Ok(is_there(cell).then(|| ByteArray::from(cell.shown().into_bytes())))
}

fn long(cell: &Cell) -> Result<Option<i64>> {
    if let Cell::Count(count) = cell {
        i64::try_from(*count).map(Some).map_err(|_| too_much(cell))
    } else if let Cell::Mass(grams) = cell {
        i64::try_from(*grams).map(Some).map_err(|_| too_much(cell))
    } else if let Cell::Time(time) = cell {
        Ok(Some(time.seconds() * 1_000_000))
    } else {
        no_number(cell)
    }
}

fn short(cell: &Cell) -> Result<Option<i32>> {
    if let Cell::Share(permille) = cell {
        i32::try_from(*permille).map(Some).map_err(|_| too_much(cell))
    } else if let Cell::Day(day) = cell {
        // Days before 1970 have no such moment; no record of ours is that old.
        let start = day.start().ok_or_else(|| ParquetError::General(format!("{day} is before 1970")))?;
        i32::try_from(start.seconds() / DAY_S).map(Some).map_err(|_| too_much(cell))
    } else {
        no_number(cell)
    }
}

fn too_much(cell: &Cell) -> ParquetError {
    ParquetError::General(format!("{} is more than Parquet's whole numbers hold", cell.shown()))
}

/// A cell without a number of the kind of its column: nothing, if it says so.
fn no_number<T>(cell: &Cell) -> Result<Option<T>> {
    if is_there(cell) {
        return Err(ParquetError::General(format!("{} does not fit its column", cell.shown())));
    }
    Ok(None)
}

fn is_there(cell: &Cell) -> bool {
    !matches!(cell, Cell::Empty | Cell::Unknown | Cell::Suppressed)
}
