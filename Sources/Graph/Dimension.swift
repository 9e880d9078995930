/// One size of a shape: `batch * N + constant`, where N is the batch size.
public struct Dimension: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public var batch: Int
    public var constant: Int

    public static let batchSize = Dimension(batch: 1, constant: 0)

    public init(batch: Int, constant: Int) {
        self.batch = batch
        self.constant = constant
    }

    public init(_ constant: Int) { self.init(batch: 0, constant: constant) }

    public init(integerLiteral value: Int) { self.init(value) }

    /// The size where it does not depend on the batch.
    public var known: Int? { batch == 0 ? constant : nil }

    public var description: String {
        switch (batch, constant) {
        case (0, _): "\(constant)"
        case (1, 0): "N"
        case (_, 0): "\(batch)*N"
        default: "\(batch)*N+\(constant)"
        }
    }

    /// Nil on overflow.
    public static func sum(_ a: Dimension, _ b: Dimension) -> Dimension? {
        let (batch, overflow) = a.batch.addingReportingOverflow(b.batch)
        let (constant, constantOverflow) = a.constant.addingReportingOverflow(b.constant)
        return overflow || constantOverflow ? nil : Dimension(batch: batch, constant: constant)
    }

    public static func difference(_ a: Dimension, _ b: Dimension) -> Dimension? {
        product(b, -1).flatMap { sum(a, $0) }
    }

    /// Nil on overflow, and where both depend on the batch.
    public static func product(_ a: Dimension, _ b: Dimension) -> Dimension? {
        if let factor = a.known { return product(b, factor) }
        if let factor = b.known { return product(a, factor) }
        return nil
    }

    private static func product(_ a: Dimension, _ factor: Int) -> Dimension? {
        let (batch, overflow) = a.batch.multipliedReportingOverflow(by: factor)
        let (constant, constantOverflow) = a.constant.multipliedReportingOverflow(by: factor)
        return overflow || constantOverflow ? nil : Dimension(batch: batch, constant: constant)
    }

    /// `a / b` where that is exact for every batch size; nil elsewhere.
    public static func quotient(_ a: Dimension, _ b: Dimension) -> Dimension? {
        if let divisor = b.known {
            guard divisor > 0, a.batch % divisor == 0, a.constant % divisor == 0 else { return nil }
            return Dimension(batch: a.batch / divisor, constant: a.constant / divisor)
        }
        // (k * b) / b, for a constant k.
        guard b.batch > 0, a.batch % b.batch == 0 else { return nil }
        let factor = a.batch / b.batch
        return product(b, factor) == a ? Dimension(factor) : nil
    }
}

public typealias Shape = [Dimension]

/// For messages: the first sixteen.
func listed(_ list: some Collection<some CustomStringConvertible>) -> String {
    list.prefix(16).map(\.description).joined(separator: ", ") + (list.count > 16 ? ", …" : "")
}

extension Shape {
    /// Elements of a tensor of this shape; nil on overflow or for two sizes that depend on the batch.
    public var elementCount: Dimension? {
        var count: Dimension = 1
        for size in self {
            guard let product = Dimension.product(count, size) else { return nil }
            count = product
        }
        return count
    }

    public var text: String { "(" + listed(self) + ")" }
}
