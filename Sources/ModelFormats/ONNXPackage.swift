import Containers
import Graph
import Support

/// An ONNX file and the files of its weights, in a zip whose entries are stored or in a tar: both keep every byte as it
/// is, so that the weights can be read, and written, in their place.
struct ONNXPackage {
    private struct Member {
        var name: String
        var range: Range<Int>
        var entry: ZipEntry?
    }

    /// Where the ONNX file lies.
    let model: Range<Int>
    /// The files beside it.
    let files: ONNXFiles
    /// In the order of their bytes.
    private let members: [Member]
    private let zip: ZipArchive?
    /// The model's, with its slash.
    private let folder: String

    // bounded: entries of a checked archive lie in the file.
    /// Nil for an ONNX file by itself.
    init?(_ file: RandomAccessFile, _ zip: ZipArchive?, limits: ModelLimits) throws {
        var members: [Member]
        if let zip {
            members = zip.entries.filter { !$0.isDirectory }.map {
                Member(name: $0.name, range: $0.dataOffset..<$0.dataOffset + $0.compressedSize, entry: $0)
            }
        } else if try TarArchive.begins(file) {
            members = try TarArchive(file, maximumEntries: limits.maximumEntries).entries.map {
                Member(name: $0.name, range: $0.range, entry: nil)
            }
        } else {
            return nil
        }
        let models = members.filter { $0.name.hasSuffix(".onnx") }
        guard models.count == 1, let model = models.first else {
            let names = models.prefix(8).map { "“\($0.name.prefix(80))”" }.joined(separator: ", ")
            throw Problem(
                .unprocessable, code: "onnx-several", title: "The archive holds several ONNX files",
                detail: "They are \(names).", fix: "Pack one model with its data files.")
        }
        if let entry = members.first(where: { $0.entry.map { $0.method != .stored } ?? false }) {
            throw Problem(
                .unprocessable, code: "onnx-compressed", title: "The archive of the ONNX model is compressed",
                detail:
                    "New weights are written in the place of the old ones, which compression does not allow.",
                location: entry.name,
                fix: "Pack it without compression: tar -cf model.tar model.onnx model.onnx.data (or zip -0)")
        }
        let folder = model.name.lastIndex(of: "/").map { String(model.name[...$0]) } ?? ""
        var places: [String: Range<Int>] = [:]
        for member in members where member.name.hasPrefix(folder) && member.name != model.name {
            places[String(member.name.dropFirst(folder.count))] = member.range
        }
        self.model = model.range
        files = ONNXFiles(places)
        self.members = members.sorted { $0.range.lowerBound < $1.range.lowerBound }
        self.zip = zip
        self.folder = folder
    }

    /// What the model does not read is not looked at, and would be given back all the same.
    /// - Parameter externalFiles: those that hold tensors, relative to the model's folder.
    /// - Throws: `Problem` `model-unsafe-to-load` that names the file.
    func requireNothingElse(than externalFiles: Set<String>) throws {
        for member in members where member.range != model {
            guard member.name.hasPrefix(folder),
                externalFiles.contains(String(member.name.dropFirst(folder.count)))
            else {
                throw ModelFault.unsafe.problem(
                    "The archive holds “\(member.name.prefix(120))”, which the model does not read.",
                    at: member.name)
            }
        }
    }

    /// With the archive's entry, whose checksum covers it.
    func stored(_ location: WeightLocation) -> StoredWeight {
        StoredWeight(location: location, entry: member(at: location.fileOffset)?.entry)
    }

    // bounded: numbers of members.
    /// By halves: there may be as many members as weights.
    private func member(at offset: Int) -> Member? {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].range.contains(offset) ? members[low] : nil
    }

    /// - Throws: `Problem` `zip-checksum` for the model's file and those of its weights.
    func verify(_ weights: [StoredWeight]) throws {
        guard let zip else { return }
        var verified: Set<String> = []
        let model = members.first { $0.range == self.model }?.entry
        for entry in [model].compactMap({ $0 }) + weights.compactMap(\.entry)
        where verified.insert(entry.name).inserted {
            try zip.verifyChecksum(of: entry)
        }
    }
}
