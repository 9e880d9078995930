import Foundation

/// The SHA-256 and size of a file, read in pieces.
public struct FileDigest: Hashable, Sendable {
    /// Lower-case hexadecimal.
    public var sha256: String
    public var bytes: Int

    private static let piece = 1 << 20

    /// - Parameter progress: told of the bytes read so far.
    /// - Throws: `Problem` `file-unreadable`.
    public init(path: String, progress: (Int) -> Void = { _ in }) throws {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            var hash = Digest(.sha256)
            bytes = 0
            while let piece = try file.read(upToCount: Self.piece), !piece.isEmpty {
                try Task.checkCancellation()
                hash.update(piece)
                bytes += piece.count
                progress(bytes)
            }
            sha256 = hash.bytes.hexadecimal
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read",
                detail: "\(path): \(error.localizedDescription)",
                fix: "Name a file that you may read.")
        }
    }
}
