import ArtifactStore
import Findings
import Foundation
import JobQueue
import JobStore
import PackedDataset
import Support
import WorkerProtocol
import Workers

/// A worker that does what its input file says, one command a line, to test those who start workers:
///
///     [probe]                 commands for .probeModel; [import] and [job] likewise
///     phase NAME              a durable phase: a file in the output directory; repeated when it is there
///     [check]                 commands for .checkUpload; a file without them is found good
///     [help]                  commands for .help
///     die-once SIGNAL         kills itself, the first time
///     small COMMAND           that command and no other, where it has no more than it is expected to need
///
/// `[job SEED]` are the commands of the job with that seed, where there are some.
///
/// `follow FILE` takes the commands from FILE instead, for inputs that must be real files of their format.
///
/// Started with other arguments it is another process of the service that can be killed instead:
/// `upload DIR` stops in the middle of an upload, `serve DIR` runs the queue of a data directory, and
/// `supervise DIR` starts 20 workers and says which descriptors and children are left.
@main
struct ScriptedWorker {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "upload" { return try uploadHalf(arguments[2]) }
        if arguments.count == 3, arguments[1] == "serve" { return try await serve(arguments[2]) }
        if arguments.count == 3, arguments[1] == "supervise" { return try supervise(arguments[2]) }
        let task = try readTask()
        // Its input is a folder, which holds no script.
        if case .thumbnails(let thumbnails) = task.kind {
            return try makeThumbnails(of: thumbnails.dataset, task)
        }
        // As a real worker does it: the service's start waits for it.
        if case .checkNode(let check) = task.kind {
            try FileManager.default.copyItem(atPath: check.token, toPath: task.outputDirectory + "/token")
            return try send(.finished)
        }
        let (kind, file): (String, String) =
            switch task.kind {
            case .checkUpload(let check): ("[check]", check.file)
            case .probeModel(let probe): ("[probe]", probe.model)
            case .importDataset(let load): ("[import]", load.source)
            case .agreement(let compare): ("[agreement]", compare.model)
            case .analyse(let analyse): ("[job]", analyse.model)
            case .help(let analyse): ("[help]", analyse.model)
            case .train(let train): ("[train]", train.model)
            case .evaluate(let evaluate): ("[evaluate]", evaluate.model)
            case .perturb(let perturb): ("[perturb]", perturb.model)
            case .render(let render): ("[render]", render.model)
            case .thumbnails(let thumbnails): ("[thumbnails]", thumbnails.dataset)
            case .checkNode(let check): ("[node]", check.token)
            }
        // A check goes by what the upload itself says.
        let follows = arguments.count == 3 && arguments[1] == "follow" && kind != "[check]"
        if case .checkUpload(let check) = task.kind, try !isScript(check.file) {
            try send(.uploadChecked(nil))
            return try send(.finished)
        }
        let lines = try String(contentsOfFile: follows ? arguments[2] : file, encoding: .utf8).split(
            separator: "\n"
        ).map(String.init)
        var section = kind
        if case .analyse(let analyse) = task.kind, lines.contains("[job \(analyse.options.seed)]") {
            section = "[job \(analyse.options.seed)]"
        }
        let script = lines.drop { $0 != section }.dropFirst().prefix { !$0.hasPrefix("[") }
        for line in script { try perform(line.split(separator: " ").map(String.init), task) }
    }

    /// Whether a file says what its check does; the others are found good.
    static func isScript(_ file: String) throws -> Bool {
        let content = try Data(contentsOf: URL(filePath: file))
        return content.range(of: Data("[check]".utf8)) != nil
    }

    static func send(_ message: WorkerMessage) throws {
        try FileHandle.standardOutput.write(contentsOf: Frame.encode(message))
    }

    static func readTask() throws -> WorkerTask {
        var decoder = Frame.Decoder<WorkerTask>()
        while true {
            let bytes = FileHandle.standardInput.availableData
            if bytes.isEmpty { throw Frame.Failure.truncated }
            if let task = try decoder.append(bytes).first { return task }
        }
    }

    /// True the first time in this output directory.
    static func isFirst(_ name: String, _ task: WorkerTask) -> Bool {
        let path = task.outputDirectory + "/" + name
        if FileManager.default.fileExists(atPath: path) { return false }
        return FileManager.default.createFile(atPath: path, contents: Data())
    }

    /// A sanitizer that this is built with would turn the signal into a report of its own.
    static func die(of number: Int32) {
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }

    static func perform(_ words: [String], _ task: WorkerTask) throws {
        func number(_ index: Int) -> Double { words.count > index ? Double(words[index]) ?? 0 : 0 }
        switch words[0] {
        case "phase":
            guard let phase = Phase(rawValue: words[1]) else { fatalError("no phase \(words[1])") }
            // "worked" when the phase ran, "resumed" when its file was there.
            let ran = isFirst(words[1], task)
            try send(.log("\(ran ? "worked" : "resumed") \(words[1])"))
            let journal = task.outputDirectory + "/journal"
            let earlier = (try? String(contentsOfFile: journal, encoding: .utf8)) ?? ""
            try (earlier + (ran ? "worked" : "resumed") + " \(words[1])\n")
                .write(toFile: journal, atomically: true, encoding: .utf8)
            try send(.phaseFinished(phase, round: 0, seconds: 1.5))
        case "progress":
            try send(.progress(WorkerProgress(phase: .refinement, round: 1, fraction: number(1))))
        case "flood":
            for step in 0..<Int(number(1)) {
                try send(
                    .progress(
                        WorkerProgress(phase: .boundaryAnalysis, fraction: Double(step) / number(1))))
            }
        case "flood-of": try flood(words[1], Int(number(2)))
        case "link-artifact":
            try FileManager.default.createSymbolicLink(
                atPath: task.outputDirectory + "/" + words[1], withDestinationPath: words[2])
            try send(.artifact(WorkerArtifact(role: .purifiedModel, file: words[1])))
        case "class-named":
            var summary = Fixtures.dataset(side: 8)
            summary.classes[0].name = Fixtures.unescaped(words[1])
            try send(.datasetImported(summary))
        case "operator-named":
            var summary = Fixtures.model(side: 8)
            summary.operators = [Fixtures.unescaped(words[1]): 1]
            try send(.modelProbed(summary, nil))
        case "samples":
            let samples = (0..<Int(number(1))).map { Fixtures.sample($0) }
            for start in stride(from: 0, to: samples.count, by: 1_000) {
                try send(.samples(Array(samples[start..<min(start + 1_000, samples.count)])))
            }
        case "metrics":
            try send(.metrics([MetricPoint(phase: .detection, name: "samples_per_second", value: 12.5)]))
        case "preliminary":
            try send(.preliminary(PreliminaryVerdict(targetClasses: [0], names: ["a"])))
        case "verdict": try send(.verdict(Fixtures.verdict))
        case "curves":
            for part in [0..<3, 3..<5] {
                try send(
                    .curve(
                        part.map {
                            CurvePoint(phase: .decoupling, name: "loss", step: $0, value: 1 / Double($0 + 1))
                        }))
            }
        case "triggers":
            try send(
                .triggers([
                    TriggerFinding(
                        label: 0, name: "a", form: .moments, effect: 0.9, random: 0.1, amplification: 2.5)
                ]))
            for (role, view) in [
                (WorkerArtifact.Role.triggerDirection, TriggerView.direction), (.triggerClean, .clean),
                (.triggerStamped, .stamped),
            ] {
                try Data(view.rawValue.utf8).write(
                    to: URL(filePath: task.outputDirectory + "/" + view.rawValue))
                try send(.artifact(WorkerArtifact(role: role, label: 0, file: view.rawValue)))
            }
        case "assessment":
            try send(
                .assessment(
                    Assessment(
                        holdout: .init(
                            names: ["a", "b"], labels: [0, 0, 1], before: [0, 1, 1], after: [0, 0, 1])
                    )))
        case "reviews":
            guard case .analyse(let analyse) = task.kind, let path = analyse.reviews else { break }
            let reviews = try ReviewFile.read(path, samples: 1_000, classes: 3)
            // Shown where a test can see them.
            try send(
                .metrics(
                    reviews.map {
                        MetricPoint(
                            phase: .detection, name: "\($0.index) \($0.decision.rawValue)",
                            value: Double($0.label ?? -1))
                    }))
        case "pictures": try makePictures(task)
        case "evaluation":
            try send(.evaluation(PurificationMetrics(before: EvaluationMetrics(acc: 0.9, asr: 1, ra: 0))))
        case "artifact":
            if words.count > 2 {
                try Data(words[2].utf8).write(to: URL(filePath: task.outputDirectory + "/" + words[1]))
            }
            try send(.artifact(WorkerArtifact(role: .purifiedModel, file: words[1])))
        case "copy-model":
            guard case .analyse(let analyse) = task.kind else { fatalError("no model") }
            try FileManager.default.copyItem(
                atPath: analyse.model, toPath: task.outputDirectory + "/copy.pt2")
            try send(.artifact(WorkerArtifact(role: .purifiedModel, file: "copy.pt2")))
        case "model-summary":
            try send(
                .modelProbed(
                    Fixtures.model(
                        side: words.count > 1 ? Int(number(1)) : 8,
                        classes: words.count > 2 ? Int(number(2)) : 3),
                    words.count > 4
                        ? PassCost(
                            height: Int(number(1)), width: Int(number(1)), activationBytes: Int(number(3)),
                            seconds: number(4)) : nil))
        case "agreement":
            try send(
                .agreement(
                    .init(
                        agreement: .init(
                            samples: 100, share: Double(words.dropFirst().first ?? "") ?? 1, promised: 1,
                            classOrder: .sorted, classes: []))))
        case "dataset-summary":
            let summary = Fixtures.dataset(
                side: words.count > 1 ? Int(number(1)) : 8, samples: words.count > 2 ? Int(number(2)) : 2)
            // The files that a packed data set has.
            let files = [
                "manifest.json": 2, "images.u8": summary.packedBytes, "labels.i32": 4 * summary.samples,
            ]
            for (name, bytes) in files {
                try Data(count: bytes).write(to: URL(filePath: task.outputDirectory + "/" + name))
            }
            if !words.contains("bare") { try writeThumbnails(summary.samples, to: task.outputDirectory) }
            try send(.datasetImported(summary))
        case "fail":
            guard let category = Problem.Category(rawValue: words[1]) else { fatalError(words[1]) }
            // A location, "-" for none, and what to do may follow.
            let location = words.count > 3 && words[3] != "-" ? words[3] : nil
            let fix = words.count > 4 ? words[4...].joined(separator: " ") : nil
            try send(
                .failed(
                    Problem(
                        category, code: words[2], title: "Scripted", detail: "scripted", location: location,
                        fix: fix)))
        // What follows ends the worker, where it was given no more than it is expected to need.
        case "small":
            guard task.estimate != nil else { return }
            try perform(Array(words.dropFirst()), task)
            exit(1)
        case "full-once":
            // Beside its input: an import finds an empty output directory.
            let mark = (task.inputs.first ?? task.outputDirectory) + "-was-full"
            guard !FileManager.default.fileExists(atPath: mark) else { return }
            try Data().write(to: URL(filePath: mark))
            try send(.failed(Problem(.insufficientStorage, code: "disk-full", title: "Scripted", detail: "")))
            exit(0)
        case "until-file":
            while !FileManager.default.fileExists(atPath: task.outputDirectory + "/" + words[1]) {
                try send(.heartbeat)
                var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
                // The other side has closed the input.
                if poll(&input, 1, 50) > 0 { exit(0) }
            }
        case "sparse-artifact":
            let path = task.outputDirectory + "/" + words[1]
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            truncate(path, off_t(number(2)))
            try send(.artifact(WorkerArtifact(role: .purifiedModel, file: words[1])))
        case "refuse":
            try send(.failed(Problem(.unprocessable, code: words[1], title: "Refused", detail: "by script")))
        case "seek": try send(.seeking(helpers: Int(number(1))))
        case "give":
            // So many parts to a helper.
            for part in 1...Int(number(2)) {
                try send(
                    .part(
                        WorkerPart(
                            number: part, stage: .survey, samples: [0], labels: [], threadsOfBatch: 1,
                            taken: []),
                        helper: Int(number(1))))
            }
        case "finished": try send(.finished)
        case "die": die(of: Int32(number(1)))
        case "die-once": if isFirst("died", task) { die(of: Int32(number(1))) }
        case "exit": exit(Int32(number(1)))
        case "garbage": try FileHandle.standardOutput.write(contentsOf: Data("HTTP/1.1 200 OK\r\n".utf8))
        case "say": FileHandle.standardError.write(Data(words.dropFirst().joined(separator: " ").utf8))
        case "fill-log": FileHandle.standardError.write(Data(repeating: 0x78, count: 1 << 20))
        case "surroundings":
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            let variables = ProcessInfo.processInfo.environment.keys.sorted().joined(separator: ",")
            // One descriptor is the directory being read.
            try send(.log("\(descriptors - 1) \(variables) \(getpgrp() == getpid())"))
        case "fill": try fill(mebibytes: Int(number(1)))
        case "limits": try sendLimits(task)
        case "hang": while true { sleep(1) }
        case "hang-once": if isFirst("hung", task) { while true { sleep(1) } }
        case "stubborn": signal(SIGTERM, SIG_IGN)
        case "wait": try waitForCancel()
        case "wait-once": if isFirst("waited", task) { try waitForCancel() }
        default: fatalError("no command \(words[0])")
        }
    }

    /// So many messages of a kind.
    static func flood(_ kind: String, _ count: Int) throws {
        var frames = Data()
        for number in 0..<count {
            let message: WorkerMessage =
                switch kind {
                case "heartbeats": .heartbeat
                case "logs": .log("line \(number)")
                case "changes": .progress(WorkerProgress(phase: .refinement, round: number, fraction: 0))
                case "phases": .phaseFinished(.refinement, round: number, seconds: 0)
                case "metrics":
                    .metrics(
                        (0..<500).map {
                            MetricPoint(phase: .detection, name: "m\(500 * number + $0)", value: 0)
                        })
                case "curves":
                    .curve(
                        (0..<500).map {
                            CurvePoint(phase: .decoupling, name: "loss", step: 500 * number + $0, value: 0)
                        })
                case "documents": .evaluation(PurificationMetrics(before: .init(acc: Double(number) / 1e6)))
                case "triggers": .triggers([])
                case "foreign-samples": .samples([Fixtures.sample(1_000_000 + number)])
                case "same-samples": .samples((0..<1_000).map { _ in Fixtures.sample(0) })
                case "large-samples": .samples((0..<1_001).map { _ in Fixtures.sample(0) })
                case "artifacts": .artifact(WorkerArtifact(role: .trainedModel, file: "none"))
                default: fatalError("no kind \(kind)")
                }
            frames += try Frame.encode(message)
            if frames.count > 1 << 16 {
                try FileHandle.standardOutput.write(contentsOf: frames)
                frames = Data()
            }
        }
        try FileHandle.standardOutput.write(contentsOf: frames)
    }

    /// Beats until the other side closes the input, then stops as a real worker does.
    static func waitForCancel() throws {
        while true {
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            if poll(&input, 1, 100) > 0 {
                try send(.failed(Problem(.cancelled, code: "cancelled", title: "Cancelled", detail: "")))
                exit(0)
            }
            try send(.heartbeat)
        }
    }

    /// Takes memory and uses it, piece by piece, beating.
    static func fill(mebibytes: Int) throws {
        for step in 0..<mebibytes {
            let piece = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4_096)
            memset(piece, 1, 1 << 20)
            if step % 16 == 0 { try send(.heartbeat) }
        }
    }

    static func sendLimits(_ task: WorkerTask) throws {
        let confinement = task.confinement ?? WorkerConfinement()
        try send(
            .log(
                "\(confinement.mode.rawValue) \(confinement.memoryBytes ?? 0) \(confinement.seconds ?? 0) "
                    + "\(confinement.fileBytes ?? 0)"))
    }

    /// The amplification tells how many samples were asked for together.
    static func makePictures(_ task: WorkerTask) throws {
        guard case .render(let render) = task.kind else { fatalError("no pictures") }
        for index in render.samples {
            for view in SampleView.allCases {
                try Data("\(index) \(view.rawValue)".utf8).write(
                    to: URL(filePath: task.outputDirectory + "/" + RenderedSample.file(index, view)))
            }
        }
        try send(
            .rendered(
                render.samples.map {
                    RenderedSample(
                        index: $0, amplification: Double(render.samples.count), adversarialLabel: 1)
                }))
    }

    static func makeThumbnails(of dataset: String, _ task: WorkerTask) throws {
        let labels = try Data(contentsOf: URL(filePath: dataset + "/labels.i32"))
        try writeThumbnails(labels.count / 4, to: task.outputDirectory)
        try send(.finished)
    }

    static func writeThumbnails(_ samples: Int, to directory: String) throws {
        let writer = try SliceWriter(.thumbnails, in: directory)
        for sample in 0..<samples { try writer.append(Data("thumbnail \(sample)".utf8)) }
        try writer.finish()
    }

    static func uploadHalf(_ directory: String) throws {
        let store = try ArtifactStore(directory: directory, freeSpaceFloor: 0)
        let upload = try store.beginUpload(expectedBytes: 2 << 20)
        try upload.write(Data(repeating: 1, count: 1 << 20))
        FileHandle.standardOutput.write(Data("ready".utf8))
        while true { sleep(1) }
    }

    static func supervise(_ directory: String) throws {
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = CommandLine.arguments[0]
        let supervisor = try WorkerSupervisor(configuration: configuration)
        let task = WorkerTask(
            kind: .probeModel(.init(model: directory + "/script")), outputDirectory: directory)
        func descriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
        let before = try descriptors()
        for _ in 0..<20 { _ = supervisor.runBlocking(task) { _ in } }
        let leaked = try descriptors() - before
        let hasChildren = waitpid(-1, nil, WNOHANG) != -1
        FileHandle.standardOutput.write(Data("\(leaked) \(hasChildren)".utf8))
    }

    static func serve(_ directory: String) async throws {
        let artifacts = try ArtifactStore(directory: directory, freeSpaceFloor: 0)
        var configuration = WorkerSupervisor.Configuration()
        configuration.executable = CommandLine.arguments[0]
        let queue = JobQueue(
            store: try JobStore(path: directory + "/burn.sqlite"), artifacts: artifacts,
            supervisor: try WorkerSupervisor(configuration: configuration))
        try await queue.start()
        try await Task.sleep(for: .seconds(3_600))
    }
}
