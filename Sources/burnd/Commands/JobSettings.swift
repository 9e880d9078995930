import API
import ArgumentParser
import Commands
import Findings
import Foundation
import Support
import WorkerProtocol

extension ComputeDevice: ExpressibleByArgument {
    static let help: ArgumentHelp =
        "What workers compute on: cpu, cuda (the first GPU), cuda-tf32 (faster, less exact), or auto (cuda where there is one)."
}
extension JobOptions.DistanceMethod: ExpressibleByArgument {}
extension JobOptions.Analysis: ExpressibleByArgument {
    static let help: ArgumentHelp =
        "Which samples get a distance and an adversarial label: suspects (those of classes under suspicion, and some others), or full (all; slower, same verdict)."
}

extension JobOptions.Precision: ExpressibleByArgument {
    static let help: ArgumentHelp =
        "How exactly the model's passes are computed: auto (products in bfloat16 where the processor gains by it and a trial on the images passes), or full (float32, the same on every processor)."
}

/// Sets beside DATASET, for all commands that look at a job's inputs.
struct SetOptions: ParsableArguments {
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

    func validate() throws {
        guard let targetClass else { return }
        guard targetClass >= 0 else { throw ValidationError("--target-class is 0 or more.") }
        guard triggered != nil else { throw ValidationError("--target-class goes with --triggered.") }
    }

    /// What is given for each set; nil for none.
    func path(of other: JobInputs.OtherSet) -> String? {
        switch other {
        case .clean: clean
        case .triggered: triggered
        case .trusted: trusted
        }
    }
}

/// How a job works, for all commands that start or check one.
struct JobSettings: ParsableArguments {
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

    @Option(help: JobOptions.Precision.help)
    var precision: JobOptions.Precision = .auto

    @Option(
        help: ArgumentHelp(
            "A setting of the method that is not the default, such as working_effect=0.3; may be repeated. docs/method.md "
                + "lists them.", valueName: "name=value"))
    var parameter: [String] = []

    @Option(help: "Of a purification: the most refinement rounds; 0 keeps what decoupling made. Default: 3.")
    var rounds: Int?

    @Flag(help: "Of a purification: purify even where the verdict is only suspicious.")
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

    func validate() throws {
        if let rounds, !OptionRules.rounds.contains(rounds) {
            throw ValidationError(
                "--rounds is from \(OptionRules.rounds.lowerBound) to \(OptionRules.rounds.upperBound).")
        }
        if let threads, !OptionRules.threads.contains(threads) {
            throw ValidationError(
                "--threads is from \(OptionRules.threads.lowerBound) to \(OptionRules.threads.upperBound).")
        }
    }

    /// All but the class mapping, whose file may be at fault.
    /// - Parameter trusted: the path of the trusted set.
    /// - Throws: `Problem` for a parameter that there isn't, or that can't have the value.
    func options(trusted: String?) throws -> JobOptions {
        var options = try JobOptions(
            seed: seed, input: scaling.input, method: method, distance: distance,
            analysis: analysis, precision: precision, force: force, threads: threads,
            trusted: trusted.map { URL(fileURLWithPath: $0).lastPathComponent },
            acceptDisagreement: acceptDisagreement, parameters: parameters())
        if let rounds { options.rounds = rounds }
        return options
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

    /// - Throws: `Problem` for a file that can't be used.
    func classMapping() throws -> [String: Int]? {
        try classes.map { try OptionRules.classMapping(file: $0) }
    }
}
