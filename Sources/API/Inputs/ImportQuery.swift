import Findings
import Foundation
import HTTPServer
import JobStore
import Support
import WorkerProtocol

/// What an upload says about how its file is to be read: query parameters, or pairs of Upload-Metadata.
struct ImportParameters {
    static let names: [InputKind: [String]] = [
        .model: ["architecture", "image", "output", "skeleton", "weights"],
        .dataset: [
            "resize", "crop", "alpha", "split", "layout", "orientation", "skip_damaged", "empty_classes",
            "images",
        ],
    ]

    let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    init(_ head: HTTPRequestHead) {
        values = Dictionary(
            head.query.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// Those of a resumable upload, which were checked when it was made.
    init(_ record: UploadRecord) throws {
        let metadata = try HTTPRequestHead.metadata(record.metadata ?? "")
        let names = Self.names[record.kind, default: []]
        values = metadata.filter { names.contains($0.key) }
    }

    /// Nil where none is given.
    func model() throws -> ModelImport? {
        let options = ModelImport(
            architecture: values["architecture"],
            image: try values["image"].map { try HTTPRequestHead.int("image", $0, ImportRules.sides) },
            skeleton: values["skeleton"], weights: values["weights"], output: values["output"])
        if let output = options.output {
            guard options.architecture == nil, options.skeleton == nil else {
                throw HTTPRequestHead.invalid(
                    "output", "output goes with a model that has a graph of its own.", fix: "Leave it out.")
            }
            guard !output.isEmpty, output.utf8.count <= ImportRules.longestWeightsName else {
                throw HTTPRequestHead.invalid(
                    "output", "output is a name or a number, 1 to \(ImportRules.longestWeightsName) bytes.")
            }
        }
        if options.architecture != nil, options.skeleton != nil {
            throw HTTPRequestHead.invalid(
                "skeleton", "architecture and skeleton exclude one another.", fix: "Give one of them.")
        }
        if options.image != nil, options.architecture == nil {
            throw HTTPRequestHead.invalid("image", "image goes with architecture.")
        }
        if let weights = options.weights {
            guard options.architecture != nil || options.skeleton != nil else {
                throw HTTPRequestHead.invalid("weights", "weights goes with architecture or skeleton.")
            }
            guard !weights.isEmpty, weights.utf8.count <= ImportRules.longestWeightsName else {
                throw HTTPRequestHead.invalid(
                    "weights", "weights is the name of a copy, 1 to \(ImportRules.longestWeightsName) bytes.")
            }
        }
        return options == ModelImport() ? nil : options
    }

    /// Nil where none is given.
    func dataset() throws -> ImportOptions? {
        var options = ImportOptions()
        if let text = values["resize"] {
            guard let resize = ImportRules.resize(text) else {
                throw HTTPRequestHead.invalid(
                    "resize", "resize is \(ImportRules.resizeForm). Given was \(text.prefix(80)).")
            }
            options.resize = resize
        }
        if let text = values["crop"] {
            guard let crop = ImportRules.size(text) else {
                throw HTTPRequestHead.invalid(
                    "crop", "crop is \(ImportRules.sizeForm). Given was \(text.prefix(80)).")
            }
            options.crop = crop
        }
        func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ type: Value.Type) throws
            -> Value?
        where Value.RawValue == String {
            try values[name].map { try HTTPRequestHead.one(name, $0, of: type) }
        }
        options.alpha = try choice("alpha", ImportOptions.Alpha.self)
        options.split = try values["split"].map {
            if let split = ImportOptions.Split(given: $0) { return split }
            return try HTTPRequestHead.one("split", $0, of: ImportOptions.Split.self)
        }
        options.layout = try choice("layout", ImportOptions.Layout.self)
        options.orientation = try choice("orientation", ImportOptions.Orientation.self)
        options.skipDamaged = try flag("skip_damaged")
        options.emptyClasses = try flag("empty_classes")
        if let text = values["images"] { _ = try HTTPRequestHead.int("images", text, Self.images) }
        return options == ImportOptions() ? nil : options
    }

    /// Nil for what is not given, and for false: both are the default.
    private func flag(_ name: String) throws -> Bool? {
        try values[name].flatMap { try HTTPRequestHead.bool(name, $0) ? true : nil }
    }

    private static let images = 1...ImportLimits().maximumImages

    /// Bytes that the packed images will take, where the client announced their number (`images`) and their size is the
    /// same for all by the options.
    func packedBytes() throws -> Int? {
        guard let text = values["images"], let options = try dataset() else { return nil }
        let count = try HTTPRequestHead.int("images", text, Self.images)
        let size: ImportOptions.Size? =
            if let crop = options.crop { crop } else if case .exactly(let size)? = options.resize {
                size
            } else { nil }
        return size.map { count * $0.height * $0.width * 3 }
    }

    func options(_ kind: InputKind) throws -> UploadOptions {
        switch kind {
        case .model: try model().map { .model($0) } ?? .none
        case .dataset: try dataset().map { .dataset($0) } ?? .none
        }
    }
}

extension RESTService {
    func modelImport(_ head: HTTPRequestHead) throws -> ModelImport? { try ImportParameters(head).model() }

