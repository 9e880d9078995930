extension Tensor {
    private static func binary(_ name: String, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        try callOperator(name, "Tensor", [.tensor(a), .tensor(b)])
    }

    private static func binary(_ name: String, _ a: Tensor, _ b: Double) throws -> Tensor {
        try callOperator(name, "Scalar", [.tensor(a), .double(b)])
    }

    public static func + (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::add", a, b) }
    public static func - (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::sub", a, b) }
    public static func * (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::mul", a, b) }
    public static func / (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::div", a, b) }

    public static func + (a: Tensor, b: Double) throws -> Tensor { try binary("aten::add", a, b) }
    public static func - (a: Tensor, b: Double) throws -> Tensor { try binary("aten::sub", a, b) }
    public static func * (a: Tensor, b: Double) throws -> Tensor { try binary("aten::mul", a, b) }
    public static func / (a: Tensor, b: Double) throws -> Tensor { try binary("aten::div", a, b) }

    public static func + (a: Double, b: Tensor) throws -> Tensor { try b + a }
    public static func * (a: Double, b: Tensor) throws -> Tensor { try b * a }
    public static func - (a: Double, b: Tensor) throws -> Tensor { try binary("aten::rsub", b, a) }
    public static func / (a: Double, b: Tensor) throws -> Tensor {
        try callOperator("aten::reciprocal", [.tensor(b)]) * a
    }

    public static prefix func - (a: Tensor) throws -> Tensor { try callOperator("aten::neg", [.tensor(a)]) }

    // Comparisons give bool tensors.

    public static func .< (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::lt", a, b) }
    public static func .<= (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::le", a, b) }
    public static func .> (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::gt", a, b) }
    public static func .>= (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::ge", a, b) }
    public static func .== (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::eq", a, b) }
    public static func .!= (a: Tensor, b: Tensor) throws -> Tensor { try binary("aten::ne", a, b) }

    public static func .< (a: Tensor, b: Double) throws -> Tensor { try binary("aten::lt", a, b) }
    public static func .<= (a: Tensor, b: Double) throws -> Tensor { try binary("aten::le", a, b) }
    public static func .> (a: Tensor, b: Double) throws -> Tensor { try binary("aten::gt", a, b) }
    public static func .>= (a: Tensor, b: Double) throws -> Tensor { try binary("aten::ge", a, b) }
    public static func .== (a: Tensor, b: Double) throws -> Tensor { try binary("aten::eq", a, b) }
    public static func .!= (a: Tensor, b: Double) throws -> Tensor { try binary("aten::ne", a, b) }

    // Logic on bool tensors.

    public static prefix func ! (a: Tensor) throws -> Tensor {
        try callOperator("aten::logical_not", [.tensor(a)])
    }

    public static func & (a: Tensor, b: Tensor) throws -> Tensor {
        try callOperator("aten::logical_and", [.tensor(a), .tensor(b)])
    }

    public static func | (a: Tensor, b: Tensor) throws -> Tensor {
        try callOperator("aten::logical_or", [.tensor(a), .tensor(b)])
    }

    /// Matrix product, batched over leading dimensions.
    public func matmul(_ other: Tensor) throws -> Tensor {
        try callOperator("aten::matmul", [.tensor(self), .tensor(other)])
    }

    public func maximum(_ other: Tensor) throws -> Tensor {
        try callOperator("aten::maximum", [.tensor(self), .tensor(other)])
    }

    public func minimum(_ other: Tensor) throws -> Tensor {
        try callOperator("aten::minimum", [.tensor(self), .tensor(other)])
    }
}

extension Tensor {
    private func unary(_ name: String) throws -> Tensor { try callOperator(name, [.tensor(self)]) }

    public func abs() throws -> Tensor { try unary("aten::abs") }
    public func sqrt() throws -> Tensor { try unary("aten::sqrt") }
    public func rsqrt() throws -> Tensor { try unary("aten::rsqrt") }
    public func square() throws -> Tensor { try unary("aten::square") }
    public func exp() throws -> Tensor { try unary("aten::exp") }
    public func log() throws -> Tensor { try unary("aten::log") }
    public func log1p() throws -> Tensor { try unary("aten::log1p") }
    public func sign() throws -> Tensor { try unary("aten::sign") }
    public func sin() throws -> Tensor { try unary("aten::sin") }
    public func cos() throws -> Tensor { try unary("aten::cos") }
    public func tanh() throws -> Tensor { try unary("aten::tanh") }
    public func sigmoid() throws -> Tensor { try unary("aten::sigmoid") }
    public func relu() throws -> Tensor { try unary("aten::relu") }
    public func floor() throws -> Tensor { try unary("aten::floor") }
    public func round() throws -> Tensor { try unary("aten::round") }
    public func isNaN() throws -> Tensor { try unary("aten::isnan") }
    public func isFinite() throws -> Tensor { try unary("aten::isfinite") }

    public func pow(_ exponent: Double) throws -> Tensor {
        try callOperator("aten::pow", "Tensor_Scalar", [.tensor(self), .double(exponent)])
    }

    /// Limits each element to [low, high]; nil is no limit.
    public func clamp(_ low: Double?, _ high: Double?) throws -> Tensor {
        try callOperator(
            "aten::clamp", "",
            [.tensor(self), low.map { .double($0) } ?? .none, high.map { .double($0) } ?? .none])
    }

    /// As `clamp`, with limits per element (broadcast).
    public func clamp(_ low: Tensor?, _ high: Tensor?) throws -> Tensor {
        try callOperator("aten::clamp", "Tensor", [.tensor(self), .optional(low), .optional(high)])
    }

    public func nanToNum(_ value: Double = 0) throws -> Tensor {
        try callOperator("aten::nan_to_num", [.tensor(self), .double(value)])
    }

    /// `a` where the condition holds, else `b`; the receiver is the condition (bool).
    public func choose(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        try callOperator("aten::where", "self", [.tensor(self), .tensor(a), .tensor(b)])
    }

    public func choose(_ a: Tensor, _ b: Double) throws -> Tensor {
        try callOperator("aten::where", "ScalarOther", [.tensor(self), .tensor(a), .double(b)])
    }

    public func choose(_ a: Double, _ b: Tensor) throws -> Tensor {
        try callOperator("aten::where", "ScalarSelf", [.tensor(self), .double(a), .tensor(b)])
    }

    /// A copy with `value` where `mask` (bool, broadcast) holds.
    public func maskedFill(_ mask: Tensor, _ value: Double) throws -> Tensor {
        try callOperator("aten::masked_fill", "Scalar", [.tensor(self), .tensor(mask), .double(value)])
    }
}
