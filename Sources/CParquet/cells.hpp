// Single cells of Arrow arrays: image files, pixels in nested lists, labels.
#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "cparquet.h"

namespace cells {

/// A label that is a number, and no whole one.
struct InvalidLabel : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// CPARQUET_NUMBER and so on.
int32_t kind(const arrow::DataType &type);

/// A text or binary cell; nullptr data where it is null.
/// - Throws: std::invalid_argument for another type.
std::string_view bytes(const arrow::Array &array, int64_t index);

/// A whole number or boolean.
/// - Throws: std::invalid_argument for another type, and for a number over 2^63 - 1.
int64_t number(const arrow::Array &array, int64_t index);

/// The pixels of a cell of nested lists, row by row.
/// - Throws: std::invalid_argument for lists of differing lengths and for values that are no bytes.
void pixels(
    const arrow::Array &array, int64_t index, std::vector<uint8_t> &out, int32_t &rank, int64_t shape[3]);

/// An image file: its content, or the path it names.
void image(const arrow::Array &array, int64_t index, cparquet_row &row);

void label(const arrow::Array &array, int64_t index, cparquet_row &row);

}  // namespace cells
