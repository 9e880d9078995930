import CLinux
import Foundation
import Support
import WorkerProtocol

/// What this kernel, or the container around it, gives to confine workers with.
public struct SandboxReport: Codable, Hashable, Sendable {
    /// No new privileges, no core dumps, an end with the parent.
    public var privileges: Bool
    /// Files: 0 for none, else the version of the kernel's landlock.
    public var landlock: Int
    /// The system call filter.
    public var seccomp: Bool

    public init(privileges: Bool, landlock: Int, seccomp: Bool) {
        self.privileges = privileges
        self.landlock = landlock
        self.seccomp = seccomp
    }

    /// Tries it out: a child process confines itself and attempts what must be denied.
    public static func probe() -> SandboxReport {
        let held = burn_confinement_probe()
        guard held >= 0 else { return SandboxReport(privileges: false, landlock: 0, seccomp: false) }
        func holds(_ flag: Int) -> Bool { Int(held) & flag != 0 }
        return SandboxReport(
            privileges: holds(BURN_PROBE_PRIVILEGES),
            landlock: holds(BURN_PROBE_LANDLOCK) ? Int(burn_landlock_abi()) : 0,
            seccomp: holds(BURN_PROBE_SECCOMP))
    }

    /// In words, what workers run without here. Empty when nothing is missing.
    public var missing: [String] {
        var missing: [String] = []
        if !privileges { missing.append("no-new-privileges (prctl)") }
        if landlock == 0 { missing.append("file access rules (landlock: Linux 5.13 or newer, enabled)") }
        if !seccomp { missing.append("system call filter (seccomp)") }
        return missing
    }

    /// A GPU's driver opens devices and makes system calls that the rules deny: such workers keep their limits alone.
    /// - Throws: `Problem` `sandbox-unavailable` in mode `.required`.
    public static func allowGPU(_ mode: SandboxMode) throws {
        guard mode == .required else { return }
        throw Problem(
            .unavailable, code: "sandbox-unavailable", title: "Workers on a GPU cannot be confined",
            detail: "The GPU's driver needs devices and system calls that the rules for workers deny.",
            location: "device",
            fix: "Use device: cpu, or accept workers that only their limits hold: sandbox: preferred.")
    }

    /// - Throws: `Problem` `sandbox-unavailable` when something is missing that is required.
    public func require(_ mode: SandboxMode) throws {
        guard mode == .required, !missing.isEmpty else { return }
        throw Problem(
            .unavailable, code: "sandbox-unavailable", title: "Workers cannot be confined here",
            detail: "This kernel, or the container around it, lacks: \(missing.joined(separator: "; ")).",
            location: "sandbox",
            fix: "Use a kernel that has them, or accept to run without: sandbox: preferred.")
    }
}
