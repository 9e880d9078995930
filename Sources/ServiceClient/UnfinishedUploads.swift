import Foundation
import Support

/// Remembers uploads that are not finished, so that the next run goes on with them. One small private file.
public struct UnfinishedUploads: Sendable {
    /// What makes an upload the same one.
    struct Mark: Hashable {
        var service, sha256, kind: String

        var key: String { "\(kind) \(sha256) \(service)" }
    }

    private struct Entry: Codable {
        var upload: String
        var begun: Date
    }

    let path: String
    /// The service forgets uploads that nothing was added to for a day or so.
    private static let patience = 14.0 * 86_400

    /// - Parameter environment: says where the configuration folder is, as for `Credentials`.
    public init(_ environment: [String: String]) { path = Credentials.folder(environment) + "/uploads.json" }

    func upload(for mark: Mark) throws -> String? { entries()[mark.key]?.upload }

    func remember(_ upload: String, for mark: Mark) throws {
        try change { $0[mark.key] = Entry(upload: upload, begun: Date()) }
    }

    func forget(_ mark: Mark) throws {
        guard entries()[mark.key] != nil else { return }
        try change { $0[mark.key] = nil }
    }

    private func change(_ body: (inout [String: Entry]) -> Void) throws {
        var all = entries().filter { -$0.value.begun.timeIntervalSinceNow < Self.patience }
        body(&all)
        try PrivateFile.write(try JSONEncoder().encode(all), to: path)
    }

    /// A ledger that can't be read only costs the bytes of a new upload.
    private func entries() -> [String: Entry] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return [:] }
        return (try? JSONDecoder().decode([String: Entry].self, from: data)) ?? [:]
    }
}
