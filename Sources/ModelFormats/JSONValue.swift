/// A JSON document. Objects keep their order and have no two members of one name.
enum JSONValue: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var name: String
        var value: JSONValue
    }

    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])
}

/// A value and its place in the document, for checked access and messages.
struct JSONNode {
    /// The way from the document's root, kept as links: it is written out for messages only.
    indirect enum Place {
        case document(String)
        case member(Place, String)
        case item(Place, Int)

        /// The entry's name and a JSON pointer (RFC 6901).
        var text: String {
            switch self {
            case .document(let name): name + "#"
            case .member(let parent, let name): parent.text + "/" + String(name.prefix(80))
            case .item(let parent, let index): parent.text + "/\(index)"
            }
        }
    }

    var value: JSONValue
    var place: Place
}

extension JSONNode {
    func failure(_ detail: String) -> any Error { ModelFault.document.problem(detail, at: place.text) }

    /// The member of this name; nil where it is absent or null.
    func optional(_ name: String) throws -> JSONNode? {
        guard case .object(let members) = value else { throw failure("An object is expected.") }
        guard let member = members.first(where: { $0.name == name }), member.value != .null else {
            return nil
        }
        return JSONNode(value: member.value, place: .member(place, name))
    }

    func member(_ name: String) throws -> JSONNode {
        guard let node = try optional(name) else { throw failure("The member “\(name)” is missing.") }
        return node
    }

    func members() throws -> [(name: String, node: JSONNode)] {
        guard case .object(let members) = value else { throw failure("An object is expected.") }
        return members.map { ($0.name, JSONNode(value: $0.value, place: .member(place, $0.name))) }
    }

    /// The one member of a tagged union.
    func union() throws -> (tag: String, node: JSONNode) {
        guard case .object(let members) = value, members.count == 1 else {
            throw failure("An object with one member is expected.")
        }
        return (members[0].name, JSONNode(value: members[0].value, place: .member(place, members[0].name)))
    }

    func items() throws -> [JSONNode] {
        guard case .array(let items) = value else { throw failure("An array is expected.") }
        return items.enumerated().map { JSONNode(value: $0.element, place: .item(place, $0.offset)) }
    }

    func string() throws -> String {
        guard case .string(let text) = value else { throw failure("A string is expected.") }
        return text
    }

    func bool() throws -> Bool {
        guard case .bool(let flag) = value else { throw failure("true or false is expected.") }
        return flag
    }

    func int() throws -> Int {
        guard case .int(let number) = value else { throw failure("A whole number is expected.") }
        return Int(number)
    }

    /// A number; PyTorch writes those that JSON lacks as strings.
    func double() throws -> Double {
        switch value {
        case .int(let number): return Double(number)
        case .double(let number): return number
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        case .string("NaN"): return .nan
        default: throw failure("A number is expected.")
        }
    }
}
