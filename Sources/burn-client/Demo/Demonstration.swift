import ArgumentParser
import AttackBench
import Commands
import Findings
import Foundation
import ServiceClient
import Support

/// The whole job over HTTP, with a known truth to compare the answer with.
extension DemoCommand: ClientWork {
    /// In the folder, so that another run knows it for its own.
    private static let mark = ".burn-demo"

    func perform() async throws {
        try await reportingProblems {
            let folder = URL(filePath: output).absoluteURL
            try prepare(folder)
            let line = ProgressLine()
            let demoCase = try await make(in: folder, line)
            line.end()
            print(demoCase.title)

            let result = folder.appending(path: "result")
            try? FileManager.default.removeItem(at: result)
            try FileManager.default.createDirectory(at: result, withIntermediateDirectories: true)
            if let url {
                let client = try ServiceClient.known(url)
                try await client.reach()
                print(try await purify(demoCase, with: client, into: result, line).text)
            } else {
                let service = try await ServiceProcess(
                    program: Self.program("burnd"), data: result.appending(path: "data"),
                    log: result.appending(path: "burnd.log"))
                defer { service.stop() }
                let client = ServiceClient(
                    address: try ServiceAddress(service.address.absoluteString), key: nil)
                print(try await purify(demoCase, with: client, into: result, line).text)
            }
            print("written        \(result.path)")
        }
    }

    private static func program(_ name: String) -> URL {
        URL(filePath: ClientProgram.folder).appending(path: name)
    }

    /// What earlier runs left is made anew, so the folder must be the demonstration's alone.
    private func prepare(_ folder: URL) throws {
        let files = FileManager.default
        do {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            let names = try files.contentsOfDirectory(atPath: folder.path)
            guard names.isEmpty || names.contains(Self.mark) else {
                throw Problem(
                    .conflict, code: "output-not-empty", title: "The folder is not the demonstration's",
                    detail: "\(folder.path) holds other files.", location: "--output",
                    fix: "Name a folder that is not there yet.")
            }
            try Data().write(to: folder.appending(path: Self.mark))
        } catch let error as CocoaError {
            throw Problem(
                .internal, code: "output-not-writable", title: "The folder can't be written",
                detail: "\(folder.path): \(error.localizedDescription)", location: "--output",
                fix: "Name a folder of your own.")
        }
    }

    private func make(in folder: URL, _ line: ProgressLine) async throws -> DemoCase {
        guard let path = folderCase.case else {
            let network = folder.appending(path: "small_cnn.pt2")
            try EmbeddedRelease.smallNetwork.write(to: network, options: .atomic)
            return try await DrawnCase(
                trainingImages: images, folder: folder.appending(path: "drawn"), network: network,
                worker: Self.program("burn-worker"), seed: UInt64(clamping: seed)
            ).make { line.show($0, fraction: $1) }
        }
        line.show("building the case", fraction: nil)
        return try await FolderCase(
            folder: URL(filePath: path).standardizedFileURL, recipe: try recipe(of: path),
            trainingImages: folderCase.train, cache: folder.appending(path: "cases"),
            python: URL(filePath: folderCase.python)
        ).make()
    }

    private func recipe(of folder: String) throws -> FolderCase.Recipe {
        let known = FolderCase.Recipe.known[URL(filePath: folder).lastPathComponent]
        guard let attack = folderCase.attack ?? known?.attack,
            let target = folderCase.target ?? known?.target
        else {
            throw ValidationError("The attack on \(folder) is not known: give --attack and --target.")
        }
        return FolderCase.Recipe(attack: attack, target: target, rate: folderCase.rate ?? known?.rate ?? 0.1)
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
