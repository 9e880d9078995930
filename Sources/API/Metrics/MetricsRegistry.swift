import Metrics
import Support

/// What the page shows of one name.
struct MetricFamily: Sendable {
    enum Kind: Sendable {
        case counter, gauge
        /// The buckets' upper bounds, rising; the last bucket, without bound, is added.
        case histogram([Double])

        fileprivate var name: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    var name, help: String
    var kind: Kind

    init(_ name: String, _ help: String, _ kind: Kind) {
        self.name = name
        self.help = help
        self.kind = kind
    }
}

/// Keeps what the modules count through swift-metrics, one series for each name and values of its dimensions.
/// Timers are shown in seconds.
final class MetricsRegistry: MetricsFactory {
    private typealias Dimensions = [(String, String)]

    private struct Shown {
        var family: MetricFamily
        /// By the values of their dimensions.
        var series: [[String]: (dimensions: Dimensions, values: MetricSeries)] = [:]
    }

    private let shown: Mutex<[Shown]>

    /// - Parameter families: in the order of the page. A name that is not among them comes after them, with an empty help text.
    init(_ families: [MetricFamily]) {
        shown = Mutex(families.map { Shown(family: $0) })
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions, aggregate ? .histogram([]) : .gauge)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram([]))
    }

    // Series stay as long as the registry.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func series(_ name: String, _ dimensions: Dimensions, _ kind: MetricFamily.Kind) -> MetricSeries {
        shown.withLock { shown in
            if !shown.contains(where: { $0.family.name == name }) {
                shown.append(Shown(family: MetricFamily(name, "", kind)))
            }
            let place = shown.firstIndex { $0.family.name == name } ?? 0
            let key = dimensions.map(\.1)
            if let known = shown[place].series[key] { return known.values }
            let new = MetricSeries(shown[place].family.kind)
            shown[place].series[key] = (dimensions, new)
            return new
        }
    }

    func render(into page: inout ExpositionPage) {
        for shown in shown.withLock({ $0 }) {
            let family = shown.family
            page.family(family.name, family.help, type: family.kind.name)
            for (_, series) in shown.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                series.values.render(as: family.name, series.dimensions, into: &page)
            }
        }
    }
}

/// One series: a number, or what fell into the buckets of a histogram.
private final class MetricSeries: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private struct Values {
        /// The number, or the sum of what was recorded.
        var sum = 0.0
        var count = 0.0
        var buckets: [Double]
    }

    /// Nil for a number.
    private let bounds: [Double]?
    private let values: Mutex<Values>

    init(_ kind: MetricFamily.Kind) {
        if case .histogram(let bounds) = kind { self.bounds = bounds } else { bounds = nil }
        values = Mutex(Values(buckets: Array(repeating: 0, count: bounds?.count ?? 0)))
    }

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { values.withLock { $0.sum += amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
    func reset() { set(0.0) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { values.withLock { $0.sum = value } }
    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        guard let bounds else { return set(value) }
        values.withLock { values in
            if let index = bounds.firstIndex(where: { value <= $0 }) { values.buckets[index] += 1 }
            values.sum += value
            values.count += 1
        }
    }

    func render(as name: String, _ labels: [(String, String)], into page: inout ExpositionPage) {
        let values = values.withLock { $0 }
        guard let bounds else { return page.sample(name, labels, values.sum) }
        var cumulative = 0.0
        for (bound, count) in zip(bounds, values.buckets) {
            cumulative += count
            page.sample(name + "_bucket", labels + [("le", ExpositionPage.number(bound))], cumulative)
        }
        page.sample(name + "_bucket", labels + [("le", "+Inf")], values.count)
        page.sample(name + "_sum", labels, values.sum)
        page.sample(name + "_count", labels, values.count)
    }
}
