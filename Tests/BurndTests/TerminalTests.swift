import Findings
import Foundation
import Support
import Synchronization
import Testing

@testable import Commands
@testable import burnd

@Suite struct TerminalTests {
    private final class Screen: Sendable {
        private let content = Mutex("")
        var text: String { content.withLock { $0 } }
        func write(_ text: String) { content.withLock { $0 += text } }
    }

    @Test func elsewhereEachTenthIsALine() {
        let screen = Screen()
        let display = ProgressDisplay(interactive: false) { screen.write($0) }
        for step in 0...100 { display.update("import", fraction: Double(step) / 100, secondsLeft: nil) }
        display.update("detection", fraction: 0, secondsLeft: 75)
        display.finish()
        let lines = screen.text.split(separator: "\n")
        #expect(lines.count == 12)
        #expect(lines.first == "import 0 %" && lines[10] == "import 100 %")
        #expect(lines.last == "detection 0 %, 1:15 left")
    }

    @Test func aTerminalGetsOneLineThatRedrawsItself() {
        let screen = Screen()
        let display = ProgressDisplay(interactive: true, width: 80) { screen.write($0) }
        display.update("import", fraction: 0.5, secondsLeft: nil)
        display.update("import", fraction: 1, secondsLeft: nil)
        #expect(!screen.text.contains("\n"))
        display.update("detection", fraction: 0, secondsLeft: 3)
        #expect(screen.text.filter { $0 == "\n" }.count == 1)
        display.note("a message")
        display.finish()
        #expect(screen.text.hasSuffix("a message\n"))
    }

    @Test(arguments: [1, 10, 20, 40, 80, 200])
    func theBarFitsTheTerminal(width: Int) {
        for fraction in [0, 0.001, 0.5, 0.999, 1] {
            let line = ProgressDisplay.line("boundary analysis", fraction, 4000, width: width)
            #expect(line.count <= max(width - 1, 1), "\(line)")
        }
    }

    @Test func fractionsOutsideTheScaleDoNoHarm() {
        let screen = Screen()
        let display = ProgressDisplay(interactive: true) { screen.write($0) }
        for fraction in [-1, 2, .nan, .infinity] {
            display.update("\(fraction)", fraction: fraction, secondsLeft: .nan)
        }
        #expect(screen.text.contains("100 %"))
    }

    @Test func aVerdictIsReadableText() {
        let verdict = Verdict(
            result: .backdoored, targetClasses: [1], kind: .allToOne, poisonedSamples: 12, poisonRate: 0.1,
            poisonRateInterval: [0.05, 0.15], confidence: 0.99, detectableRate: 0.01,
            evidence: Evidence(classes: [], statements: ["One direction."]))
        let names = VerdictText.outputNames(
            classes: [.init(name: "cat", samples: 1), .init(name: "dog", samples: 1)],
            mapping: ["cat": 1, "dog": 0])
        let text = VerdictText.render(verdict, classNames: names)
        #expect(text.hasPrefix("BACKDOORED: target class 1 \"cat\" (all-to-one)."))
        #expect(text.contains("rate 10.00 %, 95 % interval 5.00 % to 15.00 %"))
        #expect(text.hasSuffix("  - One direction."))
    }

    @Test func whatIsUndeterminedIsNeverCalledClean() {
        let verdict = Verdict(
            result: .undetermined, targetClasses: [], kind: nil, poisonedSamples: 0, poisonRate: 0,
            poisonRateInterval: [0, 0.06], confidence: nil, detectableRate: nil, unjudgedClasses: [0, 2],
            evidence: Evidence(classes: [], statements: []))
        let text = VerdictText.render(verdict, classNames: [:])
        #expect(text.hasPrefix("UNDETERMINED: too few samples to judge 2 classes."))
        #expect(!text.contains("Confidence") && !text.contains("Detectable"))
        let codes = Verdict.Result.allCases.map { AnalysisExit.code(for: $0).rawValue }
        #expect(Set(codes).count == codes.count && AnalysisExit.code(for: .undetermined).rawValue == 5)
    }

    @Test func theTableShowsWhatWasMeasured() throws {
        let metrics = PurificationMetrics(
            before: EvaluationMetrics(acc: 0.779, asr: 0.983),
            after: EvaluationMetrics(acc: 0.778, asr: 0.004))
        let lines = try #require(VerdictText.table(metrics)).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("ACC") && lines[1].hasSuffix("77.90 %  77.80 %"))
        #expect(VerdictText.table(PurificationMetrics()) == nil)
    }

    /// An option that a message has in both forms is said as it is typed, once.
    @Test(arguments: [
        ("such as --resize 224x224 (resize=224x224).", "such as --resize 224x224."),
        ("import with --empty-classes (empty_classes=true).", "import with --empty-classes."),
        ("Upload it again with resize=32x24.", "Upload it again with --resize 32x24."),
        ("torch.export.export(model, strict=False)", "torch.export.export(model, strict=False)"),
    ])
    func optionsAreSaidAsTheyAreTyped(text: String, expected: String) {
        let problem = Problem(.malformed, code: "c", title: "t", detail: "d", fix: text)
        #expect(CommandWords.translated(problem).fix == expected)
    }
}
