/// Counts of pairs of classes, darker for more: rows are the first of a pair, columns the second.
struct MatrixFigure {
    struct Cell: Hashable {
        var row, column, count: Int
    }

    let label: String
    let rowTitle, columnTitle: String
    let cells: [Cell]
    let names: [String]

    /// More classes would not be legible.
    static let maximumClasses = 24

    private static let side = 26.0
    private static let margin = 130.0

    /// Nil where there are no counts, or too many classes.
    var markup: Markup? {
        let rows = Set(cells.map(\.row)).sorted()
        let columns = Set(cells.map(\.column)).sorted()
        guard !cells.isEmpty, max(rows.count, columns.count) <= Self.maximumClasses else { return nil }
        let largest = Double(cells.map(\.count).max() ?? 1)
        let width = Self.margin + Double(columns.count) * Self.side + 20
        var parts = [
            Figure.text(rowTitle + " ↓  " + columnTitle + " →", x: 4, y: 14, kind: "title")
        ]
        let top = 112.0
        for (index, column) in columns.enumerated() {
            let x = Self.margin + (Double(index) + 0.5) * Self.side
            parts.append(
                """
                <text transform="translate(\(Numbers.place(x + 4)) \(Numbers.place(top - 6))) rotate(-60)" \
                class="label">\(Figure.clipped(name(column), 14))</text>
                """)
        }
        for (index, row) in rows.enumerated() {
            parts.append(
                Figure.text(
                    Figure.clipped(name(row), 18), x: Self.margin - 6,
                    y: top + (Double(index) + 0.65) * Self.side, anchor: .end))
        }
        for cell in cells {
            guard let row = rows.firstIndex(of: cell.row), let column = columns.firstIndex(of: cell.column)
            else {
                continue
            }
            let x = Self.margin + Double(column) * Self.side
            let y = top + Double(row) * Self.side
            let shade = Int((Double(cell.count) / largest * 4).rounded(.up))
            parts.append(
                Figure.rectangle(
                    x: x + 1, y: y + 1, width: Self.side - 2, height: Self.side - 2, kind: "shade\(shade)",
                    title: "\(name(cell.row)) → \(name(cell.column)): \(cell.count)"))
            parts.append(
                Figure.text(
                    "\(cell.count)", x: x + Self.side / 2, y: y + Self.side * 0.65, anchor: .middle,
                    kind: shade > 2 ? "count light" : "count"))
        }
        return Figure.svg(
            width: max(width, 260), height: top + Double(rows.count) * Self.side + 8, label: label, parts)
    }

    private func name(_ label: Int) -> String {
        names.indices.contains(label) ? "\(label) \(names[label])" : "\(label)"
    }
}
