import Foundation

/// The part of JSON Schema that the service's documents use. Fields that a schema does not name count as faults.
public struct SchemaChecker {
    private let document: [String: Any]

    /// - Parameter document: what references start from.
    public init(document: [String: Any]) { self.document = document }

    /// What is wrong with `value`, each with its place; empty where nothing is.
    public func faults(_ value: Any, _ schema: [String: Any], at place: String) -> [String] {
        if let reference = schema["$ref"] as? String {
            var current: Any = document
            for name in reference.split(separator: "/").dropFirst() {
                current = (current as? [String: Any])?[String(name)] ?? [:]
            }
            return faults(value, current as? [String: Any] ?? ["type": "nothing"], at: place)
        }
        if let choices = schema["oneOf"] as? [[String: Any]] {
            let results = choices.map { faults(value, $0, at: place) }
            return results.contains([]) ? [] : results.first ?? []
        }
        let allowed = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        let kinds = kinds(of: value)
        guard allowed.isEmpty || !kinds.isDisjoint(with: allowed) else {
            return ["\(place): \(kinds.sorted()) is not \(allowed)"]
        }
        if kinds.contains("null") { return [] }
        var found: [String] = []
        if let values = schema["enum"] as? [Any], let text = value as? String {
            if !values.contains(where: { $0 as? String == text }) { found.append("\(place): \(text)") }
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            found.append("\(place): \(text) does not match \(pattern)")
        }
        if let items = value as? [Any], let schema = schema["items"] as? [String: Any] {
            for (index, item) in items.enumerated() { found += faults(item, schema, at: "\(place)/\(index)") }
        }
        if let fields = value as? [String: Any] { found += objectFaults(fields, schema, at: place) }
        return found
    }

    private func objectFaults(_ fields: [String: Any], _ schema: [String: Any], at place: String) -> [String]
    {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        var found = (schema["required"] as? [String] ?? []).filter { fields[$0] == nil }.map {
            "\(place): \($0) is missing"
        }
        for (name, value) in fields {
            if let property = properties[name] {
                found += faults(value, property, at: "\(place)/\(name)")
            } else if let other = schema["additionalProperties"] as? [String: Any] {
                found += faults(value, other, at: "\(place)/\(name)")
            } else if schema["type"] != nil {
                found.append("\(place): \(name) is not described")
            }
        }
        return found
    }

    private func kinds(of value: Any) -> Set<String> {
        switch value {
        case is NSNull: return ["null"]
        case is String: return ["string"]
        case is [Any]: return ["array"]
        case is [String: Any]: return ["object"]
        case let number as NSNumber:
            if isBoolean(number) { return ["boolean"] }
            return number.doubleValue == number.doubleValue.rounded() ? ["integer", "number"] : ["number"]
        default: return []
        }
    }

    private func isBoolean(_ number: NSNumber) -> Bool {
        String(cString: number.objCType) == "c" || number === NSNumber(value: true)
            || number === NSNumber(value: false)
    }
}
