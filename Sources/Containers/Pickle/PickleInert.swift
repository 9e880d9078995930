import Support

/// Values of Python's standard library that training scripts keep beside the weights: read as data, with nothing of what
/// they mean. What Python makes of them is an object of just this type, by its own constructor, from plain arguments.
extension PickleReader {
    /// Types whose arguments are kept as they are.
    static let inertTypes: Set<String> = [
        "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath",
        "pathlib.Path",
        "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "pathlib._local.PurePosixPath",
        "pathlib._local.PureWindowsPath", "datetime.datetime", "datetime.date", "datetime.time",
        "datetime.timedelta",
        "datetime.timezone", "decimal.Decimal", "fractions.Fraction", "collections.deque", "__builtin__.set",
        "__builtin__.frozenset", "__builtin__.complex", "__builtin__.slice", "__builtin__.xrange",
        "__builtin__.bytearray",
        "builtins.set", "builtins.frozenset", "builtins.complex", "builtins.slice", "builtins.range",
        "builtins.bytearray",
    ]

    /// Dicts of the standard library.
    static let inertDicts: Set<String> = ["collections.defaultdict", "collections.Counter"]

    /// Objects with attributes and nothing else.
    static let bareTypes: Set<String> = ["argparse.Namespace", "types.SimpleNamespace", "uuid.UUID"]

    /// What a `defaultdict` makes its values with.
    static let factories: Set<String> = Set(
        ["list", "dict", "set", "int", "float", "str", "bool", "tuple"].flatMap {
            ["__builtin__." + $0, "builtins." + $0]
        })

    /// `NEWOBJ`: an object without arguments, whose attributes follow.
    mutating func newObject(_ type: Value, _ arguments: Value) throws -> Value {
        guard case .global(let name) = type, Self.bareTypes.contains(name),
            document.items(arguments)?.isEmpty == true
        else { throw fault("It makes an object of what is no plain type.", .opcode) }
        return try bareObject()
    }

    mutating func bareObject() throws -> Value {
        let object = try dict([])
        if case .dict(let id) = object { bare.insert(id) }
        return object
    }

    /// A call of one of these types; nil for another name.
    mutating func inert(_ name: String, _ arguments: [Value]) throws -> Value? {
        if Self.bareTypes.contains(name) {
            guard arguments.isEmpty else { throw fault("“\(name)” is called with arguments.", .opcode) }
            return try bareObject()
        }
        if Self.inertDicts.contains(name) {
            var members: [Value] = []
            for argument in arguments {
                if case .global(let factory) = argument {
                    guard name == "collections.defaultdict", Self.factories.contains(factory) else {
                        throw fault("“\(name)” is called with “\(factory.prefix(80))”.", .global)
                    }
                } else if let pairs = document.members(argument) {
                    members += pairs.flatMap { [$0.key, $0.value] }
                } else if argument != .none {
                    throw fault("“\(name)” is called with what is no dict.", .opcode)
                }
            }
            return try dict(members)
        }
        guard Self.inertTypes.contains(name) else { return nil }
        for argument in arguments { try requirePlain(argument, of: name) }
        // A set or a deque is filled afterwards, as a list is.
        if let only = arguments.first, case .list = only { return only }
        return name == "collections.deque" ? .list(try sequence([])) : .tuple(try sequence(arguments))
    }

    /// Not a name: Python would be given the thing itself.
    private func requirePlain(_ value: Value, of name: String) throws {
        if case .global(let other) = value {
            throw fault("“\(name)” is called with “\(other.prefix(80))”.", .global)
        }
    }

    /// `BUILD` of such an object: its attributes. One that begins with two underscores may have a meaning to Python, and
    /// attributes that are set twice go through what the first ones were.
    mutating func setAttributes(_ state: Value, of id: Int) throws {
        guard built.insert(id).inserted else { throw fault("An object's attributes are set twice.", .opcode) }
        guard let members = document.members(state) else {
            throw fault("An object's attributes are no dict.", .opcode)
        }
        for (key, value) in members {
            guard let name = document.text(key, in: bytes), !name.hasPrefix("__") else {
                throw fault("An object has an attribute whose name is no plain one.", .opcode)
            }
            try requirePlain(value, of: name)
        }
        guard bare.remove(id) != nil else { return }
        try set(members.flatMap { [$0.key, $0.value] }, in: id)
    }
}
