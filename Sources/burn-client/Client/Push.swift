import Commands
import Foundation
import ServiceClient
import Support

/// Brings a file or folder to the service, with a progress bar.
struct Push {
    let client: ServiceClient
    let kind: PushKind
    /// Of its reading; sent in one request, since resumable uploads take none.
    var options: [URLQueryItem] = []
    let display = ProgressDisplay.standardError()

    /// - Parameter parts: further files of the same set.
    func run(_ path: String, parts: [String] = [], name: String?) async throws -> InputReply {
        var isFolder: ObjCBool = false
        let found = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let last = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        if kind == .model {
            return try await withScratchFolder { scratch in
                let file = try await ModelInput.file(path, scratch: scratch)
                let isPacked = file.hasPrefix(scratch + "/")
                let sent = isPacked ? URL(fileURLWithPath: file).lastPathComponent : last
                return try await send(file, name: name ?? sent)
            }
        }
        if !parts.isEmpty {
            return try await send(parts: [path] + parts, name: name ?? "\(last) and \(parts.count) more")
        }
        guard found, isFolder.boolValue else { return try await send(path, name: name ?? last) }
        return try await withScratchFolder { scratch in
            let archive = scratch + "/" + last + ".tar"
            display.note("packing \(last)")
            try await FolderArchive.write(path, to: archive)
            return try await send(archive, name: name ?? last + ".tar")
        }
    }

    /// Several files in one tar; the service reads them as one set.
    private func send(parts: [String], name: String) async throws -> InputReply {
        try await withScratchFolder { scratch in
            var names: Set<String> = []
            for part in parts {
                let file = URL(fileURLWithPath: try existingFile(part, option: "PATH"))
                guard try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory != true else {
                    throw Problem(
                        .unprocessable, code: "set-parts-invalid", title: "The parts are no parts of one set",
                        detail: "\(part) is a folder.", location: part,
                        fix: "Push a folder by itself, or pack it: tar --create --file part.tar FOLDER")
                }
                guard names.insert(file.lastPathComponent).inserted else {
                    throw Problem(
                        .unprocessable, code: "set-parts-invalid", title: "The parts are no parts of one set",
                        detail: "Two files are called \(file.lastPathComponent).", location: part,
                        fix: "Give archives or Parquet files of different names.")
                }
            }
            display.note("packing \(parts.count) files")
            let archive = scratch + "/parts.tar"
            try await FolderArchive.write(FileManager.default.currentDirectoryPath, files: parts, to: archive)
            return try await send(archive, name: name)
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
