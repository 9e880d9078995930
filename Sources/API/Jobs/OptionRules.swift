import Findings
import Foundation
import Problems

/// What a job's options may be, shared by the REST API and the command line.
public enum OptionRules {
    public static let rounds = 1...20
    public static let threads = 1...1024

    /// Reads `{"class folder": output, …}`.
    /// - Throws: `Problem` (400) with a JSON pointer.
    public static func classMapping(json: Data) throws -> [String: Int] {
        try JobRequestReader.mapping(JSONReader(parsing: json))
    }

    /// Checks that a model and a data set go together under the options of a job.
    /// - Throws: `Problem` (422), located in a job request's body.
    public static func checkMatch(model: ModelSummary, dataset: DatasetSummary, options: JobOptions) throws {
        try checkShape(model: model, dataset: dataset, location: "/dataset")
        for (name, values) in [("mean", options.input.mean), ("std", options.input.std)]
        where !values.isEmpty && values.count != dataset.channels {
            throw Problem(
                .unprocessable, code: "scaling-channels-mismatch",
                title: "The input scaling does not fit the images",
                detail: "\(name) has \(values.count) values; the images have \(dataset.channels) channels.",
                location: "/options/input/\(name)", fix: "Give one value per channel, or none.")
        }
        try checkClasses(model: model, dataset: dataset, mapping: options.classes)
    }

    /// Checks that a data set's images are what a model takes.
    public static func checkShape(model: ModelSummary, dataset: DatasetSummary, location: String) throws {
        let wanted = Array(model.inputShape.dropFirst())
        let found = [dataset.channels, dataset.height, dataset.width]
        guard wanted.count == 3, zip(wanted, found).allSatisfy({ $0 == nil || $0 == $1 }) else {
            let shape = wanted.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw Problem(
                .unprocessable, code: "input-shape-mismatch",
                title: "The images are not what the model takes",
                detail: "The model takes images of (channels, height, width) = (\(shape)); these are "
                    + "(\(found.map(String.init).joined(separator: ", "))).",
                location: location, fix: "Convert the images, and upload the data set again.")
        }
    }

    private static func checkClasses(
        model: ModelSummary, dataset: DatasetSummary, mapping: [String: Int]?
    ) throws {
        func mismatch(_ detail: String, fix: String, at location: String = "/options/classes") -> Problem {
            Problem(
                .unprocessable, code: "classes-mismatch", title: "The classes do not fit the model",
                detail: detail, location: location, fix: fix)
        }
        let names = dataset.classes.map(\.name)
        guard let mapping else {
            guard names.count <= model.classes else {
                throw mismatch(
                    "The data set has \(names.count) classes, the model \(model.classes) outputs.",
                    fix: "Upload the data set that the model was trained on.", at: "/dataset")
            }
            return
        }
        for (name, output) in mapping.sorted(by: { $0.key < $1.key }) where output >= model.classes {
            throw mismatch(
                "\"\(name)\" is mapped to output \(output); the model has \(model.classes) outputs.",
                fix: "Outputs count from 0 to \(model.classes - 1).")
        }
        if let missing = names.first(where: { mapping[$0] == nil }) {
            throw mismatch(
                "The data set's class \"\(missing)\" is mapped to no output.", fix: "Map every class folder.")
        }
        if let unknown = mapping.keys.filter({ !names.contains($0) }).min() {
            throw mismatch(
                "The data set has no class \"\(unknown)\".",
                fix: "Its classes are: " + names.prefix(50).joined(separator: ", ") + ".")
        }
    }
}
