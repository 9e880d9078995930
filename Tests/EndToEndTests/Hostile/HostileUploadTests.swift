import Foundation
import Testing

/// Every hostile file through the real service, with the real worker: a clear problem each, and a service
/// that stays small, stays the same process, and goes on with its work.
@Suite struct HostileUploadTests {
    static let all = HostileModels.all + HostileDatasets.all

    @Test func everyOneIsRefusedAndTheServiceStaysSmall() throws {
        #expect(Self.all.count >= 60)
        let service = try ServiceProcess()
        for upload in Self.all {
            let problem = try answer(to: upload, service)
            let code = problem["code"] as? String ?? "none"
            #expect(upload.codes.contains(code), "\(upload.testDescription): \(problem)")
            #expect((problem["detail"] as? String)?.isEmpty == false, "\(upload.testDescription)")
        }
        #expect(try service.get("/healthz").status == 200)
        #expect(try service.get("/readyz").status == 200)
        // Nothing of what was refused is kept.
        for collection in ["models", "datasets"] {
            let items = try service.get("/v1/\(collection)?limit=1000").json["items"] as? [[String: Any]]
            #expect(items?.allSatisfy { $0["state"] as? String == "rejected" } == true)
        }
        let status = try String(contentsOfFile: "/proc/\(service.identifier)/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = try #require(peak?.split(separator: " ").compactMap { Int($0) }.first)
        #expect(kibibytes < 256 << 10, "VmHWM \(kibibytes) KiB")
        #expect(service.stop(SIGTERM) == 0)
    }

    /// The problem of the refusal, or that of the rejected import.
    private func answer(to upload: HostileUpload, _ service: ServiceProcess) throws -> [String: Any] {
        let reply = try service.post(
            "/v1/\(upload.collection.rawValue)", "Prefer: wait=15", body: Data(upload.make()))
        var resource = try reply.json
        guard reply.status == 201 else {
            #expect((400..<500).contains(reply.status), "\(upload.testDescription): \(reply.text)")
            #expect(reply.headers["content-type"] == "application/problem+json")
            return resource
        }
        while resource["state"] as? String == "importing" {
            resource = try service.get(
                "/v1/\(upload.collection.rawValue)/\(try reply.id)", "Prefer: wait=15"
            ).json
        }
        #expect(resource["state"] as? String == "rejected", "\(upload.testDescription)")
        return resource["problem"] as? [String: Any] ?? [:]
    }
}
