import ArgumentParser
import AttackBench
import Findings
import Foundation
import ServiceClient
import Support

/// The whole job over HTTP, with a known truth to compare the answer with.
@main
struct BurnDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn-demo",
        abstract: "Purify a backdoored model over HTTP and compare the result with the known truth.",
        discussion: """
            Without --case it draws a data set, poisons it and trains a backdoored model. With --case it takes \
            a folder that holds model.pt2, beside the make_case.py that builds its data set.
            """)

    @Option(help: "A case folder, such as ../shared/cases/badnets.")
    var `case`: String?
    @Option(help: "The attack that make_case.py simulates (known for badnets, trojan_wm and clean).")
    var attack: String?
    @Option(help: "The attack's target class.")
    var target: Int?
    @Option(help: "The poisoned share of the training images.")
    var rate: Double?
    @Option(help: "Training images of a case.")
    var train = 10_000
    @Option(help: "Training images that are drawn, 500 to 50000.")
    var images = 5_000
    @Option(help: "Seeds every random choice.")
    var seed = 0
    @Option(help: "The Python that runs make_case.py; it needs numpy and pillow.")
    var python = ".venv/bin/python"
    @Option(help: "The untrained .pt2 network of the drawn case. Default: architectures/small_cnn.pt2.")
    var architecture: String?
    @Option(
        help: "A service that runs already; its key in BURN_KEY. Default: one of the demonstration's own.")
    var url: String?
    @Option(help: "Everything is written below this folder.")
    var cache = ".cache/demo"

    func validate() throws {
        guard (500...50_000).contains(images) else { throw ValidationError("--images is from 500 to 50000") }
    }

    func run() async throws {
        let programs = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let cache = URL(filePath: cache).absoluteURL
        let line = ProgressLine()

        let demoCase: DemoCase
        if let folder = `case` {
            line.show("building the case", fraction: nil)
            demoCase = try await FolderCase(
                folder: URL(filePath: folder).standardizedFileURL, recipe: try recipe(of: folder),
                trainingImages: train, cache: cache.appending(path: "cases"), python: URL(filePath: python)
            ).make()
        } else {
            demoCase = try await DrawnCase(
                trainingImages: images, folder: cache.appending(path: "drawn"),
                network: try network(in: cache),
                worker: programs.appending(path: "burn-worker"), seed: UInt64(clamping: seed)
            ).make { line.show($0, fraction: $1) }
        }
        line.end()
        print(demoCase.title)

        let output = cache.appending(path: "result")
        try? FileManager.default.removeItem(at: output)
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        if let url {
            let client = try client(of: url)
            try await client.reach()
            print(try await purify(demoCase, with: client, into: output, line).text)
        } else {
            let service = try await ServiceProcess(
                program: programs.appending(path: "burnd"), data: output.appending(path: "data"),
                log: output.appending(path: "burnd.log"))
            defer { service.stop() }
            let client = ServiceClient(address: try ServiceAddress(service.address.absoluteString), key: nil)
            print(try await purify(demoCase, with: client, into: output, line).text)
        }
        print("written        \(output.path)")
    }

    /// The network that a model is trained from: the one named, else the one that the program holds.
    private func network(in cache: URL) throws -> URL {
        if let architecture { return URL(filePath: architecture) }
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
        let file = cache.appending(path: "small_cnn.pt2")
        try EmbeddedRelease.smallNetwork.write(to: file, options: .atomic)
        return file
    }

    private func client(of url: String) throws -> ServiceClient {
        var environment = ProcessInfo.processInfo.environment
        environment["BURN_URL"] = url
        let found = try Credentials.current(environment)
        return ServiceClient(
            address: try ServiceAddress(
                found.url, allowsPlainHTTP: found.allowsPlainHTTP == true || found.key == nil),
            key: found.key)
    }

    private func recipe(of folder: String) throws -> FolderCase.Recipe {
        let known = FolderCase.Recipe.known[URL(filePath: folder).lastPathComponent]
        guard let attack = attack ?? known?.attack, let target = target ?? known?.target else {
            throw ValidationError("The attack on \(folder) is not known: give --attack and --target.")
        }
        return FolderCase.Recipe(attack: attack, target: target, rate: rate ?? known?.rate ?? 0.1)
    }

    private func purify(
        _ demoCase: DemoCase, with client: ServiceClient, into output: URL, _ line: ProgressLine
    ) async throws -> Report {
        let address = client.address.url
        line.show(
            "uploading to \(address.host() ?? "")\(address.port.map { ":\($0)" } ?? "")", fraction: nil)
        func push(_ file: URL, _ kind: PushKind, _ name: String) async throws -> String {
            try await client.push(file.path, as: kind, name: name).id
        }
        let model = try await push(demoCase.model, .model, "suspect.pt2")
        let trainingSet = try await push(demoCase.trainingSet, .dataset, "train.tar")
        var evaluation = DemoJob.Evaluation(
            clean: try await push(demoCase.cleanSet, .dataset, "test-clean.tar"),
            targetClass: demoCase.targetClass)
        if let file = demoCase.triggeredSet {
            evaluation.triggered = try await push(file, .dataset, "test-triggered.tar")
        }

        let started = ContinuousClock.now
        let request = DemoJob(
            model: model, dataset: trainingSet, evaluation: evaluation, options: ["seed": seed])
        var job: JobReply = try client.decode(
            try await client.submit(try JSONEncoder().encode(request), idempotencyKey: UUID().uuidString))
        while !job.state.isTerminal {
            line.show(
                job.phase?.rawValue.replacing("_", with: " ") ?? job.state.rawValue,
                fraction: job.progress.fraction)
            try await Task.sleep(for: .milliseconds(250))
            job = try await client.job(job.id)
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        line.end()
        if let document = job.error { throw document.problem() }
        guard job.state == .succeeded, let verdict = job.verdict else {
            throw DemoFailure("The job ended as \(job.state.rawValue).")
        }
        for (link, file) in [("model", "purified.pt2"), ("labels", "labels.csv")] {
            guard let path = job.links[link] else { continue }
            _ = try await client.download(path, to: output.appending(path: file).path)
        }
        return Report(
            verdict: verdict, metrics: job.metrics ?? PurificationMetrics(),
            score: try DetectionScore(try await client.samples(of: job.id), truth: demoCase.truth),
            phases: try await client.phases(of: job.id), totalSeconds: seconds)
    }
}
