import Foundation
import Sandbox
import WorkerProtocol

/// What the process gives up before it reads a byte of an upload.
enum Confinement {
    /// At the start.
    static func begin() throws {
        try sleepWhileWaiting()
        try Sandbox.giveUpPrivileges()
    }

    /// As soon as the task is known, which comes from the service; while there is one thread.
    static func enter(for task: WorkerTask) throws {
        try Sandbox.enter(
            task.confinement ?? WorkerConfinement(), readable: task.inputs, writable: [task.outputDirectory])
    }

    /// Threads that wait must sleep, not spin. libgomp reads this while it is loaded, before `main`.
    private static func sleepWhileWaiting() throws {
        guard getenv("OMP_WAIT_POLICY") == nil else { return }
        setenv("OMP_WAIT_POLICY", "PASSIVE", 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
    }
}
