#include "cells.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

namespace cells {

namespace {

using arrow::Type;

[[noreturn]] void refuse(const std::string &message) { throw std::invalid_argument(message); }

bool holds_number(Type::type type) {
    return type == Type::BOOL || (type >= Type::UINT8 && type <= Type::INT64);
}

bool holds_text(Type::type type) {
    return type == Type::STRING || type == Type::LARGE_STRING || type == Type::STRING_VIEW;
}

bool holds_bytes(Type::type type) {
    return type == Type::BINARY || type == Type::LARGE_BINARY || type == Type::BINARY_VIEW;
}

bool holds_list(Type::type type) {
    return type == Type::LIST || type == Type::LARGE_LIST || type == Type::FIXED_SIZE_LIST;
}

/// The elements of a list.
struct Span {
    const arrow::Array *values;
    int64_t start;
    int64_t count;
};

Span span(const arrow::Array &array, int64_t index) {
    switch (array.type_id()) {
    case Type::LIST: {
        const auto &list = static_cast<const arrow::ListArray &>(array);
        return {list.values().get(), list.value_offset(index), list.value_length(index)};
    }
    case Type::LARGE_LIST: {
        const auto &list = static_cast<const arrow::LargeListArray &>(array);
        return {list.values().get(), list.value_offset(index), list.value_length(index)};
    }
    case Type::FIXED_SIZE_LIST: {
        const auto &list = static_cast<const arrow::FixedSizeListArray &>(array);
        return {list.values().get(), list.value_offset(index), list.value_length(index)};
    }
    default: refuse("a list of numbers was expected");
    }
}

void append(
    const arrow::Array &array, int64_t index, int32_t depth, std::vector<uint8_t> &out, int32_t &rank,
    int64_t shape[3]) {
    if (array.IsNull(index)) refuse("a list of its pixels is null");
    const auto part = span(array, index);
    if (part.start < 0 || part.count < 0 || part.start > part.values->length()
        || part.count > part.values->length() - part.start)
        refuse("a list of its pixels goes beyond its values");
    if (depth >= rank) {
        if (depth == 3) refuse("its lists are more than three deep");
        shape[depth] = part.count;
        rank = depth + 1;
    } else if (shape[depth] != part.count) {
        refuse("its rows have different lengths");
    }
    if (holds_list(part.values->type_id())) {
        for (int64_t item = 0; item < part.count; ++item)
            append(*part.values, part.start + item, depth + 1, out, rank, shape);
        return;
    }
    if (part.values->type_id() == Type::UINT8 && part.values->null_count() == 0) {
        const auto *values = static_cast<const arrow::UInt8Array &>(*part.values).raw_values() + part.start;
        out.insert(out.end(), values, values + part.count);
        return;
    }
    for (int64_t item = part.start; item < part.start + part.count; ++item) {
        if (part.values->IsNull(item)) refuse("a pixel is null");
        const int64_t value = number(*part.values, item);
        if (value < 0 || value > 255) refuse("a pixel has the value " + std::to_string(value) + ", and not 0 to 255");
        out.push_back(static_cast<uint8_t>(value));
    }
}

const arrow::DataType &innermost(const arrow::DataType &type, int32_t &depth) {
    const auto *inner = &type;
    for (depth = 0; holds_list(inner->id()); ++depth) inner = inner->field(0)->type().get();
    return *inner;
}

}  // namespace

int32_t kind(const arrow::DataType &type) {
    if (holds_number(type.id())) return CPARQUET_NUMBER;
    if (type.id() == Type::FLOAT || type.id() == Type::DOUBLE) return CPARQUET_REAL;
    if (holds_text(type.id())) return CPARQUET_TEXT;
    if (holds_bytes(type.id())) return CPARQUET_FILE;
    if (type.id() == Type::DICTIONARY) {
        const auto inner = kind(*static_cast<const arrow::DictionaryType &>(type).value_type());
        return inner == CPARQUET_NUMBER || inner == CPARQUET_TEXT ? inner : CPARQUET_OTHER;
    }
    if (type.id() == Type::STRUCT) {
        const auto field = static_cast<const arrow::StructType &>(type).GetFieldByName("bytes");
        return field && holds_bytes(field->type()->id()) ? CPARQUET_FILE : CPARQUET_OTHER;
    }
    if (holds_list(type.id())) {
        int32_t depth = 0;
        const auto &inner = innermost(type, depth);
        return depth <= 3 && holds_number(inner.id()) && inner.id() != Type::BOOL ? CPARQUET_PIXELS : CPARQUET_OTHER;
    }
    return CPARQUET_OTHER;
}

std::string_view bytes(const arrow::Array &array, int64_t index) {
    if (array.IsNull(index)) return {};
    switch (array.type_id()) {
    case Type::STRING:
    case Type::BINARY: return static_cast<const arrow::BinaryArray &>(array).GetView(index);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY: return static_cast<const arrow::LargeBinaryArray &>(array).GetView(index);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW: return static_cast<const arrow::BinaryViewArray &>(array).GetView(index);
    default: refuse("text or bytes were expected");
    }
}

int64_t number(const arrow::Array &array, int64_t index) {
    switch (array.type_id()) {
    case Type::BOOL: return static_cast<const arrow::BooleanArray &>(array).Value(index) ? 1 : 0;
    case Type::UINT8: return static_cast<const arrow::UInt8Array &>(array).Value(index);
    case Type::INT8: return static_cast<const arrow::Int8Array &>(array).Value(index);
    case Type::UINT16: return static_cast<const arrow::UInt16Array &>(array).Value(index);
    case Type::INT16: return static_cast<const arrow::Int16Array &>(array).Value(index);
    case Type::UINT32: return static_cast<const arrow::UInt32Array &>(array).Value(index);
    case Type::INT32: return static_cast<const arrow::Int32Array &>(array).Value(index);
    case Type::INT64: return static_cast<const arrow::Int64Array &>(array).Value(index);
    case Type::UINT64: {
        const auto value = static_cast<const arrow::UInt64Array &>(array).Value(index);
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) refuse("a number is too large");
        return static_cast<int64_t>(value);
    }
    default: refuse("a whole number was expected");
    }
}

