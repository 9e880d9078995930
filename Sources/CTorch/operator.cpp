// Calls any operator through the dispatcher, after checking the arguments against its schema.
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "device.hpp"
#include "support.hpp"

using namespace ct;

at::Generator ct_generator_value(ct_generator *handle);

struct ct_operator {
    c10::OperatorHandle handle;
    const c10::FunctionSchema &schema;
    /// Makes a tensor from none: where no device is named it would be the processor's.
    bool is_factory;
};

namespace {

bool is_tensor(const c10::Argument &argument) {
    c10::TypePtr type = argument.type();
    while (type->kind() == c10::TypeKind::OptionalType || type->kind() == c10::TypeKind::ListType) {
        type = type->containedType(0);
    }
    return type->kind() == c10::TypeKind::TensorType;
}

struct Arguments {
    const ct_pools &pools;
    bool is_factory;

    void check(const ct_value &value, size_t size) const {
        require(value.offset <= size && value.count <= size - value.offset, "list outside of its pool");
    }

    at::Tensor tensor(size_t index) const {
        require(index < pools.tensor_count, "tensor outside of its pool");
        return borrow(pools.tensors[index]);
    }

    std::optional<c10::IValue> device_of_factory(const c10::Argument &argument) const {
        if (!is_factory || argument.name() != "device") return std::nullopt;
        return compute_device();
    }

    c10::IValue default_or_refuse(const c10::Argument &argument) const {
        if (auto device = device_of_factory(argument)) return *device;
        if (!argument.default_value()) refuse("argument '" + argument.name() + "' is missing");
        return *argument.default_value();
    }

    [[noreturn]] void mismatch(const c10::Argument &argument) const {
        refuse("argument '" + argument.name() + "' must be " + argument.type()->repr_str());
    }

    c10::IValue convert(const ct_value &value, const c10::Argument &argument) const {
        if (value.tag == CT_DEFAULT) return default_or_refuse(argument);
        if (value.tag == CT_NONE) {
            if (auto device = device_of_factory(argument)) return *device;
        }
        c10::TypePtr type = argument.type();
        if (type->kind() == c10::TypeKind::OptionalType) {
            if (value.tag == CT_NONE) return c10::IValue();
            type = type->castRaw<c10::OptionalType>()->getElementType();
        }
        switch (type->kind()) {
            case c10::TypeKind::TensorType:
                if (value.tag == CT_TENSOR) return tensor(value.offset);
                break;
            case c10::TypeKind::NumberType:
                if (value.tag == CT_INT) return value.integer;
                if (value.tag == CT_DOUBLE) return value.real;
                if (value.tag == CT_BOOL) return value.integer != 0;
                break;
            case c10::TypeKind::IntType:
            case c10::TypeKind::SymIntType:
                if (auto enumerated = enumeration(value, argument)) return *enumerated;
                if (value.tag == CT_INT) return value.integer;
                break;
            case c10::TypeKind::FloatType:
                if (value.tag == CT_DOUBLE) return value.real;
                if (value.tag == CT_INT) return static_cast<double>(value.integer);
                break;
            case c10::TypeKind::BoolType:
                if (value.tag == CT_BOOL) return value.integer != 0;
                break;
            case c10::TypeKind::StringType:
                if (value.tag == CT_STRING) {
                    check(value, pools.character_count);
                    return std::string(pools.characters + value.offset, value.count);
                }
                break;
            case c10::TypeKind::DeviceObjType:
                if (value.tag == CT_COMPUTE_DEVICE) return compute_device();
                break;
            case c10::TypeKind::GeneratorType:
                if (value.tag == CT_GENERATOR && pools.generator) return ct_generator_value(pools.generator);
                break;
            case c10::TypeKind::ListType:
                return list(value, argument, *type->castRaw<c10::ListType>());
            default:
                break;
        }
        mismatch(argument);
    }

