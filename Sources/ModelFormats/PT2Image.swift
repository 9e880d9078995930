import Graph
import Support

/// The image input of a program: each size fixed, or a symbol.
struct PT2Image {
    /// N, C, H, W or N, H, W, C; nil where the batch is open. Open sides are those of `size`.
    let shape: [Int?]
    let type: ScalarType

    /// - Parameter size: of the images, where the program leaves it open.
    /// - Throws: `Problem` `model-input`, `model-image-size`; `DeclaredSides` where a size is needed and none is given.
    init(_ name: String, _ body: JSONNode, ranges: JSONNode?, size: ImageSize?) throws {
        let meta = try body.member("tensor_values").member(name)
        let sizes = try meta.member("sizes").items()
        guard sizes.count == 4 else {
            throw GraphFault.input.problem(
                "The input “\(name.prefix(80))” has \(sizes.count) dimensions, not 4 (N, channels, height, width).",
                fix: ExportAdvice.text())
        }
        type = try PT2Tensors.scalarType(meta.member("dtype"))
        let (tag, batch) = try sizes[0].union()
        guard try tag == "as_int" || PT2Tensors.isSymbol(sizes[0]) else {
            throw GraphFault.input.problem(
                "The batch is open, and not by itself: its size is an expression.", fix: ExportAdvice.text())
        }
        let sides = try sizes.dropFirst().map { try Self.side($0, ranges) }
        var shape: [Int?] = [tag == "as_int" ? try batch.int() : nil]
        let known = sides.map { if case .fixed(let size) = $0 { size } else { 0 } }
        // Channels lie behind the sides in programs of (N, height, width, channels).
        let isLast = sides[0].isOpen && (1...4).contains(known[2])
        guard isLast || !sides[0].isOpen else {
            throw GraphFault.input.problem(
                "The number of channels is open: only batch, height and width may be.",
                fix: ExportAdvice.text())
        }
        let declared = DeclaredSides(height: sides[isLast ? 0 : 1], width: sides[isLast ? 1 : 2])
        if declared.areOpen {
            guard let size else { throw declared }
            let found = try declared.resolved(size)
            shape += isLast ? [found.height, found.width, known[2]] : [known[0], found.height, found.width]
        } else {
            shape += known
        }
        self.shape = shape
    }

    /// A number, a symbol, or a multiple of one.
    private static func side(_ node: JSONNode, _ ranges: JSONNode?) throws -> DeclaredSide {
        let (tag, value) = try node.union()
        if tag == "as_int" { return .fixed(try value.int()) }
        let text = try value.member("expr_str").string()
        let match =
            text.wholeMatch(of: /(?:Mul\(Integer\(([0-9]{1,5})\), )?Symbol\('([a-z][0-9]{1,9})'[^()]*\)\)?/)
            ?? text.wholeMatch(of: /(?:([0-9]{1,5})\*)?([a-z][0-9]{1,9})/)
        guard tag == "as_expr", let match, let factor = Int(match.1 ?? "1"), factor > 0,
            text.hasPrefix("Mul(") == text.hasSuffix("))")
        else {
            throw GraphFault.input.problem(
                "A side of the images is open as “\(text.prefix(80))”, and not by itself or as a multiple.",
                fix: ExportAdvice.text())
        }
        let symbol = String(match.2)
        let range = try ranges?.optional(symbol)
        // The bounds are the symbol's; a side is a multiple of it. Bounded: by `DeclaredSides.most`.
        let limit = DeclaredSides.most / factor
        let least = try bound(range, "min_val", usual: 1, limit) * factor
        let most = try bound(range, "max_val", usual: limit, limit) * factor
        guard least <= most else { throw node.failure("No size is within the range of “\(symbol)”.") }
        return .open(symbol: symbol, factor: factor, range: least...most)
    }

    private static func bound(_ range: JSONNode?, _ name: String, usual: Int, _ limit: Int) throws -> Int {
        guard case .int(let number)? = try range?.optional(name)?.value else { return usual }
        return min(max(Int(clamping: number), 1), max(limit, 1))
    }
}
