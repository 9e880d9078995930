import Findings
import Foundation

/// Options, versions and the command: enough to get the same results again.
enum RerunSection {
    static func markup(_ report: JobReport) -> Markup {
        """
        <h2>To run this again</h2>
        <pre>\(report.rerun.command)</pre>
        \(classes(report.rerun.classes))
        <p class="note">MODEL, DATASET, CLEAN and TRIGGERED stand for the files above, to be compared by their \
        SHA-256. The same files, options and versions give the same verdict and labels.</p>
        \(facts(report))
        \(phases(report))
        \(costs(report))\(measurements(report))
        """
    }

    private static func classes(_ mapping: [String: Int]?) -> Markup {
        guard let mapping else { return "" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let text = try? encoder.encode(mapping) else { return "" }
        return """
            <p>With this as <code>classes.json</code>:</p>
            <pre>\(String(decoding: text, as: UTF8.self))</pre>
            """
    }

    private static func facts(_ report: JobReport) -> Markup {
        let options = report.options
        let list = { (values: [Double]) in values.map { "\($0)" }.joined(separator: ", ") }
        var table = Table(columns: [.init(title: "Setting"), .init(title: "Value")])
        table.add(["Seed", "\(String(options.seed))"])
        table.add(["Pixel range", "\(list(options.input.range))"])
        if !options.input.mean.isEmpty { table.add(["Mean", "\(list(options.input.mean))"]) }
        if !options.input.std.isEmpty { table.add(["Standard deviation", "\(list(options.input.std))"]) }
        if options.method != .full { table.add(["Method", "\(options.method.rawValue)"]) }
        table.add(["Boundary distance", "\(options.distance.rawValue)"])
        if let precision = options.precision { table.add(["Precision", "\(precision.rawValue)"]) }
        table.add(["Refinement rounds, at most", "\(options.rounds)"])
        table.add(["Purify what is only suspicious", options.force ? "yes" : "no"])
        if options.acceptDisagreement { table.add(["Go on though predictions and labels disagree", "yes"]) }
        if let target = report.inputs.targetClass { table.add(["Target class given", "\(target)"]) }
        table.add(["burnd", "\(report.software.burnd)"])
        if let engine = report.software.engine {
            table.add([
                "Engine",
                """
                burn-worker \(engine.burn), libtorch \(engine.libtorch), \(engine.processor), \
                \(engine.threads) threads
                """,
            ])
        }
        table.add(["Schema of the JSON form", "\(report.schema)"])
        return table.markup
    }

    private static func phases(_ report: JobReport) -> Markup {
        guard !report.phases.isEmpty else { return "" }
        var table = Table(columns: [
            .init(title: "Phase"), .init(title: "Round", isNumber: true),
            .init(title: "Seconds", isNumber: true),
        ])
        for phase in report.phases {
            table.add([
                "\(phase.phase.rawValue.replacing("_", with: " "))", phase.round > 0 ? "\(phase.round)" : "",
                "<time>\(String(format: "%.1f", phase.seconds))</time>",
            ])
        }
        return "<h3>Time taken</h3>\n" + table.markup
    }

    private static func costs(_ report: JobReport) -> Markup {
        guard !report.costs.isEmpty else { return "" }
        var table = Table(columns: [
            .init(title: "Stage"), .init(title: "Round", isNumber: true),
            .init(title: "Forwards", isNumber: true), .init(title: "Gradients", isNumber: true),
            .init(title: "Training samples", isNumber: true), .init(title: "Seconds", isNumber: true),
            .init(title: "MB read", isNumber: true), .init(title: "Peak memory, MiB", isNumber: true),
        ])
        for cost in report.costs {
            table.add([
                "\(cost.stage.rawValue.replacing("_", with: " "))",
                cost.round > 0 ? "\(cost.round)" : "", "\(cost.forwards)", "\(cost.gradients)",
                "\(cost.trainingSamples)", "<time>\(String(format: "%.1f", cost.seconds))</time>",
                "\(String(format: "%.1f", Double(cost.bytesRead) / 1e6))",
                "<data class=\"memory\">\(cost.peakMemory >> 20)</data>",
            ])
        }
        return "<h3>What it cost</h3>\n" + table.markup + "\n"
    }

    private static func measurements(_ report: JobReport) -> Markup {
        guard !report.measurements.isEmpty else { return "" }
        var table = Table(columns: [
            .init(title: "Measurement"), .init(title: "Phase"), .init(title: "Round", isNumber: true),
            .init(title: "Value", isNumber: true),
        ])
        for point in report.measurements {
            table.add([
                "\(point.name.replacing("_", with: " "))",
                "\(point.phase.rawValue.replacing("_", with: " "))",
                point.round > 0 ? "\(point.round)" : "", "\(Numbers.short(point.value))",
            ])
        }
        return "<h3>All measurements</h3>\n" + table.markup
    }
}
