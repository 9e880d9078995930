import CLinux
import ConfinedActions
import Dispatch
import Foundation
import Sandbox
import WorkerProtocol

/// Does one thing that a worker must not do, confined as workers are or free, and says how it ended: `done`,
/// or the error's number.
///
///     ConfinedProgram confined|confined-VERSION|free INPUT OUTPUT ACTION [ARGUMENT]
///
/// With VERSION, on a kernel whose landlock seems to be that old.
///
/// Or becomes another program that finds no landlock in the kernel:
///
///     ConfinedProgram without-landlock PROGRAM [ARGUMENT...]
@main
enum ConfinedProgram {
    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count > 2, arguments[1] == "without-landlock" {
            guard actions_hide_landlock() == 0 else { exit(70) }
            execv(arguments[2], CommandLine.unsafeArgv + 2)
            exit(71)
        }
        guard arguments.count >= 5 else { exit(64) }
        let other = actions_start_other()
        if arguments[1].hasPrefix("confined") {
            if let version = Int32(arguments[1].dropFirst("confined-".count)) {
                guard actions_pretend_landlock(version) == 0 else { exit(72) }
            }
            burn_answer_own_thread_states()
            try Sandbox.giveUpPrivileges()
            try Sandbox.enter(
                WorkerConfinement(mode: .required, memoryBytes: 256 << 20, seconds: 60, fileBytes: 1 << 20),
                readable: [arguments[2]], writable: [arguments[3]])
        }
        // Work that waits makes Dispatch look at its threads, once a second.
        if arguments[4] == "backlog" {
            let group = DispatchGroup()
            for _ in 0..<64 * ProcessInfo.processInfo.processorCount {
                DispatchQueue.global().async(group: group) { usleep(50_000) }
            }
            group.wait()
            return FileHandle.standardOutput.write(Data("done".utf8))
        }
        let code = actions_perform(arguments[4], arguments.count > 5 ? arguments[5] : "", other)
        FileHandle.standardOutput.write(Data((code == 0 ? "done" : "\(code)").utf8))
    }
}
