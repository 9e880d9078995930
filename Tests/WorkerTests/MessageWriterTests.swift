import Findings
import Foundation
import Support
import Testing
import WorkerProtocol

@testable import burn_worker

/// What a worker cannot say must not go missing without a word.
@Suite struct MessageWriterTests {
    /// What arrives of these messages, and what the writer answered to each.
    private func sent(_ messages: [WorkerMessage]) throws -> (arrived: [WorkerMessage], answers: [Bool]) {
        let pipe = Pipe()
        let writer = MessageWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        let answers = messages.map(writer.write)
        try pipe.fileHandleForWriting.close()
        var decoder = Frame.Decoder<WorkerMessage>()
        return (try decoder.append(pipe.fileHandleForReading.readToEnd() ?? Data()), answers)
    }

    private func points(_ value: Double) -> WorkerMessage {
        .metrics([
            MetricPoint(phase: .detection, name: "first", value: 1),
            MetricPoint(phase: .detection, name: "second", value: value),
        ])
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func aNumberThatIsNoneFailsTheTaskAndIsNamed(value: Double) throws {
        let (arrived, answers) = try sent([.log("before"), points(value), points(2), .finished])
        #expect(answers == [true, false, true, true])
        #expect(arrived.count == 2 && arrived.first == .log("before"), "nothing follows the failure")
        guard case .failed(let problem) = arrived.last else {
            Issue.record("\(arrived)")
            return
        }
        #expect(problem.code == WorkerMessage.notSendableCode)
        #expect(
            problem.detail.contains("“metrics”") && problem.detail.contains("/1/value"), "\(problem.detail)")
        #expect(problem.detail.contains("\(value)"))
    }

    @Test func whatIsTooLongForAFrameFailsTheTaskAndSaysHowLongItIs() throws {
        let text = String(repeating: "x", count: Frame.maximumLength)
        let (arrived, answers) = try sent([.log(text)])
        #expect(answers == [false])
        guard case .failed(let problem) = arrived.last, arrived.count == 1 else {
            Issue.record("\(arrived.count)")
            return
        }
        #expect(problem.code == WorkerMessage.notSendableCode && problem.detail.utf8.count < 300)
        #expect(problem.detail.contains("“log”") && problem.detail.contains("at most \(Frame.maximumLength)"))
    }

    @Test func theLastMessageIsTheLast() throws {
        let (arrived, _) = try sent([.heartbeat, .finished, .heartbeat, points(.nan)])
        #expect(arrived == [.heartbeat, .finished])
    }
}
