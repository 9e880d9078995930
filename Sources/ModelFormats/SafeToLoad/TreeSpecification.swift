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

    /// What each tensor of a nested result is called: keys of dicts and numbers of tuples, with dots between them; nil where
    /// the text is none.
    static func names(_ text: String) -> [String]? {
        guard let root = try? parse(text), case .array(let parts) = root, parts.count == 2 else { return nil }
        return names(parts[1], [])
    }

    private static func names(_ value: JSONValue, _ above: [String]) -> [String]? {
        guard case .object = value, case .array(let children)? = value["children_spec"] ?? .array([]) else {
            return nil
        }
        if children.isEmpty { return value["type"] == nil ? [above.joined(separator: ".")] : [] }
        var keys: [String] = children.indices.map(String.init)
        if case .string(let context)? = value["context"], case .array(let items)? = try? parse(context) {
            let texts = items.compactMap { if case .string(let text) = $0 { text } else { nil } }
            if texts.count == children.count { keys = texts }
        }
        // A tuple that is the whole result adds nothing to the names.
        let isOuter = above.isEmpty && children.count == 1 && keys == ["0"]
        var result: [String] = []
        for (key, child) in zip(keys, children) {
            guard let found = names(child, isOuter ? above : above + [key]) else { return nil }
            result += found
        }
        return result
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
