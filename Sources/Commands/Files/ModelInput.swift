import Foundation
import Support

/// A model as users have it: a file, an ONNX file with its data files beside it, or a folder that a library saved.
package enum ModelInput {
    /// The file that is read for `path`.
    /// - Parameter scratch: where an ONNX file is packed with its data files.
    /// - Throws: `Problem` that names what a folder holds, where that is no model or several.
    package static func file(_ path: String, scratch: String) async throws -> String {
        let whole = try existingFile(path, option: "MODEL")
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder)
        let url = URL(fileURLWithPath: whole)
        guard isFolder.boolValue else {
            guard url.pathExtension.lowercased() == "onnx" else { return whole }
            return try await packed(url, url.deletingLastPathComponent(), scratch: scratch) ?? whole
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: whole).sorted()
        let name = try model(among: names, of: path)
        let file = url.appending(path: name)
        guard name.lowercased().hasSuffix(".onnx") else { return file.path }
        return try await packed(file, url, scratch: scratch) ?? file.path
    }

    /// Of the files of a folder, the one that holds the model: ONNX, `save_pretrained` of Hugging Face's libraries, or the
    /// only one that may be a model.
    private static func model(among names: [String], of path: String) throws -> String {
        func ending(_ endings: [String]) -> [String] {
            names.filter { name in endings.contains { name.lowercased().hasSuffix($0) } }
        }
        let usual = ["model.safetensors", "pytorch_model.bin", "model.onnx"]
        for candidates in [usual.filter(names.contains), ending([".onnx", ".pt2"])]
        where candidates.count == 1 { return candidates[0] }
        if let index = ending([".safetensors.index.json", ".bin.index.json"]).first {
            throw Problem(
                .unsupportedFormat, code: "model-in-parts", title: "The model's weights lie in several files",
                detail: "\(path) holds \(index), which lists them.", location: "MODEL",
                fix:
                    "Save them as one file: python -c \"from transformers import AutoModelForImageClassification as M; "
                    + "M.from_pretrained('\(path)').save_pretrained('whole', max_shard_size='100GB')\"")
        }
        let others = ending([".pt2", ".onnx", ".safetensors", ".pth", ".pt", ".ckpt", ".tar"])
        guard others.count == 1 else {
            let shown = others.isEmpty ? Array(names.prefix(8)) : Array(others.prefix(8))
            throw Problem(
                .unsupportedFormat, code: "model-is-a-folder", title: "The model is a folder",
                detail:
                    "\(path) is a folder with \(others.isEmpty ? "no" : "\(others.count)") files that may be the model: "
                    + shown.joined(separator: ", ") + (shown.count < names.count ? ", …" : "") + ".",
                location: "MODEL", fix: "Name the file. The order is MODEL DATASET.")
        }
        return others[0]
    }

    /// An ONNX file with the files of its weights, in a tar; nil where there are none beside it.
    private static func packed(_ file: URL, _ folder: URL, scratch: String) async throws -> String? {
        let name = file.lastPathComponent
        let stem = file.deletingPathExtension().lastPathComponent
        let known = [
            name + ".data", name + "_data", stem + ".data", stem + "_data", stem + ".weight", stem + ".bin",
        ]
        let data = known.filter { FileManager.default.fileExists(atPath: folder.appending(path: $0).path) }
        guard !data.isEmpty else { return nil }
        let archive = scratch + "/" + stem + ".tar"
        try await FolderArchive.write(folder.path, entries: [name] + data, to: archive)
        return archive
    }
}
