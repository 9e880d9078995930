import Foundation
import Support

/// Reads a request body field by field. Every error names its place as a JSON pointer (RFC 6901).
struct JSONReader {
    var value: JSONValue
    /// Empty for the whole document.
    var pointer: String

    /// The largest documents map class names to outputs.
    private static let limits = JSONLimits(maximumDepth: 16, maximumBytes: 4 << 20, maximumValues: 200_000)

    /// - Throws: `Problem` `json-malformed` for bytes that are no JSON, or over a limit.
    init(parsing data: Data) throws {
        guard !data.isEmpty else {
            throw Problem(
                .malformed, code: "json-malformed", title: "The body is not valid JSON",
                detail: "The body is empty.", fix: "Send a JSON object; see /openapi.json.")
        }
        do {
            value = try StrictJSON.parse(Array(data), limits: Self.limits)
        } catch {
            throw Problem(
                error.reason == .overLimit ? .tooLarge : .malformed, code: "json-malformed",
                title: "The body is not valid JSON", detail: error.description,
                fix: "Send one JSON object in UTF-8, without comments, trailing commas or a name twice.")
        }
        pointer = ""
    }

    private init(value: JSONValue, pointer: String) {
        self.value = value
        self.pointer = pointer
    }

    /// The error for a value that is not what the field takes.
    func wrong(_ expected: String, category: Problem.Category = .malformed) -> Problem {
        Problem(
            category, code: "json-field-invalid", title: "A field of the body is not valid",
            detail: "Expected \(expected), found \(value.kind)\(shown).", location: pointer,
            fix: "Put \(expected) there; /openapi.json describes the field.")
    }

    private var shown: String {
        switch value {
        case .bool(let value): " (\(value))"
        case .int(let value): " (\(value))"
        case .unsigned(let value): " (\(value))"
        case .double(let value): " (\(value))"
        case .string(let value): " (\"\(value.prefix(80))\")"
        case .null, .array, .object: ""
        }
    }

    /// The object's fields, none of them outside `known`.
    func fields(_ known: [String]) throws -> Fields {
        guard case .object(let members) = value else { throw wrong("an object") }
        if let name = members.map(\.name).filter({ !known.contains($0) }).min() {
            throw Problem(
                .malformed, code: "json-field-unknown", title: "The body has a field that is not known",
                detail: "There is no field \"\(name.prefix(80))\" here.",
                location: pointer + "/" + Self.escape(name),
                fix: "Known are: " + known.joined(separator: ", ") + ".")
        }
        return Fields(value: value, pointer: pointer)
    }

    func string() throws -> String {
        guard case .string(let text) = value else { throw wrong("a string") }
        return text
    }

    func bool() throws -> Bool {
        guard case .bool(let value) = value else { throw wrong("true or false") }
        return value
    }

    func int(_ range: ClosedRange<Int>) throws -> Int {
        let expected =
            range.upperBound == .max
            ? "a whole number from \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .int(let number) = value, let number = Int(exactly: number), range.contains(number)
        else {
            throw wrong(expected)
        }
        return number
    }

    func uint64() throws -> UInt64 {
        switch value {
        case .int(let number) where number >= 0: return UInt64(number)
        case .unsigned(let number): return number
        default: throw wrong("a whole number from 0 to 18446744073709551615")
        }
    }

    func double() throws -> Double {
        switch value {
        case .int(let number): return Double(number)
        case .unsigned(let number): return Double(number)
        case .double(let number) where number.isFinite: return number
        default: throw wrong("a finite number")
        }
    }

    func one<Value: RawRepresentable & CaseIterable>(of type: Value.Type) throws -> Value
    where Value.RawValue == String {
        let names = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        guard case .string(let text) = value, let known = Value(rawValue: text) else {
            throw wrong("one of \(names)")
        }
        return known
    }

    func array(_ counts: ClosedRange<Int>) throws -> [JSONReader] {
        guard case .array(let values) = value, counts.contains(values.count) else {
            throw wrong("an array of \(counts.lowerBound) to \(counts.upperBound) values")
        }
        return values.enumerated().map { JSONReader(value: $1, pointer: "\(pointer)/\($0)") }
    }

    struct Fields {
        fileprivate var value: JSONValue
        fileprivate var pointer: String

        /// Nil for a field that is absent or null.
        subscript(name: String) -> JSONReader? {
            guard let value = value[name] else { return nil }
            return JSONReader(value: value, pointer: pointer + "/" + JSONReader.escape(name))
        }

        func required(_ name: String) throws -> JSONReader {
            guard let reader = self[name] else {
                throw Problem(
                    .malformed, code: "json-field-missing", title: "The body lacks a field",
                    detail: "The field \"\(name)\" is needed.", location: pointer + "/" + name,
                    fix: "Add it; /openapi.json describes the body.")
            }
            return reader
        }
    }

    private static func escape(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
