import Foundation
import Support

/// The service that commands talk to, and the key for it, in a file that its owner alone can read.
public struct Credentials: Codable, Hashable, Sendable {
    public var url: String
    public var key: String?
    public var allowsPlainHTTP: Bool?

    enum CodingKeys: String, CodingKey {
        case url, key
        case allowsPlainHTTP = "allow_plain_http"
    }

    public init(url: String, key: String?, allowsPlainHTTP: Bool? = nil) {
        self.url = url
        self.key = key
        self.allowsPlainHTTP = allowsPlainHTTP
    }

    /// `burn` in XDG_CONFIG_HOME or ~/.config.
    public static func folder(_ environment: [String: String]) -> String {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return base + "/burn" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.config/burn"
    }

    public static func path(_ environment: [String: String]) -> String {
        folder(environment) + "/credentials.json"
    }

    /// BURN_URL and BURN_KEY come before the file. A BURN_URL that is not the file's takes no key from it.
    /// - Throws: `Problem` `not-logged-in`, `credentials-exposed`, `credentials-damaged`.
    public static func current(_ environment: [String: String]) throws -> Credentials {
        let stored = try load(environment)
        let key = environment["BURN_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        if let url = environment["BURN_URL"], !url.isEmpty {
            let same = stored?.url == url ? stored : nil
            return Credentials(
                url: url, key: key ?? same?.key,
                allowsPlainHTTP: environment["BURN_ALLOW_PLAIN_HTTP"] == "1" ? true : same?.allowsPlainHTTP)
        }
        guard var stored else {
            throw Problem(
                .unauthenticated, code: "not-logged-in", title: "No service is known",
                detail: "\(path(environment)) is not there, and BURN_URL is not set.",
                fix: "burnd client login https://…")
        }
        if let key { stored.key = key }
        return stored
    }

    private static func load(_ environment: [String: String]) throws -> Credentials? {
        let path = path(environment)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { return nil }
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read",
                detail: "\(path): \(String(cString: strerror(errno)))",
                fix: "Make it readable for you, or log in again: burnd client login URL")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw Problem(
                .forbidden, code: "credentials-exposed", title: "Others can read the key",
                detail: "\(path) is not its owner's alone.", fix: "chmod 600 '\(path)', and make a new key.")
        }
        guard let data = try? file.read(upToCount: 1 << 16),
            let value = try? JSONDecoder().decode(Credentials.self, from: data)
        else {
            throw Problem(
                .malformed, code: "credentials-damaged", title: "The stored login can't be read",
                detail: "\(path) is not what burnd client login writes.", fix: "Log in again.")
        }
        return value
    }

    /// Whole or not at all, and never readable for others.
    public func save(_ environment: [String: String]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try PrivateFile.write(try encoder.encode(self) + Data("\n".utf8), to: Self.path(environment))
    }

    /// - Returns: whether there was a login.
    public static func remove(_ environment: [String: String]) throws -> Bool {
        if unlink(path(environment)) == 0 { return true }
        guard errno == ENOENT else { throw PrivateFile.failure(path(environment)) }
        return false
    }
}

/// Files of mode 0600 in a folder of mode 0700.
enum PrivateFile {
    static func write(_ data: Data, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw failure(folder) }
        try DurableFile.write(data, to: path, permissions: 0o600) { _, path, code in failure(path, code) }
    }

    static func failure(_ path: String, _ code: Int32 = errno) -> Problem {
        Problem(
            .internal, code: "file-unwritable", title: "The file can't be written",
            detail: "\(path): \(String(cString: strerror(code)))")
    }
}
