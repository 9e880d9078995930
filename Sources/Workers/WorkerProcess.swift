import CLinux
import Foundation
import Support

/// A child process with pipes to its three standard descriptors, in a process group of its own.
///
/// Started with `posix_spawn` rather than a library: the thread that starts the child must live as long as
/// the child does, because the parent-death signal that a worker asks for is bound to that thread, and the
/// child must stay unreaped until its process group is killed.
///
/// Not Sendable: one thread starts, reads and reaps it.
struct WorkerProcess: ~Copyable {
    let pid: pid_t
    var input: Int32
    let output: Int32
    let errors: Int32

    init(executable: String, environment: [String: String]) throws {
        try self.init(WorkerCommand(executable: executable, environment: environment))
    }

    init(_ command: WorkerCommand) throws {
        var ours: [Int32] = []
        var theirs: [Int32] = []
        defer { for descriptor in theirs { close(descriptor) } }
        func pipe(oursReads: Bool) throws {
            var ends: [Int32] = [-1, -1]
            guard cspawn_pipe(&ends) == 0 else { throw Self.notStarted("pipe", errno) }
            ours.append(ends[oursReads ? 0 : 1])
            theirs.append(ends[oursReads ? 1 : 0])
            _ = fcntl(ends[oursReads ? 0 : 1], F_SETFL, O_NONBLOCK)
        }
        do {
            try pipe(oursReads: false)
            try pipe(oursReads: true)
            try pipe(oursReads: true)
            pid = try Self.spawn(command, standard: theirs)
        } catch {
            for descriptor in ours { close(descriptor) }
            throw error
        }
        (input, output, errors) = (ours[0], ours[1], ours[2])
    }

    deinit {
        if input >= 0 { close(input) }
        close(output)
        close(errors)
    }

    mutating func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    private static func spawn(_ command: WorkerCommand, standard: [Int32]) throws -> pid_t {
        // The pointers live until the call returns; the child has its own copies.
        // Dispatch threads block signals and the service ignores SIGPIPE: cspawn_start undoes both.
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([command.executable] + command.arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            command.environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var pid: pid_t = 0
        let code =
            if let signal = command.signalOfDeath {
                cspawn_start_bound(command.executable, &arguments, &variables, standard, signal, &pid)
            } else { cspawn_start(command.executable, &arguments, &variables, standard, &pid) }
        guard code == 0 else { throw notStarted("start of \(command.executable)", code) }
        return pid
    }

    private static func notStarted(_ call: String, _ code: Int32) -> Problem {
        Problem(
            .internal, code: "worker-not-started", title: "The worker could not be started",
            detail: "\(call): \(String(cString: strerror(code)))")
    }

    /// Whether it has ended; it stays unreaped, so that its number and group stay its own.
    var hasEnded: Bool {
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        return result == -1 && errno == ECHILD || info.si_signo == SIGCHLD
    }

    func killGroup() { _ = Glibc.kill(-pid, SIGKILL) }

    /// Waits for the end and releases the process number.
    func reap() -> WorkerStatus {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 {
            if errno != EINTR { return .exited(-1) }
        }
        // <sys/wait.h>: the low 7 bits hold the signal, the next byte the exit code.
        return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
    }

    enum Reading {
        case bytes(Data)
        case nothing, end
    }

    /// At most 256 KiB of what is there.
    static func read(_ descriptor: Int32) -> Reading {
        var data = Data(count: 256 << 10)
        while true {
            let count = data.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { return .bytes(data.prefix(count)) }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothing : .end
        }
    }
}
