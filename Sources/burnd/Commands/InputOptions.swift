import API
import ArgumentParser
import Findings
import Foundation

extension ImportOptions.Alpha: ExpressibleByArgument {}
extension ImportOptions.Split: ExpressibleByArgument {}

/// How the model and the images are read, for all commands that read them.
struct InputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The built-in graph for a file of weights alone: \(ModelImport.architectures.joined(separator: ", ")).",
            valueName: "name"))
    var architecture: String?

    @Option(
        help: ArgumentHelp(
            "The side of the architecture's images, where it is not the usual.", valueName: "n"))
    var image: Int?

    @Option(help: ArgumentHelp("A .pt2 file with the graph for a file of weights alone.", valueName: "file"))
    var skeleton: String?

    @Option(
        help: ArgumentHelp(
            "Scale the images: the shorter side (256), or height and width (256x320).", valueName: "size"))
    var resize: String?

    @Option(help: ArgumentHelp("Crop the images' middle: 224 or 224x200.", valueName: "size"))
    var crop: String?

    @Option(help: "What to do with transparent images: refuse them, or drop the alpha channel.")
    var alpha: ImportOptions.Alpha = .refuse

    @Option(help: "Which part of a set that has both is read: train or test.")
    var split: ImportOptions.Split = .train

    func validate() throws {
        if architecture != nil, skeleton != nil {
            throw ValidationError("--architecture and --skeleton exclude one another.")
        }
        if image != nil, architecture == nil { throw ValidationError("--image goes with --architecture.") }
        if let image, !ImportRules.sides.contains(image) {
            throw ValidationError("--image is from 1 to \(ImportRules.sides.upperBound).")
        }
        if let resize, ImportRules.resize(resize) == nil {
            throw ValidationError("--resize takes a number such as 256, or 256x320.")
        }
        if let crop, ImportRules.size(crop) == nil {
            throw ValidationError("--crop takes a number such as 224, or 224x200.")
        }
    }

    var modelSkeleton: ModelSkeleton? {
        if let architecture { return .architecture(architecture, image: image) }
        return skeleton.map { .file(URL(fileURLWithPath: $0).standardizedFileURL.path) }
    }

    var importOptions: ImportOptions {
        ImportOptions(
            resize: resize.flatMap(ImportRules.resize), crop: crop.flatMap(ImportRules.size), alpha: alpha,
            split: split)
    }
}
