import ArgumentParser
import Foundation
import Tensors

@main
struct BurnBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn-bench", abstract: "Measure the engine and the method.",
        subcommands: [
            TimeCommand.self, AttacksCommand.self, CompatCommand.self, OperatorsCommand.self,
            RewriteCommand.self, ObservationsCommand.self, CalibrationCommand.self,
        ],
        defaultSubcommand: TimeCommand.self)
}

/// The engine's side of the benchmark: answers the requests that Benchmarks/pytorch_reference.py answers.
struct TimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time",
        abstract: "Time forward passes, input gradients and training steps of the engine.",
        discussion: """
            Takes one JSON request a line on standard input, such as \
            {"work": "forward", "model": "resnet18", "repeats": 3}, and answers with one JSON line of seconds. \
            Work is forward, input_gradient or training, all on one batch.
            """)

    @Option(help: "The batch: float32, N x 3 x 32 x 32.")
    var input: String
    @Option(help: "Its labels: int32.")
    var labels: String
    @Option(help: "The folder of the .pt2 files that requests name.")
    var models: String
    @Option(help: "Intra-op threads.")
    var threads: Int

    struct Request: Decodable {
        var work: Workload.Kind
        var model: String
        var repeats: Int
        /// Products in bfloat16.
        var reduced: Bool?
    }

    struct Answer: Encodable {
        var seconds: [Double]
        /// The sum of the result's magnitudes: equal work gives nearly equal sums.
        var checksum: Double
    }

    func run() throws {
        try LibTorch.checkVersion()
        try Threads.setCurrent(threads)
        let labels = try Self.labels(at: labels)
        let batch = try Data(contentsOf: URL(filePath: input)).withUnsafeBytes {
            try Tensor(bytes: $0, type: .float32, shape: [labels.count, 3, 32, 32])
        }
        while let line = readLine() {
            let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
            let path = URL(filePath: models).appending(path: request.model + ".pt2").path
            let workload = try Workload(
                request.work, model: path, reduced: request.reduced ?? false, batch: batch,
                labels: Tensor(labels))
            let answer = try JSONEncoder().encode(Self.time(workload, repeats: request.repeats))
            try FileHandle.standardOutput.write(contentsOf: answer + Data("\n".utf8))
        }
    }

    /// One step to warm up, whose result is checked against the reference's, then the timed ones.
    private static func time(_ workload: Workload, repeats: Int) throws -> Answer {
        let result = try workload.step()
        var seconds: [Double] = []
        for _ in 0..<repeats {
            let start = ContinuousClock.now
            _ = try workload.step()
            seconds.append((ContinuousClock.now - start) / .seconds(1))
        }
        let magnitudes = try result.array(as: Float.self).map { abs(Double($0)) }
        return Answer(seconds: seconds, checksum: magnitudes.reduce(0, +))
    }

    private static func labels(at path: String) throws -> [Int64] {
        try Data(contentsOf: URL(filePath: path)).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map {
                Int64(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int32.self)))
            }
        }
    }
}
