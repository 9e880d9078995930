/// Horizontal bars from 0 to 1, each beside what would be there without a backdoor.
struct BarFigure {
    struct Row {
        var name: String
        var value: Double
        /// What the same measurement gives where nothing is hidden.
        var null: Double?
        var stands: Bool
        var note: String
    }

    let label: String
    let rows: [Row]
    /// The value at the right end.
    let top: Double

    private static let names = 150.0
    private static let bar = 330.0
    private static let width = 700.0
    private static let step = 22.0

    var markup: Markup {
        let height = Double(rows.count) * Self.step + 24
        var parts: [Markup] = []
        for (index, row) in rows.enumerated() {
            let y = Double(index) * Self.step + 4
            parts.append(
                Figure.text(Figure.clipped(row.name, 22), x: Self.names - 8, y: y + 12, anchor: .end))
            parts.append(
                Figure.rectangle(x: Self.names, y: y + 1, width: Self.bar, height: 15, kind: "track"))
            parts.append(
                Figure.rectangle(
                    x: Self.names, y: y + 1, width: place(row.value), height: 15,
                    kind: row.stands ? "flagged" : "plain"))
            if let null = row.null {
                let x = Self.names + place(null)
                parts.append(Figure.line(x1: x, y1: y - 1, x2: x, y2: y + 18, kind: "null"))
            }
            parts.append(Figure.text(row.note, x: Self.names + Self.bar + 10, y: y + 12))
        }
        let bottom = Double(rows.count) * Self.step + 18
        parts.append(Figure.text("0", x: Self.names, y: bottom, anchor: .middle))
        parts.append(
            Figure.text(Numbers.short(top), x: Self.names + Self.bar, y: bottom, anchor: .middle))
        return Figure.svg(width: Self.width, height: height, label: label, parts)
    }

    private func place(_ value: Double) -> Double {
        value.isFinite && top > 0 ? min(max(value / top, 0), 1) * Self.bar : 0
    }
}