void pixels(
    const arrow::Array &array, int64_t index, std::vector<uint8_t> &out, int32_t &rank, int64_t shape[3]) {
    out.clear();
    rank = 0;
    append(array, index, 0, out, rank, shape);
}

void image(const arrow::Array &array, int64_t index, cparquet_row &row) {
    if (array.IsNull(index)) return;
    std::string_view content;
    if (array.type_id() == Type::STRUCT) {
        const auto &fields = static_cast<const arrow::StructArray &>(array);
        const auto part = fields.GetFieldByName("bytes");
        if (!part) refuse("its image has no field bytes");
        content = bytes(*part, index);
        const auto path = fields.GetFieldByName("path");
        if (path && holds_text(path->type_id())) {
            const auto text = bytes(*path, index);
            row.path = text.data();
            row.path_length = text.size();
        }
    } else {
        content = bytes(array, index);
    }
    if (content.empty()) return;
    row.bytes = reinterpret_cast<const uint8_t *>(content.data());
    row.count = content.size();
}

void label(const arrow::Array &array, int64_t index, cparquet_row &row) {
    if (array.IsNull(index)) return;
    if (array.type_id() == Type::DICTIONARY) {
        const auto &coded = static_cast<const arrow::DictionaryArray &>(array);
        const auto &values = *coded.dictionary();
        const int64_t code = coded.GetValueIndex(index);
        if (code < 0 || code >= values.length()) refuse("a label's code is beyond its dictionary");
        return label(values, code, row);
    }
    row.has_label = true;
    if (holds_number(array.type_id())) {
        row.number = number(array, index);
        return;
    }
    if (array.type_id() == Type::FLOAT || array.type_id() == Type::DOUBLE) {
        const double value = array.type_id() == Type::FLOAT
            ? static_cast<const arrow::FloatArray &>(array).Value(index)
            : static_cast<const arrow::DoubleArray &>(array).Value(index);
        // Data frames write a missing number so.
        if (std::isnan(value)) {
            row.has_label = false;
            return;
        }
        if (std::trunc(value) != value || std::fabs(value) > 1e9) {
            std::ostringstream text;
            text << value;
            throw InvalidLabel(text.str());
        }
        row.number = static_cast<int64_t>(value);
        return;
    }
    const auto text = bytes(array, index);
    // An empty view may have no address, and an address is what tells text from a number.
    row.text = text.data() ? text.data() : "";
    row.text_length = text.size();
}

}  // namespace cells
