import Findings
import Foundation

/// A report as one HTML file, which is also well-formed XML: no script, no link, nothing fetched. Names from uploads are escaped (see `Markup`).
public enum HTMLReport {
    /// For the response, and in the file for where it is opened from a disk.
    public static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

    public static func render(_ report: JobReport) -> Data {
        Data(page(report).text.utf8)
    }

    static func page(_ report: JobReport) -> Markup {
        let sections = [
            summary(report), InputSection.markup(report), EvidenceSection.markup(report),
            OutcomeSection.markup(report), limits(report), RerunSection.markup(report),
        ]
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta http-equiv="Content-Security-Policy" content="\(contentSecurityPolicy)"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="robots" content="noindex"/>
            <title>BURN report: \(report.words.headline)</title>
            <style>\(Stylesheet.text)</style>
            </head>
            <body>
            <main>
            \(Markup(sections, separator: "\n"))
            </main>
            </body>
            </html>

            """
    }

    private static func summary(_ report: JobReport) -> Markup {
        let kind = report.job.type == .scan ? "Scan" : "Purification"
        let identity: [Markup] = [
            report.job.id.map { "job <code class=\"id\">\($0)</code>" as Markup },
            report.job.finishedAt.map { "finished <time>\($0)</time>" as Markup },
        ].compactMap(\.self)
        let more: Markup = identity.isEmpty ? "" : ", \(Markup(identity, separator: ", "))"
        let explanation = report.words.explanation.map { "<p>\($0)</p>" as Markup }
        return """
            <p class="kicker">\(kind) of \(report.inputs.model.name ?? "a model")\(more)</p>
            <h1>\(report.words.headline)</h1>
            <section class="verdict \(report.verdict.result.rawValue)">
            <strong>\(report.verdict.result.rawValue.capitalized)</strong>
            \(Markup(explanation, separator: "\n"))
            </section>
            """
    }

    private static func limits(_ report: JobReport) -> Markup {
        let items = report.limits.map { "<li>\($0)</li>" as Markup }
        return """
            <h2>What this report does not show</h2>
            <ul>
            \(Markup(items, separator: "\n"))
            </ul>
            """
    }
}

/// Tables whose cells are text or markup.
struct Table {
    struct Column {
        var title: String
        var isNumber = false
    }

    var columns: [Column]
    var rows: [(cells: [Markup], kind: Markup)] = []

    mutating func add(_ cells: [Markup], kind: Markup = "") { rows.append((cells, kind)) }

    var markup: Markup {
        let head = columns.map { column -> Markup in
            column.isNumber
                ? "<th scope=\"col\" class=\"number\">\(column.title)</th>"
                : "<th scope=\"col\">\(column.title)</th>"
        }
        let body = rows.map { row -> Markup in
            let cells = zip(columns, row.cells).map { column, cell -> Markup in
                column.isNumber ? "<td class=\"number\">\(cell)</td>" : "<td>\(cell)</td>"
            }
            return "<tr class=\"\(row.kind)\">\(cells)</tr>"
        }
        return """
            <div class="scroll"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(Markup(body, separator: "\n"))
            </tbody>
            </table></div>
            """
    }
}
