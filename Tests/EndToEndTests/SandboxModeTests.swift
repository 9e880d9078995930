import Foundation
import Testing

/// What the service does on a machine that cannot confine its workers: a kernel without landlock, by a filter of
/// system calls.
@Suite struct SandboxModeTests {
    private static let launcher = [
        ServiceProcess.programs.appending(path: "ConfinedProgram").path, "without-landlock",
    ]

    @Test func requiredRefusesToStartAndSaysWhatIsMissing() throws {
        let failure = try #require(throws: ServiceProcess.Failure.self) {
            _ = try ServiceProcess(
                script: "", settings: ["BURND_SANDBOX": "required"], launcher: Self.launcher)
        }
        #expect(failure.description.contains("landlock"), "\(failure)")
        // The same settings start where nothing is missing.
        let ready = try ServiceProcess(script: "").get("/readyz").json
        if let missing = (ready["sandbox"] as? [String: Any])?["missing"] as? [String], missing.isEmpty {
            let service = try ServiceProcess(script: "", settings: ["BURND_SANDBOX": "required"])
            #expect(try service.get("/readyz").status == 200)
            #expect(service.stop(SIGTERM) == 0)
        }
    }

    /// A GPU's driver needs what the rules deny: whoever requires them cannot have both.
    @Test func aGPUAndRequiredRulesExcludeEachOther() throws {
        let failure = try #require(throws: ServiceProcess.Failure.self) {
            _ = try ServiceProcess(
                script: "", settings: ["BURND_SANDBOX": "required", "BURND_DEVICE": "cuda"])
        }
        #expect(failure.description.contains("GPU"), "\(failure)")
        let service = try ServiceProcess(script: "", settings: ["BURND_DEVICE": "auto"])
        let sandbox = try service.get("/readyz").json["sandbox"] as? [String: Any]
        #expect((sandbox?["missing"] as? [String] ?? []).contains { $0.contains("GPU") })
        #expect(service.stop(SIGTERM) == 0)
    }

    @Test func preferredSaysOnceWhatIsMissingAndGoesOn() throws {
        let service = try ServiceProcess(script: KillTests.script, launcher: Self.launcher)
        let ready = try service.get("/readyz")
        #expect(ready.status == 200)
        let sandbox = try ready.json["sandbox"] as? [String: Any]
        #expect(sandbox?["landlock"] as? Int == 0 && sandbox?["mode"] as? String == "preferred")
        let missing = sandbox?["missing"] as? [String] ?? []
        #expect(missing.contains { $0.contains("landlock") }, "\(missing)")
        #expect(try service.finished(service.startJob())["state"] as? String == "succeeded")
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.log.components(separatedBy: "workers are not fully confined here").count == 2)
    }
}
