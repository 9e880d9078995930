import Containers
import Findings
import ModelFormats
import ZipFixtures

/// Model files: containers, graphs, tables of weights, pickles read as data.
enum Models {
    /// A `.pt2`: as it is, or its three JSON documents (cut at zero bytes) in a sound archive, since few changed bytes
    /// of a zip get past its checksums.
    @Sendable static func pt2(_ input: Input) {
        var input = input
        guard input.byte() & 1 == 1 else {
            open(Scratch.write(input.bytes))
            return
        }
        let parts = input.parts(3)
        var model = TinyModel()
        let names = ["models/model.json", "weights_config.json", "constants_config.json"]
        model.changeEntries = { entries in
            for (name, part) in zip(names, parts) {
                for index in entries.indices where entries[index].central.name.hasEnd(name) {
                    let whole = String(decoding: entries[index].central.name, as: UTF8.self)
                    entries[index] = .init(whole, part)
                }
            }
        }
        open(Scratch.write(model.build()))
    }

    @Sendable static func onnx(_ input: Input) { open(Scratch.write(input.bytes)) }

    /// Opens a model; of one that was taken every weight has to be there.
    /// - Returns: whether it was taken.
    @discardableResult
    static func open(_ path: String, skeleton: ModelSkeleton? = nil) -> Bool {
        guard let model = refusable({ try openModel(at: path, skeleton: skeleton, limits: limits) }) else {
            return false
        }
        for weight in model.weights {
            let bytes = refusable { try model.readWeight(weight) }
            require(bytes != nil, "weight \(weight.name) of a model that was taken cannot be read")
        }
        return true
    }

    private static var limits: ModelLimits {
        ModelLimits(maximumFileBytes: 1 << 24, maximumJSONBytes: 1 << 20, maximumWeightBytes: 1 << 24)
    }

    /// Weights alone, for the graph of `TinyModel`: safetensors, a checkpoint whose storages are zeros, or the pickle
    /// by itself.
    @Sendable static func weights(_ input: Input) {
        var input = input
        switch input.byte() % 3 {
        case 0: openWeights(Scratch.write(input.bytes))
        case 1:
            func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
            let zip = ZipBuilder([
                .init("archive/data.pkl", input.bytes), .init("archive/byteorder", "little"),
                .init("archive/data/0", zeros(216)), .init("archive/data/1", zeros(1_280)),
                .init("archive/data/2", zeros(40)), .init("archive/version", "3\n"),
            ])
            openWeights(Scratch.write(zip.build()))
        default:
            pickle(input.bytes)
        }
    }

    @discardableResult
    static func openWeights(_ path: String) -> Bool {
        _ = refusable { try checkWeightsAlone(at: path, limits: limits) }
        return open(path, skeleton: .file(skeleton))
    }

    private static let skeleton = Scratch.write(TinyModel().build(), to: "skeleton.pt2")

    /// Whatever the document refers to is there.
    private static func pickle(_ bytes: [UInt8]) {
        let limits = PickleLimits(maximumBytes: 1 << 20, maximumOperations: 100_000, maximumValues: 50_000)
        guard let document = refusable({ try PickleReader.read(bytes, name: "input", limits: limits) }) else {
            return
        }
        var visited = 0
        for value in document.sequences.joined() + document.dicts.joined().flatMap({ [$0.key, $0.value] }) {
            visited += 1
            _ = document.text(value, in: bytes)
            _ = document.items(value)?.count
            _ = document.members(value)?.count
        }
        require(visited <= 50_000, "\(visited) values are stored; at most 50000 are allowed")
        for array in document.arrays { _ = document.text(array.content, in: bytes) }
    }
}

extension [UInt8] {
    fileprivate func hasEnd(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
