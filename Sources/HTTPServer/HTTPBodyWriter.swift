import Foundation

/// The sending end of a streamed response.
public protocol HTTPBodyWriter: Sendable {
    /// Hands bytes over and waits while more than 256 KiB are unsent.
    /// - Throws: `CancellationError` when the client went away or the server stops.
    func write(_ data: Data) async throws
}
