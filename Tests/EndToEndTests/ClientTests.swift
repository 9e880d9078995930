import ArgumentParser
import Commands
import Foundation
import ServiceClient
import Support
import Synchronization
import Testing

@testable import burn_client

/// `burnd client` and its library against a real service, with interruptions.
@Suite struct ClientTests {
    private static let purification = """
        [probe]
        model-summary 32
        finished
        [import]
        dataset-summary 32
        finished
        [job]
        progress 0.5
        phase boundary_analysis
        samples 250
        verdict
        phase detection
        metrics
        evaluation
        artifact model.pt2 PURIFIED
        phase refinement
        finished
        """

    /// Runs `burnd client` with a configuration folder of the test's own.
    private struct Shell {
        let home: String
        let url: String
        var key: String?

        func callAsFunction(_ arguments: String..., input: String = "") throws -> (
            status: Int32, out: String, err: String
        ) {
            let process = Process()
            process.executableURL = ServiceProcess.programs.appending(path: "burnd")
            process.arguments = ["client"] + arguments
            process.environment = ["PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": home, "HOME": home]
            process.environment?["BURN_KEY"] = key
            let streams = [Pipe(), Pipe(), Pipe()]
            process.standardInput = streams[0]
            process.standardOutput = streams[1]
            process.standardError = streams[2]
            try process.run()
            streams[0].fileHandleForWriting.write(Data(input.utf8))
            try streams[0].fileHandleForWriting.close()
            let out = streams[1].fileHandleForReading.readDataToEndOfFile()
            let err = streams[2].fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (
                process.terminationStatus, String(decoding: out, as: UTF8.self),
                String(decoding: err, as: UTF8.self)
            )
        }
    }

    private func shell(_ service: ServiceProcess) throws -> Shell {
        let home = service.folder.appending(path: "home").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        return Shell(home: home, url: "http://127.0.0.1:\(service.port)")
    }

    private func archive(_ service: ServiceProcess, megabytes: Int = 0) throws -> String {
        let path = service.folder.appending(path: "train.tar.gz")
        var bytes = ServiceProcess.archive
        var random = SystemRandomNumberGenerator()
        for _ in 0..<megabytes * 131_072 {
            withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
        }
        try bytes.write(to: path)
        return path.path
    }

    /// burnd shows the tree; burn-client has to do all that is in it.
    @Test func everyCommandOfTheClientIsDone() {
        func leaves(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
            let below = command.configuration.subcommands
            return below.isEmpty ? [command] : below.flatMap(leaves)
        }
        let commands = leaves(BurnClient.self)
        #expect(commands.count > 10)
        for command in commands { #expect(command is any ClientWork.Type, "\(command)") }
    }

    @Test func aJobFromTheShell() throws {
        let service = try ServiceProcess(script: Self.purification)
        let key = try service.run(["keys", "create", "shell", "--scope", "submit"]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let client = try shell(service)
        let folder = service.folder.path

        // Without a login, with a wrong key, and with none.
        let stranger = try client("jobs", "list")
        #expect(stranger.status == 1 && stranger.err.contains("burnd client login"), "\(stranger)")
        let wrong = try client("login", client.url, input: "burn_wrong\n")
        #expect(wrong.status == 1 && wrong.err.contains("burnd:"), "\(wrong)")
        let empty = try client("login", client.url, input: "\n")
        #expect(empty.status == 1 && empty.err.contains("No key was given"), "\(empty)")

        let login = try client("login", client.url, input: key + "\n")
        #expect(login.status == 0 && login.out.contains("Logged in to"), "\(login)")
        #expect(!(login.out + login.err).contains(key))

        let model = try client("models", "push", ServiceProcess.model.path)
        #expect(model.status == 0 && model.out.hasPrefix("mdl_"), "\(model)")
        #expect(model.err.contains("sending small_cnn.pt2 100 %"))
        let dataset = try client("datasets", "push", try archive(service), "--json")
        let pushed = try #require(
            try JSONSerialization.jsonObject(with: Data(dataset.out.utf8)) as? [String: Any])
        #expect(pushed["state"] as? String == "ready")
        let set = try #require(pushed["id"] as? String)

        let watched = try client(
            "jobs", "submit", "purify", model.out.trimmingCharacters(in: .whitespacesAndNewlines), set,
            "--seed", "3",
            "--watch")
        #expect(watched.status == 3, "\(watched)")
        #expect(watched.out.contains("BACKDOORED: target class 0"))
        let job = try #require(
            watched.err.split(separator: "\n").first { $0.hasPrefix("job ") }?.dropFirst(4))
        let shown = try client("jobs", "show", String(job), "--json")
        #expect(shown.out.contains("\"seed\" : 3"), "\(shown)")
        #expect(try client("jobs", "list").out.contains("\(job)  purify  succeeded  backdoored"))
        #expect(try client("models", "list").out.contains("small_cnn.pt2"))
        #expect(try client("datasets", "list").out.contains(set))

        let pull = try client(
            "jobs", "pull", String(job), "-o", folder + "/out.pt2", "--labels", folder + "/labels.csv")
        #expect(pull.status == 1 && pull.err.contains("can't be checked"), "\(pull)")
        let model2 = try client("jobs", "pull", String(job), "-o", folder + "/out.pt2")
        #expect(model2.status == 0, "\(model2)")
        #expect(try String(contentsOfFile: folder + "/out.pt2", encoding: .utf8) == "PURIFIED")

        for form in ["html", "json"] {
            let report = try client("jobs", "report", String(job), "-o", folder + "/report." + form)
            #expect(report.status == 0, "\(report)")
        }
        #expect(
            try String(contentsOfFile: folder + "/report.html", encoding: .utf8).contains("<!DOCTYPE html>"))
        #expect(try client("jobs", "report", String(job)).out.contains("\"schema\" : \"burn-report/1\""))

