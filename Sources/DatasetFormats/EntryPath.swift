import Support

/// An entry's name, checked: relative, without `..`, without characters that mean something elsewhere.
struct EntryPath {
    /// Without empty and `.` components.
    let components: [String]

    var name: String { components.joined(separator: "/") }

    /// Hidden files and what operating systems leave behind: passed over.
    var isClutter: Bool {
        components.contains { component in
            component.hasPrefix(".") || component == "__MACOSX" || component == "Thumbs.db"
                || component == "desktop.ini"
        }
    }

    private static let maximumBytes = 1_024

    /// - Throws: `entry-name-unsafe` or `entry-name-invalid`.
    init(_ raw: String) throws {
        guard raw.utf8.count <= Self.maximumBytes else {
            throw Self.invalid(
                raw, "The name has \(raw.utf8.count) bytes; at most \(Self.maximumBytes) are taken.")
        }
        guard !raw.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f || $0 == "\\" })
        else {
            throw Self.invalid(raw, "The name holds a backslash or a control character.")
        }
        guard !raw.hasPrefix("/") else { throw Self.unsafe(raw, "The name is an absolute path.") }
        let parts = raw.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else {
            throw Self.unsafe(raw, "The name leads out of the archive by `..`.")
        }
        components = parts.map(String.init)
    }

    private static func unsafe(_ raw: String, _ detail: String) -> Problem {
        Problem(
            .unprocessable, code: "entry-name-unsafe", title: "An entry's name leads out of the archive",
            detail: detail, location: raw,
            fix: "Pack the folders with relative paths: `tar -C DIR -cf FILE .`")
    }

    private static func invalid(_ raw: String, _ detail: String) -> Problem {
        let shown = raw.unicodeScalars.prefix(120).map {
            $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0)
        }
        return Problem(
            .unprocessable, code: "entry-name-invalid", title: "An entry's name cannot be used",
            detail: detail, location: shown.joined(),
            fix: "Rename the files and folders with plain letters and pack them again.")
    }
}
