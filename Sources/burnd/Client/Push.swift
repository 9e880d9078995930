import Foundation
import ServiceClient
import Storage
import Support
import Synchronization

/// Brings a file or folder to the service, with a progress bar.
struct Push {
    let client: ServiceClient
    let kind: PushKind
    /// Of its reading; sent in one request, since resumable uploads take none.
    var options: [URLQueryItem] = []
    let display = ProgressDisplay.standardError()

    func run(_ path: String, name: String?) async throws -> InputReply {
        var isFolder: ObjCBool = false
        let found = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let last = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        guard found, isFolder.boolValue else { return try await send(path, name: name ?? last) }
        guard kind == .dataset else {
            throw Problem(
                .unsupportedFormat, code: "model-is-a-folder", title: "The model is a folder",
                detail: "\(path) is a folder; a .pt2 or ONNX file is expected.")
        }
        return try await withScratchFolder { scratch in
            let archive = scratch + "/" + last + ".tar"
            display.note("packing \(last)")
            try await FolderArchive.write(path, to: archive)
            return try await send(archive, name: name ?? last + ".tar")
        }
    }

    private func send(_ path: String, name: String) async throws -> InputReply {
        let progress: @Sendable (PushProgress) -> Void = { [display] step in
            switch step {
            case .hashing(let done, let total):
                display.update("hashing \(name)", fraction: Self.share(done, total), secondsLeft: nil)
            case .sending(let done, let total):
                display.update("sending \(name)", fraction: Self.share(done, total), secondsLeft: nil)
            case .checking: display.update("checking \(name)", fraction: 0, secondsLeft: nil)
            case .interrupted(let problem): display.note("interrupted (\(problem.detail)); trying again")
            }
        }
        defer { display.finish() }
        guard options.isEmpty else {
            return try await client.upload(path, as: kind, name: name, options: options, progress: progress)
        }
        return try await client.push(
            path, as: kind, name: name, ledger: UnfinishedUploads(ProcessInfo.processInfo.environment),
            progress: progress)
    }

    private static func share(_ done: Int, _ total: Int) -> Double {
        total > 0 ? Double(done) / Double(total) : 1
    }

    /// The id alone, for a shell's `$(…)`; with `json` the whole resource.
    func show(_ input: InputReply, json: Bool) async throws {
        guard json else { return print(input.id) }
        try printDocument(try await client.get("/v1/\(kind.rawValue)s/\(input.id)"))
    }
}

/// A folder as a tar archive. The same files make the same bytes, so that an interrupted push of a folder goes on.
enum FolderArchive {
    static func write(_ folder: String, to archive: String) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "tar", "--create", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--sort=name",
            "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+r,u+w", "--file", archive,
            "--directory", folder, ".",
        ]
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
