/// The expressions of sizes that PyTorch writes into an exported program, and evaluates as Python when it loads one.
///
///     expression = term { ("+" | "-") term }
///     term       = factor { ("*" | "//" | "/" | "%") factor | "**" digit }
///     factor     = ["-"] ( number | symbol | function "(" [ argument { "," argument } ] ")" | "(" expression ")" )
///     argument   = expression | assumption "=" ( "True" | "False" ) | "'" symbol "'"
///
/// Names are those of a list; no name has a dot or a call's result another call.
struct SymbolicExpression {
    private static let functions: Set<String> = [
        "Symbol", "Integer", "Rational", "Float", "Add", "Mul", "Max", "Min", "Mod", "PythonMod",
        "FloorDiv",
        "CeilDiv", "CleanDiv", "IntTrueDiv", "ModularIndexing", "CeilToInt", "FloorToInt", "TruncToInt",
        "ToFloat", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not",
    ]
    private static let assumptions: Set<String> = [
        "positive", "integer", "nonnegative", "nonzero", "real", "finite",
    ]
    private static let mostBytes = 512
    private static let mostDepth = 16

    private var rest: Substring.UTF8View
    private var powers = 0

    private init(_ text: String) { rest = text[...].utf8 }

    /// Whether the text is one of these, and so means nothing but a number.
    static func isPlain(_ text: String) -> Bool {
        guard (1...mostBytes).contains(text.utf8.count) else { return false }
        var reader = SymbolicExpression(text)
        return reader.expression(0) && reader.rest.isEmpty
    }

    private mutating func expression(_ depth: Int) -> Bool {
        guard depth < Self.mostDepth, term(depth) else { return false }
        while takes("+") || takes("-") {
            guard term(depth) else { return false }
        }
        return true
    }

    private mutating func term(_ depth: Int) -> Bool {
        guard factor(depth) else { return false }
        while true {
            if takes("**") {
                // One digit, once: a tower of powers would keep whoever evaluates it busy for ever.
                powers += 1
                guard powers == 1, word(where: { (0x30...0x39).contains($0) })?.utf8.count == 1 else {
                    return false
                }
            } else if takes("*") || takes("//") || takes("/") || takes("%") {
                guard factor(depth) else { return false }
            } else {
                break
            }
        }
        return true
    }

    private mutating func factor(_ depth: Int) -> Bool {
        _ = takes("-")
        if takes("(") { return expression(depth + 1) && takes(")") }
        if let digits = word(where: { (0x30...0x39).contains($0) }) { return digits.utf8.count <= 19 }
        guard let name = word(where: EvaluatedText.isOfName) else { return false }
        guard takes("(") else { return Self.isSymbol(name) }
        guard Self.functions.contains(name) else { return false }
        if takes(")") { return true }
        repeat {
            guard argument(depth + 1) else { return false }
        } while takes(",")
        return takes(")")
    }

    private mutating func argument(_ depth: Int) -> Bool {
        if takes("'") {
            guard let name = word(where: EvaluatedText.isOfName) else { return false }
            return Self.isSymbol(name) && takes("'")
        }
        let start = rest
        if let name = word(where: EvaluatedText.isOfName), Self.assumptions.contains(name), takes("=") {
            return takes("True") || takes("False")
        }
        rest = start
        return expression(depth)
    }

    /// Such as `s77` or `u0`.
    static func isSymbol(_ name: String) -> Bool {
        guard let first = name.utf8.first, [UInt8(ascii: "s"), UInt8(ascii: "u")].contains(first) else {
            return false
        }
        return (2...12).contains(name.utf8.count)
            && name.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    private mutating func takes(_ text: StaticString) -> Bool {
        while rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        let wanted = text.withUTF8Buffer { Array($0) }
        guard rest.starts(with: wanted) else { return false }
        rest = rest.dropFirst(wanted.count)
        return true
    }

    private mutating func word(where isPart: (UInt8) -> Bool) -> String? {
        while rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        let found = rest.prefix(while: isPart)
        rest = rest.dropFirst(found.count)
        return found.isEmpty ? nil : String(Substring(found))
    }
}
