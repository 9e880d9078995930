import Foundation
import RawHTTP
import Support
import Testing

/// Data folders that earlier versions left behind, killed in the middle of a job and of an upload
/// (Tests/Fixtures/data_folder.py).
@Suite struct EarlierVersionTests {
    private struct Answers: Decodable {
        struct Answer: Decodable {
            var path, accept, file, type: String
        }

        var version: String
        var key: String?
        var answers: [Answer]
        var unfinishedJobs: [String]
        var upload: String?

        enum CodingKeys: String, CodingKey {
            case version, key, answers, upload
            case unfinishedJobs = "unfinished_jobs"
        }
    }

    /// The folder of an archive: data/, answers.json, answers/ and train.tar.
    private static func unpacked(_ name: String) throws -> URL {
        let folder = try ServiceProcess.makeFolder()
        let archive = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/data-folders/\(name).tar.xz").standardizedFileURL
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "--extract", "--file", archive.path, "--directory", folder.path]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        return folder
    }

    @Test(arguments: ["0.1.0-first", "0.1.0-last"]) func itsJobsAndDownloadsAreAsTheyWere(name: String) throws
    {
        let folder = try Self.unpacked(name)
        let left = try JSONDecoder().decode(
            Answers.self, from: Data(contentsOf: folder.appending(path: "answers.json")))
        #expect(left.version == "0.1.0" && left.answers.count > 10)
        let fields = left.key.map { ["Authorization: Bearer \($0)"] } ?? []
        let service = try ServiceProcess(in: folder)
        for answer in left.answers {
            let found = try service.send("GET", answer.path, fields + ["Accept: \(answer.accept)"])
            #expect(found.status == 200, "\(answer.path)")
            let before = try Data(contentsOf: folder.appending(path: answer.file))
            if answer.type.hasPrefix("application/json") {
                let isReport = answer.path.hasSuffix("/report")
                let (new, old) =
                    isReport
                    ? (Data(Self.dated(Data(found.body), left.version).utf8), Data(Self.dated(before).utf8))
                    : (Data(found.body), before)
                let difference = try Self.missing(from: new, of: old, at: answer.path)
                #expect(difference == [])
            } else {
                let isSame =
                    Data(found.body) == before
                    || answer.path.hasSuffix("/report")
                        && Self.dated(Data(found.body), left.version) == Self.dated(before)
                #expect(isSame, "\(answer.path)")
            }
        }
        try Self.finishUpload(left, folder, service, fields)
        for job in left.unfinishedJobs {
            var shown: [String: Any]
            repeat {
                shown = try service.send("GET", "/v1/jobs/\(job)", fields + ["Prefer: wait=10"]).json
            } while !(shown["finished_at"] is String)
            #expect(shown["state"] as? String == "succeeded", "\(shown)")
        }
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
        try Self.checkBackup(of: folder, service)
    }

    /// As if written by the version that left the folder: a report names the burnd that wrote it. The command that repeats a scan had
    /// rounds, which no scan has.
    private static func dated(_ data: Data, _ version: String = EmbeddedRelease.version) -> String {
        String(decoding: data, as: UTF8.self).replacing(EmbeddedRelease.version, with: version)
            .replacing(#/(burnd scan [^\n"<]*) --rounds \d+/#) { "\($0.1)" }
    }

    /// What a document had and the new one has not: later versions add members, and take none away.
    private static func missing(from new: Data, of old: Data, at path: String) throws -> [String] {
        func compare(_ old: Any, _ new: Any, _ place: String) -> [String] {
            if let old = old as? [String: Any], let new = new as? [String: Any] {
                // Where a page ends is the service's own affair.
                return old.filter { $0.key != "next_cursor" }.sorted { $0.key < $1.key }.flatMap {
                    key, value in
                    new[key].map { compare(value, $0, "\(place)/\(key)") } ?? ["\(place)/\(key) is gone"]
                }
            }
            if let old = old as? [Any], var new = new as? [Any] {
                // What came since stands first.
                if path == "/v1/audit" { new = new.suffix(old.count) }
                guard old.count == new.count else {
                    return ["\(place) has \(new.count) items, not \(old.count)"]
                }
                return zip(old, new).enumerated().flatMap { compare($1.0, $1.1, "\(place)/\($0)") }
            }
            return "\(old)" == "\(new)" ? [] : ["\(place): \(old) became \(new)"]
        }
        let values = try [old, new].map {
            try JSONSerialization.jsonObject(with: $0, options: .fragmentsAllowed)
        }
        return compare(values[0], values[1], path)
    }

    /// The upload goes on where it stopped.
    private static func finishUpload(
        _ left: Answers, _ folder: URL, _ service: ServiceProcess, _ fields: [String]
    ) throws {
        guard let upload = left.upload else { return }
        let fields = fields + ["Tus-Resumable: 1.0.0"]
        let head = try service.send("HEAD", upload, fields)
        let offset = try #require(head.headers["upload-offset"].flatMap { Int($0) })
        let content = try Data(contentsOf: folder.appending(path: "train.tar"))
        #expect(offset == content.count / 2)
        let rest = try service.send(
            "PATCH", upload,
            fields + ["Upload-Offset: \(offset)", "Content-Type: application/offset+octet-stream"],
            body: content.dropFirst(offset))
        #expect(rest.status == 204, "\(rest.text)")
    }

    /// Before a database changes its form there is a backup, which the earlier version could use.
    private static func checkBackup(of folder: URL, _ service: ServiceProcess) throws {
        let backups = folder.appending(path: "data/backups")
        let found = (try? FileManager.default.contentsOfDirectory(atPath: backups.path)) ?? []
        #expect(found.count == 1)
        guard let name = found.first else { return }
        let copy = folder.appending(path: "restored").path
        #expect(try service.run(["restore", backups.appending(path: name).path], data: copy).status == 0)
        let checked = try service.run(["fsck"], data: copy)
        #expect(checked.status == 0, "\(checked)")
    }

    /// By the words that an operator reads.
    @Test func aFolderOfANewerVersionIsRefused() throws {
        let folder = try Self.unpacked("0.1.0-last")
        let service = try ServiceProcess(in: folder)
        #expect(service.stop(SIGTERM) == 0)
        let sqlite = Process()
        sqlite.executableURL = URL(filePath: "/usr/bin/env")
        sqlite.arguments = [
            "python3", "-c",
            "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(\"INSERT INTO grdb_migrations VALUES ('0099_later.sql sha256:"
                + String(repeating: "0", count: 64) + "')\"); d.commit()",
            folder.appending(path: "data/burn.sqlite").path,
        ]
        try sqlite.run()
        sqlite.waitUntilExit()
        try #require(sqlite.terminationStatus == 0)
        let outcome = #expect(throws: ServiceProcess.Failure.self) { try service.start() }
        let text = outcome?.description ?? ""
        #expect(text.contains("A newer version wrote it") && text.contains("0099_later.sql"), "\(text)")
        let backups = try FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: "data/backups").path)
        #expect(backups.count == 1, "that of the first start alone")
    }
}
