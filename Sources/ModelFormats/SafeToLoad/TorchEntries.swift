import Containers
import Support

/// The names that entries of PyTorch's archives may have: what PyTorch unpickles, compiles or runs when it loads an
/// archive goes by their names, so that one of another name is refused, whatever it holds.
enum TorchEntries {
    /// Of `torch.save`: one pickle, and the bytes of its storages.
    /// - Parameter root: the folder of all entries, with its slash.
    /// - Throws: `Problem` `model-unsafe-to-load` that names the entry.
    static func checkSaved(_ zip: ZipArchive, root: String) throws {
        for entry in zip.entries {
            guard let name = relative(entry, root), isSaved(name) else {
                throw ModelFault.unsafe.problem(
                    "A checkpoint has no entry “\(entry.name.prefix(120))”: what it holds is not looked at here, and may "
                        + "be code to whoever loads the file.", at: entry.name)
            }
        }
    }

    private static func isSaved(_ name: Substring) -> Bool {
        if [
            "data.pkl", "byteorder", "version", ".format_version", ".storage_alignment",
            ".data/serialization_id",
        ]
        .contains(name) {
            return true
        }
        return name.hasPrefix("data/") && isNumber(name.dropFirst("data/".count))
    }

    /// Of `torch.export.save`.
    /// - Parameters:
    ///   - root: the folder of all entries, with its slash.
    ///   - model: the program's name.
    /// - Throws: `Problem` `model-unsafe-to-load` that names the entry.
    static func checkExported(_ zip: ZipArchive, root: String, model: String) throws {
        let known: Set<Substring> = [
            "archive_format", "archive_version", "byteorder", "version", ".data/version",
            ".data/serialization_id", ".format_version", ".storage_alignment",
            "models/\(model).json", "data/weights/\(model)_weights_config.json",
            "data/constants/\(model)_constants_config.json", "data/sample_inputs/\(model).pt",
        ]
        for entry in zip.entries {
            guard let name = relative(entry, root),
                known.contains(name) || isPayload(name) || (name.hasPrefix("extra/") && !entry.isDirectory)
            else {
                throw ModelFault.unsafe.problem(
                    "An exported model has no entry “\(entry.name.prefix(120))”: what it holds is not looked at here, "
                        + "and may be code to whoever loads the file.", at: entry.name)
            }
            if name.hasPrefix("extra/") { try checkText(entry, in: zip) }
        }
    }

    private static func isPayload(_ name: Substring) -> Bool {
        for prefix in ["data/weights/weight_", "data/constants/tensor_"] where name.hasPrefix(prefix) {
            return isNumber(name.dropFirst(prefix.count))
        }
        return false
    }

    /// Files that were packed with the model: PyTorch gives them to its user as text.
    private static func checkText(_ entry: ZipEntry, in zip: ZipArchive) throws {
        let bytes = try zip.contents(of: entry, limit: 1 << 20)
        guard String(validating: bytes, as: UTF8.self)?.unicodeScalars.contains("\0") == false else {
            throw ModelFault.unsafe.problem("An extra file is no text.", at: entry.name)
        }
    }

    private static func relative(_ entry: ZipEntry, _ root: String) -> Substring? {
        entry.name.hasPrefix(root) ? entry.name.dropFirst(root.count) : nil
    }

    private static func isNumber(_ text: Substring) -> Bool {
        (1...20).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
