import Support
import Tensors
import Testing

/// Calls that a hostile graph could ask for: each must throw, and the process must go on.
@Suite struct MalformedCallTests {
    struct Call: Sendable, CustomTestStringConvertible {
        var name: String
        var overload = ""
        var arguments: @Sendable () throws -> [OperatorArgument]
        var testDescription: String { name }

        init(
            _ name: String, _ overload: String = "",
            _ arguments: @escaping @Sendable () throws -> [OperatorArgument]
        ) {
            self.name = name
            self.overload = overload
            self.arguments = arguments
        }
    }

    @Sendable static func square(_ type: ScalarType = .float32) throws -> OperatorArgument {
        .tensor(try .ones([2, 2], type: type))
    }

    static let refused: [Call] = [
        Call("aten::relu") { [] },
        Call("aten::relu") { [.none] },
        Call("aten::relu") { [.int(3)] },
        Call("aten::relu") { [.tensors([try .ones([2])])] },
        Call("aten::relu") { try [square(), square()] },
        Call("aten::softmax", "int") { try [square(), .string("1")] },
        Call("aten::softmax", "int") { try [square(), .int(1), .int(6)] },
        Call("aten::cat") { try [square()] },
        Call("aten::cat") { [.tensors([])] },
        Call("aten::permute") { try [square(), .ints([0])] },
        Call("aten::conv2d") { try [square(), square(), .int(0)] },
        Call("aten::conv2d") { [] },
        Call("aten::contiguous") { try [square(), .memoryFormat(9)] },
        Call("aten::contiguous") { try [square(), .int(0)] },
        Call("aten::zeros") { [.ints([2]), .scalarType(.float32), .layout(3)] },
        Call("aten::dropout") { try [square(), .string("p"), .bool(true)] },
        Call("aten::bernoulli_", "float") { try [square(), .double(2)] },
        Call("aten::select", "int") { try [square(), .int(5), .int(0)] },
        Call("aten::select", "int") { try [square(), .int(0), .int(-9)] },
        Call("aten::select", "int") { try [square(), .int(.min), .int(.min)] },
        Call("aten::index_select") { try [square(), .int(0), .tensor(Tensor([7]))] },
        Call("aten::gather") { try [square(), .int(0), .tensor(Tensor([-3], shape: [1, 1]))] },
        Call("aten::mm") { try [square(), .tensor(.ones([3, 3]))] },
        Call("aten::mm") { try [square(), square(.int64)] },
        Call("aten::reshape") { try [square(), .ints([3, -1])] },
        Call("aten::reshape") { try [square(), .ints([.max, .max])] },
        Call("aten::zeros") { [.ints([1 << 40, 1 << 40])] },
        Call("aten::zeros") { [.ints([1 << 46])] },
        Call("aten::zeros") { [.ints([-1])] },
        Call("aten::expand") { try [square(), .ints([-5, 2])] },
        Call("aten::max_pool2d") { try [.tensor(.ones([1, 1, 4, 4])), .ints([0, 0])] },
        Call("aten::max_pool2d") { try [.tensor(.ones([1, 1, 4, 4])), .ints([9, 9])] },
        Call("aten::conv2d") {
            try [.tensor(.ones([1, 3, 4, 4])), .tensor(.ones([2, 5, 3, 3]))]
        },
        Call("aten::conv2d") {
            try [
                .tensor(.ones([1, 3, 4, 4])), .tensor(.ones([2, 3, 3, 3])), .none, .ints([0, 0]),
                .ints([-1, -1]),
            ]
        },
        Call("aten::batch_norm") {
            try [
                .tensor(.ones([2, 3, 4, 4])), .none, .none, .tensor(.ones([7])), .tensor(.ones([7])),
                .bool(false), .double(0.1), .double(1e-5), .bool(false),
            ]
        },
    ]

    @Test(arguments: refused)
    func throwsInsteadOfCrashing(call: Call) throws {
        let op = try Operator(call.name, call.overload)
        let arguments = try call.arguments()
        #expect(throws: TensorError.self) { _ = try op(arguments) }
    }

    @Test func unknownOperatorsThrow() {
        #expect(throws: TensorError.self) { _ = try Operator("aten::no_such_operator") }
        #expect(throws: TensorError.self) { _ = try Operator("aten::relu", "no_overload") }
        #expect(throws: TensorError.self) { _ = try Operator("") }
    }

    @Test func messagesNameOperatorAndArgument() throws {
        let error = #expect(throws: TensorError.self) {
            _ = try callOperator("aten::softmax", "int", [.tensor(.ones([2])), .string("x")])
        }
        #expect(error?.kind == .invalidArgument)
        #expect(error?.operatorName == "aten::softmax.int")
        #expect(error?.message.contains("'dim'") == true)
    }

    @Test func oneIntegerStandsForAFixedSizeList() throws {
        let pooled = try callOperator(
            "aten::max_pool2d", "", [.tensor(.ones([1, 1, 4, 4])), .int(2)])
        #expect(pooled.shape == [1, 1, 2, 2])
    }

    @Test func tensorsThatDoNotFitTheirBytesAreRefused() {
        let bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeBytes { bytes in
            for (shape, strides) in [
                ([5], nil), ([2, 3], nil), ([-1], nil), ([.max, .max], nil), ([2], [4]), ([2], [-1]),
                ([2], [.max]), ([2, 2], [1]), ([4, 0, .max, 2], [1]),
            ] as [([Int], [Int]?)] {
                #expect(throws: TensorError.self, "\(shape)") {
                    _ = try Tensor(bytes: bytes, type: .float32, shape: shape, strides: strides)
                }
            }
        }
        #expect(throws: TensorError.self) { _ = try Tensor([1, 2, 3], shape: [2]) }
        #expect(throws: TensorError.self) { _ = try Tensor([1], shape: [.max, .max]) }
    }
}
