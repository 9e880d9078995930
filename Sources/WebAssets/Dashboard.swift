import Foundation
import Support

/// The dashboard: one page, and the modules, styles and pictures that it loads. All of it is in the program.
///
/// Files are addressed below a version, the digest of all of them, so that browsers may keep them for good and never
/// mix those of two releases.
public struct Dashboard: Sendable {
    public struct File: Sendable {
        public var bytes: Data
        public var contentType: String
        /// The SHA-256 of the bytes in hexadecimal.
        public var digest: String
    }

    public static let current = Dashboard()

    /// 16 hexadecimal digits.
    public let version: String
    private let page: String
    private let files: [String: File]

    private init() {
        var all = Digest(.sha256)
        var files: [String: File] = [:]
        var page = ""
        for (path, bytes) in EmbeddedAssets.dashboard {
            guard path != "index.html" else {
                page = String(decoding: bytes, as: UTF8.self)
                continue
            }
            all.update(Data(path.utf8))
            all.update(bytes)
            files[path] = Self.file(bytes, path)
        }
        version = String(all.bytes.hexadecimal.prefix(16))
        self.page = page.replacing("{version}", with: version)
        self.files = files
    }

    /// The page.
    /// - Parameter base: the path below which clients reach the service, such as `/burn`; characters that stand for
    ///   themselves in HTML.
    public func page(below base: String) -> File {
        Self.file(Data(page.replacing("{base}", with: base).utf8), "index.html")
    }

    /// The paths of the files, such as `core/dom.js`.
    public var paths: [String] { files.keys.sorted() }

    /// - Parameter path: `version`, a slash, and one of `paths`.
    /// - Returns: nil where there is no such file in this version.
    public func file(at path: String) -> File? {
        guard let slash = path.firstIndex(of: "/"), path[..<slash] == version else { return nil }
        return files[String(path[path.index(after: slash)...])]
    }

    private static func file(_ bytes: Data, _ path: String) -> File {
        let types = [
            "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8",
            "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
        ]
        let ending = path.split(separator: ".").last.map(String.init) ?? ""
        return File(
            bytes: bytes, contentType: types[ending] ?? "application/octet-stream",
            digest: Digest.sha256(bytes).hexadecimal)
    }
}
