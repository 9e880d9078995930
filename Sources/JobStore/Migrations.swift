import CEmbeddedFiles

/// The database's migrations, compiled into the program: it needs no file beside it.
public enum Migrations {
    /// File name and SQL text, in the order they are applied. A file that was released never changes.
    public static let all: [(name: String, sql: String)] = {
        let files = burn_embedded_migrations()
        return UnsafeBufferPointer(start: files.first, count: files.count).map { file in
            let name = String(cString: file.path).split(separator: "/").last.map(String.init) ?? ""
            let text = UnsafeBufferPointer(start: file.bytes, count: file.size)
            return (name, String(decoding: text, as: UTF8.self))
        }
    }()
}
