import Support

/// How inputs or outputs are nested (`torch.utils._pytree.treespec_dumps`): tuples, lists and dicts.
enum TreeSpecification {
    private static let types: Set<String> = [
        "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict",
    ]

    static func isPlain(_ text: String) -> Bool {
        do {
            let root = try parse(text)
            guard case .array(let parts) = root, parts.count == 2, parts[0] == .int(1) else { return false }
            return isPlain(parts[1])
        } catch { return false }
    }

    private static func parse(_ text: String) throws -> JSONValue {
        try StrictJSON.parse(
            Array(text.utf8),
            limits: JSONLimits(maximumDepth: 64, maximumBytes: 1 << 20, maximumValues: 100_000))
    }

    private static func isPlain(_ value: JSONValue) -> Bool {
        guard case .object(let members) = value,
            Set(members.map(\.name)) == ["type", "context", "children_spec"],
            case .array(let children)? = value["children_spec"] ?? .array([])
        else { return false }
        switch value["type"] {
        case nil: guard value["context"] == nil else { return false }
        case .string(let type)?:
            guard types.contains(type), isPlainContext(value["context"]) else { return false }
        default: return false
        }
        return children.allSatisfy(isPlain)
    }

    /// Nothing, or the names of a dict's members.
    private static func isPlainContext(_ context: JSONValue?) -> Bool {
        guard case .string(let text)? = context else { return context == nil }
        guard let value = try? parse(text) else { return false }
        switch value {
        case .null: return true
        case .array(let items):
            return items.allSatisfy { item in
                if case .string(let name) = item { EvaluatedText.isName(name) } else { false }
            }
        default: return false
        }
    }
}
