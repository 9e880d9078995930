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
