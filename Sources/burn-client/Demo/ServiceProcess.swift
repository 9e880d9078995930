import Foundation
import ServiceClient

/// A `burnd serve` of the demonstration's own, on a free loopback port.
final class ServiceProcess {
    let address: URL
    private let process: Process

    /// Starts the service and waits until it takes requests.
    init(program: URL, data: URL, log: URL) async throws {
        try Data().write(to: log)
        let output = try FileHandle(forWritingTo: log)
        process = Process()
        process.executableURL = program
        process.arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            if let url = try Self.announcedAddress(in: log), await Self.isReady(url) {
                address = url
                return
            }
            guard process.isRunning, ContinuousClock.now < deadline else {
                process.terminate()
                let text = try String(contentsOf: log, encoding: .utf8)
                throw DemoFailure("burnd did not start. It wrote:\n\(text)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func isReady(_ address: URL) async -> Bool {
        guard let address = try? ServiceAddress(address.absoluteString) else { return false }
        return (try? await ServiceClient(address: address, key: nil).get("readyz")) != nil
    }

    /// The service names its address once it listens.
    private static func announcedAddress(in log: URL) throws -> URL? {
        let text = try String(contentsOf: log, encoding: .utf8)
        return text.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+/).flatMap { URL(string: String($0.output)) }
    }

    /// Stops it as a service manager would, and waits for its end.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
