import Foundation
import Support

/// Whether and where the service tells of finished jobs.
public struct WebhookSettings: Sendable {
    public var hosts: [WebhookOrigin]
    /// Signs what is sent.
    public var secret: [UInt8]
    /// A PEM file of certificates that are trusted beside the system's.
    public var certificates: String?
    /// How often one is tried before it is given up.
    public var tries: Int
    /// Before the second try; doubles with each, up to `longestWait`.
    public var firstWait: Double
    static let longestWait = 3600.0
    /// For a whole request with its answer.
    static let patience = Duration.seconds(20)

    public init(
        hosts: [WebhookOrigin] = [], secret: [UInt8] = [], certificates: String? = nil, tries: Int = 12,
        firstWait: Double = 10
    ) {
        self.hosts = hosts
        self.secret = secret
        self.certificates = certificates
        self.tries = tries
        self.firstWait = firstWait
    }

    /// - Throws: `Problem` `webhooks-not-configured`, `webhook-invalid`, `webhook-host-not-allowed`, all at `location`.
    public func check(_ text: String, at location: String) throws {
        guard !hosts.isEmpty else {
            throw Problem(
                .unprocessable, code: "webhooks-not-configured", title: "This service sends no webhooks",
                detail: "Its configuration names no host for them.", location: location,
                fix: "Leave it out and follow the job's events; or have the service's administrator set "
                    + "webhooks.hosts and webhooks.secret_file.")
        }
        let address: WebhookAddress
        do { address = try WebhookAddress(text) } catch {
            throw Problem(
                .malformed, code: "webhook-invalid", title: "The webhook's address is not valid",
                detail: error.detail, location: location, fix: "Such as https://\(hosts[0].authority)/burn.")
        }
        guard hosts.contains(address.origin) else {
            throw Problem(
                .unprocessable, code: "webhook-host-not-allowed",
                title: "Webhooks are not sent to this host",
                detail: "The address leads to \(address.origin); allowed are "
                    + hosts.map(\.description).joined(separator: ", ") + ".",
                location: location,
                fix: "Use one of them, or have the service's administrator add the host to webhooks.hosts.")
        }
    }

    /// The secret in a file: `whsec_` and the base64 of 24 to 64 random bytes, as Standard Webhooks has it.
    /// - Throws: `Problem` `webhook-secret-…`.
    public static func secret(inFile path: String) throws -> [UInt8] {
        let make = "Make one: (umask 077; echo whsec_$(openssl rand -base64 32) > \(path))"
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw Problem(
                .malformed, code: "webhook-secret-unreadable", title: "The webhooks' secret can't be read",
                detail: "\(path): \(error.localizedDescription)", location: "webhooks.secret_file", fix: make)
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & (S_IROTH | S_IWOTH) == 0 else {
            throw Problem(
                .malformed, code: "webhook-secret-exposed",
                title: "The webhooks' secret is open to everybody",
                detail: "Every user of this machine may read or write \(path).",
                location: "webhooks.secret_file", fix: "chmod 640 \(path)")
        }
        let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard line.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(line.dropFirst(6))),
            (24...64).contains(bytes.count)
        else {
            throw Problem(
                .malformed, code: "webhook-secret-invalid", title: "The webhooks' secret is not valid",
                detail: "\(path) does not hold “whsec_” and the base64 of 24 to 64 bytes.",
                location: "webhooks.secret_file", fix: make)
        }
        return [UInt8](bytes)
    }

    /// Seconds until the next try.
    func wait(after tries: Int) -> Double {
        min(firstWait * Double(1 << min(max(tries - 1, 0), 20)), Self.longestWait)
    }
}
