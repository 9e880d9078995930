#if !__has_include(<parquet/file_reader.h>)
#error "Apache Parquet's headers are missing: run scripts/setup"
#endif
#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/config.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cells.hpp"
#include "cparquet.h"

namespace {

using arrow::Status;

struct Failure : std::exception {
    int32_t code;
    std::string message;
    Failure(int32_t code, std::string message) : code(code), message(std::move(message)) {}
    const char *what() const noexcept override { return message.c_str(); }
};

cparquet_status status(int32_t code, const char *text) noexcept {
    // The library's messages can hold bytes of the file: one line, and not all of it.
    size_t length = 0;
    while (length < 300 && text[length] != 0 && text[length] != '\n') ++length;
    auto *copy = static_cast<char *>(std::malloc(length + 1));
    if (copy) {
        std::memcpy(copy, text, length);
        copy[length] = 0;
    }
    return {code, copy};
}

int32_t code(const Status &status) {
    if (status.IsOutOfMemory() || status.IsCapacityError()) return CPARQUET_TOO_LARGE;
    return CPARQUET_DAMAGED;
}

/// Runs `body`; whatever it throws becomes a status. `unreadable`: whether the operating system failed.
template <typename Body>
cparquet_status guarded(const bool &unreadable, Body body) noexcept {
    try {
        body();
        return {CPARQUET_OK, nullptr};
    } catch (const Failure &failure) {
        return status(unreadable ? CPARQUET_UNREADABLE : failure.code, failure.what());
    } catch (const parquet::ParquetStatusException &error) {
        return status(unreadable ? CPARQUET_UNREADABLE : code(error.status()), error.what());
    } catch (const std::bad_alloc &) {
        return status(CPARQUET_TOO_LARGE, "out of memory");
    } catch (const std::length_error &error) {
        return status(CPARQUET_TOO_LARGE, error.what());
    } catch (const cells::InvalidLabel &error) {
        return status(CPARQUET_LABEL, error.what());
    } catch (const std::exception &error) {
        return status(unreadable ? CPARQUET_UNREADABLE : CPARQUET_DAMAGED, error.what());
    } catch (...) {
        return status(CPARQUET_DAMAGED, "unknown failure");
    }
}

void check(const Status &status) {
    if (!status.ok()) throw Failure(code(status), status.message());
}

template <typename Value>
Value take(arrow::Result<Value> result) {
    check(result.status());
    return std::move(result).ValueUnsafe();
}

/// A file that somebody else opened, read at any place.
class DescriptorFile final : public arrow::io::RandomAccessFile {
public:
    DescriptorFile(int descriptor, int64_t length, arrow::MemoryPool *pool)
        : descriptor_(descriptor), length_(length), pool_(pool) {}

    bool unreadable = false;

    Status Close() override {
        closed_ = true;
        return Status::OK();
    }
    bool closed() const override { return closed_; }
    arrow::Result<int64_t> Tell() const override { return position_; }
    arrow::Result<int64_t> GetSize() override { return length_; }

    Status Seek(int64_t position) override {
        if (position < 0 || position > length_) return Status::Invalid("position beyond the file");
        position_ = position;
        return Status::OK();
    }

    arrow::Result<int64_t> ReadAt(int64_t position, int64_t count, void *out) override {
        if (position < 0 || count < 0 || position > length_) return Status::Invalid("range beyond the file");
        count = std::min(count, length_ - position);
        int64_t done = 0;
        while (done < count) {
            const auto got = pread(
                descriptor_, static_cast<char *>(out) + done, static_cast<size_t>(count - done), position + done);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) {
                unreadable = true;
                return Status::IOError(std::strerror(errno));
            }
            if (got == 0) return Status::Invalid("the file became shorter");
            done += got;
        }
        return done;
    }

    arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t count) override {
        if (position < 0 || count < 0 || position > length_) return Status::Invalid("range beyond the file");
        count = std::min(count, length_ - position);
        ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(count, pool_));
        ARROW_ASSIGN_OR_RAISE(auto done, ReadAt(position, count, buffer->mutable_data()));
        ARROW_RETURN_NOT_OK(buffer->Resize(done));
        return std::shared_ptr<arrow::Buffer>(std::move(buffer));
    }

    arrow::Result<int64_t> Read(int64_t count, void *out) override {
        ARROW_ASSIGN_OR_RAISE(auto done, ReadAt(position_, count, out));
        position_ += done;
        return done;
    }

    arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t count) override {
        ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, count));
        position_ += buffer->size();
        return buffer;
    }

private:
    int descriptor_;
    int64_t length_;
    arrow::MemoryPool *pool_;
    int64_t position_ = 0;
    bool closed_ = false;
};

constexpr int64_t batch_bytes = 16 << 20;
constexpr int64_t most_rows = 256;

}  // namespace

struct cparquet_file {
    explicit cparquet_file(int64_t memory_limit) : pool(arrow::system_memory_pool(), memory_limit) {}

    arrow::CappedMemoryPool pool;
    std::shared_ptr<DescriptorFile> source;
    std::unique_ptr<parquet::arrow::FileReader> reader;
    std::shared_ptr<arrow::Schema> schema;
    std::vector<std::string> types;
    std::shared_ptr<const arrow::KeyValueMetadata> metadata;
    int64_t rows = 0;

    std::unique_ptr<arrow::RecordBatchReader> batches;
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t row = 0;
    std::shared_ptr<arrow::Array> images;
    std::shared_ptr<arrow::Array> labels;
    std::string image_name;
    std::string label_name;
    bool is_pixels = false;
    /// Of the row at hand.
    std::vector<uint8_t> pixels;

    /// The leaves of a top-level column.
    void leaves(const parquet::arrow::SchemaField &field, std::vector<int> &out) const {
        if (field.children.empty()) out.push_back(field.column_index);
        for (const auto &child : field.children) leaves(child, out);
    }

    /// Rows to decode at a time, by what the footer says of their size.
    int64_t rows_at_a_time() const {
        const auto file = reader->parquet_reader()->metadata();
        int64_t widest = 1;
        for (int group = 0; group < file->num_row_groups(); ++group) {
            const auto part = file->RowGroup(group);
            if (part->num_rows() > 0) widest = std::max(widest, part->total_byte_size() / part->num_rows());
        }
        return std::clamp<int64_t>(batch_bytes / widest, 1, most_rows);
    }
};

void cparquet_free(void *memory) { std::free(memory); }

const char *cparquet_version(void) { return arrow::GetBuildInfo().version_string.c_str(); }

cparquet_status cparquet_open(int descriptor, int64_t length, int64_t memory_limit, cparquet_file **out) {
    bool unreadable = false;
    return guarded(unreadable, [&] {
        if (!out || length < 0 || memory_limit <= 0) throw Failure(CPARQUET_UNSUPPORTED, "invalid argument");
        auto file = std::make_unique<cparquet_file>(memory_limit);
        file->source = std::make_shared<DescriptorFile>(descriptor, length, &file->pool);
        parquet::ReaderProperties properties(&file->pool);
        // Page by page instead of a whole column chunk.
        properties.enable_buffered_stream();
        properties.set_buffer_size(1 << 20);
        properties.set_thrift_string_size_limit(64 << 20);
        properties.set_thrift_container_size_limit(1 << 20);
        properties.set_page_checksum_verification(true);
        try {
            auto parquet = parquet::ParquetFileReader::Open(file->source, properties);
            parquet::ArrowReaderProperties arrow_properties(false);
            arrow_properties.set_pre_buffer(false);
            file->reader =
                take(parquet::arrow::FileReader::Make(&file->pool, std::move(parquet), arrow_properties));
        } catch (...) {
            unreadable = file->source->unreadable;
            throw;
        }
        const auto footer = file->reader->parquet_reader()->metadata();
        file->metadata = footer->key_value_metadata();
        file->rows = footer->num_rows();
        int64_t sum = 0;
        for (int group = 0; group < footer->num_row_groups(); ++group) {
            const int64_t count = footer->RowGroup(group)->num_rows();
            if (count < 0 || count > file->rows - sum)
                throw Failure(CPARQUET_DAMAGED, "the row groups have other numbers of rows than the file");
            sum += count;
        }
        if (file->rows < 0 || sum != file->rows)
            throw Failure(CPARQUET_DAMAGED, "the row groups have other numbers of rows than the file");
        check(file->reader->GetSchema(&file->schema));
        for (const auto &field : file->schema->fields()) file->types.push_back(field->type()->ToString());
        *out = file.release();
    });
}

