import CEmbeddedFiles
import Foundation

/// The files of this folder that are compiled into the program.
enum EmbeddedAssets {
    static let document = files.first { $0.path == "openapi.json" }?.bytes ?? Data()
    /// Every file of the dashboard, by its path in the folder of that name.
    static let dashboard = files.compactMap { file in
        file.path.wholeMatch(of: /Dashboard\/(.*)/).map { (path: String($0.1), bytes: file.bytes) }
    }

    private static let files: [(path: String, bytes: Data)] = {
        let files = burn_embedded_web_assets()
        return UnsafeBufferPointer(start: files.first, count: files.count).map { file in
            let path = String(cString: file.path).replacing(/^.*\/WebAssets\//, with: "")
            return (path, Data(bytes: file.bytes, count: file.size))
        }
    }()
}
