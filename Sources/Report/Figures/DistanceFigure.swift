import Findings

/// The boundary distances of a class's samples: flagged ones upwards, the others downwards, each side on a scale of
/// its own.
struct DistanceFigure {
    let edges: [Double]
    let counts: EvidenceDistributions.Counts
    let name: String

    private static let width = 330.0
    private static let half = 46.0
    private static let left = 8.0

    var markup: Markup {
        let bins = min(edges.count - 1, counts.unflagged.count, counts.flagged.count)
        guard bins > 0, let low = edges.first, edges[bins] > low else { return "" }
        // The last bin may reach far: it is drawn as wide as the others.
        let step = (Self.width - 2 * Self.left) / Double(bins)
        let flagged = counts.flagged.reduce(0, +)
        let unflagged = counts.unflagged.reduce(0, +)
        let zero = 20 + Self.half
        var parts = [Figure.text(Figure.clipped(name, 34), x: Self.left, y: 12, kind: "title")]
        for (values, kind, up) in [
            (counts.flagged, "flagged" as Markup, true), (counts.unflagged, "plain" as Markup, false),
        ] {
            let largest = Double(max(values.prefix(bins).max() ?? 0, 1))
            for bin in 0..<bins where values[bin] > 0 {
                let height = Double(values[bin]) / largest * Self.half
                parts.append(
                    Figure.rectangle(
                        x: Self.left + Double(bin) * step, y: up ? zero - height : zero, width: step - 0.8,
                        height: height, kind: kind,
                        title:
                            "\(Numbers.short(edges[bin])) to \(Numbers.short(edges[bin + 1])): \(values[bin])"
                    ))
            }
        }
        let bottom = zero + Self.half
        parts.append(
            Figure.line(x1: Self.left, y1: zero, x2: Self.width - Self.left, y2: zero, kind: "axis"))
        parts.append(
            Figure.text(
                "\(flagged) flagged", x: Self.width - Self.left, y: zero - Self.half + 9, anchor: .end,
                kind: "label flagged-text"))
        parts.append(
            Figure.text(
                "\(unflagged) others", x: Self.width - Self.left, y: bottom - 2, anchor: .end))
        parts.append(Figure.text(Numbers.short(edges[0]), x: Self.left, y: bottom + 12))
        parts.append(
            Figure.text(
                "boundary distance", x: Self.width / 2, y: bottom + 12, anchor: .middle))
        parts.append(
            Figure.text(Numbers.short(edges[bins]), x: Self.width - Self.left, y: bottom + 12, anchor: .end))
        return Figure.svg(
            width: Self.width, height: bottom + 18,
            label: "Boundary distances of class \(name): \(flagged) flagged and \(unflagged) other samples",
            parts)
    }
}
