import ArgumentParser
import AttackBench
import Findings
import Foundation
import Support
import Synchronization
import UnixSignals
import WorkerProtocol
import Workers

extension ComputeDevice: ExpressibleByArgument {}
extension JobOptions.Method: ExpressibleByArgument {}

/// Trains backdoored models, purifies them with `burnd purify`, and compares with the truth.
struct AttacksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attacks",
        abstract: "Trains backdoored models, purifies them, and writes a table of what came of it.",
        discussion: """
            Data sets, models and results are kept in CACHE; a run that was stopped goes on from there. Arguments \
            after `--` go to the purification, such as `-- --rounds 1 --distance ddn`; give such runs a --label.
            """)

    @Option(help: "Image folders, CIFAR-10's binary files (a folder), or `procedural`.")
    var data = "procedural"
    @Option(help: "The data set's name in file names and tables. Default: its folder's.")
    var dataName: String?
    @Option(help: "Network: a .pt2 file, or its name in --architectures. May be repeated.")
    var architecture: [String] = ["small_cnn"]
    @Option(help: "Where untrained networks are (scripts/networks/export_architectures.py writes more).")
    var architectures = "architectures"
    @Option(
        help: ArgumentHelp(
            "Attack, of: \(Attack.names.joined(separator: ", ")). May be repeated.", valueName: "name"))
    var attack: [String] = []
    @Flag(help: "Also the clean model of each network and seed: what is found there is a false alarm.")
    var clean = false
    @Option(help: "Poisoned share of the training set. Default: the attack's usual one. May be repeated.")
    var rate: [Double] = []
    @Option(help: "The attacks' target class.")
    var target = 0
    @Option(help: "Seed. May be repeated.")
    var seed: [UInt64] = [1]
    @Option(help: "Training images.")
    var trainingImages = 10_000
    @Option(help: "Test images.")
    var testImages = 2_000
    @Option(help: "Epochs of training.")
    var epochs = 12
    @Option(help: "Highest learning rate of training.")
    var learningRate = 0.05
    @Option(help: "Models made and purified at the same time.")
    var jobs = 1
    @Option(help: "Threads of each worker. Default: all processors.")
    var threads: Int?
    @Option(help: "What workers compute on: cpu, cuda, cuda-tf32 or auto, as for `burnd purify`.")
    var device: ComputeDevice = .cpu
    @Option(help: "Everything is kept below this folder.")
    var cache = ".cache/bench"
    @Option(help: "Name of the results, beside those of other options or versions.")
    var label = "default"
    @Option(
        help: ArgumentHelp(
            "Method of the purifications: full, or published. Give the latter's results a --label.",
            valueName: "method"))
    var method: JobOptions.Method?
    @Flag(help: "Also try to train the backdoor into the purified models again: 50 steps on 50 samples.")
    var relearn = false
    @Flag(help: "Train and measure the models, and stop.")
    var trainOnly = false
    @Flag(help: "Run nothing: the table of all results with this label that the cache holds.")
    var collect = false
    @Option(help: "Write report.md and report.json into this folder. Default: CACHE.")
    var output: String?
    @Option(help: "The burn-worker program. Default: the one beside burn-bench.")
    var worker: String?
    @Argument(parsing: .postTerminator, help: "Options of `burnd purify`.")
    var purifyOptions: [String] = []

    func validate() throws {
        guard jobs > 0, epochs > 0, learningRate > 0, trainingImages > 0, testImages > 0, target >= 0,
            rate.allSatisfy({ $0 >= 0 && $0 <= 1 })
        else { throw ValidationError("A number is out of range.") }
        for name in attack where !Attack.names.contains(name) {
            throw ValidationError(
                "There is no attack `\(name)`; there are \(Attack.names.joined(separator: ", ")).")
        }
        guard clean || !attack.isEmpty || collect else { throw ValidationError("Give --attack, or --clean.") }
        guard label.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil, !label.hasPrefix(".") else {
            throw ValidationError("--label is a plain name.")
        }
        if !purifyOptions.isEmpty, let fault = try Purification.fault(of: purifyOptions) {
            throw ValidationError("After `--`: " + fault)
        }
    }

    func run() async throws {
        let control = WorkerControl()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let listener = Task { for await _ in signals { control.cancel() } }
        defer { listener.cancel() }
        do {
            try await run(control)
        } catch let problem as Problem {
            BenchDisplay.note("burn-bench: \(problem)")
            throw ExitCode.failure
        }
    }

    private func run(_ control: WorkerControl) async throws {
        if collect {
            return try write(BenchReport(cache: URL(fileURLWithPath: cache), label: label))
        }
        let source = try DataSource(argument: data)
        let runner = try WorkerRunner(program: worker, device: device, control: control)
        let shared = SharedWork()
        let work = architecture.flatMap { network in
            cases(network).map { (network: network, benchCase: $0) }
        }
        for network in architecture { _ = try file(of: network) }
        let results = try await withThrowingTaskGroup(of: (Int, BenchResult?).self) { group in
            var results = [BenchResult?](repeating: nil, count: work.count)
            var next = 0
            func start() throws {
                guard next < work.count else { return }
                let (place, item) = (next, work[next])
                next += 1
                let benchmark = try benchmark(item.network, item.benchCase, source, runner, shared, control)
                group.addTask { (place, try await result(of: item.benchCase, benchmark, control)) }
            }
            for _ in 0..<jobs { try start() }
            while let (place, result) = try await group.next() {
                results[place] = result
                try start()
            }
            return results
        }
        guard !trainOnly else { return }
        let finished = results.compactMap(\.self)
        try write(BenchReport(finished))
        guard finished.count == results.count else {
            throw Problem(
                .unprocessable, code: "bench-incomplete", title: "Some purifications failed",
                detail:
                    "\(results.count - finished.count) of \(results.count); the table is about the others.")
        }
    }

    private func write(_ report: BenchReport) throws {
        let folder = URL(fileURLWithPath: output ?? cache)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try report.writeJSON(to: folder.appending(path: "report.json"))
        try Data(report.markdown.utf8).write(to: folder.appending(path: "report.md"), options: .atomic)
        print(report.markdown.withoutEscapes)
    }

    /// Nil for a model that was only trained, or whose purification failed: one of them does not end the
    /// others.
    private func result(
        of benchCase: BenchCase, _ benchmark: AttackBenchmark, _ control: WorkerControl
    ) async throws -> BenchResult? {
        guard !trainOnly else {
            _ = try await benchmark.maker.make(benchCase)
            return nil
        }
        do {
            return try await benchmark.run(benchCase)
        } catch let problem as Problem where !control.isCancelled {
            BenchDisplay.note("\(benchCase.name): \(problem)")
            return nil
        }
    }

    private func cases(_ network: String) -> [BenchCase] {
        let name = dataName ?? (data == "procedural" ? data : URL(fileURLWithPath: data).lastPathComponent)
        let attacks: [String?] = (clean ? [nil] : []) + attack
        return attacks.flatMap { attack in
            (attack == nil || rate.isEmpty ? [nil] : rate.map(Optional.some)).flatMap { rate in
                seed.map { seed in
                    BenchCase(
                        data: name,
                        architecture: URL(fileURLWithPath: network).deletingPathExtension().lastPathComponent,
                        attack: attack, rate: rate, target: attack == nil ? 0 : target, seed: seed,
                        trainingImages: trainingImages, testImages: testImages, epochs: epochs,
                        learningRate: learningRate)
                }
            }
        }
    }

    private func benchmark(
        _ network: String, _ benchCase: BenchCase, _ source: DataSource, _ runner: WorkerRunner,
        _ shared: SharedWork, _ control: WorkerControl
    ) throws -> AttackBenchmark {
        let display = BenchDisplay(name: benchCase.name)
        let maker = CaseMaker(
            cache: URL(fileURLWithPath: cache), source: source, network: try file(of: network),
            runner: runner,
            threads: threads, shared: shared, report: { display.show($0, $1) })
        let chosen = method.map { ["--method", $0.rawValue] } ?? []
        let purification = Purification(control: control, options: chosen + purifyOptions)
        var given = ["--device", device.rawValue]
        if let threads { given += ["--threads", "\(threads)"] }
        if let worker { given += ["--worker", worker] }
        let options = given
        return AttackBenchmark(maker: maker, label: label, relearns: relearn) {
            model, dataset, classes, seed, scratch in
            display.show("purifying", nil)
            return try await purification.run(
                model: model, dataset: dataset,
                arguments: ["--classes", classes.path, "--seed", "\(seed)"] + options, scratch: scratch)
        }
    }

    private func file(of network: String) throws -> URL {
        let file = URL(
            fileURLWithPath: network.hasSuffix(".pt2") ? network : "\(architectures)/\(network).pt2")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw Problem(
                .notFound, code: "architecture-missing", title: "There is no such network",
                detail: "\(file.path) is missing.",
                fix:
                    "Write it with scripts/networks/export_architectures.py --out \(architectures) \(network), or name a "
                    + ".pt2 file.")
        }
        return file
    }
}

/// A line on standard error for each step of a case.
final class BenchDisplay: Sendable {
    private let name: String
    private let last = Mutex((step: "", tenth: -1))

    init(name: String) { self.name = name }

    func show(_ step: String, _ fraction: Double?) {
        let tenth = fraction.map { Int($0 * 10) } ?? -1
        let isNew = last.withLock { last in
            guard last != (step, tenth) else { return false }
            last = (step, tenth)
            return true
        }
        guard isNew else { return }
        let share = fraction.map { " \(Int($0 * 100)) %" } ?? ""
        Self.note("\(name): \(step)\(share)")
    }

    /// A line, or several, on standard error.
    static func note(_ text: String) {
        FileHandle.standardError.offer(Data((text.withoutEscapes + "\n").utf8))
    }
}
