/// Harnesses of the generators: sound files with one hostile number or a few.
enum Structured {
    static let all: [String: Harness.Body] = [
        "pt2-graph": program, "onnx-graph": onnx, "tables": tables, "archives": archives, "images": images,
    ]

    @Sendable static func program(_ input: Input) {
        Models.open(Scratch.write(ProgramGenerator.model(input)))
    }

    @Sendable static func onnx(_ input: Input) { Models.open(Scratch.write(ONNXGenerator.model(input))) }

    @Sendable static func tables(_ input: Input) {
        switch TableGenerator.file(input) {
        case .weights(let bytes): Models.openWeights(Scratch.write(bytes))
        case .images(let bytes): Datasets.load(Scratch.write(bytes))
        }
    }

    @Sendable static func archives(_ input: Input) {
        read(ArchiveGenerator.archive(input))
    }

    @discardableResult
    private static func read(_ archive: (bytes: [UInt8], kind: Int)) -> Bool {
        let path = Scratch.write(archive.bytes)
        return archive.kind < ArchiveGenerator.models ? Models.open(path) : Datasets.load(path)
    }

    @Sendable static func images(_ input: Input) {
        let image = ImageGenerator.image(input)
        Images.decode(image.bytes, as: image.choice)
    }

    /// Without a hostile number the generated files are taken: else fuzzing would stop at a door that is shut.
    static func checkUsualFiles() {
        var refused: [String] = []
        func take(_ what: String, _ isTaken: Bool) { if !isTaken { refused.append(what) } }
        take("pt2", Models.open(Scratch.write(ProgramGenerator.model(Input([])))))
        take("onnx", Models.open(Scratch.write(ONNXGenerator.model(Input([])))))
        for kind in 0..<TableGenerator.kinds {
            switch TableGenerator.file(Input([0, UInt8(kind)])) {
            case .weights(let bytes): take("weights \(kind)", Models.openWeights(Scratch.write(bytes)))
            case .images(let bytes): take("images \(kind)", Datasets.load(Scratch.write(bytes)))
            }
        }
        for kind in 0..<ArchiveGenerator.kinds {
            take("archive \(kind)", read(ArchiveGenerator.archive(Input([0, UInt8(kind)]))))
        }
        for kind in 0..<ImageGenerator.kinds {
            take("image \(kind)", Images.decode(ImageGenerator.image(Input([0, UInt8(kind)])).bytes, as: 0))
        }
        require(refused.isEmpty, "usual files are refused: \(refused)")
    }
}