        // Wrong inputs.
        let unknown = try client("jobs", "show", "job_none", "--json")
        #expect(unknown.status == 1 && unknown.out.contains("\"job-not-found\""), "\(unknown)")
        #expect(try client("jobs", "show", "../keys").status == 64)
        let ended = try client("jobs", "cancel", String(job))
        #expect(ended.status == 1 && ended.err.contains("burnd:"), "\(ended)")
        #expect(try client("models", "push", folder + "/none").status == 1)
        let noModel = folder + "/no-model"
        try FileManager.default.createDirectory(atPath: noModel, withIntermediateDirectories: true)
        #expect(try client("models", "push", noModel).status == 1)
        let text = folder + "/text.pt2"
        try "[check]\nrefuse model-format-unknown\n".write(toFile: text, atomically: true, encoding: .utf8)
        let refused = try client("models", "push", text)
        #expect(refused.status == 1 && refused.err.contains("burnd: Refused"), "\(refused)")
        #expect(try client("jobs", "report", String(job), "-o", "x.txt").status == 64)
        #expect(try client("jobs", "pull", String(job)).status == 64)
        #expect(try client("logout").out.contains("Logged out"))
        #expect(try client("jobs", "list").status == 1)
    }

    /// The service is killed in the middle of an upload, and starts again: no byte that it had is sent twice.
    @Test func aPushSurvivesTheServer() async throws {
        let service = try ServiceProcess(script: Self.purification)
        let client = ServiceClient(
            address: try ServiceAddress("http://127.0.0.1:\(service.port)"), key: nil)
        let path = try archive(service, megabytes: 40)
        let seen = Mutex((offsets: [Int](), breaks: 0, killed: false))
        let input = try await client.push(path, as: .dataset, name: "train.tar.gz") { step in
            switch step {
            case .sending(let offset, _):
                let kills = seen.withLock { seen in
                    seen.offsets.append(offset)
                    guard offset > 12 << 20, !seen.killed else { return false }
                    seen.killed = true
                    return true
                }
                if kills {
                    _ = service.stop(SIGKILL)
                    DispatchQueue.global().asyncAfter(deadline: .now() + 0.7) {
                        do { try service.start(port: service.port) } catch { Issue.record(error) }
                    }
                }
            case .interrupted: seen.withLock { $0.breaks += 1 }
            case .hashing, .checking: break
            }
        }
        #expect(input.state == .ready)
        #expect(input.sha256 == (try FileDigest(path: path).sha256))
        let (offsets, breaks) = seen.withLock { ($0.offsets, $0.breaks) }
        #expect(breaks >= 1)
        #expect(offsets == offsets.sorted() && Set(offsets).count >= offsets.count - breaks, "\(offsets)")
    }

    /// The client is ended in the middle; the next run goes on where the first one was.
    @Test func aPushGoesOnInTheNextRun() async throws {
        let service = try ServiceProcess(script: Self.purification)
        let client = ServiceClient(
            address: try ServiceAddress("http://127.0.0.1:\(service.port)"), key: nil)
        let path = try archive(service, megabytes: 24)
        let ledger = UnfinishedUploads(["XDG_CONFIG_HOME": service.folder.path])
        let running = Mutex(Task<InputReply, any Error>?.none)
        let first = Task {
            try await client.push(path, as: .dataset, name: "a", ledger: ledger) { step in
                if case .sending(let offset, _) = step, offset >= 12 << 20 {
                    running.withLock { $0?.cancel() }
                }
            }
        }
        running.withLock { $0 = first }
        await #expect(throws: (any Error).self) { try await first.value }
        let offsets = Mutex([Int]())
        let input = try await client.push(path, as: .dataset, name: "a", ledger: ledger) { step in
            if case .sending(let offset, _) = step { offsets.withLock { $0.append(offset) } }
        }
        #expect(input.state == .ready)
        let start = try #require(offsets.withLock { $0.first })
        #expect(start >= 8 << 20, "\(start)")
        // Nothing is remembered of what is finished.
        let again = Mutex([Int]())
        _ = try await client.push(path, as: .dataset, name: "a", ledger: ledger) { step in
            if case .sending(let offset, _) = step { again.withLock { $0.append(offset) } }
        }
        #expect(again.withLock { $0.first } == 0)
    }

    /// Events come once and in order, also when the service is killed in between.
    @Test func watchingSurvivesARestart() async throws {
        let job =
            "[job]\nprogress 0.1\nphase boundary_analysis\nsamples 5\nverdict\nwait-once\nphase detection\nfinished\n"
        let script = Self.purification.split(separator: "[job]")[0] + job
        let service = try ServiceProcess(script: String(script))
        let id = try service.startJob("scan")
        let client = ServiceClient(
            address: try ServiceAddress("http://127.0.0.1:\(service.port)"), key: nil)
        let breaks = Mutex(0)
        var events: [ServerEvent] = []
        var restarted = false
        for try await event in client.events(of: id, interrupted: { _ in breaks.withLock { $0 += 1 } }) {
            events.append(event)
            if event.kind == "verdict", !restarted {
                restarted = true
                _ = service.stop(SIGKILL)
                try service.start(port: service.port)
            }
        }
        #expect(restarted && breaks.withLock { $0 } >= 1)
        let ids = events.compactMap { $0.id.flatMap { Int($0) } }
        #expect(ids.count == events.count && ids == Array(Set(ids)).sorted(), "\(ids)")
        #expect(events.last?.kind == "state" && events.last?.data.contains("succeeded") == true)
        // From the middle on: only what came after.
        let middle = try #require(events[events.count / 2].id)
        var rest: [ServerEvent] = []
        for try await event in client.events(of: id, after: middle) { rest.append(event) }
        #expect(rest.map(\.id) == events.map(\.id).filter { Int($0 ?? "") ?? 0 > Int(middle) ?? 0 })
        // An unknown job is a problem, not an endless wait.
        await #expect(throws: Problem.self) { for try await _ in client.events(of: "job_none") {} }
    }

    /// The scripts that the argument parser makes are sound, and know the commands.
    @Test(arguments: ["bash", "zsh", "fish"]) func shellCompletion(name: String) throws {
        let service = Process()
        service.executableURL = ServiceProcess.programs.appending(path: "burnd")
        service.arguments = ["--generate-completion-script", name]
        let output = Pipe()
        service.standardOutput = output
        try service.run()
        let script = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        service.waitUntilExit()
        #expect(service.terminationStatus == 0)
        for word in ["client", "login", "watch", "datasets", "pull"] {
            #expect(script.contains(word), "\(word)")
        }
        guard name == "bash" else { return }
        let check = Process()
        check.executableURL = URL(filePath: "/bin/bash")
        check.arguments = ["-n", "-s"]
        let input = Pipe()
        check.standardInput = input
        try check.run()
        input.fileHandleForWriting.write(Data(script.utf8))
        try input.fileHandleForWriting.close()
        check.waitUntilExit()
        #expect(check.terminationStatus == 0)
    }
}
