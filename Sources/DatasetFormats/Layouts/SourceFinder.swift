import Findings
import Foundation
import PackedDataset
import Problems
import StrictZip
import WorkerProtocol

/// Tells by the first entries of an upload how the data set is laid out, and opens it.
struct SourceFinder {
    /// Entries that are looked at: a manifest in a compressed tar has to be among them.
    private static let looked = 256

    let path: String
    let options: ImportOptions
    let limits: ImportLimits
    /// A folder for what has to lie on the disk while it is read.
    let scratch: String

    func open() throws -> any SampleSource {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Problem(
                .notFound, code: "dataset-not-found", title: "The data set cannot be read",
                detail: String(cString: strerror(errno)) + ".", location: path)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            return try find { FolderReader(root: path) }
        }
        let file = try RandomAccessFile(path: path)
        let head = try file.bytes(at: 0, count: min(file.size, 64))
        if head.count > 8, head[8] == UInt8(ascii: "{"), head[6] == 0, head[7] == 0 {
            return try SafetensorsDataset.source(file, limits: limits)
        }
        if head.starts(with: Array("PAR1".utf8)) { return try ParquetSource(path: path, limits: limits) }
        return try find { try ArchiveReader(path: path) }
    }

    /// - Parameter reader: begins to read the entries anew.
    private func find(_ reader: () throws -> any EntrySource) throws -> any SampleSource {
        let first = try reader()
        var names: [String] = []
        var manifest: Manifest?
        // What is wrong with an entry is said when it is its turn.
        while names.count < Self.looked, let entry = try? first.next() {
            guard entry.kind == .file, let path = try? EntryPath(entry.name), !path.isClutter,
                let last = path.components.last
            else { continue }
            names.append(entry.name)
            if ManifestSource.fileNames.contains(last), path.components.count <= 2 {
                let bytes = try EntryStream(first, limits: limits)
                    .contents(of: path, limit: Manifest.maximumBytes)
                manifest = try Manifest(bytes, path: path, limits: limits)
                break
            }
        }
        if let manifest { return ManifestSource(try reader(), manifest: manifest, limits: limits) }
        let last = names.map { $0.split(separator: "/").last.map(String.init) ?? "" }
        let split = options.split
        if first.formatName == "zip", !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".npy") }) {
            return try NumPyArchive.source(
                format: "npz", arrays: names, split: split.rawValue, limits: limits, open: reader)
        }
        if last.contains(where: IDXArchive.isImages) {
            return try IDXArchive.source(
                format: "idx/" + first.formatName, files: names, split: split, limits: limits, open: reader)
        }
        for isBinary in [true, false]
        where last.contains(where: { $0.hasSuffix(".bin") == isBinary && CIFARSource.split(of: $0) != nil }) {
            return CIFARSource(try reader(), isBinary: isBinary, split: split, limits: limits)
        }
        if last.contains(where: { $0.hasSuffix(".parquet") }), !last.contains(where: ImageFormat.isImageName)
        {
            return ParquetSource(
                try reader(), names: names, split: split, scratch: scratch, limits: limits)
        }
        if isWebDataset(names) { return WebDatasetSource(try reader(), limits: limits) }
        return ImageFolderSource(try reader(), limits: limits)
    }

    /// Whether a label lies beside an image of the same name.
    private func isWebDataset(_ names: [String]) -> Bool {
        var kinds: [String: Set<String>] = [:]
        for name in names {
            guard let path = try? EntryPath(name) else { continue }
            let (stem, kind) = WebDatasetSource.parts(path)
            kinds[stem, default: []].insert(kind)
        }
        return kinds.values.contains { kinds in
            (kinds.contains("cls") || kinds.contains("json"))
                && !kinds.isDisjoint(with: ["png", "jpg", "jpeg"])
        }
    }
}
