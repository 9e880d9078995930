import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// The files that the kernel would act on, in a folder that stands for its own.
@Suite struct WorkerCgroupTests {
    let mount: URL
    let membership: URL

    init() throws {
        mount = URL(filePath: NSTemporaryDirectory()).appending(path: "burn-cgroup-\(UUID().uuidString)")
        membership = mount.appending(path: "membership")
        try FileManager.default.createDirectory(
            at: mount.appending(path: "system.slice/burnd.service/burnd"), withIntermediateDirectories: true)
        try "0::/system.slice/burnd.service\n".write(to: membership, atomically: false, encoding: .utf8)
        for (name, text) in [
            ("cgroup.controllers", "cpu memory pids\n"), ("cgroup.procs", "\(getpid())\n"),
            ("cgroup.subtree_control", ""), ("burnd/cgroup.procs", ""),
        ] { try write(text, name) }
    }

    private func file(_ name: String) -> URL {
        mount.appending(path: "system.slice/burnd.service/\(name)")
    }
    private func write(_ text: String, _ name: String) throws {
        try text.write(to: file(name), atomically: false, encoding: .utf8)
    }
    private func text(_ name: String) throws -> String { try String(contentsOf: file(name), encoding: .utf8) }
    private func groups() throws -> WorkerCgroups { try WorkerCgroups(membership: membership, mount: mount) }

    @Test func theServiceMovesAsideAndSharesOut() throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        _ = try groups()
        #expect(try text("burnd/cgroup.procs") == "\(getpid())")
        #expect(try text("cgroup.subtree_control") == "+memory +pids")
    }

    @Test(arguments: [
        ("cgroup.controllers", "cpu io\n", "no memory control"),
        ("cgroup.procs", "1\n2\n", "shared with other processes"),
    ])
    func whatCannotBeUsedIsNamed(name: String, content: String, reason: String) throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        try write(content, name)
        let error = try #require(throws: WorkerCgroups.Unavailable.self) { try groups() }
        #expect(error.description.contains(reason))
        #expect(try text("cgroup.subtree_control").isEmpty, "nothing is changed")
    }

    @Test func versionOneIsNotEnough() throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        try "4:memory:/a\n".write(to: membership, atomically: false, encoding: .utf8)
        #expect(throws: WorkerCgroups.Unavailable.self) { try groups() }
    }

    @Test func aDelegatedGroupThatFailsIsNoMissingOne() throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        try FileManager.default.removeItem(at: file("cgroup.subtree_control"))
        try FileManager.default.createDirectory(
            at: file("cgroup.subtree_control"), withIntermediateDirectories: false)
        let failure = try #require(throws: WorkerCgroups.Failure.self) { try groups() }
        #expect(failure.description.contains("burnd.service could not be set up"))
    }

    /// The stand-in's folders have no files that the kernel would make: no group can be set up in them.
    @Test(arguments: [SandboxMode.preferred, .off, .required])
    func aWorkerWithoutTheGroupMeantForItIsNamedOrRefused(mode: SandboxMode) async throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        let groups = try groups()
        let reasons = Mutex<[String]>([])
        let run = try await WorkerSupervisorTests.run("finished") {
            $0.sandbox = mode
            $0.memoryBytes = 1 << 30
            $0.cgroups = groups
            $0.lostGroup = { reason in reasons.withLock { $0.append(reason) } }
        }
        let said = reasons.withLock { $0 }
        #expect(said.count == 1 && said.first?.contains("worker-1 could not be set up") == true, "\(said)")
        #expect(try groups.root.checkResourceIsReachable())
        #expect(!FileManager.default.fileExists(atPath: file("worker-1").path), "nothing is left of it")
        switch run.exit {
        case .finished: #expect(mode != .required)
        case .notStarted(let problem):
            #expect(mode == .required && problem.code == "worker-confinement")
            #expect(problem.detail.contains("memory.max") || problem.detail.contains("worker-1"))
        default: Issue.record("\(run.exit)")
        }
    }

    @Test func memoryKillsAreCounted() throws {
        defer { try? FileManager.default.removeItem(at: mount) }
        try FileManager.default.createDirectory(at: file("worker"), withIntermediateDirectories: true)
        try write("low 0\noom 3\noom_kill 0\noom_group_kill 0\n", "worker/memory.events")
        let group = WorkerCgroup(folder: file("worker"))
        #expect(!group.ranOutOfMemory)
        try write("low 0\noom 3\noom_kill 2\n", "worker/memory.events")
        #expect(group.ranOutOfMemory)
    }

    /// The kernel's own, where this process is alone in a delegated group.
    static let real = Result { try WorkerCgroups() }
    static var reason: Comment {
        if case .failure(let error) = real { return "\(error)" }
        return "available"
    }

    @Test(.enabled(if: (try? real.get()) != nil, reason))
    func theKernelHoldsTheLimit() throws {
        let group = try Self.real.get().make(memoryBytes: 64 << 20)
        defer { group.remove() }
        #expect(WorkerCgroups.words(of: group.folder.appending(path: "memory.max")) == ["\(64 << 20)"])
        #expect(!group.ranOutOfMemory)
    }

    @Test func ownMemoryLeavesMappedFilesOut() {
        let status = "VmRSS:\t  900 kB\nRssAnon:\t  300 kB\nRssFile:\t  500 kB\nRssShmem:\t  100 kB\n"
        #expect(WorkerMemory.ownBytes(status: status) == 400 << 10)
        #expect(WorkerMemory.ownBytes(status: "Name:\tgone\n") == nil)
        #expect((WorkerMemory.ownBytes(of: getpid()) ?? 0) > 1 << 20)
    }
}
