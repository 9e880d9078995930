import Foundation
import Support

/// A folder as a tar archive. The same files make the same bytes, so that an interrupted push of a folder goes on.
package enum FolderArchive {
    /// A whole folder. Links within it become what they lead to.
    package static func write(_ folder: String, to archive: String) async throws {
        let hasLinks = try FolderLinks.check(folder)
        try await write(folder, entries: ["."], isFollowing: hasLinks, to: archive)
    }

    /// Files, from wherever they lie, by their last names.
    package static func write(_ folder: String, files: [String], to archive: String) async throws {
        var arguments: [String] = []
        for file in files {
            let url = URL(fileURLWithPath: file).standardizedFileURL
            arguments += ["--directory", url.deletingLastPathComponent().path, "./" + url.lastPathComponent]
        }
        try await run(arguments, isFollowing: true, to: archive)
    }

    /// - Parameter entries: names in the folder.
    package static func write(
        _ folder: String, entries: [String], isFollowing: Bool = true, to archive: String
    ) async throws {
        try await run(["--directory", folder, "--"] + entries, isFollowing: isFollowing, to: archive)
    }

    private static func run(_ entries: [String], isFollowing: Bool, to archive: String) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "tar", "--create", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--sort=name",
            "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+r,u+w", "--file", archive,
        ]
        if isFollowing { process.arguments? += ["--dereference", "--hard-dereference"] }
        process.arguments?.append(contentsOf: entries)
        let errors = Pipe()
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        let (text, status) = try await withCheckedThrowingContinuation { continuation in
            // Waiting blocks a thread: not one that serves tasks.
            DispatchQueue.global().async {
                do {
                    try process.run()
                    let text = errors.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    continuation.resume(
                        returning: (String(decoding: text, as: UTF8.self), process.terminationStatus))
                } catch { continuation.resume(throwing: error) }
            }
        }
        guard status == 0 else {
            throw Problem(
                .notFound, code: "folder-unreadable", title: "The folder can't be packed",
                detail: text.trimmingCharacters(in: .whitespacesAndNewlines), fix: "GNU tar is needed.")
        }
    }
}
