import Foundation
import Testing

/// Keys of a running service: made and revoked by the command, which asks the service over its control socket.
@Suite struct AccessTests {
    private func burnd(_ arguments: [String], data: String) throws -> (
        status: Int32, output: String, errors: String
    ) {
        let process = Process()
        process.executableURL = ServiceProcess.programs.appending(path: "burnd")
        process.arguments = arguments
        process.environment = ["BURND_DATA": data, "PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Both are shorter than a pipe's buffer.
        let texts = [output, errors].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        return (process.terminationStatus, texts[0], texts[1])
    }

    @Test func keysOfARunningServiceCountAtOnce() throws {
        let service = try ServiceProcess(script: "")
        let data = service.folder.path + "/data"
        #expect(try service.get("/v1/jobs").status == 200)
        let made = try burnd(["keys", "create", "ci", "--scope", "read", "--expires", "30d"], data: data)
        #expect(made.status == 0, "\(made.errors)")
        let token = made.output.trimmingCharacters(in: .newlines)
        #expect(token.hasPrefix("burn_") && token.utf8.count == 75)
        #expect(!made.errors.contains(token))
        #expect(try service.get("/v1/jobs").status == 401)
        let answer = try service.get("/v1/jobs", "Authorization: Bearer \(token)")
        #expect(answer.status == 200)
        #expect(try service.post("/v1/jobs", "Authorization: Bearer \(token)").status == 403)
        #expect(try service.get("/healthz").status == 200)

        let listed = try burnd(["keys", "list"], data: data)
        let fields = listed.output.split(separator: "\t")
        #expect(fields[1...2] == ["read", "usable"])
        let id = try #require(fields.first.map(String.init))
        #expect(try burnd(["keys", "revoke", id], data: data).output.contains("\trevoked\t"))
        #expect(try service.get("/v1/jobs", "Authorization: Bearer \(token)").status == 401)
        let again = try burnd(["keys", "revoke", id], data: data)
        #expect(again.status == 1)
        #expect(again.errors.contains("revoked already"))
        #expect(service.stop(SIGTERM) == 0)

        // The database holds the same without the service, and after its next start.
        #expect(try burnd(["keys", "list"], data: data).output.hasPrefix(id + "\tread\trevoked"))
        let admin = try burnd(["keys", "create", "ops", "--scope", "admin"], data: data)
            .output.trimmingCharacters(in: .newlines)
        try service.start()
        let audit = try service.get("/v1/audit", "Authorization: Bearer \(admin)")
        #expect(audit.status == 200)
        for action in ["keys.create", "keys.revoke", "GET /v1/jobs", "POST /v1/jobs"] {
            #expect(audit.text.contains("\"action\":\"\(action)\""), "\(action)")
        }
    }

    @Test func theControlSocketIsTheOwnersAlone() throws {
        let service = try ServiceProcess(script: "")
        let path = service.folder.path + "/data/control"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(service.stop(SIGTERM) == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [
        ([], "no usable API key"), (["--with-key"], "in the clear"),
    ])
    func otherMachinesAreNotLetInCarelessly(arguments: [String], reason: String) throws {
        let data = NSTemporaryDirectory() + "burn-listen-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: data) }
        if !arguments.isEmpty {
            #expect(try burnd(["keys", "create", "a", "--scope", "read"], data: data).status == 0)
        }
        let worker = ServiceProcess.programs.appending(path: "ScriptedWorker").path
        let refused = try burnd(["serve", "--listen", "0.0.0.0:0", "--worker", worker], data: data)
        #expect(refused.status == 1)
        #expect(refused.errors.contains(reason), "\(refused.errors)")
    }
}
