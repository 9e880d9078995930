import Foundation
import Support

/// Slurm's own programs, run to their end.
struct SlurmCommands: Sendable {
    struct Output: Sendable {
        var code: Int32
        var text: String
        var errors: String

        var isSuccess: Bool { code == 0 }
        /// The last line that a program said, without its name.
        var reason: String {
            let line = errors.split(separator: "\n").last.map(String.init) ?? "exit code \(code)"
            return line.inOneLine
        }
    }

    /// Longer than the 9 s that they take to find that no controller answers.
    static let patience: Duration = .seconds(30)
    private static let mostBytes = 64 << 20

    /// The folder that they are in.
    let folder: String
    let environment: [String: String]

    /// - Throws: `Problem` `slurm-not-found`.
    init(_ settings: SlurmSettings) throws {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places =
            settings.programs.map { [$0] }
            ?? path.split(separator: ":").map(String.init) + ["/usr/bin", "/opt/slurm/bin", "/usr/local/bin"]
        let names = ["srun", "squeue", "scancel", "sinfo"]
        guard
            let folder = places.first(where: { place in
                names.allSatisfy { access(place + "/" + $0, X_OK) == 0 }
            })
        else {
            throw Problem(
                .malformed, code: "slurm-not-found", title: "Slurm's programs are not there",
                detail:
                    "\(names.joined(separator: ", ")) are not together in \(places.joined(separator: ", ")).",
                location: "slurm.programs",
                fix: "Install Slurm's client (Debian: slurm-client), or name its folder in slurm.programs.")
        }
        self.folder = folder
        var environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        if let file = settings.file {
            guard access(file, R_OK) == 0 else {
                throw Problem(
                    .malformed, code: "slurm-not-found", title: "Slurm's configuration can't be read",
                    detail: "\(file): \(String(cString: strerror(errno)))", location: "slurm.config",
                    fix: "Name the cluster's slurm.conf, readable for the service's user.")
            }
            environment["SLURM_CONF"] = file
        } else if let file = ProcessInfo.processInfo.environment["SLURM_CONF"] {
            environment["SLURM_CONF"] = file
        }
        self.environment = environment
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Runs one on the calling thread. One that does not end in time is killed; so is one that floods.
    func run(_ name: String, _ arguments: [String], patience: Duration = Self.patience) -> Output {
        let command = WorkerCommand(
            executable: path(name), arguments: arguments, environment: environment, signalOfDeath: SIGKILL)
        var process: WorkerProcess
        do { process = try WorkerProcess(command) } catch {
            return Output(code: -1, text: "", errors: "\(error)")
        }
        process.closeInput()
        let deadline = ContinuousClock.now + patience
        var text = Data()
        var errors = Data()
        var isOpen = (output: true, errors: true)
        while isOpen.output || isOpen.errors {
            guard .now < deadline, text.count + errors.count <= Self.mostBytes else {
                process.killGroup()
                _ = process.reap()
                return Output(
                    code: -1, text: "",
                    errors: "\(name) gave no answer within \(Int(patience / .seconds(1))) s")
            }
            var polled = [
                pollfd(fd: isOpen.output ? process.output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isOpen.errors ? process.errors : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&polled, nfds_t(polled.count), 200) > 0 else { continue }
            if polled[0].revents != 0 { isOpen.output = Self.take(process.output, &text) }
            if polled[1].revents != 0 { isOpen.errors = Self.take(process.errors, &errors) }
        }
        let code: Int32 =
            switch process.reap() {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            }
        return Output(
            code: code, text: String(decoding: text, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// - Returns: false at the end.
    private static func take(_ descriptor: Int32, _ data: inout Data) -> Bool {
        switch WorkerProcess.read(descriptor) {
        case .bytes(let bytes):
            data += bytes
            return true
        case .nothing: return true
        case .end: return false
        }
    }
}