void cparquet_close(cparquet_file *file) { delete file; }

int64_t cparquet_row_count(const cparquet_file *file) { return file->rows; }

int32_t cparquet_column_count(const cparquet_file *file) { return file->schema->num_fields(); }

cparquet_column cparquet_column_at(const cparquet_file *file, int32_t index) {
    if (index < 0 || index >= file->schema->num_fields()) return {};
    const auto &field = *file->schema->field(index);
    const auto &type = file->types[static_cast<size_t>(index)];
    return {field.name().data(), field.name().size(), cells::kind(*field.type()), type.data(), type.size()};
}

const char *cparquet_metadata(const cparquet_file *file, const char *key, size_t *length) {
    if (!file->metadata) return nullptr;
    const int index = file->metadata->FindKey(key);
    if (index < 0) return nullptr;
    const auto &value = file->metadata->value(index);
    *length = value.size();
    return value.data();
}

cparquet_status cparquet_begin(cparquet_file *file, int32_t image, int32_t label) {
    return guarded(file->source->unreadable, [&] {
        const auto &fields = file->reader->manifest().schema_fields;
        const auto count = static_cast<int32_t>(fields.size());
        if (image < 0 || image >= count || label < 0 || label >= count || image == label)
            throw Failure(CPARQUET_UNSUPPORTED, "no such column");
        std::vector<int> columns;
        file->leaves(fields[static_cast<size_t>(image)], columns);
        file->leaves(fields[static_cast<size_t>(label)], columns);
        std::vector<int> groups(static_cast<size_t>(file->reader->num_row_groups()));
        for (size_t group = 0; group < groups.size(); ++group) groups[group] = static_cast<int>(group);
        file->reader->set_batch_size(file->rows_at_a_time());
        file->batches = take(file->reader->GetRecordBatchReader(groups, columns));
        file->image_name = file->schema->field(image)->name();
        file->label_name = file->schema->field(label)->name();
        const auto kind = cells::kind(*file->schema->field(image)->type());
        const auto label_kind = cells::kind(*file->schema->field(label)->type());
        if ((kind != CPARQUET_FILE && kind != CPARQUET_PIXELS)
            || (label_kind != CPARQUET_NUMBER && label_kind != CPARQUET_REAL && label_kind != CPARQUET_TEXT))
            throw Failure(CPARQUET_UNSUPPORTED, "the columns hold no images or no labels");
        file->is_pixels = kind == CPARQUET_PIXELS;
    });
}

cparquet_status cparquet_next(cparquet_file *file, cparquet_row *row, bool *at_end) {
    return guarded(file->source->unreadable, [&] {
        if (!file->batches) throw Failure(CPARQUET_UNSUPPORTED, "no columns are chosen");
        *row = {};
        *at_end = false;
        while (!file->batch || file->row >= file->batch->num_rows()) {
            file->batch.reset();
            check(file->batches->ReadNext(&file->batch));
            if (!file->batch) {
                *at_end = true;
                return;
            }
            check(file->batch->Validate());
            file->images = file->batch->GetColumnByName(file->image_name);
            file->labels = file->batch->GetColumnByName(file->label_name);
            if (!file->images || !file->labels) throw Failure(CPARQUET_DAMAGED, "a column is missing");
            file->row = 0;
        }
        const int64_t index = file->row++;
        if (!file->is_pixels) {
            cells::image(*file->images, index, *row);
        } else if (!file->images->IsNull(index)) {
            cells::pixels(*file->images, index, file->pixels, row->rank, row->shape);
            if (!file->pixels.empty()) {
                row->bytes = file->pixels.data();
                row->count = file->pixels.size();
            }
        }
        cells::label(*file->labels, index, *row);
    });
}
