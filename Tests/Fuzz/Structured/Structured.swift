/// Harnesses of the generators: sound files with one hostile number or a few.
enum Structured {
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

    /// As a model or, more slowly, as a data set.
    @Sendable static func archives(_ input: Input) {
        let path = Scratch.write(ArchiveGenerator.archive(input))
        if (input.bytes.last ?? 0) & 3 == 3 { Datasets.load(path) } else { Models.open(path) }
    }
}
