import Foundation
import Logging
import Synchronization
import Testing

@testable import burnd

/// `burnd fsck`, `backup` and `restore` as programs, and the log's JSON.
@Suite struct StorageCommandTests {
    private func folder() -> String { NSTemporaryDirectory() + "burn-storage-" + UUID().uuidString }

    @Test func fsckBackupAndRestoreWorkOnADataDirectory() throws {
        let data = folder()
        #expect(try Program.run(["fsck", "--data", data]).status == 8)
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: data + "/burn.sqlite"))
        #expect(try Program.run(["fsck", "--data", data]).status == 0)
        let orphan = data + "/blobs/" + String(repeating: "a", count: 64)
        try Data("x".utf8).write(to: URL(filePath: orphan))
        let found = try Program.run(["fsck", "--json", "--data", data])
        #expect(found.status == 4)
        #expect(found.output.contains("unreferenced"))
        #expect(try Program.run(["fsck", "--repair", "--data", data]).status == 1)
        #expect(!FileManager.default.fileExists(atPath: orphan))
        let backup = folder()
        let copy = folder()
        #expect(try Program.run(["backup", backup, "--data", data]).status == 0)
        #expect(try Program.run(["restore", backup, "--data", copy]).status == 0)
        #expect(try Program.run(["restore", backup, "--data", copy]).status == 1)
        #expect(try Program.run(["fsck", "--data", copy]).output == "Nothing is wrong.\n")
        for path in [data, backup, copy] { try FileManager.default.removeItem(atPath: path) }
    }

    @Test func aLogLineIsAnObjectWithItsTimeAndMetadata() throws {
        let keep = Lines()
        var handler = JSONLogHandler(label: "burn.test")
        handler.write = { keep.add($0) }
        var logger = Logger(label: "burn.test") { _ in handler }
        logger[metadataKey: "job"] = "job_1"
        let before = Date(timeIntervalSinceNow: -1)
        logger.warning("two\nlines", metadata: ["path": "/a", "list": ["x", "y"]])
        let line = try #require(keep.all.first)
        #expect(line.last == 0x0A && line.filter { $0 == 0x0A }.count == 1)
        let fields = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
        let time = try #require(fields["time"] as? String)
        #expect(try Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) > before)
        #expect(fields["level"] as? String == "warning" && fields["logger"] as? String == "burn.test")
        #expect(fields["message"] as? String == "two\nlines" && fields["job"] as? String == "job_1")
        #expect(fields["path"] as? String == "/a" && fields["list"] as? [String] == ["x", "y"])
    }

    /// What a handler wrote.
    private final class Lines: Sendable {
        private let lines = Mutex<[Data]>([])
        var all: [Data] { lines.withLock { $0 } }
        func add(_ line: Data) { lines.withLock { $0.append(line) } }
    }
}
