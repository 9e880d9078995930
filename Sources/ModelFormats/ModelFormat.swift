import Containers
import Support

/// What a file is, by its content.
public enum ModelFormat: String, Hashable, Sendable, CaseIterable {
    /// A torch.export archive with raw weights.
    case pt2
    /// A torch.export archive of an older layout, whose weights are pickled.
    case picklingExport
    /// Holds compiled code, which would have to be run.
    case aotInductor
    /// Runs code while it loads.
    case torchScript
    /// Weights alone, in PyTorch's zip container.
    case checkpoint
    /// A bare pickle, as PyTorch before 1.6 wrote it, or a package of pickled code.
    case pickledCheckpoint
    case onnx, safetensors, keras, tensorFlow
    /// Files of no model: images in a zip, or anything else.
    case otherArchive, unknown

    /// What the file at `path` is. Reads its first bytes and, of a zip, its directory.
    /// - Throws: `Problem` (`zip-…`) for a damaged zip archive, `file-not-found`.
    public static func recognise(path: String) throws -> ModelFormat {
        try recognise(RandomAccessFile(path: path)).format
    }

    /// The archive too, where the file is a zip.
    static func recognise(
        _ file: RandomAccessFile, limits: ZipLimits = ZipLimits()
    ) throws -> (format: ModelFormat, archive: ZipArchive?) {
        let head = try file.bytes(at: 0, count: min(file.size, 64))
        guard head.starts(with: [0x50, 0x4B, 3, 4]) || head.starts(with: [0x50, 0x4B, 5, 6]) else {
            if try SecondFormat.endsAsZip(file) {
                throw SecondFormat.problem("a zip archive and something else")
            }
            if try TarArchive.begins(file) { return (try ofTar(file, limits: limits), nil) }
            return (ofPlainFile(head, size: file.size), nil)
        }
        let archive = try ZipArchive(file: file, limits: limits)
        if try TarArchive.begins(file) { throw SecondFormat.problem("zip and tar") }
        return (ofArchive(archive), archive)
    }

    private static func ofTar(_ file: RandomAccessFile, limits: ZipLimits) throws -> ModelFormat {
        do {
            let archive = try TarArchive(file, maximumEntries: limits.maximumEntries)
            return archive.entries.contains { $0.name.hasSuffix(".onnx") } ? .onnx : .otherArchive
        } catch let problem as Problem where problem.category == .tooLarge {
            return .otherArchive
        }
    }

    private static func ofPlainFile(_ head: [UInt8], size: Int) -> ModelFormat {
        func begins(_ bytes: UInt8...) -> Bool { head.starts(with: bytes) }
        if begins(0x80, 2) || begins(0x80, 3) || begins(0x80, 4) || begins(0x80, 5) {
            return .pickledCheckpoint
        }
        if begins(0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A) { return .keras }
        if head.starts(with: Array("PAR1".utf8)) { return .otherArchive }
        if begins(0x1F, 0x8B) || begins(0xFD, 0x37, 0x7A, 0x58, 0x5A) || begins(0x28, 0xB5, 0x2F, 0xFD) {
            return .otherArchive
        }
        if begins(0x7F, 0x45, 0x4C, 0x46) { return .aotInductor }
        if head.dropFirst(4).starts(with: Array("TFL3".utf8)) { return .tensorFlow }
        let length = head.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if head.count > 8, head[8] == UInt8(ascii: "{"), length < UInt64(size) { return .safetensors }
        // Protocol buffers: field 1 is ONNX's ir_version or the schema version of a SavedModel.
        if head.count > 3, head[0] == 0x08, head[1] > 0, head[1] < 0x40 {
            if head[1] == 1, head[2] == 0x12 { return .tensorFlow }
            if [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(head[2]) { return .onnx }
        }
        return .unknown
    }

    private static func ofArchive(_ archive: ZipArchive) -> ModelFormat {
        let names = archive.entries.map(\.name)
        func has(_ suffix: String) -> Bool { names.contains { $0 == suffix || $0.hasSuffix("/" + suffix) } }
        func has(part: String) -> Bool {
            names.contains { $0.hasPrefix(part + "/") || $0.contains("/" + part + "/") }
        }
        if has(part: "data/aotinductor") || names.contains(where: { $0.hasSuffix(".so") }) {
            return .aotInductor
        }
        if has("serialized_state_dict.pt") || has("serialized_exported_program.json") {
            return .picklingExport
        }
        if has("archive_format") { return .pt2 }
        if has("constants.pkl"), has(part: "code") { return .torchScript }
        if has("extern_modules") { return .pickledCheckpoint }
        if has("data.pkl") { return .checkpoint }
        if has("saved_model.pb") { return .tensorFlow }
        if has("model.weights.h5") { return .keras }
        if names.contains(where: { $0.hasSuffix(".onnx") }) { return .onnx }
        return .otherArchive
    }

    /// Whether the file holds weights and no graph.
    public var isWeightsAlone: Bool { self == .safetensors || self == .checkpoint }

    /// Why the format is refused, with what to do instead; nil for those that are read.
    public var refusal: Problem? {
        guard let (name, reason) = description else { return nil }
        return Problem(
            .unsupportedFormat, code: "model-format-\(rawValue.lowercased())",
            title: "The model's format is not supported", detail: "The file is \(name). \(reason)",
            fix: advice)
    }

    private var advice: String {
        switch self {
        case .pickledCheckpoint: ExportAdvice.newerCheckpoint
        case .keras: ExportAdvice.keras
        case .tensorFlow: ExportAdvice.tensorFlow
        default: ExportAdvice.text()
        }
    }

    private var description: (name: String, reason: String)? {
        switch self {
        case .pt2, .onnx, .safetensors, .checkpoint: nil
        case .picklingExport:
            (
                "a torch.export archive of an older layout",
                "It keeps its weights pickled, and unpickling runs code: it is never done here."
            )
        case .aotInductor:
            (
                "an AOTInductor package or another compiled library",
                "It holds machine code, which is never run here."
            )
        case .torchScript:
            ("a TorchScript archive", "Loading one runs the code in it, which is never done here.")
        case .pickledCheckpoint:
            (
                "a bare pickle or a torch.package archive",
                "It is not laid out as PyTorch 1.6 and newer save weights."
            )
        case .keras:
            (
                "a Keras model or another HDF5 file",
                "Its layers are Python classes, not a graph of operators."
            )
        case .tensorFlow: ("a TensorFlow model", "It is read once it is converted to ONNX.")
        case .otherArchive:
            (
                "an archive or table without a model, or a compressed one",
                "If it is a data set, upload it as one (POST /v1/datasets). An ONNX model comes with its data files "
                    + "in an uncompressed tar or zip."
            )
        case .unknown: ("of no known format", "A torch.export archive (.pt2) or an ONNX model is expected.")
        }
    }
}
