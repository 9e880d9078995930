import Foundation
import Support
import Testing
import WorkerProtocol

@Suite struct ReportedFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "burn-reported-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder + "/out", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("secret".utf8).write(to: URL(filePath: folder + "/secret"))
        try Data("result".utf8).write(to: URL(filePath: folder + "/out/result"))
        try body(folder)
    }

    @Test func aResultIsRead() throws {
        try withFolder { folder in
            let file = try ReportedFile("result", in: folder + "/out")
            var content = Data()
            try file.forEachPiece { content.append(contentsOf: $0) }
            #expect(file.size == 6 && content == Data("result".utf8))
        }
    }

    @Test(arguments: [
        "../secret", "/etc/passwd", "", ".", "..", "none", "folder", "link", "pipe", "out/../result",
        "./result",
        "result/", "a\u{0}b", "a\nb", "\u{1B}[31m", "result\u{202E}", String(repeating: "a", count: 256),
    ])
    func whatIsNoPlainFileOfTheFolderIsRefused(name: String) throws {
        try withFolder { folder in
            let out = folder + "/out"
            try FileManager.default.createDirectory(
                atPath: out + "/folder", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(
                atPath: out + "/link", withDestinationPath: folder + "/secret")
            mkfifo(out + "/pipe", 0o600)
            do {
                _ = try ReportedFile(name, in: out)
                Issue.record("\(name) was taken")
            } catch let problem as Problem {
                #expect(problem.code == "artifact-not-readable")
                #expect(problem.detail.isPlain)
            }
        }
    }
}
