import ArgumentParser
import Execution
import Findings
import Foundation
import ModelFormats
import Tensors

/// Writes a model with other weights: what a purification does to a file, in a second.
struct RewriteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrite", abstract: "Multiply all trained weights of a model by a number.",
        discussion: """
            For scripts/compatibility/recipes.py, which takes the file back into the library that it came from.
            """)

    @Argument(help: "The model.")
    var model: String
    @Argument(help: "Where the changed copy goes.")
    var output: String
    @Option(help: "For weights alone: a built-in graph.")
    var architecture: String?
    @Option(help: "For weights alone: the model with their graph.")
    var skeleton: String?
    @Option(help: "The factor.")
    var factor = 1.01

    func run() throws {
        try LibTorch.checkVersion()
        let graph =
            architecture.map { ModelSkeleton.architecture($0, image: nil) } ?? skeleton.map { .file($0) }
        let file = try openModel(at: model, skeleton: graph)
        let network = try GraphModel(graph: file.graph, weights: file.weights, read: file.readWeight)
        try noGrad {
            for parameter in network.parameters { try parameter.multiplyInPlace(factor) }
        }
        let names = Set(network.parameterNames)
        var replacements: [String: ModelFile.WeightBytes] = [:]
        for (name, tensor) in network.namedWeights where names.contains(name) {
            replacements[name] = { try tensor.bytes() }
        }
        try file.write(replacing: replacements, to: output)
    }
}
