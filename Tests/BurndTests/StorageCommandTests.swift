import Foundation
import Logging
import Support
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

    /// Whatever the umask of who runs it, and whoever made the folder.
    @Test func aBackupIsItsOwnersAlone() throws {
        let (data, backup, copy) = (folder(), folder(), folder())
        defer { for path in [data, backup, copy] { try? FileManager.default.removeItem(atPath: path) } }
        #expect(try Program.run(["keys", "create", "a", "--scope", "read", "--data", data]).status == 0)
        try FileManager.default.createDirectory(
            atPath: backup, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let burnd = Program.folder.appending(path: "burnd").path
        process.arguments = [
            "-c",
            "umask 000 && '\(burnd)' backup '\(backup)' --data '\(data)' && '\(burnd)' restore '\(backup)' --data '\(copy)'",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for root in [backup, copy] {
            let paths =
                try FileManager.default.subpathsOfDirectory(atPath: root).map { root + "/" + $0 } + [root]
            #expect(paths.count >= 2)
            for path in paths {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue
                let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
                #expect(mode == (isFolder ? 0o700 : 0o600), "\(path)")
            }
        }
    }

    @Test func anEntryOfTheLogStaysInItsLine() throws {
        let keep = Lines()
        let forged = "done\n2026-01-01 audit: forged\u{1B}[2K\u{9B}31m\u{2028}\u{202E}"
        var json = JSONLogHandler(label: "burn.test")
        json.write = { keep.add($0) }
        struct Failure: Error, CustomStringConvertible {
            let description: String
        }
        func log(_ handler: any LogHandler) {
            var logger = Logger(label: "burn.test") { _ in handler }
            logger[metadataKey: "owner"] = "\(forged)"
            logger.error(
                "\(forged)", metadata: ["a": .array(["\(forged)"]), "b": .dictionary(["c": "\(forged)"])])
            logger.error("e", metadata: ["error": .stringConvertible(Failure(description: forged))])
        }
        log(json)
        log(PlainLogHandler(inner: LineHandler(lines: keep)))
        #expect(keep.all.count == 4)
        for line in keep.all {
            let text = String(decoding: line, as: UTF8.self)
            #expect(
                text.hasSuffix("\n") && text.dropLast().unicodeScalars.allSatisfy { !$0.isDisruptive },
                "\(text)")
        }
    }

    /// Writes an entry as it comes, as the standard handler does.
    private struct LineHandler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let more = metadata.merging(event.metadata ?? [:]) { $1 }
            lines.add(Data("\(event.message) \(more.map { "\($0)=\($1)" }.joined(separator: " "))\n".utf8))
        }
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
