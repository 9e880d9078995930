import API
import ArgumentParser
import Commands
import Findings
import Foundation
import Support
import WorkerProtocol

/// Numbers with commas between them, such as `0.49,0.48,0.45`.
struct NumberList: ExpressibleByArgument, Hashable, Sendable {
    var values: [Double]

    init(_ values: [Double]) { self.values = values }

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        let values = numbers.compactMap { $0 }.filter(\.isFinite)
        guard values.count == numbers.count else { return nil }
        self.values = values
    }
}

/// How the model was trained to see pixels.
struct ScalingOptions: ParsableArguments {
    @Option(help: "The mean and std of \(ScalingPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: ScalingPreset?

    @Option(help: ArgumentHelp("Per channel, in units of --range.", valueName: "a,b,c"))
    var mean: NumberList?

    @Option(help: ArgumentHelp("Per channel, in units of --range.", valueName: "a,b,c"))
    var std: NumberList?

    @Option(
        help: ArgumentHelp("What pixel values 0 to 255 are mapped to. Default: 0,1.", valueName: "low,high"))
    var range: NumberList?

    func validate() throws {
        if let range, range.values.count != 2 || range.values[0] >= range.values[1] {
            throw ValidationError("--range takes two numbers, the lower one first, such as 0,1.")
        }
        if preset != nil, mean != nil || std != nil || range != nil {
            throw ValidationError("--preset excludes --mean, --std and --range.")
        }
        if let std, std.values.contains(where: { $0 <= 0 }) {
            throw ValidationError("--std takes numbers above 0.")
        }
    }

    var input: InputScaling {
        preset?.scaling
            ?? InputScaling(range: range?.values ?? [0, 1], mean: mean?.values ?? [], std: std?.values ?? [])
    }
}

/// What `scan` and `purify` have in common.
struct AnalysisOptions: ParsableArguments {
    @Argument(
        help: "The model: a .pt2 file of torch.export.save, ONNX, or weights alone (.safetensors, .pth).")
    var model: String

    @Argument(help: "The images it was trained on: a folder, an archive or an array file.")
    var dataset: String

    @Argument(help: "Further archives or Parquet files of the same set.")
    var parts: [String] = []

    @OptionGroup var imports: InputOptions

    @OptionGroup var sets: SetOptions

    @OptionGroup var settings: JobSettings

    @Option(help: ArgumentHelp("Write the corrected labels here (CSV).", valueName: "file"))
    var labels: String?

    @Option(
        help: ArgumentHelp("Write every sample's evidence here (.csv, .ndjson or .json).", valueName: "file"))
    var samples: String?

    @Option(
        help: ArgumentHelp(
            "Write a report here: .html (one file, opens anywhere) or .json. May be given for each.",
            valueName: "file"))
    var report: [String] = []

    @Flag(help: "Print the whole result as JSON on standard output.")
    var json = false

    @Option(help: "The burn-worker program. Default: the one beside burnd.")
    var worker: String?

    func validate() throws {
        if let wrong = report.first(where: { ReportFile(path: $0) == nil }) {
            throw ValidationError("--report takes a name that ends with .html or .json, not \(wrong).")
        }
        if let samples, SampleFile(path: samples) == nil {
            throw ValidationError("--samples takes a name that ends with .csv, .ndjson or .json.")
        }
    }

    /// - Throws: `Problem` for a class mapping or a parameter that can't be used.
    func jobOptions() throws -> JobOptions {
        var options = try settings.options(trusted: sets.trusted)
        options.classes = try settings.classMapping()
        return options
    }
}
