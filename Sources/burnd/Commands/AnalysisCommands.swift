import API
import ArgumentParser
import Commands
import Findings
import Foundation
import Report
import Storage
import Support
import UnixSignals
import WorkerProtocol
import Workers

extension AnalysisExit {
    fileprivate static let explanation = """
        Exit codes: 0 no backdoor, 3 a backdoor was found (also when it was removed), 4 suspicious, \
        5 undetermined (too few samples of some classes), 1 failure, 64 wrong usage. Packed images go to TMPDIR for the time being.
        """
}

struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Says whether a model carries a backdoor.",
        discussion: AnalysisExit.explanation)

    @OptionGroup var options: AnalysisOptions

    func validate() throws {
        let given =
            (options.settings.rounds == nil ? [] : ["--rounds"]) + (options.settings.force ? ["--force"] : [])
        guard given.isEmpty else {
            throw ValidationError(
                "\(given.joined(separator: " and ")): a scan trains nothing; that is for burnd purify.")
        }
    }

    func run() async throws { try await analyse(.scan, options, output: nil) }
}

struct PurifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purify", abstract: "Finds a backdoor and writes the model without it.",
        discussion: "Where there is nothing to purify, OUT is a copy of MODEL. " + AnalysisExit.explanation)

    @OptionGroup var options: AnalysisOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the purified model goes.", valueName: "out"))
    var output: String

    func validate() throws {
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
        guard access(folder, W_OK) == 0 else {
            throw ValidationError("The folder of --output can't be written to: \(folder)")
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: output, isDirectory: &isFolder), isFolder.boolValue {
            throw ValidationError("--output is a file's name; this is a folder: \(output)")
        }
    }

    func run() async throws { try await analyse(.purify, options, output: output) }
}

private func analyse(_ type: JobType, _ arguments: AnalysisOptions, output: String?) async throws {
    do {
        let verdict = try await withScratchFolder { scratch in
            try await analyse(type, arguments, output: output, scratch: scratch)
        }
        throw AnalysisExit.code(for: verdict.result)
    } catch let found as Problem {
        let problem = CommandWords.translated(found)
        if arguments.json { try printJSON(["error": ProblemResource(problem)]) }
        Terminal.note("burnd: \(problem)")
        throw ExitCode.failure
    }
}

private func analyse(
    _ type: JobType, _ arguments: AnalysisOptions, output: String?, scratch: String
) async throws -> Verdict {
    let control = WorkerControl()
    let analysis = LocalAnalysis(
        type: type, arguments: arguments,
        worker: try LocalWorker(
            executable: arguments.worker, device: arguments.settings.device, control: control))
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let listener = Task { for await _ in signals { control.cancel() } }
    defer { listener.cancel() }

    let result = try await analysis.run(scratch: scratch)
    let findings = result.findings
    var written = AnalysisReport.Output()
    if let output, let file = findings.artifacts[.purifiedModel] {
        try copy(ReportedFile(file, in: scratch + "/job"), to: output)
        written.modelChanged = !FileManager.default.contentsEqual(atPath: output, andPath: result.modelFile)
        written.model = output
    }
    if let labels = arguments.labels {
        let text = SampleTable.labelsHeader + findings.samples.map(SampleTable.labelsRow).joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: labels), options: .atomic)
        written.labels = labels
    }
    if let samples = arguments.samples, let file = SampleFile(path: samples) {
        try file.write(findings.samples)
        written.samples = samples
    }
    if !arguments.report.isEmpty {
        let report = try JobReport(
            type, arguments, result, output: written.model, modelChanged: written.modelChanged)
        for file in arguments.report.compactMap(ReportFile.init) { try file.write(report) }
        written.reports = arguments.report
    }
    if arguments.json {
        try printJSON(
            AnalysisReport(
                type: type, model: .init(path: arguments.model, summary: result.model),
                dataset: .init(path: arguments.dataset, summary: result.dataset), options: result.options,
                verdict: result.verdict, metrics: findings.metrics ?? PurificationMetrics(),
                phases: findings.phases, costs: findings.costs, measurements: findings.measurements,
                flaggedSamples: findings.samples.filter(\.flagged), output: written))
    } else {
        printText(type, result, written)
    }
    return result.verdict
}

private func printText(_ type: JobType, _ result: LocalAnalysis.Result, _ written: AnalysisReport.Output) {
    let names = VerdictText.outputNames(of: result)
    print(VerdictText.render(result.verdict, classNames: names))
    if let table = result.findings.metrics.flatMap(VerdictText.table) { print("\n" + table) }
    if let model = written.model {
        print(
            written.modelChanged == true
                ? "\nPurified model: \(model)"
                : result.verdict.result == .undetermined
                    ? "\nNot purified, since nothing could be determined: \(model) is a copy of the model."
                    : "\nNothing to purify: \(model) is a copy of the model.")
    }
    if let labels = written.labels { print("Corrected labels: \(labels)") }
    if let samples = written.samples { print("Samples: \(samples)") }
    for report in written.reports { print("Report: \(report)") }
}

/// Copies beside the destination first, so that it is whole or not there.
private func copy(_ source: consuming ReportedFile, to destination: String) throws {
    let part = destination + ".part"
    func refused(_ code: Int32 = errno) -> Problem {
        Problem(
            .internal, code: "output-unwritable", title: "The model can't be written",
            detail: "\(destination): \(String(cString: strerror(code)))", location: "--output")
    }
    if unlink(part) != 0, errno != ENOENT { throw refused() }
    // With the user's usual rights, not the worker's.
    let target = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard target >= 0 else { throw refused() }
    defer { close(target) }
    do {
        let file = FileHandle(fileDescriptor: target, closeOnDealloc: false)
        try source.forEachPiece { try file.write(contentsOf: $0) }
        try DurableFile.synchronise(target, path: part) { _, _, code in refused(code) }
        try DurableFile.move(part, to: destination) { _, _, code in refused(code) }
    } catch {
        unlink(part)
        throw error
    }
}
