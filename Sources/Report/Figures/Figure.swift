/// Pieces of inline SVG. Colours are classes of the page's style sheet.
enum Figure {
    static func svg(width: Double, height: Double, label: String, _ content: [Markup]) -> Markup {
        """
        <svg viewBox="0 0 \(Numbers.place(width)) \(Numbers.place(height))" width="\(Numbers.place(width))" \
        role="img" aria-label="\(label)">\(content)</svg>
        """
    }

    static func rectangle(
        x: Double, y: Double, width: Double, height: Double, kind: Markup, title: String = ""
    ) -> Markup {
        let tip: Markup = title.isEmpty ? "" : "<title>\(title)</title>"
        return """
            <rect x="\(Numbers.place(x))" y="\(Numbers.place(y))" width="\(Numbers.place(max(width, 0)))" \
            height="\(Numbers.place(max(height, 0)))" class="\(kind)">\(tip)</rect>
            """
    }

    static func line(x1: Double, y1: Double, x2: Double, y2: Double, kind: Markup) -> Markup {
        """
        <line x1="\(Numbers.place(x1))" y1="\(Numbers.place(y1))" x2="\(Numbers.place(x2))" \
        y2="\(Numbers.place(y2))" class="\(kind)"/>
        """
    }

    enum Anchor: String { case start, middle, end }

    static func text(
        _ text: String, x: Double, y: Double, anchor: Anchor = .start, kind: Markup = "label"
    ) -> Markup {
        """
        <text x="\(Numbers.place(x))" y="\(Numbers.place(y))" text-anchor="\(anchor.rawValue)" \
        class="\(kind)">\(text)</text>
        """
    }

    /// Long names would run over the figure.
    static func clipped(_ text: String, _ length: Int) -> String {
        text.count > length ? text.prefix(max(1, length - 1)) + "…" : text
    }
}
