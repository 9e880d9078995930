import Foundation
import Testing
import WorkerProtocol

@testable import Sandbox

private enum Machine {
    static let report = SandboxReport.probe()
    static let lacks: Comment = "not on this machine: \(report.missing.joined(separator: "; "))"
}

/// What a confined process tries, and what the same process does when it is free.
@Suite struct SandboxTests {
    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "ConfinedProgram")

    /// An action, and the error that ends it when confined; nil where it must work.
    struct Attempt: CustomTestStringConvertible, Sendable {
        var action: String
        /// A file in the folder of the test, or an absolute path.
        var path = ""
        var error: Int32?
        /// Whether any machine lets a free process do it.
        var isCommon = true
        var testDescription: String { "\(action) \(path)" }

        init(_ action: String, _ path: String = "", _ error: Int32? = nil, isCommon: Bool = true) {
            (self.action, self.path, self.error, self.isCommon) = (action, path, error, isCommon)
        }
    }

    /// Left by landlock, and by seccomp where landlock, or an older one, sees nothing.
    static let files: [Attempt] = [
        Attempt("read", "/etc/passwd", EACCES),
        Attempt("read", "/etc/hostname", EACCES, isCommon: false),
        Attempt("read", "/proc/1/environ", EACCES, isCommon: false),
        Attempt("read", "/proc/self/mountinfo", EACCES), Attempt("read", "/proc/self/environ", EACCES),
        Attempt("read", "/proc/self/net/dev", EACCES), Attempt("read", "/proc/thread-self/net/dev", EACCES),
        Attempt("read", "/proc/thread-self/mountinfo", EACCES), Attempt("list", "/proc/self/task", EACCES),
        Attempt("list", "/proc/self/fd", EACCES), Attempt("read", "/proc/self/status"),
        Attempt("read", "secret", EACCES),
        Attempt("list", "/", EACCES),
        Attempt("list", "/home", EACCES),
        Attempt("write", "outside", EACCES),
        Attempt("write", "/tmp/burn-sandbox-test-outside", EACCES),
        Attempt("append", "input/model", EACCES),
        Attempt("truncate", "input/model", EPERM), Attempt("cut-open", "input/model", EPERM),
        Attempt("open-for-nothing", "input/model", EPERM),
        Attempt("mode-open", "input/model", EPERM), Attempt("owner-open", "input/model", EPERM),
        Attempt("times", "input/model", EPERM), Attempt("times-open", "input/model", EPERM),
        Attempt("lock", "input/model", EPERM), Attempt("lock-region", "input/model", EPERM),
        Attempt("lease", "input/model", EPERM, isCommon: false),
        Attempt("notify", "input", EPERM, isCommon: false),
        Attempt("remove", "input/model", EACCES),
        Attempt("read", "input/model"),
        Attempt("list", "input"),
        Attempt("write", "output/result"),
        Attempt("read", "output/there"),
        Attempt("remove", "output/there"),
    ]

    /// Left by seccomp.
    static let calls: [Attempt] = [
        Attempt("internet", "", EPERM), Attempt("datagram", "", EPERM), Attempt("local", "", EPERM),
        Attempt("netlink", "", EPERM), Attempt("pair", "", EPERM),
        Attempt("exec", "", EPERM), Attempt("exec-descriptor", "", EPERM), Attempt("fork", "", EPERM),
        Attempt("clone3", "", ENOSYS), Attempt("trace", "", EPERM),
        Attempt("read-memory", "", EPERM, isCommon: false), Attempt("signal-other", "", EPERM),
        Attempt("signal-group", "", EPERM), Attempt("nice-other", "", EPERM),
        Attempt("nice-group", "", EPERM), Attempt("whiteout", "output/there", EPERM, isCommon: false),
        Attempt("limit", "", EPERM),
        Attempt("undumpable", "", EPERM), Attempt("memory-file", "", EPERM),
        Attempt("signal-owner", "", EPERM), Attempt("signal-owner-ex", "", EPERM),
        Attempt("signal-choice", "", EPERM), Attempt("asynchronous", "", EPERM),
        Attempt("signal-by-input", "", EPERM), Attempt("pipe-size", "", EPERM),
        Attempt("times", "output/there", EPERM), Attempt("descriptor-flags"),
        Attempt("symlink", "output/link", EPERM), Attempt("link", "output/link", EPERM, isCommon: false),
        Attempt("pipe", "output/pipe", EPERM), Attempt("mode", "output/there", EPERM),
        Attempt("ring", "", EPERM, isCommon: false), Attempt("keys", "", EPERM, isCommon: false),
        Attempt("bpf", "", EPERM, isCommon: false), Attempt("namespaces", "", EPERM, isCommon: false),
        Attempt("mount", "nowhere", EPERM, isCommon: false), Attempt("root", "input", EPERM, isCommon: false),
        Attempt("page-faults", "", EPERM, isCommon: false),
        Attempt("second-numbers", "", ENOSYS, isCommon: false),
        Attempt("unknown-call", "", ENOSYS, isCommon: false),
        Attempt("thread"), Attempt("machine-code"),
    ]

    /// Left by resource limits.
    static let limits: [Attempt] = [
        Attempt("large-file", "output/large", EFBIG), Attempt("large-allocation", "", ENOMEM),
        Attempt("many-files", "", EMFILE),
    ]

    @Test(.enabled(if: Machine.report.landlock > 0, Machine.lacks), arguments: files)
    func filesAreThoseGiven(_ attempt: Attempt) throws { try check(attempt) }

    @Test(.enabled(if: Machine.report.seccomp, Machine.lacks), arguments: calls)
    func callsAreThoseNeeded(_ attempt: Attempt) throws { try check(attempt) }

    /// The rules for calls close what an older landlock leaves open.
    @Test(.enabled(if: Machine.report.missing.isEmpty, Machine.lacks), arguments: 1..<7)
    func filesAreThoseGivenOnOlderKernels(version: Int) throws {
        guard version < Machine.report.landlock else { return }
        // The first version sees least; of the others, what was added since.
        let attempts = Self.files.filter {
            version == 1 || ["cut-open", "truncate", "append"].contains($0.action)
        }
        for attempt in attempts {
            let answer = try run("confined-\(version)", attempt)
            #expect(answer == attempt.error.map { "\($0)" } ?? "done", "\(attempt)")
        }
    }

    @Test(.enabled(if: Machine.report.missing.isEmpty, Machine.lacks), arguments: limits)
    func limitsHold(_ attempt: Attempt) throws { try check(attempt) }

    /// Dispatch ends a process that cannot read its threads' state.
    @Test(.enabled(if: Machine.report.landlock > 0, Machine.lacks))
    func workMayWaitForDispatchsThreads() throws {
        #expect(try run("confined", Attempt("backlog")) == "done")
    }

    /// What Dispatch reads is found among the process's own threads, and only there.
    @Test(.enabled(if: Machine.report.landlock > 0, Machine.lacks))
    func anotherProcessesStateStaysOutOfReach() throws {
        try check(Attempt("read", "/proc/1/stat", ENOENT, isCommon: false))
        try check(Attempt("read", "/proc/1/status", EACCES, isCommon: false))
        try check(Attempt("write", "/proc/1/stat", ENOENT, isCommon: false))
    }

    /// The kernel forgets what it knows of files when memory is short; rules must not end with it.
    @Test(
        .enabled(if: Machine.report.landlock > 0, Machine.lacks),
        .enabled(if: access(dropCaches, W_OK) == 0, "the caches cannot be dropped here"),
        arguments: [
            "/proc/self/status", "/proc/self/maps", "/proc/meminfo", "/sys/devices/system/cpu/online",
        ])
    func rulesOutliveTheKernelsCaches(path: String) throws {
        let answer = try run("confined", Attempt("read-later", path)) {
            // Where a container shows the file and takes nothing, the test says nothing, and passes.
            try? Data("2".utf8).write(to: URL(filePath: Self.dropCaches))
        }
        #expect(answer == "done")
    }

    private static let dropCaches = "/proc/sys/vm/drop_caches"

    private func check(_ attempt: Attempt) throws {
        let free = try run("free", attempt)
        if attempt.isCommon { #expect(free == "done", "it can be done at all") }
        #expect(try run("confined", attempt) == attempt.error.map { "\($0)" } ?? "done")
    }

    /// In a folder of its own with an input, an output and a secret.
    /// - Parameter whileItWaits: done between the program's first byte and the end of its standard input.
    private func run(
        _ confinement: String, _ attempt: Attempt, whileItWaits: (() -> Void)? = nil
    ) throws -> String {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(
            path: "burn-sandbox-\(UUID().uuidString)")
        defer {
            try? FileManager.default.removeItem(at: folder)
            unlink("/tmp/burn-sandbox-test-outside")
        }
        for name in ["input", "output"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        for name in ["input/model", "output/there", "secret"] {
            try Data("text".utf8).write(to: folder.appending(path: name))
        }
        let path = attempt.path.hasPrefix("/") ? attempt.path : folder.appending(path: attempt.path).path
        let process = Process()
        process.executableURL = Self.program
        process.arguments = [
            confinement, folder.appending(path: "input").path, folder.appending(path: "output").path,
            attempt.action, path,
        ]
        let output = Pipe()
        process.standardOutput = output
        let input = Pipe()
        process.standardInput = input
        try process.run()
        if let whileItWaits {
            #expect(try output.fileHandleForReading.read(upToCount: 1) == Data(".".utf8))
            whileItWaits()
        }
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }

    @Test func whatIsMissingIsSaid() throws {
        let none = SandboxReport(privileges: false, landlock: 0, seccomp: false)
        #expect(none.missing.count == 3)
        #expect(SandboxReport(privileges: true, landlock: 1, seccomp: true).missing.isEmpty)
        try none.require(.preferred)
        try none.require(.off)
        let problem = try #require(throws: (any Error).self) { try none.require(.required) }
        #expect("\(problem)".contains("landlock") && "\(problem)".contains("seccomp"))
    }

    @Test func librariesAreFoundAndTheProgramIsNot() {
        let paths = LoadedLibraries.paths()
        #expect(paths.contains { $0.contains("/libc.so") || $0.contains("/libc-") })
        #expect(!paths.contains { $0.hasSuffix("/" + ProcessInfo.processInfo.processName) })
    }

    @Test func theDataLimitLeavesRoomAndDoesNotOverflow() {
        #expect(Sandbox.dataBytes(memory: 4 << 30) == 6 << 30)
        #expect(Sandbox.dataBytes(memory: Int.max - 5) == 0)
    }
}
