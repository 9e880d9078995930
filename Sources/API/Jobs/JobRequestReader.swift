import Findings
import Foundation
import HTTPServer
import JobStore
import Support

/// Reads the body of `POST /v1/jobs`. Each error names its field by JSON pointer.
enum JobRequestReader {
    /// - Throws: `Problem` (400) `json-malformed`, `json-field-unknown`, `json-field-missing`,
    ///   `json-field-invalid`.
    static func read(_ data: Data) throws -> JobRequest {
        let fields = try JSONReader(parsing: data).fields([
            "type", "model", "dataset", "evaluation", "options", "priority", "reviews_of", "webhook",
        ])
        let type = try fields.required("type").one(of: JobType.self)
        if type == .scan, let reviews = fields["reviews_of"] {
            throw reviews.wrong("no reviews for a scan, which changes nothing", category: .unprocessable)
        }
        return JobRequest(
            type: type,
            model: try id(fields.required("model")),
            dataset: try id(fields.required("dataset")),
            evaluation: try fields["evaluation"].map(evaluation),
            options: try fields["options"].map(options) ?? JobOptions(),
            priority: try fields["priority"]?.int(JobRequest.priorities) ?? 0,
            reviewsOf: try fields["reviews_of"].map(id),
            webhook: try fields["webhook"].map {
                Webhook(url: try $0.string(), base: BasePath.current.description)
            })
    }

    private static func id(_ reader: JSONReader) throws -> String {
        let text = try reader.string()
        guard (1...128).contains(text.utf8.count) else { throw reader.wrong("an id of 1 to 128 bytes") }
        return text
    }

    private static func evaluation(_ reader: JSONReader) throws -> JobRequest.Evaluation {
        let fields = try reader.fields(["clean", "triggered", "target_class"])
        let evaluation = JobRequest.Evaluation(
            clean: try fields["clean"].map(id), triggered: try fields["triggered"].map(id),
            targetClass: try fields["target_class"]?.int(0...Int(Int32.max)))
        guard evaluation.clean != nil || evaluation.triggered != nil else {
            throw Problem(
                .malformed, code: "json-field-missing", title: "The body lacks a field",
                detail: "An evaluation needs \"clean\", \"triggered\" or both.", location: reader.pointer,
                fix: "Name a data set, or leave \"evaluation\" out.")
        }
        return evaluation
    }

    private static func options(_ reader: JSONReader) throws -> JobOptions {
        let fields = try reader.fields([
            "seed", "input", "classes", "method", "distance", "analysis", "precision", "rounds", "force",
            "threads", "slots", "trusted", "accept_disagreement", "parameters",
        ])
        var options = JobOptions()
        if let seed = fields["seed"] { options.seed = try seed.uint64() }
        if let input = fields["input"] { options.input = try scaling(input) }
        if let classes = fields["classes"] { options.classes = try mapping(classes) }
        if let method = fields["method"] { options.method = try method.one(of: JobOptions.Method.self) }
        if let distance = fields["distance"] {
            options.distance = try distance.one(of: JobOptions.DistanceMethod.self)
        }
        if let analysis = fields["analysis"] {
            options.analysis = try analysis.one(of: JobOptions.Analysis.self)
        }
        if let precision = fields["precision"] {
            options.precision = try precision.one(of: JobOptions.Precision.self)
        }
        if let rounds = fields["rounds"] { options.rounds = try rounds.int(OptionRules.rounds) }
        if let force = fields["force"] { options.force = try force.bool() }
        if let threads = fields["threads"] { options.threads = try threads.int(OptionRules.threads) }
        if let slots = fields["slots"] { options.slots = try slots.int(OptionRules.slots) }
        options.trusted = try fields["trusted"].map(id)
        if let accept = fields["accept_disagreement"] { options.acceptDisagreement = try accept.bool() }
        options.parameters = try fields["parameters"].map(parameters)
        return options
    }

    /// Settings of the method that are not the defaults.
    private static func parameters(_ reader: JSONReader) throws -> Parameters {
        let fields = try reader.fields(Parameters.settings.map(\.name))
        var changed: [String: Double] = [:]
        for setting in Parameters.settings {
            changed[setting.name] = try fields[setting.name]?.double()
        }
        return try Parameters(changed, location: reader.pointer)
    }

    private static func scaling(_ reader: JSONReader) throws -> InputScaling {
        let fields = try reader.fields(["preset", "range", "mean", "std"])
        if let preset = fields["preset"] {
            guard fields["range"] == nil, fields["mean"] == nil, fields["std"] == nil else {
                throw preset.wrong("no preset beside range, mean or std")
            }
            return try preset.one(of: ScalingPreset.self).scaling
        }
        var scaling = InputScaling()
        if let range = fields["range"] {
            scaling.range = try range.array(2...2).map { try $0.double() }
            guard scaling.range[0] < scaling.range[1] else {
                throw range.wrong("[low, high] with low below high")
            }
        }
        if let mean = fields["mean"] { scaling.mean = try mean.array(0...4).map { try $0.double() } }
        if let std = fields["std"] {
            scaling.std = try std.array(0...4).map { item in
                let value = try item.double()
                guard value > 0 else { throw item.wrong("a number above 0") }
                return value
            }
        }
        return scaling
    }

    /// Output of each class folder, in any form of a class order.
    private static func mapping(_ reader: JSONReader) throws -> [String: Int] {
        do {
            return try OutputNames(json: reader.value).mapping
        } catch {
            throw Problem(
                .malformed, code: "json-field-invalid", title: "A field of the body is not valid",
                detail: error.detail, location: reader.pointer + error.place, fix: OutputNamesFault.forms)
        }
    }
}
