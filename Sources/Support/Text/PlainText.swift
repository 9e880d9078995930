import Foundation

/// Text of others beside our own: which characters may change how what stands around them looks or where it ends, and how
/// they are shown where text is written for people (terminals, logs, problems).
extension Unicode.Scalar {
    /// Control characters (of both sets, so also the beginning of every escape sequence), separators of lines and
    /// paragraphs, marks that turn the direction of text, other invisible ones. The two joiners are part of names in
    /// many scripts.
    public var isDisruptive: Bool {
        if value < 0x7F { return value < 0x20 }
        if value == 0x200C || value == 0x200D { return false }
        // The empty Braille pattern looks like a space.
        if properties.isDefaultIgnorableCodePoint || value == 0x2800 { return true }
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .format: return true
        default: return false
        }
    }
}

extension StringProtocol {
    /// Whether it can be a name.
    public var isPlain: Bool { !unicodeScalars.contains(where: \.isDisruptive) }

    /// In one line, each disruptive character shown as an escape: `\n`, `\t`, `\u{9B}`.
    public var inOneLine: String { escaped { _ in nil } }

    /// The same with the lines that it has, the further ones indented, so that none looks like one of ours.
    public func inLines(indent: String) -> String { escaped { $0 == "\n" ? "\n" + indent : nil } }

    /// For text that was put together by us of lines and columns; parts of others are to be in one line before.
    public var withoutEscapes: String { escaped { $0 == "\n" || $0 == "\t" ? String($0) : nil } }

    private func escaped(_ exception: (Unicode.Scalar) -> String?) -> String {
        guard !isPlain else { return String(self) }
        var text = ""
        for scalar in unicodeScalars {
            if !scalar.isDisruptive {
                text.unicodeScalars.append(scalar)
            } else if let other = exception(scalar) {
                text += other
            } else {
                text += scalar.escapedASCII ?? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var escapedASCII: String? {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: nil
        }
    }
}

extension Data {
    /// A JSON document with the disruptive characters of its strings as `\u` escapes: the same document to a program,
    /// and harmless on a terminal. Those below a space are escaped by every encoder already.
    public var plainJSON: Data {
        // The first bytes of the disruptive ones beyond ASCII, and DEL.
        guard contains(where: { $0 >= 0x7F }) else { return self }
        let text = String(decoding: self, as: UTF8.self)
        guard text.unicodeScalars.contains(where: { $0.value >= 0x7F && $0.isDisruptive }) else {
            return self
        }
        var plain = ""
        for scalar in text.unicodeScalars {
            guard scalar.value >= 0x7F, scalar.isDisruptive else {
                plain.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                plain += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return Data(plain.utf8)
    }
}
