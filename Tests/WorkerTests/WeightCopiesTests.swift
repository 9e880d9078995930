import Findings
import Foundation
import ModelFormats
import Testing
import TinyModels
import WorkerProtocol

/// A file with two copies of the weights and an optimiser's moments goes through a purification.
@Suite struct WeightCopiesTests {
    private struct Tensor {
        var name: String
        var shape: [Int]
        var values: [Float]
    }

    private func write(_ tensors: [Tensor], to path: String) throws {
        var header: [String] = []
        var content = Data()
        for tensor in tensors {
            let bytes = tensor.values.withUnsafeBytes { Data($0) }
            header.append(
                "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),"
                    + "\"data_offsets\":[\(content.count),\(content.count + bytes.count)]}")
            content += bytes
        }
        let text = Data("{\(header.joined(separator: ","))}".utf8)
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
        try (length + text + content).write(to: URL(filePath: path))
    }

    @Test func nothingBackdooredIsLeftInAPurifiedFile() throws {
        let made = try PoisonedCase.shared()
        let folder = try ScratchFolder()
        let model = try openModel(at: made.model)
        var tensors: [Tensor] = []
        for weight in model.weights {
            let values = try model.readWeight(weight).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            tensors += [
                Tensor(name: "model." + weight.name, shape: weight.shape, values: values),
                Tensor(name: "ema." + weight.name, shape: weight.shape, values: values.map { $0 * 1.001 }),
                Tensor(
                    name: "optimizer.state.\(tensors.count).exp_avg", shape: weight.shape,
                    values: values.map { $0 * 0.01 + 0.5 }),
            ]
        }
        let upload = folder.file("checkpoint.safetensors")
        try write(tensors, to: upload)
        let reviews = folder.file("reviews.jsonl")
        try ReviewFile.lines([SampleReview(index: 9, decision: .accept)]).write(to: URL(filePath: reviews))
        let result = try WorkerProcess.run(
            .analyse(
                .init(
                    type: .purify, model: upload, skeleton: .file(made.model, weights: "ema"),
                    dataset: made.dataset, evaluation: nil,
                    options: JobOptions(seed: 7, rounds: 0, force: true, threads: 1), reviews: reviews)),
            in: folder.file("job"))
        try #require(result.isFinished, "\(result)")

        let purified = folder.file("job/purified.pt2")
        // Not ambiguous any more: all copies have the same values, which are other ones than before.
        let after = try openModel(at: purified, skeleton: .file(made.model))
        #expect(after.summary.weightCopies?.count == 2)
        #expect(after.summary.weightCopies?.allSatisfy(\.isEqual) == true)
        let before = try openModel(at: upload, skeleton: .file(made.model, weights: "model"))
        let changed = try after.weights.count { try after.readWeight($0) != before.readWeight($0) }
        #expect(changed > 0)
        let bytes = try Data(contentsOf: URL(filePath: purified))
        let start = 8 + bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        var offset = start
        for tensor in tensors {
            let end = offset + 4 * tensor.values.count
            if tensor.name.hasPrefix("optimizer.") {
                #expect(bytes[offset..<end].allSatisfy { $0 == 0 }, "\(tensor.name)")
            }
            offset = end
        }
        #expect(offset == bytes.count)

        let verdicts = result.messages.compactMap { message -> Verdict? in
            if case .verdict(let verdict) = message { verdict } else { nil }
        }
        let statements = try #require(verdicts.last).evidence.statements
        #expect(statements.contains { $0.contains("Looked at was “ema”") && $0.contains("“model” differ") })
        #expect(statements.contains { $0.hasPrefix("All 2 copies") })
        #expect(statements.contains { $0.hasPrefix("\(model.weights.count) tensors") })
    }
}
