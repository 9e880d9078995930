import Graph
import Support

/// Height and width of images.
public struct ImageSize: Hashable, Sendable, CustomStringConvertible {
    public var height, width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    public var description: String { "\(height)x\(width)" }
}

/// A height or width as a model declares it.
enum DeclaredSide: Hashable {
    case fixed(Int)
    /// Any multiple of `factor` within `range`. Sides of one symbol are equal.
    case open(symbol: String, factor: Int, range: ClosedRange<Int>)

    var isOpen: Bool { if case .open = self { true } else { false } }

    private func takes(_ size: Int) -> Bool {
        switch self {
        case .fixed(let own): own == size
        case .open(_, let factor, let range): range.contains(size) && size % factor == 0
        }
    }

    private var text: String {
        switch self {
        case .fixed(let size): return "\(size)"
        case .open(_, let factor, let range):
            let multiple = factor > 1 ? "a multiple of \(factor)" : "any"
            return range.upperBound == DeclaredSides.most
                ? "\(multiple) from \(range.lowerBound)"
                : "\(multiple) from \(range.lowerBound) to \(range.upperBound)"
        }
    }

    /// What is wrong with the size for this side; nil if nothing is.
    func fault(_ size: Int, _ name: String) -> String? {
        takes(size) ? nil : "The \(name) has to be \(text), and is \(size)."
    }
}

/// What a model says of the height and width of its images. Thrown where a size is needed to go on.
struct DeclaredSides: Error, Hashable {
    static let most = 65_536
    static let all = 1...most
    var height, width: DeclaredSide

    var areOpen: Bool { height.isOpen || width.isOpen }

    /// The sizes that a model is used with: fixed sides as they are, open ones as `size` says.
    /// - Throws: `Problem` `model-image-size`.
    func resolved(_ size: ImageSize) throws -> ImageSize {
        var size = size
        if case .fixed(let own) = height { size.height = own }
        if case .fixed(let own) = width { size.width = own }
        var fault = height.fault(size.height, "height") ?? width.fault(size.width, "width")
        if case .open(let first, _, _) = height, case .open(let second, _, _) = width, first == second,
            size.height != size.width
        {
            fault = "Height and width have to be equal."
        }
        if let fault { throw GraphFault.imageSize.problem(fault) }
        return size
    }
}

/// Opens models that leave the height or the width of their images open: everything in them is known once these are.
struct OpenSizes {
    /// Sides that classifiers are made for, the most usual first.
    private static let usual = [224, 32, 64, 28, 256, 299, 128, 96, 384, 512]
    /// What another size may mend.
    private static let mendable: Set<String> = [
        GraphFault.shape.rawValue, GraphFault.argument.rawValue, GraphFault.tooLarge.rawValue,
        GraphFault.output.rawValue, GraphFault.imageSize.rawValue, GraphFault.fixedBatch.rawValue,
        ONNXFault.operator.rawValue,
    ]

    let read: (ImageSize?) throws -> ModelFile

    /// - Parameters:
    ///   - images: those that the model is to take; nil where they are not known yet: a usual size then shows whether
    ///     the model can be used at all.
    ///   - read: reads the model for images of a size; throws `DeclaredSides` where it needs one and has none.
    static func model(
        for images: ImageSize?, _ read: @escaping (ImageSize?) throws -> ModelFile
    ) throws -> ModelFile {
        do { return try read(nil) } catch let sides as DeclaredSides {
            return try OpenSizes(read: read).model(sides, images)
        }
    }

    private func model(_ sides: DeclaredSides, _ images: ImageSize?) throws -> ModelFile {
        guard let images else {
            return try tried(sides) { fault in
                throw GraphFault.imageSize.problem(
                    "It leaves height and width open, and runs with none of the usual sides, from 28 to 512."
                        + (fault.map { " With \($0.0): \($0.1.detail)" } ?? ""),
                    fix: "Export the model for images of one size. "
                        + ExportAdvice.text(image: [3, 224, 224]))
            }
        }
        do { return try read(try sides.resolved(images)).leavingOpen(sides) } catch var problem as Problem
            where Self.mendable.contains(problem.code)
        {
            guard let other = try? tried(sides, otherwise: { _ in throw sides }) else { throw problem }
            let size = ImageSize(
                height: other.graph.imageShape[2] ?? 0, width: other.graph.imageShape[3] ?? 0)
            problem = GraphFault.imageSize.problem(
                "It leaves height and width open, and does not run with the data set's \(images): \(problem.detail)",
                fix: "Import the data set again at a size that the model runs with, such as --resize \(size) "
                    + "(resize=\(size)).")
            throw problem
        }
    }

    /// The model at the first of the usual sizes that it runs with.
    private func tried(_ sides: DeclaredSides, otherwise: ((ImageSize, Problem)?) throws -> ModelFile) throws
        -> ModelFile
    {
        var first: (ImageSize, Problem)?
        for side in Self.usual {
            guard let size = try? sides.resolved(ImageSize(height: side, width: side)) else { continue }
            do { return try read(size).leavingOpen(sides) } catch let problem as Problem
                where Self.mendable.contains(problem.code)
            {
                first = first ?? (size, problem)
            }
        }
        return try otherwise(first)
    }
}