    func importOptions(_ head: HTTPRequestHead) throws -> ImportOptions? {
        try ImportParameters(head).dataset()
    }

    /// Said before a byte of a large set is sent: the upload and what it is packed to have to fit on the disk.
    /// - Throws: `Problem` (507) `dataset-space`.
    func requirePackedSpace(_ parameters: ImportParameters, upload length: Int) throws {
        guard let packed = try parameters.packedBytes() else { return }
        let free = try artifacts.freeBytes()
        guard length + packed > free else { return }
        throw Problem(
            .insufficientStorage, code: "dataset-space", title: "There is not room enough for the data set",
            detail:
                "The upload has \(length) bytes, its images packed take up to \(packed), and \(free) are free.",
            location: "images",
            fix: "Free disk space, or scale the images to the model's input size (resize, crop).")
    }

    /// - Throws: `Problem` (404) where the model that is to give its graph is not there.
    func requireSkeleton(_ options: ModelImport?) async throws {
        guard let id = options?.skeleton else { return }
        do {
            _ = try await store.model(id)
        } catch var problem as Problem {
            problem.location = "skeleton"
            problem.fix = "Upload the model's .pt2 or ONNX file first, and give its id."
            throw problem
        }
    }

    /// The options of a resumable upload, as pairs that are added to its Upload-Metadata: there is one place then
    /// that says them, to the client too.
    /// - Throws: what is wrong with them; where query and metadata differ.
    func uploadOptions(
        _ head: HTTPRequestHead, _ metadata: [String: String], _ kind: InputKind
    ) async throws -> String? {
        let names = ImportParameters.names[kind, default: []]
        var pairs = head.headers.first(.uploadMetadata).map { [$0] } ?? []
        let others = Set(ImportParameters.names.values.joined()).subtracting(names)
        if let other = metadata.keys.filter(others.contains).min() {
            throw HTTPRequestHead.invalid(
                "Upload-Metadata", "\(other) does not go with an upload of a \(kind.rawValue).")
        }
        var values = metadata.filter { names.contains($0.key) }
        for item in head.query where !["kind", "name"].contains(item.name) {
            guard names.contains(item.name) else {
                throw HTTPRequestHead.invalid(
                    item.name, "\(item.name) does not go with an upload of a \(kind.rawValue).")
            }
            if let given = values[item.name] {
                guard given == item.value else {
                    throw HTTPRequestHead.invalid(
                        item.name, "Upload-Metadata has another \(item.name).", fix: "Give it once.")
                }
                continue
            }
            values[item.name] = item.value
            pairs.append("\(item.name) \(Data(item.value.utf8).base64EncodedString())")
        }
        let parameters = ImportParameters(values)
        if kind == .model { try await requireSkeleton(parameters.model()) }
        _ = try parameters.options(kind)
        if kind == .dataset {
            try requirePackedSpace(parameters, upload: head.requiredByteCount(.uploadLength))
        }
        return pairs.isEmpty ? nil : pairs.joined(separator: ",")
    }
}