    /// Element types, memory formats and layouts are integers to the dispatcher, with a type of their own.
    std::optional<c10::IValue> enumeration(const ct_value &value, const c10::Argument &argument) const {
        c10::TypePtr type = argument.real_type();
        if (type->kind() == c10::TypeKind::OptionalType) {
            type = type->castRaw<c10::OptionalType>()->getElementType();
        }
        switch (type->kind()) {
            case c10::TypeKind::ScalarTypeType:
                if (value.tag != CT_SCALAR_TYPE) mismatch(argument);
                return static_cast<int64_t>(scalar_type(value.integer));
            case c10::TypeKind::MemoryFormatType:
                if (value.tag != CT_MEMORY_FORMAT || value.integer < 0 || value.integer > 2) mismatch(argument);
                return value.integer;
            case c10::TypeKind::LayoutType:
                if (value.tag != CT_LAYOUT || value.integer != 0) mismatch(argument);
                return value.integer;
            default:
                return std::nullopt;
        }
    }

    c10::IValue list(const ct_value &value, const c10::Argument &argument, const c10::ListType &type) const {
        const auto &element = *type.getElementType();
        switch (element.kind()) {
            case c10::TypeKind::TensorType:
                if (value.tag == CT_TENSORS) {
                    check(value, pools.tensor_count);
                    c10::List<at::Tensor> items;
                    for (size_t i = 0; i < value.count; ++i) items.push_back(tensor(value.offset + i));
                    return items;
                }
                break;
            case c10::TypeKind::OptionalType:
                if (value.tag == CT_TENSORS || value.tag == CT_OPTIONAL_TENSORS) {
                    check(value, pools.tensor_count);
                    c10::List<std::optional<at::Tensor>> items;
                    for (size_t i = 0; i < value.count; ++i) {
                        bool present = pools.tensors[value.offset + i] != nullptr;
                        items.push_back(
                            present ? std::optional<at::Tensor>(tensor(value.offset + i)) : std::nullopt);
                    }
                    return items;
                }
                break;
            case c10::TypeKind::IntType:
            case c10::TypeKind::SymIntType:
                if (value.tag == CT_INTS) {
                    check(value, pools.integer_count);
                    const int64_t *first = pools.integers + value.offset;
                    return c10::List<int64_t>(c10::ArrayRef<int64_t>(first, value.count));
                }
                // "int[2]" takes one integer for all.
                if (value.tag == CT_INT && argument.N() && *argument.N() > 0 && *argument.N() <= 16) {
                    std::vector<int64_t> items(static_cast<size_t>(*argument.N()), value.integer);
                    return c10::List<int64_t>(items);
                }
                break;
            case c10::TypeKind::FloatType:
                if (value.tag == CT_DOUBLES) {
                    check(value, pools.real_count);
                    const double *first = pools.reals + value.offset;
                    return c10::List<double>(c10::ArrayRef<double>(first, value.count));
                }
                break;
            case c10::TypeKind::BoolType:
                if (value.tag == CT_BOOLS) {
                    check(value, pools.integer_count);
                    c10::List<bool> items;
                    for (size_t i = 0; i < value.count; ++i) {
                        items.push_back(pools.integers[value.offset + i] != 0);
                    }
                    return items;
                }
                break;
            default:
                break;
        }
        mismatch(argument);
    }
};

void watch(const at::Tensor &tensor, const std::shared_ptr<std::atomic<bool>> &flag) {
    if (!tensor.requires_grad() || !tensor.grad_fn()) return;
    tensor.register_hook([flag](const at::Tensor &) {
        if (flag->load(std::memory_order_relaxed)) throw Cancelled();
    });
}

ct_value hand_over(const at::Tensor &tensor, ct_token *token) {
    ct_value value{CT_NONE, 0, 0, 0, 0};
    if (!tensor.defined()) return value;
    if (token && at::GradMode::is_enabled()) watch(tensor, token->flag);
    value.tag = CT_TENSOR;
    value.integer = reinterpret_cast<int64_t>(give(tensor));
    return value;
}

void append(std::vector<ct_value> &values, const c10::IValue &result, ct_token *token) {
    if (result.isTensor()) {
        values.push_back(hand_over(result.toTensor(), token));
    } else if (result.isTensorList()) {
        for (const at::Tensor &tensor : result.toTensorVector()) values.push_back(hand_over(tensor, token));
    } else if (result.isInt()) {
        values.push_back({CT_INT, result.toInt(), 0, 0, 0});
    } else if (result.isDouble()) {
        values.push_back({CT_DOUBLE, 0, result.toDouble(), 0, 0});
    } else if (result.isBool()) {
        values.push_back({CT_BOOL, result.toBool(), 0, 0, 0});
    } else if (result.isScalar()) {
        auto scalar = result.toScalar();
        values.push_back({CT_DOUBLE, 0, scalar.toDouble(), 0, 0});
    } else if (result.isSymInt()) {
        values.push_back({CT_INT, result.toSymInt().expect_int(), 0, 0, 0});
    } else if (result.isNone()) {
        values.push_back({CT_NONE, 0, 0, 0, 0});
    } else {
        refuse("a result of type " + result.tagKind() + " is not supported");
    }
}

}  // namespace

