import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// A worker that says more than any task needs.
@Suite struct FloodTests {
    @Test(arguments: [
        ("metrics", 101), ("curves", 201), ("documents", 501), ("triggers", 501), ("phases", 501),
        ("artifacts", 20_001), ("large-samples", 1), ("heartbeats", 40_000),
    ])
    func aFloodEndsTheAttemptWithItsCause(kind: String, count: Int) async throws {
        let run = try await WorkerSupervisorTests.run("flood-of \(kind) \(count)\nfinished")
        let problem = try #require(run.exit.problem)
        #expect(problem.code == "worker-flood" && problem.category == .unprocessable, "\(problem)")
        #expect(run.messages.count < 20_001)
    }

    @Test(arguments: [
        ("metrics", 100), ("curves", 200), ("documents", 500), ("phases", 500), ("heartbeats", 10_000),
    ])
    func theMostIsTaken(kind: String, count: Int) async throws {
        let run = try await WorkerSupervisorTests.run("flood-of \(kind) \(count)\nfinished")
        #expect(run.exit.problem == nil)
        #expect(run.messages.count == (kind == "heartbeats" ? 0 : count))
    }

    @Test func logLinesAreDroppedAndCounted() async throws {
        let run = try await WorkerSupervisorTests.run("flood-of logs 1500\nfinished")
        #expect(run.exit.problem == nil)
        #expect(run.messages.count == 1_001)
        #expect(run.messages.last == .log("500 more lines were not kept"))
    }

    @Test func framesComeBackWithTime() throws {
        var budget = MessageBudget()
        let start = ContinuousClock.now
        for _ in 0..<20_000 { #expect(try budget.admit(.heartbeat, at: start)) }
        #expect(throws: Problem.self) { try budget.admit(.heartbeat, at: start) }
        #expect(try budget.admit(.heartbeat, at: start + .seconds(2)))
    }

    @Test(arguments: [
        "a%1B;[31m", "%A;forged", "%9B;2K", "%202E;gpj", "%2028;", "%7F;", "%200B;",
    ])
    func namesThatCannotBeShownAreRefused(name: String) async throws {
        for (command, code) in [
            ("class-named", "class-name-unusable"), ("operator-named", "operator-name-unusable"),
        ] {
            let run = try await WorkerSupervisorTests.run("\(command) \(name)\nfinished")
            let problem = try #require(run.exit.problem)
            #expect(problem.code == code && problem.category == .unprocessable)
            #expect(problem.detail.isPlain && problem.location?.isPlain == true)
            #expect(run.messages.isEmpty)
        }
        #expect(try await WorkerSupervisorTests.run("class-named Katze\nfinished").exit.problem == nil)
    }
}
