import Foundation
import Support

/// A certificate chain and its private key, as PEM text.
public struct TLSCertificate: Sendable {
    public var certificate, privateKey: String

    /// Reads both files.
    /// - Throws: `Problem` for a file that can't be read, holds no PEM of its kind, or is a private key that
    ///   others may read.
    public init(certificateFile: String, keyFile: String) throws {
        certificate = try Self.read(certificateFile, holding: "CERTIFICATE")
        privateKey = try Self.read(keyFile, holding: "PRIVATE KEY")
        var status = stat()
        guard stat(keyFile, &status) == 0, status.st_mode & (S_IROTH | S_IWOTH) == 0 else {
            throw Problem(
                .malformed, code: "tls-key-exposed", title: "The TLS key is open to everybody",
                detail: "every user of this machine may read or write it", location: keyFile,
                fix: "chmod 640 \(keyFile)")
        }
    }

    private static func read(_ path: String, holding kind: String) throws -> String {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Problem(
                .malformed, code: "tls-file-unreadable", title: "A TLS file can't be read",
                detail: error.localizedDescription, location: path,
                fix: "Name a file that the service's user may read.")
        }
        guard text.contains("-----BEGIN "), text.contains("\(kind)-----") else {
            throw Problem(
                .malformed, code: "tls-file-invalid", title: "A TLS file is not what it should be",
                detail: "it holds no PEM block of kind \(kind)", location: path,
                fix: "Name the PEM file, whose block begins with -----BEGIN \(kind)-----.")
        }
        return text
    }
}
