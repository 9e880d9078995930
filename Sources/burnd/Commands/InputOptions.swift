import API
import ArgumentParser
import Commands
import Findings
import Foundation
import Support

extension ImportOptions.Alpha: ExpressibleByArgument {}
extension ImportOptions.Split: ExpressibleByArgument {
    public init?(argument: String) { self.init(given: argument) }
}
extension ImportOptions.Layout: ExpressibleByArgument {}
extension ImportOptions.Orientation: ExpressibleByArgument {}

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
            "Which copy of the weights is analysed, where a checkpoint holds several, such as state_dict_ema.",
            valueName: "name"))
    var weights: String?

    @Option(
        help: ArgumentHelp(
            "Of a model with several outputs, the logits: by name, or by number from 0. Default: the one called logits.",
            valueName: "name"))
    var modelOutput: String?

    @Option(
        help: ArgumentHelp(
            "Scale the images: the shorter side (256), or height and width (256x320).", valueName: "size"))
    var resize: String?

    @Option(help: ArgumentHelp("Crop the images' middle: 224 or 224x200.", valueName: "size"))
    var crop: String?

    @Option(help: "Transparent images: refuse them (the default), or drop the alpha channel.")
    var alpha: ImportOptions.Alpha?

    @Option(
        help: ArgumentHelp(
            "Images with an orientation (EXIF): as they are stored (the default; so do Pillow and torchvision), or turned upright.",
            valueName: "stored|upright"))
    var orientation: ImportOptions.Orientation?

    @Option(
        help: ArgumentHelp(
            "Which part of DATASET is read, where it has several: train (the default), test or validation (val).",
            valueName: "part"))
    var split: ImportOptions.Split?

    @Option(
        help: ArgumentHelp(
            "How DATASET is laid out, where several readings fit: \(ImportOptions.Layout.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"))
    var layout: ImportOptions.Layout?

    @Flag(
        help:
            "Leave damaged images out, and say so; else a set that has any is refused, with all of them listed."
    )
    var skipDamaged = false

    @Flag(help: "Class folders without images are classes too; else a set that has any is refused.")
    var emptyClasses = false

    func validate() throws {
        if architecture != nil, skeleton != nil {
            throw ValidationError("--architecture and --skeleton exclude one another.")
        }
        if image != nil, architecture == nil { throw ValidationError("--image goes with --architecture.") }
        if modelOutput != nil, architecture != nil || skeleton != nil {
            throw ValidationError("--model-output goes with a model that has a graph of its own.")
        }
        if weights != nil, architecture == nil, skeleton == nil {
            throw ValidationError("--weights goes with --architecture or --skeleton.")
        }
        if let image, !ImportRules.sides.contains(image) {
            throw ValidationError("--image is from 1 to \(ImportRules.sides.upperBound), not \(image).")
        }
        if let resize, ImportRules.resize(resize) == nil {
            throw ValidationError("--resize takes \(ImportRules.resizeForm). Given was \(resize).")
        }
        if let crop, ImportRules.size(crop) == nil {
            throw ValidationError("--crop takes \(ImportRules.sizeForm). Given was \(crop).")
        }
    }

    /// - Throws: `Problem` `file-unreadable` where the file of --skeleton is not there.
    func givenSkeleton() throws -> ModelSkeleton? {
        if let skeleton { _ = try existingFile(skeleton, option: "--skeleton") }
        return modelSkeleton
    }

    var modelSkeleton: ModelSkeleton? {
        if let modelOutput { return .output(modelOutput) }
        if let architecture { return .architecture(architecture, image: image, weights: weights) }
        return skeleton.map { .file(URL(fileURLWithPath: $0).standardizedFileURL.path, weights: weights) }
    }

    var importOptions: ImportOptions {
        ImportOptions(
            resize: resize.flatMap(ImportRules.resize), crop: crop.flatMap(ImportRules.size), alpha: alpha,
            split: split, layout: layout, orientation: orientation,
            skipDamaged: skipDamaged ? true : nil, emptyClasses: emptyClasses ? true : nil)
    }

    /// - Throws: `Problem` for options of a set that is packed, whose images are what they are.
    func requireNone(packed path: String) throws {
        guard importOptions != ImportOptions() else { return }
        throw Problem(
            .unprocessable, code: "option-without-effect", title: "An option has no effect on this set",
            detail:
                "\(path) is packed already; --resize, --crop, --alpha, --orientation, --split, --layout, --skip-damaged "
                + "and --empty-classes say how images are packed.", location: "DATASET",
            fix: "Leave the options out, or give the images themselves.")
    }

    /// For sets beside DATASET: which part and layout it has says nothing of theirs.
    var otherSets: ImportOptions {
        var options = importOptions
        (options.split, options.layout, options.emptyClasses) = (nil, nil, nil)
        return options
    }
}
