import API
import ArgumentParser
import Findings
import Foundation
import ServiceClient
import Support

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Models of the service.",
        subcommands: [PushModelCommand.self, ListModelsCommand.self])
}

struct DatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasets", abstract: "Data sets of the service.",
        subcommands: [PushDatasetCommand.self, ListDatasetsCommand.self])
}

struct PushModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Uploads a model; goes on where an interrupted upload stopped.",
        discussion:
            "Prints the id. With --architecture or --skeleton the file is sent in one request instead.")

    @OptionGroup var service: ServiceOptions

    @Argument(
        help: "A .pt2 or ONNX file, weights alone, or a folder that one of them was saved to.",
        completion: .file())
    var file: String

    @Option(help: "What the service calls it. Default: the file's name.")
    var name: String?

    @Option(help: ArgumentHelp("The built-in graph for a file of weights alone.", valueName: "name"))
    var architecture: String?

    @Option(help: ArgumentHelp("The side of the architecture's images.", valueName: "n"))
    var image: Int?

    @Option(
        help: ArgumentHelp("The id of a model with the graph for a file of weights alone.", valueName: "id"))
    var skeleton: String?

    @Option(
        help: ArgumentHelp(
            "Which copy of the weights is analysed, where a checkpoint holds several.", valueName: "name"))
    var weights: String?

    @Option(
        help: ArgumentHelp(
            "Of a model with several outputs, the logits: by name or number.", valueName: "name"))
    var modelOutput: String?

    func validate() throws {
        if architecture != nil, skeleton != nil {
            throw ValidationError("--architecture and --skeleton exclude one another.")
        }
        if image != nil, architecture == nil { throw ValidationError("--image goes with --architecture.") }
        if weights != nil, architecture == nil, skeleton == nil {
            throw ValidationError("--weights goes with --architecture or --skeleton.")
        }
    }

    func run() async throws {
        try await answering(json: service.json) {
            let options = [
                ("architecture", architecture), ("image", image.map(String.init)), ("skeleton", skeleton),
                ("weights", weights), ("output", modelOutput),
            ].compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
            let push = Push(client: try await service.client(), kind: .model, options: options)
            try await push.show(try await push.run(file, name: name), json: service.json)
        }
    }
}

struct PushDatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Uploads a data set; goes on where an interrupted upload stopped.",
        discussion: """
            Prints the id. A folder is packed into a tar first, and so are several files. With options of its reading the file is sent in one \
            request instead.
            """)

    @OptionGroup var service: ServiceOptions

    @Argument(help: "A folder of class folders, an archive or an array file.", completion: .file())
    var path: String

    @Argument(help: "Further archives or Parquet files of the same set.", completion: .file())
    var parts: [String] = []

    @Option(help: "What the service calls it. Default: the file's name.")
    var name: String?

    @OptionGroup var reading: ReadingOptions

    func run() async throws {
        try await answering(json: service.json) {
            let push = Push(client: try await service.client(), kind: .dataset, options: reading.query)
            try await push.show(try await push.run(path, parts: parts, name: name), json: service.json)
        }
    }
}

/// How a data set's images are prepared, as the service's query parameters.
struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Scale the images: the shorter side (256), or height and width (256x320).", valueName: "size"))
    var resize: String?

    @Option(help: ArgumentHelp("Crop the images' middle: 224 or 224x200.", valueName: "size"))
    var crop: String?

    @Option(help: ArgumentHelp("Transparent images: refuse or drop.", valueName: "what"))
    var alpha: String?

    @Option(
        help: ArgumentHelp(
            "Which part of a set with several is read: train, test or validation (val).", valueName: "part"))
    var split: String?

    @Option(
        help: ArgumentHelp(
            "How the set is laid out: \(ImportOptions.Layout.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"))
    var layout: String?

    @Option(
        help: ArgumentHelp(
            "Images with an orientation (EXIF): as they are stored, or turned upright.",
            valueName: "stored|upright"))
    var orientation: String?

    @Flag(help: "Leave damaged images out, and say so.")
    var skipDamaged = false

    @Flag(help: "Class folders without images are classes too.")
    var emptyClasses = false

    func validate() throws {
        if let resize, ImportRules.resize(resize) == nil {
            throw ValidationError("--resize takes a number such as 256, or 256x320.")
        }
        if let crop, ImportRules.size(crop) == nil {
            throw ValidationError("--crop takes a number such as 224, or 224x200.")
        }
    }

    var query: [URLQueryItem] {
        [
            ("resize", resize), ("crop", crop), ("alpha", alpha), ("split", split),
            ("layout", layout), ("orientation", orientation),
            ("skip_damaged", skipDamaged ? "true" : nil), ("empty_classes", emptyClasses ? "true" : nil),
        ]
        .compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
    }
}

struct ListModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists models, newest first.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var page: PageOptions

    func run() async throws {
        try await answering(json: service.json) { try await page.listInputs("/v1/models", service) }
    }
}

struct ListDatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists data sets, newest first.")

    @OptionGroup var service: ServiceOptions
    @OptionGroup var page: PageOptions

    func run() async throws {
        try await answering(json: service.json) { try await page.listInputs("/v1/datasets", service) }
    }
}

/// How much of a list is shown.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("At most so many, up to 1000.", valueName: "n"))
    var limit = 50

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000.") }
    }

    var query: [URLQueryItem] { [URLQueryItem(name: "limit", value: "\(limit)")] }

    func listInputs(_ path: String, _ service: ServiceOptions) async throws {
        let client = try await service.client()
        let data = try await client.get(path, query: query)
        if service.json { return try printDocument(data) }
        let page: PageReply<InputReply> = try client.decode(data)
        for item in page.items {
            print("\(item.id)  \(item.state.rawValue)  \(item.bytes)  \(item.name.inOneLine)")
        }
    }
}
