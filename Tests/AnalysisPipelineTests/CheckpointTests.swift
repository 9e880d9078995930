import Findings
import Foundation
import Synchronization
import Tensors
import Testing
import TinyModels
import WorkerProtocol

@testable import AnalysisPipeline
@testable import Burn

/// Files that a restarted worker goes on from: whole, or as good as absent.
@Suite struct CheckpointTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func truncations(of path: String) throws -> [Data] {
        let content = try Data(contentsOf: URL(filePath: path))
        return stride(from: 0, to: content.count, by: 7).map { content.prefix($0) } + [content.dropLast()]
    }

    @Test func columnsComeBack() throws {
        let path = folder.file("columns")
        let columns: [(name: String, data: Data)] = [
            ("a", Data([10, 0, 10])), ("empty", Data()), ("b", [Float(1.5), -2].data),
        ]
        try ColumnFile.write(columns, to: path)
        let read = try #require(try ColumnFile.read(path))
        #expect(read == Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.data) }))
        #expect([Float](copying: read["b"] ?? Data()) == [1.5, -2])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["columns"])
        #expect(try ColumnFile.read(folder.file("none")) == nil)
    }

    @Test func aTruncatedColumnFileIsAbsent() throws {
        let path = folder.file("columns")
        try ColumnFile.write([("a", Data(count: 30)), ("b", Data(count: 20))], to: path)
        for part in try truncations(of: path) {
            try part.write(to: URL(filePath: path))
            #expect(try ColumnFile.read(path) == nil, "\(part.count) bytes")
        }
    }

    @Test(arguments: ["-1", "9223372036854775807", "1e3", "null", "\"4\""])
    func aColumnFileWithImpossibleSizesIsAbsent(bytes: String) throws {
        let path = folder.file("columns")
        try Data("{\"columns\":[{\"name\":\"a\",\"bytes\":\(bytes)}]}\nabcd".utf8).write(
            to: URL(filePath: path))
        #expect(try ColumnFile.read(path) == nil)
    }

    @Test func theAnalysisTableComesBack() throws {
        var table = AnalysisTable(count: 5)
        table.predicted = [0, 4, 2, 1, 3]
        table.distance = [0.25, 1, .leastNormalMagnitude, 3e8, 0]
        table.adversarialLabel = [1, 2, 3, 4, 0]
        table.adversarialLabel[3] = -1
        table.runnerUp = [5, 4, 3, 2, 1]
        table.linearDistance = [0.5, 2, 8, 1e-20, 3]
        let path = folder.file("analysis.bin")
        try table.save(path)
        let read = try #require(try AnalysisTable(path: path, count: 5))
        #expect(read.predicted == table.predicted && read.distance == table.distance)
        #expect(read.adversarialLabel == table.adversarialLabel)
        #expect(read.runnerUp == table.runnerUp && read.linearDistance == table.linearDistance)
        #expect(read.metLabel(3) == nil && read.metLabel(2) == 3)
        #expect(try AnalysisTable(path: path, count: 6) == nil, "of another data set")
        for part in try truncations(of: path) {
            try part.write(to: URL(filePath: path))
            #expect(try AnalysisTable(path: path, count: 5) == nil, "\(part.count) bytes")
        }
    }

    @Test func aFinishedPhaseReportsTheSameAgain() throws {
        let messages: [WorkerMessage] = [
            .metrics([MetricPoint(phase: .boundaryAnalysis, name: "samples_per_second", value: 12.5)]),
            .phaseFinished(.boundaryAnalysis, round: 0, seconds: 0.1),
        ]
        let received = Mutex<[WorkerMessage]>([])
        let journal = PhaseJournal(directory: folder.path) { message in
            received.withLock { $0.append(message) }
        }
        #expect(try !journal.replay("analysis"))
        try journal.finish("analysis", messages)
        #expect(received.withLock { $0 } == messages)
        #expect(try journal.replay("analysis"))
        #expect(received.withLock { $0 } == messages + messages)
        #expect(try !journal.replay("other"))
    }

    @Test func aTruncatedJournalIsAbsentAndReportsNothing() throws {
        let reports = Mutex(0)
        let journal = PhaseJournal(directory: folder.path) { _ in reports.withLock { $0 += 1 } }
        try journal.finish("analysis", [.log("one"), .log("two")])
        let path = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.contains("journal") })
        for part in try truncations(of: folder.file(path)) {
            try part.write(to: URL(filePath: folder.file(path)))
            #expect(try !journal.replay("analysis"))
        }
        #expect(reports.withLock { $0 } == 2, "those of `finish`")
    }

    /// A backdoor with a trigger of every mechanism, noise, and samples alone: what is read is what was written.
    @Test func aDiagnosisComesBackAsItWas() throws {
        let moments = Moments(
            mean: try Tensor.rand([1, 4, 4], generator: Generator(seed: 1)),
            variance: try Tensor.full([1, 4, 4], 0.1), kurtosis: try Tensor.full([1, 4, 4], 3), count: 40)
        var reference = moments
        reference.mean = try Tensor.full([1, 4, 4], 0.2)
        let estimate = try TriggerEstimate(
            TriggerMaterial(
                boundary: Tensor.randn([1, 4, 4], generator: Generator(seed: 2)), suspects: moments,
                reference: reference, lowest: Tensor.zeros([1, 1, 1, 1]), highest: Tensor.ones([1, 1, 1, 1])))
        var backdoors = (0..<3).map { Backdoor(label: $0) }
        backdoors[0].trigger = .pixels(
            estimate, form: TriggerForm(mechanism: "moments", strength: 2), perturbed: [1, 3])
        backdoors[0].carriers = [1: 0.1 + 0.2, 3: 1]
        backdoors[1].trigger = .style(.noise, donors: [0], controls: [1, 2], strangers: [4])
        backdoors[2].labels = .right
        let diagnosis = Diagnosis(
            verdict: VerdictBuilder.empty, flagged: [false, true, false, true, false],
            scores: [0, 0.1 + 0.2, 0.5, 1, 1e-300], coherence: [-1, 0, 0.3, 1, 0.7], backdoors: backdoors)
        let path = folder.file("detection.bin")
        try diagnosis.save(path)
        let read = try #require(try Diagnosis(path: path, count: 5))
        #expect(read.verdict == diagnosis.verdict && read.flagged == diagnosis.flagged)
        #expect(read.scores == diagnosis.scores && read.coherence == diagnosis.coherence)
        #expect(read.backdoors.map(\.carriers) == backdoors.map(\.carriers))
        #expect(read.backdoors.map(\.labels) == [.wrong, .wrong, .right])
        guard case .pixels(let found, let form, let perturbed)? = read.backdoors[0].trigger,
            case .style(.noise, [0], [1, 2], [4])? = read.backdoors[1].trigger
        else {
            Issue.record("another trigger came back")
            return
        }
        #expect(form.strength == 2 && perturbed == [1, 3] && read.backdoors[2].trigger == nil)
        let image = try Tensor.rand([3, 1, 4, 4], generator: Generator(seed: 3))
        for form in estimate.forms {
            let (before, after) = try (
                estimate.inserted(form, into: image, strengths: Tensor.ones([3])),
                found.inserted(form, into: image, strengths: Tensor.ones([3]))
            )
            #expect(try before.array(as: Float.self) == after.array(as: Float.self))
        }
        #expect(
            try estimate.removed(from: image).array(as: Float.self)
                == found.removed(from: image).array(as: Float.self))
        #expect(try Diagnosis(path: path, count: 6) == nil, "of another data set")
        for part in try truncations(of: path) {
            try part.write(to: URL(filePath: path))
            #expect(try Diagnosis(path: path, count: 5) == nil)
        }
    }

    @Test func whatFollowedAnotherDiagnosisIsForgotten() throws {
        let journal = PhaseJournal(directory: folder.path) { _ in }
        let names = ["analysis", "detection", "decoupling", "round-1", "round-2"]
        for name in names { try journal.finish(name, []) }
        try journal.forget { $0 == "decoupling" || $0.hasPrefix("round-") }
        #expect(try names.map(journal.replay) == [true, true, false, false, false])
    }

    @Test func namesAreQuotedAsTheStandardSays() throws {
        let names = [
            "plain.png", "with space.png", "a,b.png", "say \"hi\".png", "two\nlines.png",
            "carriage\rreturn.png",
            "both\r\n.png", "\"\u{301}.png", "日本語.png", "",
        ]
        var drawn = TinyImages(side: 2, channels: 1)
        for sample in names.indices { drawn.add([1, 2, 3, 4], label: sample % 2) }
        let model = try TinyGraph.linear(
            weight: Tensor.zeros([2, 4]), bias: Tensor.zeros([2]), channels: 1, side: 2)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")) { names[$0] }, for: model.graph, options: JobOptions())
        let table = AnalysisTable(count: names.count)
        let quiet = [Double](repeating: 0, count: names.count)
        var flagged = [Bool](repeating: false, count: names.count)
        let diagnosis = Diagnosis(
            verdict: VerdictBuilder.empty, flagged: flagged, scores: quiet, coherence: quiet, backdoors: [])
        flagged[1] = true
        let restoration = LabelRestoration(
            images: images, table: table, targets: [], parameters: Parameters(),
            token: try CancellationToken())
        let writer = FindingsWriter(
            images: images, table: table, diagnosis: diagnosis, restoration: restoration, flagged: flagged)
        try writer.writeLabels(to: folder.file("labels.csv"))
        let text = try String(contentsOf: URL(filePath: folder.file("labels.csv")), encoding: .utf8)
        let fields = try #require(CSV(text).rows)
        #expect(
            fields.first == [
                "index", "name", "given_label", "restored_label", "flagged", "label_confidence",
            ])
        #expect(fields.dropFirst().map { $0[1] } == names)
        #expect(fields.dropFirst().map { $0[0] } == names.indices.map(String.init))
        // The given label is never the restored one.
        #expect(fields[2] == ["1", "with space.png", "1", "0", "1", ""])
        #expect(fields[1] == ["0", "plain.png", "0", "0", "0", ""])
    }
}

/// A reader of RFC 4180, strict: nil rows where the text breaks a rule.
private struct CSV {
    var rows: [[String]]?

    init(_ text: String) {
        var rows: [[String]] = [[]]
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            var field = String.UnicodeScalarView()
            if rest.first == "\"" {
                rest.removeFirst()
                while let scalar = rest.popFirst() {
                    guard scalar == "\"" else {
                        field.append(scalar)
                        continue
                    }
                    guard rest.first == "\"" else { break }
                    field.append(rest.removeFirst())
                }
            } else {
                while let scalar = rest.first, scalar != ",", scalar != "\r" {
                    guard scalar != "\"", scalar != "\n" else { return }
                    field.append(rest.removeFirst())
                }
            }
            rows[rows.count - 1].append(String(field))
            if rest.first == "," {
                rest.removeFirst()
            } else {
                guard rest.popFirst() == "\r", rest.popFirst() == "\n" else { return }
                if !rest.isEmpty { rows.append([]) }
            }
        }
        self.rows = rows
    }
}
