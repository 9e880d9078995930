import API
import ArgumentParser
import Commands
import Findings
import Foundation
import Support
import Synchronization
import UnixSignals
import WorkerProtocol
import Workers

/// Says all that is wrong with a model, a data set and the options of a job, without the job.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether a model and a data set can be used, and what to change.",
        discussion: """
            Give it the sets and options that the scan or purification is to have: all that a job is refused for is looked \
            for by the job's own checks, and said at once. Every image is decoded, and the model is asked about at most 2,048 \
            of them: do its predictions agree with the labels, and if not, does another order of the classes or another \
            scaling fit? Options that only say how a job works (--method, --distance, --analysis, --rounds, --force) are held \
            to their limits, and change nothing here. Exit codes: 0 all can be used, 2 something has to be changed, \
            1 failure, 64 wrong usage. Packed images go to TMPDIR for the time being.
            """)

    /// Something is wrong with the inputs, and was said.
    static let wrong = ExitCode(2)

    @Argument(
        help: "The model: a .pt2 file of torch.export.save, ONNX, or weights alone (.safetensors, .pth).")
    var model: String

    @Argument(help: "The images it was trained on: a folder, an archive or an array file.")
    var dataset: String?

    @Argument(help: "Further archives or Parquet files of the same set.")
    var parts: [String] = []

    @OptionGroup var imports: InputOptions

    @OptionGroup var sets: SetOptions

    @OptionGroup var settings: JobSettings

    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    @Option(help: "The burn-worker program. Default: the one beside burnd.")
    var worker: String?

    func validate() throws {
        if dataset == nil, let other = JobInputs.OtherSet.allCases.first(where: { sets.path(of: $0) != nil })
        {
            throw ValidationError("--\(other.rawValue) goes with a DATASET.")
        }
    }

    func run() async throws {
        try await reportingProblems {
            let control = WorkerControl()
            let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
            let listener = Task { for await _ in signals { control.cancel() } }
            defer { listener.cancel() }
            let program = try LocalWorker(executable: worker, device: settings.device, control: control)
            let (report, problems) = try await withScratchFolder { scratch in
                var check = try InputCheck(arguments: self, worker: program, scratch: scratch)
                try await check.run()
                return (check.report, check.problems)
            }
            if json { try printJSON(report) } else { report.show(problems) }
            if !problems.isEmpty { throw Self.wrong }
        }
    }
}
