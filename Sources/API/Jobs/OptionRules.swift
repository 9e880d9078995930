import Findings
import Foundation
import Support

/// What a job's options may be, shared by the REST API and the command line.
public enum OptionRules {
    public static let rounds = 0...20
    public static let threads = 1...1024
    public static let slots = 1...64

    /// Reads the file of a class order at `path`, in any of its forms.
    /// - Returns: the output of each name.
    /// - Throws: `Problem` located in the file.
    public static func classMapping(file path: String) throws -> [String: Int] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read", detail: path,
                location: "--classes",
                fix: "Name a file that you may read.")
        }
        do {
            return try OutputNames(file: Array(data)).mapping
        } catch {
            let separator = error.place.hasPrefix("line") ? ", " : error.place.isEmpty ? "" : "#"
            throw Problem(
                .malformed, code: "class-order-invalid", title: "The file of the class order can't be used",
                detail: error.detail, location: "--classes " + path + separator + error.place,
                fix: OutputNamesFault.forms)
        }
    }

    /// All that speaks against a model and a training set under the options of a job.
    /// - Returns: problems (422), located in a job request's body.
    public static func mismatches(model: ModelSummary, dataset: DatasetSummary, options: JobOptions)
        -> [Problem]
    {
        problems([
            { try checkShape(model: model, dataset: dataset, location: "/dataset") },
            { try checkScaling(options.input, dataset: dataset) },
            { try checkClasses(model: model, dataset: dataset, mapping: options.classes) },
        ])
    }

    /// The problem of each check that throws one.
    static func problems(_ checks: [() throws -> Void]) -> [Problem] {
        checks.compactMap { check in
            do {
                try check()
                return nil
            } catch { return error as? Problem }
        }
    }

    private static func checkScaling(_ input: InputScaling, dataset: DatasetSummary) throws {
        func mismatch(_ detail: String, at name: String, fix: String) -> Problem {
            Problem(
                .unprocessable, code: "scaling-channels-mismatch",
                title: "The input scaling does not fit the images", detail: detail,
                location: "/options/input/\(name)", fix: fix)
        }
        let grey = ScalingPreset.mnist
        if (input.mean, input.std) == (grey.scaling.mean, grey.scaling.std),
            !grey.fits(channels: dataset.channels)
        {
            throw mismatch(
                "The mean and std of MNIST are of grey images; these have \(dataset.channels) channels.",
                at: "mean", fix: "Give the mean and std that the model was trained with.")
        }
        for (name, values) in [("mean", input.mean), ("std", input.std)]
        where values.count > 1 && values.count != dataset.channels {
            throw mismatch(
                "\(name) has \(values.count) values; the images have \(dataset.channels) channels.",
                at: name, fix: "Give one value per channel, one for all, or none.")
        }
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
                location: location, fix: shapeFix(wanted, found))
        }
    }

    /// - Parameters:
    ///   - wanted: channels, height, width of the model; nil for any.
    private static func shapeFix(_ wanted: [Int?], _ found: [Int]) -> String {
        guard wanted.count == 3, let channels = wanted[0] else {
            return "Export the model for one batch of images."
        }
        guard channels == found[0] else {
            return channels == 1
                ? "Convert the images to grey, and upload them again."
                : "Convert the images to \(channels) channels (Image.convert(\"RGB\")), and upload them again."
        }
        guard let height = wanted[1], let width = wanted[2] else { return "Scale the images." }
        return
            "Upload the images again with resize=\(height)x\(width), or as the model's own preparation has it, "
            + "such as resize=256 and crop=224; or export the model for (\(found.map(String.init).joined(separator: ", ")))."
    }

    private static func checkClasses(
        model: ModelSummary, dataset: DatasetSummary, mapping: [String: Int]?
    ) throws {
        let order: ClassOrder
        do {
            order = try classOrder(model: model, dataset: dataset, mapping: mapping)
        } catch let fault as ClassOrder.Fault {
            throw mismatch(
                fault.detail, fix: fault.fix, at: fault.isOfMapping ? "/options/classes" : "/dataset")
        }
        guard order.isGuessedSubset else { return }
        throw mismatch(
            "The data set has \(dataset.classes.count) classes, the model \(model.classes) outputs, and nothing says which "
                + "outputs these are.",
            fix:
                "Map every class folder to its output with options.classes (--classes FILE); `burnd check` suggests a "
                + "mapping from the model's predictions.",
            at: "/options/classes")
    }

    /// Which outputs the classes of `dataset` stand for.
    /// - Throws: `ClassOrder.Fault`.
    public static func classOrder(
        model: ModelSummary, dataset: DatasetSummary, mapping: [String: Int]?
    ) throws -> ClassOrder {
        try ClassOrder(
            of: dataset.classes, outputs: model.classes, mapping: mapping, modelNames: model.classNames)
    }

    static func mismatch(_ detail: String, fix: String, at location: String) -> Problem {
        Problem(
            .unprocessable, code: "classes-mismatch", title: "The classes do not fit the model",
            detail: detail, location: location, fix: fix)
    }
}
