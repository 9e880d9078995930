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

extension ComputeDevice: ExpressibleByArgument {
    static let help: ArgumentHelp =
        "What workers compute on: cpu, cuda (the first GPU), cuda-tf32 (faster, less exact), or auto (cuda where there is one)."
}
extension JobOptions.DistanceMethod: ExpressibleByArgument {}
extension JobOptions.Analysis: ExpressibleByArgument {
    static let help: ArgumentHelp =
        "Which samples get a distance and an adversarial label: suspects (those of classes under suspicion, and some others), or full (all; slower, same verdict)."
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

    @Option(help: ArgumentHelp("Clean images with their true labels, to measure ACC on.", valueName: "set"))
    var clean: String?

    @Option(
        help: ArgumentHelp(
            "Triggered images with their true labels, to measure ASR and RA on.", valueName: "set"))
    var triggered: String?

    @Option(help: ArgumentHelp("The attack's target class, for ASR. Default: the verdict's.", valueName: "n"))
    var targetClass: Int?

    @Option(
        help: ArgumentHelp(
            "Images with labels that you trust, few as they may be: the purified model is measured on half of them and "
                + "learns from the others.", valueName: "set"))
    var trusted: String?

    @OptionGroup var scaling: ScalingOptions

    @Option(
        help: ArgumentHelp(
            "Which output each class folder is: JSON (a list, output to name, name to output, or a config.json), or a "
                + "name a line. Default: the names that the model has for its outputs, or the sorted folders are 0, 1, 2 …",
            valueName: "file"))
    var classes: String?

    @Option(help: "Seeds every random choice.")
    var seed: UInt64 = 0

    @Option(help: JobOptions.Method.help)
    var method: JobOptions.Method = .full

    @Option(help: "How the boundary distance is found: newton, or ddn (slower, tighter).")
    var distance: JobOptions.DistanceMethod = .newton

    @Option(help: JobOptions.Analysis.help)
    var analysis: JobOptions.Analysis = .suspects

    @Option(
        help: ArgumentHelp(
            "A setting of the method that is not the default, such as working_effect=0.3; may be repeated. docs/method.md "
                + "lists them.", valueName: "name=value"))
    var parameter: [String] = []

    @Option(help: "The most refinement rounds; 0 keeps what decoupling made.")
    var rounds: Int = 3

    @Flag(help: "Purify even where the verdict is only suspicious.")
    var force = false

    @Flag(
        help: ArgumentHelp(
            "Go on although the model's predictions do not agree with the given labels, as when the classes are in another "
                + "order than its outputs."))
    var acceptDisagreement = false

    @Option(help: "Threads of the worker. Default: all processors.")
    var threads: Int?

    @Option(help: ComputeDevice.help)
    var device: ComputeDevice = .cpu

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
        guard OptionRules.rounds.contains(rounds) else {
            throw ValidationError(
                "--rounds is from \(OptionRules.rounds.lowerBound) to \(OptionRules.rounds.upperBound).")
        }
        if let threads, !OptionRules.threads.contains(threads) {
            throw ValidationError(
                "--threads is from \(OptionRules.threads.lowerBound) to \(OptionRules.threads.upperBound).")
        }
        if let targetClass {
            guard targetClass >= 0 else { throw ValidationError("--target-class is 0 or more.") }
            guard triggered != nil else { throw ValidationError("--target-class goes with --triggered.") }
        }
        if let wrong = report.first(where: { ReportFile(path: $0) == nil }) {
            throw ValidationError("--report takes a name that ends with .html or .json, not \(wrong).")
        }
        if let samples, SampleFile(path: samples) == nil {
            throw ValidationError("--samples takes a name that ends with .csv, .ndjson or .json.")
        }
    }

    private func parameters() throws -> Parameters? {
        guard !parameter.isEmpty else { return nil }
        var changed: [String: Double] = [:]
        for text in parameter {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = Double(parts[1]), changed[String(parts[0])] == nil else {
                throw Problem(
                    .unprocessable, code: "parameter-invalid",
                    title: "A parameter is not given as NAME=NUMBER",
                    detail: "“\(text)” is none, or its name was given before.", location: "--parameter",
                    fix: "Write each once, as in --parameter working_effect=0.3.")
            }
            changed[String(parts[0])] = value
        }
        return try Parameters(changed, location: "--parameter")
    }

    /// - Throws: `Problem` for a class mapping or a parameter that can't be used.
    func jobOptions() throws -> JobOptions {
        var options = JobOptions(
            seed: seed, input: scaling.input, method: method, distance: distance,
            analysis: analysis, rounds: rounds, force: force, threads: threads,
            trusted: trusted.map { URL(fileURLWithPath: $0).lastPathComponent },
            acceptDisagreement: acceptDisagreement)
        options.parameters = try parameters()
        if let classes { options.classes = try OptionRules.classMapping(file: classes) }
        return options
    }
}
