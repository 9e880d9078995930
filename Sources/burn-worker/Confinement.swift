import CConfinement
import Foundation
import Problems

/// What the process gives up before it reads a byte of an upload.
enum Confinement {
    static func apply() throws {
        try sleepWhileWaiting()
        let failure = burn_confine()
        guard failure == 0 else {
            throw Problem(
                .internal, code: "worker-confinement", title: "The worker could not confine itself",
                detail: String(cString: strerror(failure)))
        }
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
