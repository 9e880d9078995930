import Findings
import Foundation
import ModelFormats
import Problems
import StrictZip
import WorkerProtocol

/// What is checked of an upload before it is answered: bounded, pure Swift, nothing decoded.
public struct InputChecks: Sendable {
    /// Called once with the first bytes, as soon as they are there; throws the `Problem` to answer with.
    public var head: @Sendable ([UInt8]) throws -> Void
    /// Called with the path of the whole file, before it is kept; gives what it found a model to be.
    public var file: @Sendable (String) throws -> ModelSummary?
    /// Used in place of `file` for a model that was uploaded with these options.
    var fileWith: (@Sendable (String, ModelImport) throws -> ModelSummary?)?

    public init(
        head: @escaping @Sendable ([UInt8]) throws -> Void = { _ in },
        file: @escaping @Sendable (String) throws -> ModelSummary? = { _ in nil }
    ) {
        self.head = head
        self.file = file
    }

    /// Both, of a file that is there.
    func whole(_ path: String) throws -> ModelSummary? {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try head([UInt8](file.read(upToCount: ContainerFormat.headLength) ?? Data()))
        return try self.file(path)
    }

    /// The whole of a model file.
    public static func models(_ limits: ModelLimits = ModelLimits()) -> InputChecks {
        var checks = InputChecks(file: { try openModel(at: $0, limits: limits).summary })
        checks.fileWith = { path, options in
            if let name = options.architecture {
                return try openModel(
                    at: path, skeleton: .architecture(name, image: options.image), limits: limits
                ).summary
            }
            // The skeleton is at hand in the worker.
            try checkWeightsAlone(at: path, limits: limits)
            return nil
        }
        return checks
    }

    /// The checks of a model that was uploaded with `options`.
    func with(_ options: ModelImport?) -> InputChecks {
        guard let options, let fileWith else { return self }
        return InputChecks(head: head, file: { try fileWith($0, options) })
    }

    /// The whole structure of an archive of usual size. A million entries are not held in memory here: of such an
    /// archive the directory is read through, and the worker finds the rest.
    private static func checkZip(_ path: String, _ limits: ZipLimits) throws {
        let file = try RandomAccessFile(path: path)
        guard try ZipArchive.entryCount(file) > limits.maximumEntries else {
            _ = try ZipArchive(file: file, limits: limits)
            return
        }
        let whole = ImportLimits()
        let large = ZipLimits(
            maximumEntries: 2 * whole.maximumImages + 100_000, maximumDirectoryBytes: 4 << 30)
        _ = try ZipArchive.scan(file, limits: large)
    }

    /// A Parquet file that was cut off lacks the mark at its end.
    private static func requireFooter(of file: FileHandle) throws {
        let size = try file.seekToEnd()
        try file.seek(toOffset: size - min(size, 8))
        let tail = Array(try file.read(upToCount: 8) ?? Data())
        let length = tail.prefix(4).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard tail.count == 8, tail.suffix(4) == ContainerFormat.parquetMark, length <= size - min(size, 12)
        else {
            throw Problem(
                .malformed, code: "parquet-damaged", title: "The Parquet file is damaged",
                detail: "It may be cut off: the footer at its end is missing.",
                fix: "Compare its size and checksum with the original's.")
        }
    }

    /// The kind of archive; for a zip its structure too, for a Parquet file its end.
    public static func datasets(_ limits: ZipLimits = ZipLimits()) -> InputChecks {
        InputChecks(
            head: { try ContainerFormat.requireArchive(head: $0) },
            file: { path in
                let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? file.close() }
                let head = try file.read(upToCount: ContainerFormat.headLength) ?? Data()
                switch ContainerFormat(head: Array(head)) {
                case .zip: try checkZip(path, limits)
                case .parquet: try requireFooter(of: file)
                default: break
                }
                return nil
            })
    }
}
