import Findings
import Foundation
import Support
import Testing
import WorkerProtocol

@Suite struct FrameTests {
    static let messages: [WorkerMessage] = [
        .heartbeat,
        .progress(WorkerProgress(phase: .refinement, round: 2, fraction: 0.25, secondsLeft: 12)),
        .phaseFinished(.boundaryAnalysis, round: 0, seconds: 3.5),
        .failed(Problem(.unprocessable, code: "x", title: "X", detail: "d", location: "l", fix: "f")),
        .finished,
    ]

    @Test(arguments: [1, 3, 7, 4096])
    func messagesSurviveAnySplitting(chunk: Int) throws {
        let bytes = try Self.messages.reduce(into: Data()) { $0.append(try Frame.encode($1)) }
        var decoder = Frame.Decoder<WorkerMessage>()
        var received: [WorkerMessage] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            received += try decoder.append(bytes[start..<min(start + chunk, bytes.count)])
        }
        #expect(received == Self.messages)
        #expect(decoder.isAtBoundary)
    }

    @Test func truncatedFrameIsNotAtBoundary() throws {
        var decoder = Frame.Decoder<WorkerMessage>()
        let frame = try Frame.encode(WorkerMessage.heartbeat)
        #expect(try decoder.append(frame.dropLast()).isEmpty)
        #expect(!decoder.isAtBoundary)
    }

    @Test func lengthBeyondTheLimitIsRefusedBeforeItIsRead() throws {
        var decoder = Frame.Decoder<WorkerMessage>()
        #expect(throws: Frame.Failure.tooLong(0x7fff_ffff)) {
            _ = try decoder.append([0x7f, 0xff, 0xff, 0xff])
        }
    }

    @Test func foreignBodyIsRefused() throws {
        var decoder = Frame.Decoder<WorkerMessage>()
        #expect(throws: DecodingError.self) {
            _ = try decoder.append([0, 0, 0, 2] + Array("{}".utf8))
        }
    }
}