extern "C" {

ct_status ct_operator_find(const char *name, const char *overload, ct_operator **result) {
    return guarded([&] {
        *result = nullptr;
        static std::mutex mutex;
        static std::map<std::pair<std::string, std::string>, ct_operator *> known;
        std::lock_guard<std::mutex> lock(mutex);
        auto &entry = known[{name, overload}];
        if (!entry) {
            auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
            if (!handle) refuse(std::string("no operator '") + name + "' with overload '" + overload + "'");
            const auto &arguments = handle->schema().arguments();
            entry = new ct_operator{
                *handle, handle->schema(), std::none_of(arguments.begin(), arguments.end(), is_tensor)};
        }
        *result = entry;
    });
}

size_t ct_operator_argument_count(const ct_operator *op) { return op->schema.arguments().size(); }

size_t ct_operator_result_count(const ct_operator *op) { return op->schema.returns().size(); }

const char *ct_operator_argument_name(const ct_operator *op, size_t index) {
    if (index >= op->schema.arguments().size()) return nullptr;
    return op->schema.arguments()[index].name().c_str();
}

bool ct_operator_argument_is_written(const ct_operator *op, size_t index) {
    if (index >= op->schema.arguments().size()) return false;
    const auto *alias = op->schema.arguments()[index].alias_info();
    return alias && alias->isWrite();
}

ct_status ct_call(
    const ct_operator *op, const ct_value *arguments, size_t argument_count, const ct_pools *pools,
    ct_token *token, ct_value **results, size_t *result_count) {
    return guarded([&] {
        *results = nullptr;
        *result_count = 0;
        if (token && ct_token_is_cancelled(token)) throw Cancelled();
        const auto &formal = op->schema.arguments();
        if (argument_count > formal.size()) {
            refuse("takes " + std::to_string(formal.size()) + " arguments, given are " +
                   std::to_string(argument_count));
        }
        Arguments reader{*pools, op->is_factory};
        torch::jit::Stack stack;
        stack.reserve(formal.size());
        for (size_t i = 0; i < formal.size(); ++i) {
            stack.push_back(
                i < argument_count ? reader.convert(arguments[i], formal[i]) : reader.default_or_refuse(formal[i]));
        }
        op->handle.callBoxed(stack);

        std::vector<ct_value> values;
        values.reserve(stack.size());
        auto release = [&] {
            for (const auto &value : values) {
                if (value.tag == CT_TENSOR) ct_tensor_release(reinterpret_cast<ct_tensor *>(value.integer));
            }
        };
        try {
            for (const auto &item : stack) append(values, item, token);
            if (!values.empty()) {
                auto *block = static_cast<ct_value *>(std::malloc(values.size() * sizeof(ct_value)));
                if (!block) throw std::bad_alloc();
                std::memcpy(block, values.data(), values.size() * sizeof(ct_value));
                *results = block;
                *result_count = values.size();
            }
        } catch (...) {
            release();
            throw;
        }
    });
}

}  // extern "C"
