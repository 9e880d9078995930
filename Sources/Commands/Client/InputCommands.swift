import ArgumentParser
import Findings
import Foundation

package struct ModelsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Models of the service.",
        subcommands: [PushModelCommand.self, ListModelsCommand.self])

    package init() {}
}

package struct DatasetsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "datasets", abstract: "Data sets of the service.",
        subcommands: [PushDatasetCommand.self, ListDatasetsCommand.self])

    package init() {}
}

package struct PushModelCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Uploads a model; goes on where an interrupted upload stopped.",
        discussion:
            "Prints the id. With --architecture or --skeleton the file is sent in one request instead.")

    @OptionGroup package var service: ServiceOptions

    @Argument(
        help: "A .pt2 or ONNX file, weights alone, or a folder that one of them was saved to.",
        completion: .file())
    package var file: String

    @Option(help: "What the service calls it. Default: the file's name.")
    package var name: String?

    @Option(help: ArgumentHelp("The built-in graph for a file of weights alone.", valueName: "name"))
    package var architecture: String?

    @Option(help: ArgumentHelp("The side of the architecture's images.", valueName: "n"))
    package var image: Int?

    @Option(
        help: ArgumentHelp("The id of a model with the graph for a file of weights alone.", valueName: "id"))
    package var skeleton: String?

    @Option(
        help: ArgumentHelp(
            "Which copy of the weights is analysed, where a checkpoint holds several.", valueName: "name"))
    package var weights: String?

    @Option(
        help: ArgumentHelp(
            "Of a model with several outputs, the logits: by name or number.", valueName: "name"))
    package var modelOutput: String?

    package func validate() throws {
        if architecture != nil, skeleton != nil {
            throw ValidationError("--architecture and --skeleton exclude one another.")
        }
        if image != nil, architecture == nil { throw ValidationError("--image goes with --architecture.") }
        if weights != nil, architecture == nil, skeleton == nil {
            throw ValidationError("--weights goes with --architecture or --skeleton.")
        }
    }

    package init() {}
}

package struct PushDatasetCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Uploads a data set; goes on where an interrupted upload stopped.",
        discussion: """
            Prints the id. A folder is packed into a tar first, and so are several files. With options of its reading the file is sent in one \
            request instead.
            """)

    @OptionGroup package var service: ServiceOptions

    @Argument(help: "A folder of class folders, an archive or an array file.", completion: .file())
    package var path: String

    @Argument(help: "Further archives or Parquet files of the same set.", completion: .file())
    package var parts: [String] = []

    @Option(help: "What the service calls it. Default: the file's name.")
    package var name: String?

    @OptionGroup package var reading: ReadingOptions

    package init() {}
}

/// How a data set's images are prepared, as the service's query parameters.
package struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Scale the images: the shorter side (256), or height and width (256x320).", valueName: "size"))
    package var resize: String?

    @Option(help: ArgumentHelp("Crop the images' middle: 224 or 224x200.", valueName: "size"))
    package var crop: String?

    @Option(help: ArgumentHelp("Transparent images: refuse or drop.", valueName: "what"))
    package var alpha: String?

    @Option(
        help: ArgumentHelp(
            "Which part of a set with several is read: train, test or validation (val).", valueName: "part"))
    package var split: String?

    @Option(
        help: ArgumentHelp(
            "How the set is laid out: \(ImportOptions.Layout.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"))
    package var layout: String?

    @Option(
        help: ArgumentHelp(
            "Images with an orientation (EXIF): as they are stored, or turned upright.",
            valueName: "stored|upright"))
    package var orientation: String?

    @Flag(help: "Leave damaged images out, and say so.")
    package var skipDamaged = false

    @Flag(help: "Class folders without images are classes too.")
    package var emptyClasses = false

    package func validate() throws {
        if let resize, ImportRules.resize(resize) == nil {
            throw ValidationError("--resize takes \(ImportRules.resizeForm). Given was \(resize).")
        }
        if let crop, ImportRules.size(crop) == nil {
            throw ValidationError("--crop takes \(ImportRules.sizeForm). Given was \(crop).")
        }
    }

    package var query: [URLQueryItem] {
        [
            ("resize", resize), ("crop", crop), ("alpha", alpha), ("split", split),
            ("layout", layout), ("orientation", orientation),
            ("skip_damaged", skipDamaged ? "true" : nil), ("empty_classes", emptyClasses ? "true" : nil),
        ]
        .compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
    }

    package init() {}
}

package struct ListModelsCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists models, newest first.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var page: PageOptions

    package init() {}
}

package struct ListDatasetsCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists data sets, newest first.")

    @OptionGroup package var service: ServiceOptions
    @OptionGroup package var page: PageOptions

    package init() {}
}

/// How much of a list is shown.
package struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("At most so many, up to 1000.", valueName: "n"))
    package var limit = 50

    package func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000.") }
    }

    package var query: [URLQueryItem] { [URLQueryItem(name: "limit", value: "\(limit)")] }

    package init() {}
}
