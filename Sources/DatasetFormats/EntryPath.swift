import Support

/// An entry's name, checked: relative, without `..`, without characters that mean something elsewhere.
struct EntryPath {
    /// Without empty and `.` components.
    let components: [String]
    /// The archive within the upload that it lies in, with a slash at the end; empty for the upload itself.
    private(set) var container = ""

    /// Within its archive.
    var name: String { components.joined(separator: "/") }
    /// Of a sample, for messages: no other entry has it.
    var fullName: String { container + name }

    /// What operating systems, tools and file systems leave beside files, in small letters.
    private static let clutter: Set<String> = [
        "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "system volume information", "$recycle.bin",
        "recycler",
        "lost+found", "__pycache__", "@eadir", "#recycle", "#snapshot", "icon\r", "found.000",
    ]

    /// Hidden files and what operating systems leave behind: passed over.
    var isClutter: Bool {
        components.contains { Self.isClutter($0) }
    }

    static func isClutter(_ component: String) -> Bool {
        // Most names are told by their first byte or their length: this is asked of every entry.
        guard let first = component.utf8.first else { return false }
        return first == UInt8(ascii: ".")
            || clutterLengths.contains(component.utf8.count) && clutter.contains(component.lowercased())
    }

    private static let clutterLengths = Set(clutter.map(\.utf8.count))
    private static let maximumBytes = 1_024

    /// - Throws: `entry-name-unsafe` or `entry-name-invalid`.
    init(_ entry: SourceEntry) throws {
        try self.init(entry.name)
        container = entry.container
    }

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
