import Foundation
import Support

/// The absolute path of a file or folder that a command was given.
/// - Throws: `Problem` `file-unreadable`, at the option.
package func existingFile(_ path: String, option: String) throws -> String {
    let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
    guard access(absolute, R_OK) == 0 else {
        throw Problem(
            .notFound, code: "file-unreadable", title: "The file can't be read",
            detail: "\(path): \(String(cString: strerror(errno)))", location: option,
            fix: "Name a file or folder that is there and that you may read.")
    }
    return absolute
}

/// Calls the body with a folder of its own, which is removed afterwards.
package func withScratchFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
