/// A value and its place in the document, for checked access and messages.
public struct JSONNode: Sendable {
    /// What makes an error of a detail and a place.
    public typealias Report = @Sendable (_ detail: String, _ place: String) -> any Error

    /// The way from the document's root, kept as links: it is written out for messages only.
    public indirect enum Place: Sendable {
        /// The name of the file or archive entry.
        case document(String)
        case member(Place, String)
        case item(Place, Int)

        /// The entry's name and a JSON pointer (RFC 6901).
        public var text: String {
            switch self {
            case .document(let name): name + "#"
            case .member(let parent, let name): parent.text + "/" + String(name.prefix(80))
            case .item(let parent, let index): parent.text + "/\(index)"
            }
        }
    }

    public var value: JSONValue
    public var place: Place
    private let report: Report

    /// - Parameter name: the file or archive entry, for messages.
    /// - Throws: what `report` makes of a fault in the document, as do all the checks below.
    public init(
        parsing bytes: [UInt8], name: String, limits: JSONLimits = JSONLimits(), report: @escaping Report
    ) throws {
        do {
            value = try StrictJSON.parse(bytes, limits: limits)
        } catch {
            throw report(error.description, name)
        }
        place = .document(name)
        self.report = report
    }

    private init(value: JSONValue, place: Place, report: @escaping Report) {
        self.value = value
        self.place = place
        self.report = report
    }
}

extension JSONNode {
    private func at(_ value: JSONValue, _ place: Place) -> JSONNode {
        JSONNode(value: value, place: place, report: report)
    }

    public func failure(_ detail: String) -> any Error { report(detail, place.text) }

    /// The member of this name; nil where it is absent or null.
    public func optional(_ name: String) throws -> JSONNode? {
        guard case .object(let members) = value else { throw failure("An object is expected.") }
        guard let member = members.first(where: { $0.name == name }), member.value != .null else {
            return nil
        }
        return at(member.value, .member(place, name))
    }

    public func member(_ name: String) throws -> JSONNode {
        guard let node = try optional(name) else { throw failure("The member “\(name)” is missing.") }
        return node
    }

    /// Each is made when it is asked for.
    public func members() throws -> LazyMapCollection<[JSONValue.Member], (name: String, node: JSONNode)> {
        guard case .object(let members) = value else { throw failure("An object is expected.") }
        return members.lazy.map { ($0.name, at($0.value, .member(place, $0.name))) }
    }

    /// The members by their names: for many look-ups.
    public func index() throws -> [String: JSONValue] {
        guard case .object(let members) = value else { throw failure("An object is expected.") }
        return Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The one member of a tagged union.
    public func union() throws -> (tag: String, node: JSONNode) {
        guard case .object(let members) = value, members.count == 1 else {
            throw failure("An object with one member is expected.")
        }
        return (members[0].name, at(members[0].value, .member(place, members[0].name)))
    }

    /// Each is made when it is asked for.
    public func items() throws -> LazyMapCollection<Range<Int>, JSONNode> {
        guard case .array(let items) = value else { throw failure("An array is expected.") }
        return items.indices.lazy.map { at(items[$0], .item(place, $0)) }
    }

    public func string() throws -> String {
        guard case .string(let text) = value else { throw failure("A string is expected.") }
        return text
    }

    public func bool() throws -> Bool {
        guard case .bool(let flag) = value else { throw failure("true or false is expected.") }
        return flag
    }

    public func int() throws -> Int {
        guard case .int(let number) = value else { throw failure("A whole number is expected.") }
        return Int(number)  // bounded: every Int64 fits.
    }

    /// A number; PyTorch writes those that JSON lacks as strings.
    public func double() throws -> Double {
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
