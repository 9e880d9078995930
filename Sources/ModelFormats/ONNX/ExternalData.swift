import Support

/// The files beside an ONNX file that hold weights, as far as they came with it.
public struct ONNXFiles: Sendable {
    /// Where each lies, by its path relative to the model's folder.
    let places: [String: Range<Int>]

    public init(_ places: [String: Range<Int>]) { self.places = places }

    private static let known: Set<String> = ["location", "offset", "length", "checksum"]

    /// Where the elements of a tensor lie that is not in the model's own file.
    ///
    /// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md: location, offset, length, checksum.
    /// - Parameter tensor: its name, for messages.
    /// - Throws: `Problem` `onnx-external-data`.
    func place(_ proto: Onnx_TensorProto, tensor: String) throws -> Range<Int> {
        func refuse(_ detail: String, fix: String? = nil) -> Problem {
            ONNXFault.external.problem("“\(tensor.prefix(80))” \(detail)", fix: fix)
        }
        var values: [String: String] = [:]
        for pair in proto.externalData where values.updateValue(pair.value, forKey: pair.key) != nil {
            throw refuse("says its “\(pair.key.prefix(40))” twice.")
        }
        // onnxruntime takes weights that are packed for its kernels from `prepacked_0`, and not those that are read here.
        if let key = values.keys.sorted().first(where: { !Self.known.contains($0) }) {
            throw refuse("says “\(key.prefix(40))” of its data, which ONNX does not define.")
        }
        func number(_ key: String) throws -> Int? {
            guard let text = values[key] else { return nil }
            guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(text)
            else { throw refuse("has the \(key) “\(text.prefix(40))”, which is no number of bytes.") }
            return number
        }
        guard let location = values["location"] else {
            throw refuse("is in another file, which is not named.")
        }
        let path = Self.normal(location)
        guard let path else {
            throw refuse("is in “\(location.prefix(120))”, which is no plain path below the model's folder.")
        }
        guard !places.isEmpty else { throw refuse("is in another file, “\(path.prefix(120))”.") }
        guard let file = places[path] else {
            let known = places.keys.sorted().prefix(8).map { "“\($0.prefix(60))”" }.joined(separator: ", ")
            throw refuse("is in “\(path.prefix(120))”, and the archive has \(known).")
        }
        if values["checksum"] != nil {
            throw refuse("has a checksum of its file, which new weights would not have.")
        }
        let offset = try number("offset") ?? 0
        guard offset <= file.count else {
            throw refuse("begins at \(offset) of “\(path.prefix(120))”, which has \(file.count) bytes.")
        }
        let length = try number("length") ?? file.count - offset
        guard length <= file.count - offset else {
            throw refuse(
                "has \(length) bytes from \(offset) of “\(path.prefix(120))”, which has \(file.count) bytes.")
        }
        guard let start = Checked.sum(file.lowerBound, offset),
            let place = Checked.range(start, count: length, in: file)
        else { throw refuse("lies outside “\(path.prefix(120))”.") }
        return place
    }

    /// Characters that no exporter of ONNX puts into a file's name, and that mean something else to those who open it:
    /// onnxruntime takes `*/_ORT_MEM_ADDR_/*` and its kin for addresses in its own memory, others know drives, streams,
    /// URLs and patterns.
    private static let special: Set<Unicode.Scalar> = ["\\", "*", "?", "<", ">", "|", ":", "\""]

    /// A relative path without `.` and `..`; nil for any other.
    static func normal(_ path: String) -> String? {
        guard (1...1_024).contains(path.utf8.count),
            path.unicodeScalars.allSatisfy({
                !special.contains($0) && $0.properties.generalCategory != .control
            })
        else { return nil }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(".."), !path.hasPrefix("/"), parts.last?.isEmpty == false else { return nil }
        let kept = parts.filter { $0 != "." && !$0.isEmpty }
        return kept.isEmpty ? nil : kept.joined(separator: "/")
    }
}
