import CEmbeddedFiles

/// Graphs of well-known classifiers without weights, compiled into the programs. `scripts/networks/export_graphs.py`
/// writes them.
public enum BuiltInGraphs {
    /// Gzip-compressed JSON documents by name, sorted by name.
    public static let all: [(name: String, document: [UInt8])] = {
        let files = burn_embedded_graphs()
        return UnsafeBufferPointer(start: files.first, count: files.count).map { file in
            let name = String(cString: file.path).split(separator: "/").last?.split(separator: ".").first
            return (
                name.map(String.init) ?? "", Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
            )
        }
    }()
}
