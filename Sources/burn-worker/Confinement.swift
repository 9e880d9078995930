import CLinux
import Foundation
import Sandbox
import WorkerProtocol

/// What the process gives up before it reads a byte of an upload.
enum Confinement {
    /// At the start.
    static func begin() throws {
        try setLibrariesUp()
        burn_answer_own_thread_states()
        try Sandbox.giveUpPrivileges()
    }

    /// As soon as the task is known, which comes from the service; while there is one thread.
    /// - Parameter hasGPU: the GPU's driver opens devices and makes calls that the rules for files and calls deny: such
    ///   a worker keeps the limits alone.
    /// - Throws: `Problem` `sandbox-unavailable` where the rules are required beside a GPU.
    static func enter(for task: WorkerTask, hasGPU: Bool) throws {
        var confinement = task.confinement ?? WorkerConfinement()
        if hasGPU {
            try SandboxReport.allowGPU(confinement.mode)
            confinement.mode = .off
        }
        setenv("TMPDIR", task.outputDirectory, 1)
        try Sandbox.enter(confinement, readable: task.inputs, writable: [task.outputDirectory])
    }

    /// The service sets the libraries' environment; a worker that is started otherwise starts itself again with it.
    private static func setLibrariesUp() throws {
        // Other threads that wait may be the user's choice, a thread of jemalloc's may not.
        let missing = WorkerEnvironment.libraries.filter { name, value in
            name == "OMP_WAIT_POLICY"
                ? getenv(name) == nil : getenv(name).map { String(cString: $0) } != value
        }
        guard !missing.isEmpty else { return }
        for (name, value) in missing { setenv(name, value, 1) }
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
    }
}
