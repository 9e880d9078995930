import Support

/// Label values of one series, in the order of the instrument's label names.
typealias LabelValues = [String]

/// A number that only grows, one for each combination of label values.
final class Counter: Sendable {
    let name, help: String
    let labels: [String]
    private let values = Mutex<[LabelValues: Double]>([:])

    init(_ name: String, _ help: String, labels: [String] = []) {
        self.name = name
        self.help = help
        self.labels = labels
        if labels.isEmpty { values.withLock { $0[[]] = 0 } }
    }

    func add(_ amount: Double = 1, _ labelValues: String...) {
        values.withLock { $0[labelValues, default: 0] += amount }
    }

    func render(into page: inout ExpositionPage) {
        page.family(name, help, type: "counter")
        for (series, value) in values.withLock({ $0 }).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }
        ) {
            page.sample(name, zip(labels, series).map { ($0, $1) }, value)
        }
    }
}

/// Counts observations in buckets with upper bounds, one set for each combination of label values.
final class Histogram: Sendable {
    private struct Series {
        var buckets: [Double]
        var sum = 0.0
        var count = 0.0
    }

    let name, help: String
    let labels: [String]
    let bounds: [Double]
    private let values = Mutex<[LabelValues: Series]>([:])

    /// - Parameter bounds: rising; the last bucket, without bound, is added.
    init(_ name: String, _ help: String, labels: [String], bounds: [Double]) {
        self.name = name
        self.help = help
        self.labels = labels
        self.bounds = bounds
    }

    func observe(_ value: Double, _ labelValues: String...) {
        let bounds = bounds
        values.withLock { values in
            var series = values[labelValues] ?? Series(buckets: Array(repeating: 0, count: bounds.count))
            if let index = bounds.firstIndex(where: { value <= $0 }) { series.buckets[index] += 1 }
            series.sum += value
            series.count += 1
            values[labelValues] = series
        }
    }

    func render(into page: inout ExpositionPage) {
        page.family(name, help, type: "histogram")
        for (key, series) in values.withLock({ $0 }).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
        {
            let pairs = zip(labels, key).map { ($0, $1) }
            var cumulative = 0.0
            for (bound, count) in zip(bounds, series.buckets) {
                cumulative += count
                page.sample(name + "_bucket", pairs + [("le", ExpositionPage.number(bound))], cumulative)
            }
            page.sample(name + "_bucket", pairs + [("le", "+Inf")], series.count)
            page.sample(name + "_sum", pairs, series.sum)
            page.sample(name + "_count", pairs, series.count)
        }
    }
}

/// A page in the Prometheus text exposition format 0.0.4.
struct ExpositionPage {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    private(set) var text = ""

    mutating func family(_ name: String, _ help: String, type: String) {
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        let pairs = labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
        text += pairs.isEmpty ? name : "\(name){\(pairs)}"
        text += " \(Self.number(value))\n"
    }

    /// One family with one series.
    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, help, type: "gauge")
        sample(name, [], value)
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escape(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
