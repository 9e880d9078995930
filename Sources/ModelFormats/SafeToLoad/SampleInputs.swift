import Containers
import Support

/// `data/sample_inputs/NAME.pt` of a `.pt2` archive: a pickle that PyTorch reads whenever the archive is loaded, freely
/// where its careful reader fails. It may hold plain tensors and values, and nothing else.
struct SampleInputs {
    private static let maximumPickleBytes = 1 << 20

    private let entry: ZipEntry

    /// - Throws: `Problem` `model-unsafe-to-load` that names the entry; `zip-…` for a damaged one.
    static func check(_ entry: ZipEntry, in archive: ZipArchive) throws {
        guard entry.size > 0 else { return }
        try archive.verifyChecksum(of: entry)
        try SampleInputs(entry: entry).check(
            archive.file.slice(entry.dataOffset..<entry.dataOffset + entry.size))
    }

    private func check(_ file: RandomAccessFile) throws {
        // Anything else is an old pickle to PyTorch, with or without a zip behind it.
        guard try file.bytes(at: 0, count: min(file.size, 4)) == [0x50, 0x4B, 3, 4] else {
            throw unsafe("It is no zip archive of torch.save.")
        }
        let zip = try ZipArchive(file: file, limits: ZipLimits(maximumEntries: 4_096))
        guard let root = zip.entries.first?.name.split(separator: "/").first.map({ $0 + "/" }),
            let pickled = zip[root + "data.pkl"]
        else { throw unsafe("There is no data.pkl in it.") }
        do { try TorchEntries.checkSaved(zip, root: String(root)) } catch var problem as Problem {
            problem.location = entry.name
            throw problem
        }
        let bytes = try zip.contents(of: pickled, limit: Self.maximumPickleBytes)
        let document: PickleDocument
        do { document = try PickleReader.read(bytes, name: entry.name) } catch let problem as Problem {
            throw unsafe("It holds what is no data. \(problem.detail)")
        }
        try check(document)
        for storage in document.tensors.map(\.storage) {
            guard let stored = zip["\(root)data/\(storage.key)"], stored.method == .stored,
                storage.count.multipliedReportingOverflow(by: storage.type.byteCount) == (stored.size, false)
            else { throw unsafe("The tensor data “\(storage.key)” is not there as it is announced.") }
        }
    }

    /// All that the pickle makes is in the document's tables, what it drops again as well.
    private func check(_ document: PickleDocument) throws {
        guard document.arrays.isEmpty, document.decoded.isEmpty else {
            throw unsafe("It holds NumPy arrays or bytes.")
        }
        let values =
            document.sequences.joined() + document.dicts.joined().flatMap { [$0.key, $0.value] } + [
                document.root
            ]
        for value in values {
            switch value {
            case .none, .bool, .int, .double, .list, .tuple, .dict, .tensor, .storage, .global: continue
            // Names of inputs come into the code of guards.
            case .string(let text):
                guard EvaluatedText.isPlain(text) else {
                    throw unsafe("It holds the text “\(text.prefix(80))”, which is no name.")
                }
            case .bytes, .decodedBytes, .array, .elementType:
                throw unsafe("It holds more than tensors and numbers.")
            }
        }
    }

    private func unsafe(_ detail: String) -> Problem {
        ModelFault.unsafe.problem(
            "PyTorch unpickles the model's sample inputs when it loads the file. \(detail)", at: entry.name)
    }
}
